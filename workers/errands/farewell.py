"""Tells people about an end that a run could not tell itself: cancelled midway, given up, or our own fault.

The end and this errand are written in one transaction, so a check run never stays in progress because GitHub was away
at that moment.
"""

from __future__ import annotations

from workers import messages
from workers.domain import Report, RunId, StageName
from workers.errands.desk import Desk
from workers.errands.model import EndUntold
from workers.github.forge import GitHubForge
from workers.ports import Admission
from workers.repo_config import Notify
from workers.store.codec import read
from workers.store.pages import Pages, RunPage


def bid_farewell(desk: Desk) -> str:
    """Bring the check run, the comment when the end has one, and the threads of a review to the run's end. Saying it
    again changes nothing."""
    told = desk.errand.payload
    if not isinstance(told, EndUntold):
        raise TypeError(f"not an end: {type(told).__name__}")
    page = Pages(desk.engine, desk.redactor).run(RunId(told.run))
    if page is None or page.line.outcome is None:
        return "the run is not kept any more"
    report = page.report or Report(page.case, page.line.outcome, page.line.detail)
    mirrors = desk.settings.state_dir.expanduser() / "mirrors"
    run_url = f"{desk.settings.public_url.rstrip('/')}/runs/{told.run}"
    notice = messages.fitting(messages.ended(report, run_url), _notify(page))
    with GitHubForge(desk.app, mirrors, report.case, desk.redactor, desk.guard) as forge:
        forge.reply(report.case, messages.review_replies(report, (), run_url))
        forge.tell(report.case, notice, report.published)
    return f"told the end of run {told.run}: {report.outcome}"


def _notify(page: RunPage) -> Notify:
    """How much the repository wants to hear, as far as the run had asked."""
    known = next((stage.data for stage in page.stages if stage.stage == StageName.ADMIT), None)
    admission = read(known, Admission)
    return admission.config.notify if admission is not None else Notify()
