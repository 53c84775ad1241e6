"""The account of all runs in one table: a call is reserved before it is sent and settled with its bill, and
what is used of the sandbox is beside it (`sandbox_use`)."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, TypeVar

from sqlalchemy import Connection, func, literal

from workers.domain import Case, Usage
from workers.llm.budgets import OF_MODELS, OF_SANDBOX, Limit, Refusal, Spent, Unit, Use, refused
from workers.llm.purse import Asked, Paid, stop
from workers.store import sandbox_use
from workers.store.codec import clean
from workers.store.models import LlmCall
from workers.store.reservations import Kind, Reservation, alone

T = TypeVar("T")

Write = Callable[[Callable[[Connection], T]], T]
"""Runs something in a transaction that the run's lease allows; raises `LeaseLost` when it does not."""

LONGEST_CALL = 600.0
"""Seconds after which a reservation counts no longer: a client gives one question 300, and its run's lease 60."""

_CALLS = Kind(
    LlmCall,
    used={
        Unit.USD: func.coalesce(LlmCall.usd, 0.0),
        Unit.TOKENS: LlmCall.input_tokens + LlmCall.output_tokens,
        Unit.CALLS: literal(1),
        Unit.SECONDS: func.coalesce(LlmCall.seconds, 0.0),
    },
    worst={
        Unit.USD: func.coalesce(LlmCall.reserved_usd, 0.0),
        Unit.TOKENS: LlmCall.reserved_tokens,
        Unit.CALLS: literal(1),
        Unit.SECONDS: literal(0.0),
    },
    longest=LONGEST_CALL,
)
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
        limits, call = [limit for limit in self.limits if limit.unit in OF_MODELS], self._call(key)

        def work(connection: Connection) -> Refusal | None:
            now = alone(connection)
            spent = {span: _spent(sums) for span, sums in call.spent(connection, limits, now).items()}
            refusal = refused(limits, spent, asked.worst)
            if refusal is not None:
                return call.dated(connection, refusal, now)
            worst = {"reserved_tokens": asked.worst.tokens, "reserved_usd": asked.worst.usd}
            call.keep(connection, now, worst, first=_asked(asked), again={"asks": LlmCall.asks + 1})
            return None

        self._over.discard(key)
        refusal: Refusal | None = self.write(work)
        if refusal is not None:
            raise stop(refusal)

    def settle(self, key: str, paid: Paid) -> None:
        """As `Purse`."""
        if key in self._over:
            return
        usage, call = paid.usage or Usage(cost_usd=None), paid.call
        bill = {
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
        }
        self.write(lambda connection: self._call(key).settle(connection, bill))
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

    def _call(self, key: str) -> Reservation:
        return Reservation(_CALLS, self.case, key)


def _asked(asked: Asked) -> dict[str, str]:
    return {"purpose": asked.purpose.value, "provider": asked.provider[:32], "model": _name(asked.model)}


def _spent(sums: Mapping[Unit, float]) -> Spent:
    return Spent(sums[Unit.USD], int(sums[Unit.TOKENS]), int(sums[Unit.CALLS]), sums[Unit.SECONDS])


def _name(text: str) -> str:
    return clean(text)[:_LONGEST_NAME]
