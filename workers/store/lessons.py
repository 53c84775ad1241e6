"""What people made of our fixes: learned once per pull request, asked for by the fingerprint of a failure.

A lesson belongs to one repository of one installation; nothing learned in one place is ever used in another.
"""

from __future__ import annotations

from typing import Any

from sqlalchemy import Connection, Engine, Select, delete, insert, select

from workers.domain import Lesson
from workers.redact import Redactor
from workers.store.changes import ChangeLine
from workers.store.codec import clean
from workers.store.database import db_now, transact
from workers.store.models import Change
from workers.store.models import Lesson as Row

MOST = 10
"""Lessons about one failure that are looked at, newest first."""
LONGEST_WORDS = 4_000


class Lessons:
    """All lessons."""

    def __init__(self, engine: Engine, redactor: Redactor | None = None) -> None:
        self._engine = engine
        self._redactor = redactor or Redactor()

    def learn(self, change: ChangeLine, *, accepted: bool, words: str = "", who: str = "") -> None:
        """Remember what became of a change. A pull request teaches one thing: a later word replaces the earlier one."""
        row = {
            "installation_id": change.installation_id,
            "repo_id": change.repo_id,
            "number": change.number,
            "fingerprint": change.fingerprint,
            "accepted": accepted,
            "patch": clean(self._redactor(change.patch)),
            "words": clean(self._redactor(words))[:LONGEST_WORDS],
            "who": clean(who),
            "at": db_now(),
        }
        same = (Row.repo_id == change.repo_id, Row.number == change.number)

        def work(connection: Connection) -> None:
            connection.execute(delete(Row).where(*same))
            connection.execute(insert(Row).values(**row))

        transact(self._engine, work)

    def rejected(self, repo_id: int, fingerprint: str, installation_id: int) -> tuple[Lesson, ...]:
        """What people did not want for this failure, newest first."""
        return self._about(repo_id, fingerprint, installation_id, accepted=False)

    def accepted(self, repo_id: int, fingerprint: str, installation_id: int) -> tuple[Lesson, ...]:
        """What people merged for this failure, newest first."""
        return self._about(repo_id, fingerprint, installation_id, accepted=True)

    def _about(self, repo_id: int, fingerprint: str, installation_id: int, *, accepted: bool) -> tuple[Lesson, ...]:
        with self._engine.connect() as connection:
            return about(connection, repo_id, fingerprint, installation_id, accepted)


def about(
    connection: Connection, repo_id: int, fingerprint: str, installation_id: int, accepted: bool
) -> tuple[Lesson, ...]:
    """The lessons about one failure of a repository, newest first."""
    if not fingerprint:
        return ()
    target = (
        select(Change.target).where(Change.repo_id == Row.repo_id, Change.number == Row.number)
        .order_by(Change.id.desc()).limit(1).scalar_subquery()
    )  # fmt: skip
    query: Select[Any] = (
        select(Row.number, Row.accepted, Row.patch, Row.words, Row.who, target.label("target"))
        .where(Row.installation_id == installation_id, Row.repo_id == repo_id, Row.fingerprint == fingerprint)
        .where(Row.accepted == accepted)
        .order_by(Row.id.desc())
        .limit(MOST)
    )
    return tuple(Lesson(**{**row._asdict(), "target": row.target or ""}) for row in connection.execute(query))
