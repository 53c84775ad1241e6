"""The account of all runs in one table: a call is reserved before it is sent and settled with its bill, and
what is used of the sandbox is beside it (`sandbox_use`)."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, TypeVar

from sqlalchemy import (
    ColumnElement,
    Connection,
    SQLColumnExpression,
    and_,
    case,
    func,
    insert,
    literal,
    select,
    update,
)

from workers.domain import Case, Usage
from workers.llm.budgets import OF_MODELS, OF_SANDBOX, Limit, Refusal, Spent, Unit, Use, free_at, refused
from workers.llm.purse import Asked, Paid, stop
from workers.store import sandbox_use
from workers.store.codec import clean
from workers.store.database import db_now
from workers.store.models import CallState, LlmCall
from workers.store.spans import alone, within

T = TypeVar("T")

Write = Callable[[Callable[[Connection], T]], T]
"""Runs something in a transaction that the run's lease allows; raises `LeaseLost` when it does not."""

LONGEST_CALL = 600.0
"""Seconds after which a reservation counts no longer: a client gives one question 300, and its run's lease 60."""

_LONGEST_NAME = 200


@dataclass
class RunPurse:
    """Implements `workers.llm.purse.Purse` for one run of the queue."""

    case: Case
    write: Write[Any]
    limits: tuple[Limit, ...]
    _over: set[str] = field(default_factory=set, init=False)
    """Keys that were settled here: a conversation is read again with each of its turns."""

    def bound(self, limits: Sequence[Limit]) -> None:
        """As `Purse`."""
        self.limits = (*limits, *self.limits)  # of two that refuse, people hear of the one that they can raise

    def reserve(self, key: str, asked: Asked) -> None:
        """As `Purse`. A reservation whose worker died is taken over, and counts once."""

        def work(connection: Connection) -> Refusal | None:
            alone(connection)
            now = float(connection.execute(select(db_now())).scalar_one())
            mine = and_(self._named(key), LlmCall.state == CallState.RESERVED.value)
            spans = {limit.span for limit in self.limits if limit.unit in OF_MODELS}
            spent = {span: _sum(connection, and_(within(LlmCall, self.case, span, now), ~mine), now) for span in spans}
            refusal = refused(self.limits, spent, asked.worst)
            if refusal is None:
                self._set_aside(connection, key, mine, asked, now)
                return None
            which = and_(within(LlmCall, self.case, refusal.limit.span, now), ~mine)
            rows = _rows(connection, which, refusal.limit.unit, now)
            return replace(refusal, free_at=free_at(refusal, rows, now))

        self._over.discard(key)
        refusal: Refusal | None = self.write(work)
        if refusal is not None:
            raise stop(refusal)

    def settle(self, key: str, paid: Paid) -> None:
        """As `Purse`."""
        if key in self._over:
            return
        usage, call = paid.usage or Usage(cost_usd=None), paid.call
        values: dict[str, object] = {
            "state": CallState.SETTLED.value,
            "answered": _name(paid.model if paid.usage else ""),
            "response": _name(call.response),
            "finish": _name(call.finish),
            "input_tokens": usage.input_tokens,
            "cached_tokens": call.cached_tokens,
            "output_tokens": usage.output_tokens,
            "reasoning_tokens": call.reasoning_tokens,
            "usd": usage.cost_usd,
            "estimated": call.estimated,
            "seconds": paid.seconds,
            "error": paid.error[:64],
            "settled_at": db_now(),
        }
        reserved = update(LlmCall).where(self._named(key), LlmCall.state == CallState.RESERVED.value)
        self.write(lambda connection: connection.execute(reserved.values(**values)))
        self._over.add(key)

    def set_aside(self, key: str, wanted: Use, least: Use) -> Use:
        """As `Purse`. What a dead worker set aside is taken over, and counts once."""
        limits = [limit for limit in self.limits if limit.unit in OF_SANDBOX]

        def work(connection: Connection) -> Use | Refusal:
            return sandbox_use.set_aside(connection, self.case, key, wanted, least, limits)

        answer: Use | Refusal = self.write(work)
        if isinstance(answer, Refusal):
            raise stop(answer)
        return answer

    def used(self, key: str, use: Use) -> None:
        """As `Purse`."""
        self.write(lambda connection: sandbox_use.settle(connection, self.case, key, use))

    def _set_aside(self, connection: Connection, key: str, mine: ColumnElement[bool], asked: Asked, now: float) -> None:
        worst = {
            "reserved_tokens": asked.worst.tokens,
            "reserved_usd": asked.worst.usd,
            "at": now,
            "expires_at": now + LONGEST_CALL,
        }
        again = update(LlmCall).where(mine).values(**worst, asks=LlmCall.asks + 1)
        if connection.execute(again).rowcount:
            return
        row = {
            "run_id": self.case.run,
            "installation_id": self.case.installation_id,
            "repo_id": self.case.repo_id,
            "key": key,
            "purpose": asked.purpose.value,
            "state": CallState.RESERVED.value,
            "provider": asked.provider[:32],
            "model": _name(asked.model),
        }
        connection.execute(insert(LlmCall).values(**row, **worst))

    def _named(self, key: str) -> ColumnElement[bool]:
        return and_(LlmCall.run_id == self.case.run, LlmCall.key == key)


def _counted(unit: Unit, now: float) -> ColumnElement[Any]:
    """What a row counts of a unit: its bill, its worst case while it is under way, nothing once that took too long."""
    settled, under_way = LlmCall.state == CallState.SETTLED.value, LlmCall.expires_at > now
    bill: dict[Unit, SQLColumnExpression[Any]] = {
        Unit.USD: func.coalesce(LlmCall.usd, 0.0),
        Unit.TOKENS: LlmCall.input_tokens + LlmCall.output_tokens,
        Unit.CALLS: literal(1),
        Unit.SECONDS: func.coalesce(LlmCall.seconds, 0.0),
    }
    worst: dict[Unit, SQLColumnExpression[Any]] = {
        Unit.USD: func.coalesce(LlmCall.reserved_usd, 0.0),
        Unit.TOKENS: LlmCall.reserved_tokens,
        Unit.CALLS: literal(1),
        Unit.SECONDS: literal(0.0),
    }
    return case((settled, bill[unit]), (under_way, worst[unit]), else_=0)


def _sum(connection: Connection, which: ColumnElement[bool], now: float) -> Spent:
    units = sorted(OF_MODELS)
    query = select(*(func.coalesce(func.sum(_counted(unit, now)), 0) for unit in units)).where(which)
    sums = dict(zip(units, connection.execute(query).one(), strict=True))
    return Spent(float(sums[Unit.USD]), int(sums[Unit.TOKENS]), int(sums[Unit.CALLS]), float(sums[Unit.SECONDS]))


def _rows(connection: Connection, which: ColumnElement[bool], unit: Unit, now: float) -> list[tuple[float, float]]:
    query = select(LlmCall.at, _counted(unit, now)).where(which).order_by(LlmCall.at)
    return [(float(at), float(amount)) for at, amount in connection.execute(query)]


def _name(text: str) -> str:
    return clean(text)[:_LONGEST_NAME]
