"""Which workers are alive: one row each, renewed every few seconds by the database's clock."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import Connection, Engine, delete, insert, select, update

from workers.store.database import db_now, transact
from workers.store.models import Worker


@dataclass(frozen=True)
class WorkerSeen:
    """A worker and how many seconds ago it last showed life."""

    id: str
    version: str
    slots: int
    age: float


class Roster:
    """The table of workers."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def seen(self, worker: str, version: str, slots: int) -> None:
        """The worker shows life."""

        def work(connection: Connection) -> None:
            again = update(Worker).where(Worker.id == worker).values(seen_at=db_now(), version=version, slots=slots)
            if connection.execute(again).rowcount == 0:
                row = {"id": worker, "version": version, "slots": slots, "started_at": db_now(), "seen_at": db_now()}
                connection.execute(insert(Worker).values(**row))

        transact(self._engine, work)

    def gone(self, worker: str) -> None:
        """The worker has ended."""
        transact(self._engine, lambda connection: connection.execute(delete(Worker).where(Worker.id == worker)))

    def alive(self, within: float = 60.0) -> list[WorkerSeen]:
        """Workers that showed life within so many seconds."""
        age = db_now() - Worker.seen_at
        query = select(Worker.id, Worker.version, Worker.slots, age).where(age <= within).order_by(Worker.id)
        with self._engine.connect() as connection:
            return [WorkerSeen(*row) for row in connection.execute(query).all()]
