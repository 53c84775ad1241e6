"""One more run of a workflow run's failed jobs: looked for before it is asked for, and never asked for twice."""

from __future__ import annotations

from workers.domain import Case, Rerun
from workers.errors import Stop
from workers.github.api import Refused
from workers.github.session import Purpose, Session

_NO = (403, 404, 409, 422)
"""It still runs, is too old or gone, or is run again already by somebody who was faster."""


def failed_jobs(session: Session, case: Case) -> Rerun:
    """Ask for it, once for one workflow run. Its attempt number is what GitHub knows of earlier tries, ours and
    others': an answer that was lost is found again by it. An installation that grants no writing of actions is no
    trouble."""
    if not case.actions_run_id:
        return Rerun.NONE
    if case.attempt > 1:
        return Rerun.AGAIN
    path = session.repository.path(f"/actions/runs/{case.actions_run_id}")
    run = session.api(Purpose.READ).find(path)
    if run is None:
        return Rerun.REFUSED
    if int(run.get("run_attempt") or 1) > 1:
        return Rerun.AGAIN
    try:
        api = session.api(Purpose.RERUN)
    except Stop:  # the permission came later than the installation, and nobody has accepted it
        return Rerun.REFUSED
    try:
        api.send("POST", f"{path}/rerun-failed-jobs", {}, expect=_NO)
    except Refused:
        return Rerun.REFUSED
    return Rerun.ASKED
