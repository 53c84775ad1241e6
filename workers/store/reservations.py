"""How a use that budgets bound is kept, whatever it is of: reserved behind one lock, counted by span, settled after.

Sums and the new reservation are one transaction behind that lock, so two workers cannot exceed a budget together. A
reservation is found again by its key: what a dead worker reserved is taken over by the next one, and counts once.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Any

from sqlalchemy import ColumnElement, Connection, SQLColumnExpression, and_, case, func, insert, select, true, update

from workers.domain import Case
from workers.llm.budgets import Limit, Refusal, Span, Unit, begins, free_at
from workers.store.database import db_now
from workers.store.models import CallState, Reserved

_LOCK = 0x4845414C4C4C4D  # "HEALLLM", so that it is nobody else's on PostgreSQL

Amounts = Mapping[Unit, SQLColumnExpression[Any]]
"""What one row has of each unit."""
Values = Mapping[str, Any]
"""Columns of a row by their names."""


@dataclass(frozen=True)
class Kind:
    """A table of uses. A row counts at what was `used` once it is settled, until then at its `worst`, and nothing any
    more when it has been under way for `longest` seconds."""

    table: type[Reserved]
    used: Amounts
    worst: Amounts
    longest: float

    def counted(self, unit: Unit, now: float) -> ColumnElement[Any]:
        """What a row counts of a unit, at `now` in seconds since 1970."""
        settled, under_way = self.table.state == CallState.SETTLED.value, self.table.expires_at > now
        return case((settled, self.used[unit]), (under_way, self.worst[unit]), else_=0)


@dataclass(frozen=True)
class Reservation:
    """One use by a run, under its key, whether its row is there already or not."""

    kind: Kind
    run: Case
    key: str

    def spent(self, connection: Connection, limits: Iterable[Limit], now: float) -> dict[Span, dict[Unit, float]]:
        """What all others have used and reserved in the spans of these limits."""
        units = tuple(self.kind.used)
        sums = [func.coalesce(func.sum(self.kind.counted(unit, now)), 0) for unit in units]
        queries = {limit.span: select(*sums).where(self._others(limit.span, now)) for limit in limits}
        rows = {span: connection.execute(query).one() for span, query in queries.items()}
        return {span: dict(zip(units, map(float, row), strict=True)) for span, row in rows.items()}

    def dated(self, connection: Connection, refusal: Refusal, now: float) -> Refusal:
        """The refusal, with the time from which on there is room."""
        table, counted = self.kind.table, self.kind.counted(refusal.limit.unit, now)
        query = select(table.at, counted).where(self._others(refusal.limit.span, now)).order_by(table.at)
        rows = [(float(at), float(amount)) for at, amount in connection.execute(query)]
        return replace(refusal, free_at=free_at(refusal, rows, now))

    def keep(self, connection: Connection, now: float, worst: Values, first: Values, again: Values) -> None:
        """Write down the most that it can use: in a new row, with the `first` columns, or where a dead worker wrote it
        already, with those of doing it `again`."""
        table = self.kind.table
        values = {**worst, "at": now, "expires_at": now + self.kind.longest}
        if connection.execute(update(table).where(self._open).values(**values, **again)).rowcount:
            return
        whose = {"run_id": self.run.run, "installation_id": self.run.installation_id, "repo_id": self.run.repo_id}
        state = CallState.RESERVED.value
        connection.execute(insert(table).values(**whose, key=self.key, state=state, **values, **first))

    def settle(self, connection: Connection, used: Values) -> None:
        """Write down what was used, where it was reserved."""
        settled = {"state": CallState.SETTLED.value, "settled_at": db_now()}
        connection.execute(update(self.kind.table).where(self._open).values(**used, **settled))

    @property
    def _open(self) -> ColumnElement[bool]:
        table = self.kind.table
        return and_(table.run_id == self.run.run, table.key == self.key, table.state == CallState.RESERVED.value)

    def _others(self, span: Span, now: float) -> ColumnElement[bool]:
        table = self.kind.table
        whose: dict[Span, ColumnElement[bool]] = {
            Span.RUN: table.run_id == self.run.run,
            Span.REPO_DAY: table.repo_id == self.run.repo_id,
            Span.INSTALLATION_MONTH: table.installation_id == self.run.installation_id,
        }
        return and_(whose.get(span, true()), table.at >= begins(span, now), ~self._open)


def alone(connection: Connection) -> float:
    """Wait until nobody else reserves anything; the answer is the time, in seconds since 1970.

    SQLite has taken its write lock already, PostgreSQL is asked for one of ours.
    """
    if connection.dialect.name == "postgresql":
        connection.execute(select(func.pg_advisory_xact_lock(_LOCK)))
    return float(connection.execute(select(db_now())).scalar_one())
