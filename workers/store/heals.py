"""How often a failure was worked on lately in one place: what keeps Heal from trying the same thing for ever."""

from __future__ import annotations

from sqlalchemy import Connection, func, or_, select

from workers.domain import Case, StageName
from workers.store.codec import clean
from workers.store.database import db_now
from workers.store.models import Run, StageResult

WEEK = 7 * 86_400.0


def lately(connection: Connection, case: Case, fingerprint: str) -> int:
    """Other runs of the last seven days that had this failure on the same pull request or branch and went on to look
    for a fix. Those that ended right after the diagnosis spent nothing and do not count."""
    here = Run.branch == clean(case.branch)
    if case.pull_request is not None:  # an event may have named it, or only its branch
        here = or_(here, Run.pull_request == case.pull_request)
    went_on = select(StageResult.run_id).where(StageResult.stage == StageName.BLAME.value)
    query = (
        select(func.count())
        .select_from(Run)
        .where(
            Run.repo_id == case.repo_id,
            Run.fingerprint == clean(fingerprint)[:64],
            Run.id != case.run,
            Run.created_at > db_now() - WEEK,
            here,
            Run.id.in_(went_on),
        )
    )
    return int(connection.execute(query).scalar_one())
