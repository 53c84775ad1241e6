"""What people made of our fixes: learned once per pull request, asked for by the fingerprint of a failure.

What was turned down counts in its own repository alone. A merged fix of a like failure may be of interest to the other
repositories of the same installation; nothing that was learned in one installation is ever used in another.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, Connection, Engine, Select, delete, func, insert, select

from workers.diagnosis import signature
from workers.diagnosis.signature import ENOUGH, Signature, likeness
from workers.domain import Change as Kind
from workers.domain import Diagnosis, Lesson, StageName
from workers.redact import Redactor
from workers.store.changes import ChangeLine, held
from workers.store.codec import clean, read, to_json
from workers.store.database import db_now, transact
from workers.store.models import Change, Repo, StageResult
from workers.store.models import Lesson as Row

MOST = 10
"""Lessons about one failure that are looked at, newest first."""
COMPARED = 200
"""Merged fixes of an installation that a failure is compared with, newest first."""
SIMILAR = 2
"""Fixes of like failures that are of interest at most."""
DECAY = 0.7
"""What is left of a fix's worth after each later one for the same failure that people turned down."""
LONGEST_WORDS = 4_000


@dataclass(frozen=True)
class LessonLine:
    """A lesson as it is listed; `repo` is "" when its name is not known. `at` in seconds since 1970."""

    id: int
    repo: str
    repo_id: int
    installation_id: int
    number: int
    accepted: bool
    tool: str
    rules: tuple[str, ...]
    fingerprint: str
    who: str
    words: str
    patch: str
    at: float


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
            looks = clean(self._redactor(_looks(connection, change)))
            connection.execute(delete(Row).where(*same))
            connection.execute(insert(Row).values(**row, signature=looks, kind=_kind(connection, change).value))

        transact(self._engine, work)

    def rejected(self, repo_id: int, fingerprint: str, installation_id: int) -> tuple[Lesson, ...]:
        """What people did not want for this failure, newest first."""
        return self._about(repo_id, fingerprint, installation_id, accepted=False)

    def accepted(self, repo_id: int, fingerprint: str, installation_id: int) -> tuple[Lesson, ...]:
        """What people merged for this failure, newest first."""
        return self._about(repo_id, fingerprint, installation_id, accepted=True)

    def listed(self, repo_id: int | None = None) -> list[LessonLine]:
        """Every lesson, of one repository or of all, newest first."""
        query = (
            select(*Row.__table__.columns, Repo.full_name)
            .outerjoin(Repo, Repo.id == Row.repo_id)
            .order_by(Row.id.desc())
        )
        with self._engine.connect() as connection:
            found = connection.execute(query if repo_id is None else query.where(Row.repo_id == repo_id)).all()
        return [_line(row) for row in found]

    def forget(self, lesson: int) -> bool:
        """Remove one; False when there is none with this id."""
        return transact(self._engine, lambda c: c.execute(delete(Row).where(Row.id == lesson)).rowcount > 0)

    def _about(self, repo_id: int, fingerprint: str, installation_id: int, *, accepted: bool) -> tuple[Lesson, ...]:
        with self._engine.connect() as connection:
            return about(connection, repo_id, fingerprint, installation_id, accepted)


def about(
    connection: Connection, repo_id: int, fingerprint: str, installation_id: int, accepted: bool
) -> tuple[Lesson, ...]:
    """The lessons about one failure of a repository, newest first."""
    if not fingerprint:
        return ()
    query = (
        _lessons(Row.installation_id == installation_id, Row.repo_id == repo_id, Row.fingerprint == fingerprint)
        .where(Row.accepted == accepted)
        .limit(MOST)
    )
    return tuple(_lesson(row) for row in connection.execute(query))


def similar(connection: Connection, repo_id: int, diagnosis: Diagnosis, installation_id: int) -> tuple[Lesson, ...]:
    """Merged fixes of failures that look like this one: of the repository first, then of its installation; the most
    alike first."""
    mine = signature.of(diagnosis)
    merged = _lessons(Row.installation_id == installation_id, Row.accepted.is_(True)).limit(COMPARED)
    ranked: list[tuple[bool, float, int, Lesson]] = []
    for row in connection.execute(merged).all():
        same = row.repo_id == repo_id and row.fingerprint == diagnosis.fingerprint
        worth = (1.0 if same else likeness(mine, _signature(row.signature))) * DECAY**row.turned_down
        if worth >= ENOUGH:
            ranked.append((row.repo_id != repo_id, -worth, -row.id, _lesson(row)))
    return tuple(lesson for *_, lesson in sorted(ranked, key=lambda one: one[:3])[:SIMILAR])


def _lessons(*which: ColumnElement[bool]) -> Select[Any]:
    """Lessons with where their fixes went and how many later ones for the same failure were turned down, newest
    first."""
    target = (
        select(Change.target).where(Change.repo_id == Row.repo_id, Change.number == Row.number)
        .order_by(Change.id.desc()).limit(1).scalar_subquery()
    )  # fmt: skip
    later = Row.__table__.alias("later")
    turned_down = (
        select(func.count())
        .where(later.c.repo_id == Row.repo_id, later.c.fingerprint == Row.fingerprint, later.c.id > Row.id)
        .where(later.c.accepted.is_(False))
        .scalar_subquery()
    )
    columns = (Row.id, Row.repo_id, Row.fingerprint, Row.signature, Row.number, Row.accepted, Row.patch, Row.words)
    more = (Row.who, Row.kind, target.label("target"), turned_down.label("turned_down"))
    return select(*columns, *more).where(*which).order_by(Row.id.desc())


def _lesson(row: Any) -> Lesson:
    kind = next((one for one in Kind if one.value == row.kind), Kind.EDIT)  # a later release may know more of them
    return Lesson(row.number, row.accepted, row.patch, row.words, row.who, row.target or "", kind)


def _kind(connection: Connection, change: ChangeLine) -> Kind:
    """What the candidate said to be that the change was made of; an edit when its run is gone."""
    made = held(connection, change.repo_id, change.run_id) if change.run_id is not None else None
    return made.change if made is not None else Kind.EDIT


def _looks(connection: Connection, change: ChangeLine) -> str:
    """The signature of the failure that the change is for, by the run that wrote to it last; "" when that is gone, or
    worked on another failure."""
    if change.run_id is None:
        return ""
    query = (
        select(StageResult.data)
        .where(StageResult.run_id == change.run_id, StageResult.stage == StageName.DIAGNOSE.value)
        .order_by(StageResult.n.desc())
        .limit(1)
    )
    found = read(connection.execute(query).scalar(), Diagnosis)
    known = found is not None and found.fingerprint == change.fingerprint
    return to_json(signature.of(found)) if found is not None and known else ""


def _signature(stored: str) -> Signature:
    return read(stored or None, Signature) or Signature("")


def _line(row: Any) -> LessonLine:
    looks = _signature(row.signature)
    names = ("id", "repo_id", "installation_id", "number", "accepted", "fingerprint", "who", "words", "patch", "at")
    kept = {name: getattr(row, name) for name in names}
    return LessonLine(repo=row.full_name or "", tool=looks.tool, rules=looks.rules, **kept)
