"""Who pays for the calls of one run: each is reserved at its worst case before it is sent and settled with its bill.
What a run uses of the sandbox is set aside and settled through the same account (`workers.meter`).

The purse of a worker is kept in the database, where all workers see it (`workers.store.spending`); that of `heal fix`
is the one here, which knows of its own run alone.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Protocol

from workers.domain import Outcome, Usage
from workers.errors import Stop
from workers.llm.budgets import Limit, Purpose, Refusal, Span, Spent, Unit, Use, Worst, granted, refused
from workers.llm.exchange import Call
from workers.messages import budgets


@dataclass(frozen=True)
class Asked:
    """A call that is about to be made: of which model, and what it can cost at most."""

    purpose: Purpose
    provider: str
    model: str
    worst: Worst


@dataclass(frozen=True)
class Paid:
    """How a call ended. `usage` is None when nobody sent a bill, `error` the type of what was raised in place of a
    text, `seconds` None when they were not kept."""

    model: str = ""
    usage: Usage | None = None
    call: Call = field(default_factory=Call)
    seconds: float | None = None
    error: str = ""


class Purse(Protocol):
    """The account of one run. Calls are named by a key that is the same when the run is taken up again."""

    def bound(self, limits: Sequence[Limit]) -> None:
        """Hold these limits, too: the repository's own, once they are known."""

    def reserve(self, key: str, asked: Asked) -> None:
        """Set the worst case aside; once for a key that is reserved already. Raises `Stop(OVER_BUDGET)`."""

    def settle(self, key: str, paid: Paid) -> None:
        """Put the bill in the reservation's place. A key that is settled stays as it is."""

    def set_aside(self, key: str, wanted: Use, least: Use) -> Use:
        """Set as much of the sandbox aside as there is room for, in place of what is set aside under this key. Raises
        `Stop(OVER_BUDGET)` where there is no room for the least."""

    def used(self, key: str, use: Use) -> None:
        """Put what was used in the place of what was set aside."""


def stop(refusal: Refusal) -> Stop:
    """The end of a run, or of one of its parts, that a budget has no room for."""
    return Stop(Outcome.OVER_BUDGET, budgets.refused(refusal), setting=refusal.limit.setting)


RUN_LIMITS = (Limit(Span.RUN, Unit.USD, 1.0, "HEAL_USD_PER_RUN"),)
"""What a run is held to where nobody says another thing."""


@dataclass
class MemoryPurse:
    """Implements `Purse` for a run without a database: every limit is held against this run's own calls."""

    limits: Sequence[Limit] = RUN_LIMITS
    _settled: list[tuple[str, Spent]] = field(default_factory=list, init=False, repr=False)
    _reserved: dict[str, Spent] = field(default_factory=dict, init=False, repr=False)
    _aside: dict[str, Use] = field(default_factory=dict, init=False, repr=False)
    _used: Use = field(default_factory=Use, init=False, repr=False)

    def bound(self, limits: Sequence[Limit]) -> None:
        """As `Purse`."""
        self.limits = (*limits, *self.limits)  # of two that refuse, people hear of the one that they can raise

    def reserve(self, key: str, asked: Asked) -> None:
        """As `Purse`."""
        others = [one for name, one in self._reserved.items() if name != key]
        total = sum((*others, *(one for _, one in self._settled)), Spent())
        if refusal := refused(self.limits, dict.fromkeys(Span, total), asked.worst):
            raise stop(refusal)
        self._reserved[key] = Spent(asked.worst.usd or 0.0, asked.worst.tokens, 1)

    def settle(self, key: str, paid: Paid) -> None:
        """As `Purse`; what a run paid before it was taken up is counted, too."""
        if key not in self._reserved and any(name == key for name, _ in self._settled):
            return
        self._reserved.pop(key, None)
        usage = paid.usage or Usage()
        tokens = usage.input_tokens + usage.output_tokens
        self._settled.append((key, Spent(usage.cost_usd or 0.0, tokens, 1, paid.seconds or 0.0)))

    def set_aside(self, key: str, wanted: Use, least: Use) -> Use:
        """As `Purse`."""
        others = sum((one for name, one in self._aside.items() if name != key), self._used)
        answer = granted(self.limits, dict.fromkeys(Span, others), wanted, least)
        if isinstance(answer, Refusal):
            raise stop(answer)
        self._aside[key] = answer
        return answer

    def used(self, key: str, use: Use) -> None:
        """As `Purse`."""
        self._aside.pop(key, None)
        self._used += use
