"""The inbox: deliveries that were signed and committed before they were answered, waiting to be routed into runs."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, Connection, Dialect, Engine, Update, bindparam, func, select, text, update
from sqlalchemy.dialects import sqlite
from sqlalchemy.dialects.postgresql import psycopg

from workers.redact import redact
from workers.store.codec import clean
from workers.store.database import db_now, transact
from workers.store.models import Delivery, DeliveryState
from workers.store.packing import Packed, pack, unpack

TAKEN_SECONDS = 30.0
"""A taken delivery that is not marked by then (its dispatcher died) is taken again."""
TAKEN_AT_ONCE = 50
MOST_TAKES = 5
"""A delivery that kills its dispatcher this often is set aside as an error."""

MOST_ASKED_FOR = 500
"""Values in one statement: databases take some ten thousand at most."""


@dataclass(frozen=True)
class DeliveryRow:
    """A delivery as the receiver knows it: headers and raw body, nothing parsed. `target` is '' when not sent."""

    guid: str
    event: str
    body: bytes
    target: str = ""


@dataclass(frozen=True)
class PackedRow:
    """A delivery as it is kept. One of 25 MB is packed before it waits for its commit, so it waits as less."""

    guid: str
    event: str
    body: Packed
    target: str = ""


@dataclass(frozen=True)
class Stored:
    """What became of an added delivery. `altered`: a duplicate id came with another body; the first one is kept."""

    duplicate: bool
    altered: bool = False


@dataclass(frozen=True)
class TakenDelivery:
    """A delivery handed to a dispatcher, which must `mark` it. `received_at` is in seconds since 1970."""

    id: int
    guid: str
    event: str
    kept: Packed
    received_at: float
    attempts: int

    @property
    def body(self) -> bytes | None:
        """What came, unpacked when it is asked for: of fifty large ones only one is large at a time. None where what
        was stored is not what came."""
        return unpack(self.kept)


@dataclass(frozen=True)
class Mark:
    """What became of the delivery `id`, and why."""

    id: int
    state: DeliveryState
    reason: str = ""
    installation_id: int = 0
    repo_id: int = 0


@dataclass(frozen=True)
class InboxCounts:
    """For metrics: rows per state, and the age in seconds of the oldest new one (0 when there is none)."""

    by_state: dict[str, int]
    oldest_new: float


class Inbox:
    """Deliveries, kept once per (target, GUID)."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def add(self, row: DeliveryRow) -> Stored:
        """Store one delivery; committed when this returns."""
        return self.add_many([row])[0]

    def add_many(self, rows: Sequence[DeliveryRow]) -> list[Stored]:
        """Pack and store deliveries."""
        return self.store([PackedRow(row.guid, row.event, pack([row.body]), row.target) for row in rows])

    def store(self, rows: Sequence[PackedRow]) -> list[Stored]:
        """Store deliveries in one transaction (one disk flush for all), answers in the same order."""
        try:
            transact(self._engine, lambda connection: _insert_new(connection, rows))
        except _KnownAlready:
            return transact(self._engine, lambda connection: [_insert(connection, row) for row in rows])
        return [Stored(duplicate=False) for _ in rows]

    def take(self, limit: int = TAKEN_AT_ONCE) -> list[TakenDelivery]:
        """Hand out new deliveries, oldest first. Two dispatchers never get the same one within `TAKEN_SECONDS`.

        One that was handed out before comes last and alone: if it killed its dispatcher, nothing else shares its fate.
        """
        with self._engine.connect() as connection:  # looking costs the receiver's writer nothing, taking does
            if connection.execute(_ANY).scalar() is None:
                return []
        return transact(self._engine, lambda connection: _take(connection, limit))

    def mark(self, delivery_id: int, state: DeliveryState, reason: str = "") -> None:
        """Write what became of a delivery."""
        self.mark_many([Mark(delivery_id, state, reason)])

    def mark_many(self, marks: Sequence[Mark]) -> None:
        """Write what became of deliveries in one transaction: the disk is flushed once."""
        if not marks:
            return
        told = [(one, clean(redact(one.reason))) for one in marks]
        rows = [
            {
                "mark": one.id,
                "new_state": one.state.value,
                "new_reason": reason,
                "of_installation": one.installation_id,
                "of_repo": one.repo_id,
            }
            for one, reason in told
        ]
        transact(self._engine, lambda connection: connection.execute(_MARK, rows))

    def known(self, guids: Sequence[str], app_id: int) -> set[str]:
        """Those of these deliveries that have been stored for the App, or without a word of whom they were for."""
        found: set[str] = set()
        with self._engine.connect() as connection:
            for start in range(0, len(guids), MOST_ASKED_FOR):
                some = list(guids[start : start + MOST_ASKED_FOR])
                ours = Delivery.target.in_((str(app_id), "")), Delivery.guid.in_(some)
                found.update(connection.execute(select(Delivery.guid).where(*ours)).scalars())
        return found

    def counts(self) -> InboxCounts:
        """How many there are, and how old the oldest unrouted one is."""
        with self._engine.connect() as connection:
            rows = connection.execute(select(Delivery.state, func.count()).group_by(Delivery.state)).all()
            age = connection.execute(
                select(db_now() - func.min(Delivery.received_at)).where(Delivery.state == DeliveryState.NEW)
            ).scalar()
        return InboxCounts({str(state): int(n) for state, n in rows}, max(0.0, float(age or 0.0)))


_DELIVERY = Delivery.metadata.tables[Delivery.__tablename__]
"""Statements on the plain table, made once: through the mapped class each takes twice the processor time."""


_INSERT = """
    INSERT INTO delivery
        (target, guid, event, body, sha256, state, reason, attempts, received_at, next_at, installation_id, repo_id)
    VALUES (:target, :guid, :event, :body, :sha256, 'new', '', 0, NOW, NOW, 0, 0)
    ON CONFLICT (target, guid) DO NOTHING
"""


def _add(dialect: Dialect) -> str:
    """As the driver takes it: this one runs for every delivery, and SQLAlchemy's own work was half of its cost."""
    return str(text(_INSERT.replace("NOW", str(db_now().compile(dialect=dialect)))).compile(dialect=dialect))


_ADD = {"sqlite": _add(sqlite.dialect(paramstyle="named")), "postgresql": _add(psycopg.dialect())}  # type: ignore[no-untyped-call]
_KEPT = select(_DELIVERY.c.sha256).where(
    _DELIVERY.c.target == bindparam("target"), _DELIVERY.c.guid == bindparam("guid")
)
_MARK = (
    update(_DELIVERY)
    .where(_DELIVERY.c.id == bindparam("mark"))
    .values(
        state=bindparam("new_state"),
        reason=bindparam("new_reason"),
        installation_id=bindparam("of_installation"),
        repo_id=bindparam("of_repo"),
    )
)


class _KnownAlready(Exception):  # noqa: N818 - turns the transaction back
    """At least one of the deliveries was stored before."""


def _values(row: PackedRow) -> dict[str, Any]:
    body = row.body
    names = {"target": clean(row.target), "guid": clean(row.guid), "event": clean(row.event)}
    return {**names, "body": body.data, "sha256": body.sha256}


def _insert_new(connection: Connection, rows: Sequence[PackedRow]) -> None:
    """In one statement, which says how many it stored and not which. Raises `_KnownAlready` when not all."""
    if connection.exec_driver_sql(_ADD[connection.dialect.name], [_values(row) for row in rows]).rowcount != len(rows):
        raise _KnownAlready


def _insert(connection: Connection, row: PackedRow) -> Stored:
    values = _values(row)
    if connection.exec_driver_sql(_ADD[connection.dialect.name], values).rowcount:
        return Stored(duplicate=False)
    return Stored(duplicate=True, altered=connection.execute(_KEPT, values).scalar() != row.body.sha256)


_WAITING = _DELIVERY.c.state == DeliveryState.NEW.value, _DELIVERY.c.next_at <= db_now()
_ANY = select(_DELIVERY.c.id).where(*_WAITING).limit(1)
_GIVE_UP = (
    update(_DELIVERY)
    .where(*_WAITING, _DELIVERY.c.attempts >= MOST_TAKES)
    .values(state=DeliveryState.ERROR.value, reason=f"given up after {MOST_TAKES} tries to route it")
)


def _handing_out(which: ColumnElement[bool]) -> Update:
    """Takes the `most` oldest of these that wait, and gives their columns."""
    picked = select(_DELIVERY.c.id).where(*_WAITING, which).order_by(_DELIVERY.c.id).limit(bindparam("most"))
    columns = ("id", "guid", "event", "body", "sha256", "received_at", "attempts")
    return (
        update(_DELIVERY)
        .where(_DELIVERY.c.id.in_(picked.with_for_update(skip_locked=True).scalar_subquery()))
        .values(attempts=_DELIVERY.c.attempts + 1, next_at=db_now() + TAKEN_SECONDS)
        .returning(*(_DELIVERY.c[name] for name in columns))
    )


_FRESH, _AGAIN = _handing_out(_DELIVERY.c.attempts == 0), _handing_out(_DELIVERY.c.attempts > 0)


def _take(connection: Connection, limit: int) -> list[TakenDelivery]:
    fresh = _handed_out(connection, _FRESH, limit)
    if fresh:
        return fresh
    connection.execute(_GIVE_UP)
    return _handed_out(connection, _AGAIN, 1)


def _handed_out(connection: Connection, statement: Update, most: int) -> list[TakenDelivery]:
    rows = connection.execute(statement, {"most": most}).all()
    return [
        TakenDelivery(id_, guid, event, Packed(body, sha256), received_at, attempts)
        for id_, guid, event, body, sha256, received_at, attempts in sorted(rows)
    ]
