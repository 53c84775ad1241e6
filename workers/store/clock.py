"""The database's clock, when it was set back: what is timed would wait for as long as that, and is moved along.

No other clock decides anything about a lease. Set forward, leases run out before their time: their holders renew them
within seconds, and one that was overtaken meanwhile is fenced out.
"""

from __future__ import annotations

from sqlalchemy import Connection, Engine, case, select, update
from sqlalchemy.orm import InstrumentedAttribute

from workers.store import errands, inbox
from workers.store.database import db_now, transact
from workers.store.models import Delivery, DeliveryState, Errand, ErrandState, Run, RunState, Worker

SLACK = 15.0
"""Seconds by which a clock may be corrected without anything having to be done."""


def follow(engine: Engine, lease_seconds: float) -> float:
    """By how many seconds the clock was set back since a worker last showed life; 0.0 when it was not.

    No lease reaches further than a lease from now, and what waited goes on waiting for as long as it would have. Done
    once, however many workers notice.
    """
    return transact(engine, lambda connection: _follow(connection, lease_seconds))


def _follow(connection: Connection, lease_seconds: float) -> float:
    ahead = Worker.seen_at > db_now() + SLACK
    seen = connection.execute(select(Worker.seen_at).where(ahead).with_for_update()).scalars().all()
    if not seen:
        return 0.0
    back = max(seen) - float(connection.execute(select(db_now())).scalar_one())
    connection.execute(update(Worker).where(Worker.seen_at > db_now()).values(seen_at=db_now()))
    for held, state, most in (
        (Run.lease_until, Run.state == RunState.RUNNING.value, lease_seconds),
        (Errand.lease_until, Errand.state == ErrandState.RUNNING.value, errands.LEASE_SECONDS),
        (Delivery.next_at, Delivery.state == DeliveryState.NEW.value, inbox.TAKEN_SECONDS),
    ):
        connection.execute(update(held.class_).where(state, held > db_now() + most).values({held: db_now() + most}))
    for timed in (Run.next_ring, Run.rung_at, Errand.next_at):
        connection.execute(update(timed.class_).where(timed > db_now()).values({timed: _moved(timed, back)}))
    return back


def _moved(timed: InstrumentedAttribute[float | None], back: float) -> object:
    """Never before now: what was due stays in its order behind what is."""
    return case((timed - back > db_now(), timed - back), else_=db_now())
