"""The queue of errands in the database: opened once per key, claimed by one statement, fenced, tried again, given up.

No broker is involved: whoever works on errands looks here several times a second, which costs one indexed query.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from pydantic import ValidationError
from sqlalchemy import ColumnElement, Connection, Engine, and_, delete, func, or_, select, update
from sqlalchemy.dialects import postgresql, sqlite

from workers.domain import Case
from workers.errands.model import KINDS, PAYLOADS, EndUntold, Forget, Kind, Payload, Place, Recover
from workers.redact import Redactor
from workers.run_id import new_run_id
from workers.store.codec import clean, from_json, to_json
from workers.store.database import db_now, transact
from workers.store.models import Errand, ErrandState

MOST_TRIES = 12
"""An errand that was claimed this often and is not through is given up: with growing pauses, after about an hour of
trouble at GitHub's."""
LEASE_SECONDS = 60.0
"""Each effect renews it; the errand of a process that was killed is taken up by another after this long."""
LONGEST_PAUSE = 900.0


@dataclass(frozen=True)
class Claimed:
    """An errand in the hands of one process; every answer about it carries the fence."""

    id: str
    payload: Payload
    fence: int
    tries: int


class Errands:
    """All errands."""

    def __init__(self, engine: Engine, redactor: Redactor | None = None, lease_seconds: float = LEASE_SECONDS) -> None:
        self._engine = engine
        self._redactor = redactor or Redactor()
        self.lease_seconds = lease_seconds

    def open(self, payload: Payload, key: str, after: float = 0.0, fuller: bool = False) -> bool:
        """Queue an errand unless one with this key exists; False then. It is due in `after` seconds.

        A `fuller` one takes the place of the one with its key that nobody has begun.
        """
        return transact(self._engine, lambda connection: put(connection, payload, key, after, fuller))

    def begun(self, kind: Kind) -> float | None:
        """When the newest finished errand of a kind was made, in seconds since 1970; None when there is none."""
        query = select(func.max(Errand.created_at)).where(
            Errand.kind == kind.value, Errand.state == ErrandState.DONE.value
        )
        with self._engine.connect() as connection:
            found = connection.execute(query).scalar()
        return None if found is None else float(found)

    def queued(self, kind: Kind) -> bool:
        """One of a kind is waiting for its turn."""
        query = select(Errand.id).where(Errand.kind == kind.value, Errand.state == ErrandState.QUEUED.value).limit(1)
        with self._engine.connect() as connection:
            return connection.execute(query).first() is not None

    def prune(self, kind: Kind, seconds: float) -> int:
        """Delete errands of a kind that were over so many seconds ago; gives how many."""
        over = (Errand.kind == kind.value, Errand.finished_at < db_now() - seconds)
        return transact(self._engine, lambda connection: connection.execute(delete(Errand).where(*over)).rowcount)

    def claim(self, owner: str) -> Claimed | None:
        """The oldest due errand, or None when there is none. One that was tried too often is given up on the way."""
        with self._engine.connect() as connection:  # looking costs nobody the write lock
            if connection.execute(select(Errand.id).where(_due()).limit(1)).scalar() is None:
                return None
        return transact(self._engine, lambda connection: self._take(connection, owner))

    def _take(self, connection: Connection, owner: str) -> Claimed | None:
        connection.execute(
            update(Errand)
            .where(_due(), Errand.tries >= MOST_TRIES)
            .values(state=ErrandState.DEAD.value, finished_at=db_now(), next_at=None, owner=None, lease_until=None)
        )
        oldest = select(Errand.id).where(_due()).order_by(Errand.next_at, Errand.id).limit(1)
        statement = (
            update(Errand)
            .where(Errand.id == oldest.with_for_update(skip_locked=True).scalar_subquery(), _due())
            .values(
                state=ErrandState.RUNNING.value,
                owner=owner,
                fence=Errand.fence + 1,
                tries=Errand.tries + 1,
                lease_until=db_now() + self.lease_seconds,
                next_at=None,
            )
            .returning(*_TAKEN)
        )
        row = connection.execute(statement).one_or_none()
        if row is None:
            return None
        payload = _read(row)
        if payload is None:  # another release wrote it: its own process knows how to read it
            self._let_go(connection, row.id, row.fence, LONGEST_PAUSE, f"unknown kind or shape: {row.kind}")
            return None
        return Claimed(row.id, payload, row.fence, row.tries)

    def done(self, errand: Claimed, answer: str) -> bool:
        """It is finished. False when somebody else has it by now."""
        values = {"state": ErrandState.DONE.value, "answer": self._text(answer), "finished_at": db_now()}
        return self._write(errand, values)

    def dead(self, errand: Claimed, why: str) -> bool:
        """It is given up."""
        values = {"state": ErrandState.DEAD.value, "error": self._text(why), "finished_at": db_now()}
        return self._write(errand, values)

    def again(self, errand: Claimed, after: float, why: str) -> bool:
        """Try again later, with growing pauses; after `MOST_TRIES` it is given up instead."""
        if errand.tries >= MOST_TRIES:
            return self.dead(errand, why)
        pause = max(after, min(2.0**errand.tries, LONGEST_PAUSE))
        work = self._let_go
        return transact(self._engine, lambda c: work(c, errand.id, errand.fence, pause, self._text(why)))

    def held(self, errand: Claimed) -> bool:
        """Still ours: asked before every effect on GitHub, and renews the lease."""
        return self._write(errand, {"lease_until": db_now() + self.lease_seconds}, free=False)

    def given_lately(self, repo_id: int, sender_id: int | None, seconds: float, kind: Kind) -> int:
        """How many errands of a kind a person, or with None anybody, caused in a repository within so many seconds."""
        query = select(func.count()).where(
            Errand.repo_id == repo_id,
            *([] if sender_id is None else [Errand.sender_id == sender_id]),
            Errand.kind == kind.value,
            Errand.created_at > db_now() - seconds,
        )
        with self._engine.connect() as connection:
            return int(connection.execute(query).scalar_one())

    def counts(self) -> dict[str, int]:
        """How many there are in each state. A dead one says why in its row."""
        with self._engine.connect() as connection:
            rows = connection.execute(select(Errand.state, func.count()).group_by(Errand.state)).all()
        return {str(state): int(n) for state, n in rows}

    def _write(self, errand: Claimed, values: Mapping[str, object], free: bool = True) -> bool:
        freed: dict[str, object] = {"owner": None, "lease_until": None} if free else {}
        statement = update(Errand).where(*_ours(errand.id, errand.fence)).values(**values, **freed)
        return transact(self._engine, lambda connection: connection.execute(statement).rowcount > 0)

    def _let_go(self, connection: Connection, errand: str, fence: int, pause: float, why: str) -> bool:
        values = {"state": ErrandState.QUEUED.value, "owner": None, "lease_until": None, "error": why}
        statement = update(Errand).where(*_ours(errand, fence)).values(**values, next_at=db_now() + pause)
        return connection.execute(statement).rowcount > 0

    def _text(self, text: str) -> str:
        return clean(self._redactor(text))


def put(connection: Connection, payload: Payload, key: str, after: float = 0.0, fuller: bool = False) -> bool:
    """`Errands.open` in the caller's own transaction: the errand is there exactly when what it follows from is."""
    row = {
        "id": new_run_id(),
        "key": clean(key)[:255],
        "kind": KINDS[type(payload)].value,
        "state": ErrandState.QUEUED.value,
        "payload": clean(to_json(payload)),
        **_place(payload),
        "created_at": db_now(),
        "next_at": db_now() + after,
    }
    into = postgresql.insert if connection.dialect.name == "postgresql" else sqlite.insert
    statement = into(Errand).values(**row).on_conflict_do_nothing(index_elements=["key"]).returning(Errand.id)
    if connection.execute(statement).scalar() is not None:
        return True
    if fuller:
        unbegun = (Errand.key == row["key"], Errand.state == ErrandState.QUEUED.value, Errand.tries == 0)
        again = {"payload": row["payload"], "next_at": row["next_at"]}
        connection.execute(update(Errand).where(*unbegun).values(**again))
    return False


def owe_farewell(connection: Connection, case: Case) -> None:
    """Somebody has to tell people that the run of this case is over."""
    put(connection, EndUntold(Place(case.installation_id, case.repo_id, case.repo), case.run), f"farewell:{case.run}")


def _ours(errand: str, fence: int) -> tuple[ColumnElement[bool], ...]:
    return Errand.id == errand, Errand.fence == fence, Errand.state == ErrandState.RUNNING.value


def _due() -> ColumnElement[bool]:
    its_turn = and_(Errand.state == ErrandState.QUEUED.value, Errand.next_at <= db_now())
    holder_gone = and_(Errand.state == ErrandState.RUNNING.value, Errand.lease_until < db_now())
    return or_(its_turn, holder_gone)


def _place(payload: Payload) -> dict[str, object]:
    if isinstance(payload, Recover):
        return {"repo_id": 0, "installation_id": 0}
    if isinstance(payload, Forget):
        return {"repo_id": 0, "installation_id": payload.installation_id}
    place = payload.place
    return {
        "repo": clean(place.repo),
        "repo_id": place.repo_id,
        "installation_id": place.installation_id,
        "sender": clean(place.sender),
        "sender_id": place.sender_id,
    }


_TAKEN = (Errand.id, Errand.kind, Errand.payload, Errand.fence, Errand.tries, Errand.repo, Errand.installation_id)


def _read(row: Any) -> Payload | None:
    """The payload, at the place where the repository lies now: the columns follow it, the text does not."""
    try:
        payload: Payload = from_json(row.payload, PAYLOADS[Kind(row.kind)])
    except (ValueError, ValidationError):
        return None
    if isinstance(payload, Recover | Forget):
        return payload
    return replace(payload, place=replace(payload.place, repo=row.repo, installation_id=row.installation_id))
