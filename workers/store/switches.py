"""Where Heal is switched off, and which failures people told it to ignore. A row whose time has passed counts no more.

A switch is read at every admission and before every errand, so it works at once; what is at work already is ended by
whoever throws it (`Ledger.cancel_for_scope`).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from sqlalchemy import ColumnElement, Connection, Engine, delete, or_, select
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import InstrumentedAttribute

from workers.redact import Redactor
from workers.store import models
from workers.store.codec import clean
from workers.store.database import db_now, transact
from workers.store.models import Switch, Table
from workers.wishes import EVERYTHING, Ignored, Kind, Off, Reach, Scope

LONGEST_VALUE = 512


class Switches:
    """All switches."""

    def __init__(self, engine: Engine, redactor: Redactor | None = None) -> None:
        self._engine = engine
        self._redactor = redactor or Redactor()

    def off(self, scope: Scope, who: str, why: str = "", seconds: float | None = None) -> None:
        """Switch Heal off for so many seconds, or until `on`. A switch that is off already takes these words."""
        row = {
            "until": None if seconds is None else db_now() + seconds,
            "who": clean(who),
            "why": clean(self._redactor(why)),
            "at": db_now(),
        }

        transact(self._engine, lambda c: _upsert(c, Switch, {"scope": str(scope)}, row))

    def on(self, scope: Scope) -> bool:
        """Switch it on again; False when it was not off."""
        gone = delete(Switch).where(Switch.scope == str(scope), _lasts(Switch.until)).returning(Switch.scope)
        return transact(self._engine, lambda c: c.execute(gone).scalar() is not None)

    def over(self, installation_id: int, repo_id: int) -> Off | None:
        """The widest switch that is off for a repository."""
        reach = [EVERYTHING, Scope(Reach.INSTALLATION, installation_id), Scope(Reach.REPO, repo_id)]
        names = [str(scope) for scope in reach]
        found = self._listed(Switch.scope.in_(names))
        return min(found, key=lambda off: names.index(off.scope), default=None)

    def listed(self) -> tuple[Off, ...]:
        """Every switch that is off, the newest first."""
        return self._listed()

    def _listed(self, *which: ColumnElement[bool]) -> tuple[Off, ...]:
        columns = (Switch.scope, Switch.who, Switch.why, Switch.until, Switch.at)
        query = select(*columns).where(_lasts(Switch.until), *which).order_by(Switch.at.desc(), Switch.scope)
        with self._engine.connect() as connection:
            return tuple(Off(*row) for row in connection.execute(query))


class Ignores:
    """The failures of one repository that people told Heal to leave alone."""

    def __init__(self, engine: Engine, repo_id: int) -> None:
        self._engine = engine
        self._repo_id = repo_id

    def add(self, kind: Kind, value: str, who: str, seconds: float | None = None) -> None:
        """Ignore it for so many seconds, or until it is taken back."""
        row = {"until": None if seconds is None else db_now() + seconds, "who": clean(who), "at": db_now()}
        same = {"repo_id": self._repo_id, "kind": kind.value, "value": _value(value)}
        transact(self._engine, lambda c: _upsert(c, models.Ignored, same, row))

    def remove(self, kind: Kind, value: str) -> bool:
        """Take it back; False when it was not ignored."""
        table = models.Ignored
        which = (table.repo_id == self._repo_id, table.kind == kind.value, table.value == _value(value))
        gone = delete(table).where(*which, _lasts(table.until)).returning(table.id)
        return transact(self._engine, lambda c: c.execute(gone).scalar() is not None)

    def listed(self) -> tuple[Ignored, ...]:
        """What is ignored now, the newest first."""
        table = models.Ignored
        query = (
            select(table.kind, table.value, table.who, table.until)
            .where(table.repo_id == self._repo_id, _lasts(table.until))
            .order_by(table.at.desc(), table.id.desc())
        )
        with self._engine.connect() as connection:
            return tuple(Ignored(Kind(row.kind), row.value, row.who, row.until) for row in connection.execute(query))

    def match(self, job: str, tests: Sequence[str], fingerprint: str) -> Ignored | None:
        """`workers.wishes.Wishes.ignored` for this repository."""
        listed = self.listed()
        for one in listed:
            if one.kind is not Kind.TEST and one.value in ({job} if one.kind is Kind.JOB else {fingerprint}) - {""}:
                return one
        by_test = [next((one for one in listed if _names(one, test)), None) for test in map(_value, tests)]
        return by_test[0] if by_test and None not in by_test else None


class RepoWishes:
    """Implements `workers.wishes.Wishes` for the runs of one repository."""

    def __init__(self, engine: Engine, installation_id: int, repo_id: int) -> None:
        self._engine = engine
        self._installation_id = installation_id
        self._repo_id = repo_id

    def off(self) -> Off | None:
        """Asked of the database each time."""
        return Switches(self._engine).over(self._installation_id, self._repo_id)

    def ignored(self, job: str, tests: Sequence[str], fingerprint: str) -> Ignored | None:
        """Asked of the database each time."""
        return Ignores(self._engine, self._repo_id).match(_value(job), tests, fingerprint)


def _names(one: Ignored, test: str) -> bool:
    """The test itself, or all cases of a test that takes parameters."""
    return one.kind is Kind.TEST and (test == one.value or test.startswith(f"{one.value}["))


def _value(text: str) -> str:
    return clean(text)[:LONGEST_VALUE]


def _lasts(until: InstrumentedAttribute[float | None]) -> ColumnElement[bool]:
    return or_(until.is_(None), until > db_now())


def _upsert(connection: Connection, table: type[Table], same: Mapping[str, object], row: Mapping[str, object]) -> None:
    into = postgresql.insert if connection.dialect.name == "postgresql" else sqlite.insert
    statement = into(table).values(**same, **row)
    connection.execute(statement.on_conflict_do_update(index_elements=list(same), set_=dict(row)))
