"""The inbox: deliveries that were signed and committed before they were answered, waiting to be routed into runs."""

from __future__ import annotations

import hashlib
import zlib
from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import ColumnElement, Connection, Dialect, Engine, TextClause, bindparam, func, select, text, update
from sqlalchemy.dialects import postgresql, sqlite

from workers.redact import redact
from workers.store.codec import clean
from workers.store.database import db_now, transact
from workers.store.models import Delivery, DeliveryState

TAKEN_SECONDS = 30.0
"""A taken delivery that is not marked by then (its dispatcher died) is taken again."""
MOST_TAKES = 5
"""A delivery that kills its dispatcher this often is set aside as an error."""


@dataclass(frozen=True)
class DeliveryRow:
    """A delivery as the receiver knows it: headers and raw body, nothing parsed. `target` is '' when not sent."""

    guid: str
    event: str
    body: bytes
    target: str = ""


@dataclass(frozen=True)
class Stored:
    """What became of an added delivery. `altered`: a duplicate id came with another body; the first one is kept."""

    duplicate: bool
    altered: bool = False


@dataclass(frozen=True)
class TakenDelivery:
    """A delivery handed to a dispatcher, which must `mark` it. `received_at` is in seconds since 1970; `body` is None
    where what was stored is not what came."""

    id: int
    guid: str
    event: str
    body: bytes | None
    received_at: float
    attempts: int


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
        """Store deliveries in one transaction (one disk flush for all), answers in the same order."""
        packed = [(row, zlib.compress(row.body, 1), hashlib.sha256(row.body).hexdigest()) for row in rows]
        return transact(self._engine, lambda connection: [_insert(connection, *item) for item in packed])

    def take(self, limit: int = 50) -> list[TakenDelivery]:
        """Hand out new deliveries, oldest first. Two dispatchers never get the same one within `TAKEN_SECONDS`.

        One that was handed out before comes last and alone: if it killed its dispatcher, nothing else shares its fate.
        """
        with self._engine.connect() as connection:  # looking costs the receiver's writer nothing, taking does
            if connection.execute(select(_DELIVERY.c.id).where(*_waiting()).limit(1)).scalar() is None:
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

    def known(self, guids: Sequence[str]) -> set[str]:
        """Those of these deliveries that have been stored, whoever they were sent to."""
        with self._engine.connect() as connection:
            return set(connection.execute(select(Delivery.guid).where(Delivery.guid.in_(list(guids)))).scalars())

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
    ON CONFLICT (target, guid) DO NOTHING RETURNING id
"""
"""As text, because SQLAlchemy caches no statement with ON CONFLICT and would compile it for every delivery."""


def _add(dialect: Dialect) -> TextClause:
    return text(_INSERT.replace("NOW", str(db_now().compile(dialect=dialect))))


_ADD = {"sqlite": _add(sqlite.dialect()), "postgresql": _add(postgresql.dialect())}  # type: ignore[no-untyped-call]
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


def _insert(connection: Connection, row: DeliveryRow, body: bytes, sha256: str) -> Stored:
    target, guid = clean(row.target), clean(row.guid)
    values = {"target": target, "guid": guid, "event": clean(row.event), "body": body, "sha256": sha256}
    if connection.execute(_ADD[connection.dialect.name], values).scalar() is not None:
        return Stored(duplicate=False)
    return Stored(
        duplicate=True, altered=connection.execute(_KEPT, {"target": target, "guid": guid}).scalar() != sha256
    )


def _waiting() -> tuple[ColumnElement[bool], ColumnElement[bool]]:
    return _DELIVERY.c.state == DeliveryState.NEW.value, _DELIVERY.c.next_at <= db_now()


def _take(connection: Connection, limit: int) -> list[TakenDelivery]:
    connection.execute(
        update(_DELIVERY)
        .where(*_waiting(), _DELIVERY.c.attempts >= MOST_TAKES)
        .values(state=DeliveryState.ERROR.value, reason=f"given up after {MOST_TAKES} tries to route it")
    )
    return _hand_out(connection, _DELIVERY.c.attempts == 0, limit) or _hand_out(connection, _DELIVERY.c.attempts > 0, 1)


def _hand_out(connection: Connection, which: ColumnElement[bool], limit: int) -> list[TakenDelivery]:
    waiting = select(_DELIVERY.c.id).where(*_waiting(), which)
    picked = waiting.order_by(_DELIVERY.c.id).limit(limit).with_for_update(skip_locked=True)
    rows = connection.execute(
        update(_DELIVERY)
        .where(_DELIVERY.c.id.in_(picked.scalar_subquery()))
        .values(attempts=_DELIVERY.c.attempts + 1, next_at=db_now() + TAKEN_SECONDS)
        .returning(
            *(_DELIVERY.c[name] for name in ("id", "guid", "event", "body", "sha256", "received_at", "attempts"))
        )
    ).all()
    return [
        TakenDelivery(id_, guid, event, _unpacked(body, sha256), received_at, attempts)
        for id_, guid, event, body, sha256, received_at, attempts in sorted(rows)
    ]


def _unpacked(body: bytes, sha256: str) -> bytes | None:
    try:
        content = zlib.decompress(body)
    except zlib.error:
        return None
    return content if hashlib.sha256(content).hexdigest() == sha256 else None
