"""Every head that a pull request had, as the deliveries told of it: what a person could see when giving a command.

Times are GitHub's own, in whole seconds. Deliveries may come in any order and more than once.
"""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import ColumnElement, Connection, Engine, insert, select

from workers.domain import Sha
from workers.store.codec import clean
from workers.store.database import db_now, transact
from workers.store.models import PullHead


@dataclass(frozen=True)
class Head:
    """A head of a pull request. `at` is when it became the head, in seconds since 1970 by GitHub's clock.

    `fork`: it lies in another repository, or the repository it lay in is gone.
    """

    sha: Sha
    fork: bool
    at: float


class Heads:
    """The table of heads, by the id of the base repository and the number of the pull request."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def note(self, repo_id: int, number: int, head: Head, moved: bool = True) -> bool:
        """Remember a head; False when it is known. `moved`: the event is about the new head itself.

        An event that only mentions the head (reopened, ready for review) adds it when the newest one before is another:
        the time of such an event says nothing of when the head came. A head without a time came now: to believe it too
        young is safe, too old is not.
        """

        def work(connection: Connection) -> bool:
            at = head.at or float(connection.execute(select(db_now())).scalar_one())
            same = select(PullHead.id).where(
                PullHead.repo_id == repo_id,
                PullHead.number == number,
                PullHead.sha == head.sha,
                PullHead.at == at,
            )
            if connection.execute(same).first() is not None:
                return False
            if not moved or not head.at:
                before = _newest(connection, repo_id, number, PullHead.at <= at)
                if before is not None and before.sha == head.sha:
                    return False
            row = {"repo_id": repo_id, "number": number, "sha": clean(head.sha), "fork": head.fork, "at": at}
            connection.execute(insert(PullHead).values(**row))
            return True

        return transact(self._engine, work)

    def newest(self, repo_id: int, number: int) -> Head | None:
        """The head it has now, as far as deliveries have told; None when none has."""
        with self._engine.connect() as connection:
            return _newest(connection, repo_id, number)

    def newest_before(self, repo_id: int, number: int, at: float) -> Head | None:
        """The head it had before a moment (seconds since 1970, by GitHub's clock); None when nobody knows.

        A head of the very same second does not count: which of the two came first cannot be told.
        """
        with self._engine.connect() as connection:
            return _newest(connection, repo_id, number, PullHead.at < at)

    def pull_of(self, repo_id: int, sha: Sha) -> tuple[int, Head] | None:
        """The pull request that had this head last, with that head: for events that name a commit and no branch."""
        query = (
            select(PullHead.number, PullHead.sha, PullHead.fork, PullHead.at)
            .where(PullHead.repo_id == repo_id, PullHead.sha == sha)
            .order_by(PullHead.at.desc(), PullHead.id.desc())
            .limit(1)
        )
        with self._engine.connect() as connection:
            row = connection.execute(query).one_or_none()
        return None if row is None else (row.number, Head(Sha(row.sha), bool(row.fork), row.at))


def _newest(connection: Connection, repo_id: int, number: int, *which: ColumnElement[bool]) -> Head | None:
    query = (
        select(PullHead.sha, PullHead.fork, PullHead.at)
        .where(PullHead.repo_id == repo_id, PullHead.number == number, *which)
        .order_by(PullHead.at.desc(), PullHead.id.desc())
        .limit(1)
    )
    row = connection.execute(query).one_or_none()
    return None if row is None else Head(Sha(row.sha), bool(row.fork), row.at)
