"""Tells people about an end that a run could not tell itself: cancelled midway, given up, or our own fault.

The end and this errand are written in one transaction, so a check run never stays in progress because GitHub was away
at that moment.
"""

from __future__ import annotations

from pydantic import ValidationError
from sqlalchemy import select

from workers import messages
from workers.domain import Case, Outcome, Report
from workers.errands.desk import Desk
from workers.errands.model import EndUntold
from workers.github.forge import GitHubForge
from workers.store.codec import from_json
from workers.store.models import Run


def bid_farewell(desk: Desk) -> str:
    """Bring the check run, and the comment when the end has one, to the run's end. Saying it again changes nothing."""
    told = desk.errand.payload
    if not isinstance(told, EndUntold):
        raise TypeError(f"not an end: {type(told).__name__}")
    report = _report(desk, told.run)
    if report is None:
        return "the run is not kept any more"
    mirrors = desk.settings.state_dir.expanduser() / "mirrors"
    run_url = f"{desk.settings.public_url.rstrip('/')}/runs/{told.run}"
    with GitHubForge(desk.app, mirrors, report.case, desk.redactor, desk.guard) as forge:
        forge.tell(report.case, messages.ended(report, run_url), report.published)
    return f"told the end of run {told.run}: {report.outcome}"


def _report(desk: Desk, run: str) -> Report | None:
    query = select(Run.case, Run.outcome, Run.detail, Run.report).where(Run.id == run, Run.outcome.is_not(None))
    with desk.engine.connect() as connection:
        row = connection.execute(query).one_or_none()
    if row is None:
        return None
    try:
        return from_json(row.report, Report)
    except (TypeError, ValidationError):  # none was kept, or another release wrote it in a shape of its own
        return Report(from_json(row.case, Case), Outcome(row.outcome), row.detail)
