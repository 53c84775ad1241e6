"""What the database knows of a pull request that a command is about: the heads it had, and our change in it."""

from __future__ import annotations

from sqlalchemy import Engine, select

from workers.domain import How, Ours, RunId, Sha
from workers.store.models import Change, PullHead


def head_before(engine: Engine, repo_id: int, number: int, at: float) -> str:
    """The head that a pull request had before a moment, "" when no delivery told of any.

    A head of the very same second does not count: which of the two came first cannot be told.
    """
    query = (
        select(PullHead.sha)
        .where(PullHead.repo_id == repo_id, PullHead.number == number, PullHead.at < at)
        .order_by(PullHead.at.desc(), PullHead.id.desc())
        .limit(1)
    )
    with engine.connect() as connection:
        return str(connection.execute(query).scalar() or "")


def ours(engine: Engine, repo_id: int, number: int) -> Ours | None:
    """The change that a pull request of ours holds."""
    query = (
        select(Change)
        .where(Change.repo_id == repo_id, Change.number == number, Change.how == How.PULL.value)
        .order_by(Change.id.desc())
        .limit(1)
    )
    with engine.connect() as connection:
        row = connection.execute(query).one_or_none()
    if row is None:
        return None
    return Ours(
        row.number, row.branch, Sha(row.commit), row.target, Sha(row.onto), row.patch, RunId(row.run_id or ""), row.runs
    )
