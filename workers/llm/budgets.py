"""What may be spent on models and in the sandbox, as single limits, and whether more fits: pure arithmetic over sums.

A call is counted at its worst case while it is under way and at its bill afterwards. A call whose price is unknown
counts by its tokens; of money it only needs that some is left.
The sandbox's seconds and candidates are granted as far as there is room: who gets less makes do with it.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum

DAY = 86_400.0
_CENT = 1e-9
"""Sums of binary fractions are not exact; no limit is meant to a billionth of a dollar."""


class Purpose(StrEnum):
    """What a call is for."""

    FIXER = "fixer"
    CRITIC = "critic"
    TESTER = "tester"
    REVISER = "reviser"
    ANSWER = "answer"
    AGENT = "agent"


class Span(StrEnum):
    """Whose spending a limit bounds, and within which time. Days are the last 24 hours, months those of the calendar
    in UTC, as bills have them."""

    SHARE = "share"  # one conversation of a run
    RUN = "run"
    REPO_DAY = "repository and day"
    INSTALLATION_MONTH = "installation and month"
    DAY = "day"  # of everything that this service does
    MONTH = "month"


class Unit(StrEnum):
    """What is counted."""

    USD = "usd"
    TOKENS = "tokens"
    CALLS = "calls"
    SECONDS = "seconds"
    SANDBOX_SECONDS = "sandbox seconds"
    CANDIDATES = "candidates"


OF_SANDBOX = frozenset({Unit.SANDBOX_SECONDS, Unit.CANDIDATES})
"""What the sandbox is used for; the other units are of models."""
OF_MODELS = frozenset(Unit) - OF_SANDBOX


@dataclass(frozen=True)
class Limit:
    """One ceiling. `setting` is what raises it: a key of heal.yml (`limits.…`) or a variable of the operator's."""

    span: Span
    unit: Unit
    most: float
    setting: str = ""


@dataclass(frozen=True)
class Spent:
    """Sums over the calls of a span, those under way at their worst case. `usd` leaves out what has no known price."""

    usd: float = 0.0
    tokens: int = 0
    calls: int = 0
    seconds: float = 0.0

    def __add__(self, other: Spent) -> Spent:
        return Spent(
            self.usd + other.usd, self.tokens + other.tokens, self.calls + other.calls, self.seconds + other.seconds
        )

    def of(self, unit: Unit) -> float:
        """The sum of one unit."""
        return {Unit.USD: self.usd, Unit.TOKENS: self.tokens, Unit.CALLS: self.calls, Unit.SECONDS: self.seconds}[unit]


@dataclass(frozen=True)
class Use:
    """What of the sandbox is asked for, granted or used: seconds in which commands run, and candidate patches that are
    tried."""

    seconds: float = 0.0
    candidates: int = 0

    def __add__(self, other: Use) -> Use:
        return Use(self.seconds + other.seconds, self.candidates + other.candidates)

    def of(self, unit: Unit) -> float:
        """The amount of one unit of the sandbox."""
        return {Unit.SANDBOX_SECONDS: self.seconds, Unit.CANDIDATES: self.candidates}[unit]


@dataclass(frozen=True)
class Worst:
    """The most that one call can cost. `usd` is None when the model's price is unknown."""

    tokens: int
    usd: float | None

    def of(self, unit: Unit) -> float | None:
        """The most of one unit; None where that is not known before."""
        return {Unit.USD: self.usd, Unit.TOKENS: float(self.tokens), Unit.CALLS: 1.0, Unit.SECONDS: None}[unit]


@dataclass(frozen=True)
class Refusal:
    """A call that was not made, or a use of the sandbox that there is no room for. `free_at` is when the limit has room
    for it again, in seconds since 1970; None when time alone does not bring it."""

    limit: Limit
    spent: float
    worst: float | None
    free_at: float | None = None


def fits(limit: Limit, spent: float, worst: float | None) -> bool:
    """One more call stays within the limit. Where its own part is not known, something has to be left."""
    return spent < limit.most if worst is None else spent + worst <= limit.most + _CENT


def refused(limits: Iterable[Limit], spent: Mapping[Span, Spent], worst: Worst) -> Refusal | None:
    """The first limit that one more call could exceed; None when it may be made."""
    for limit in (limit for limit in limits if limit.unit in OF_MODELS):
        so_far, most = spent[limit.span].of(limit.unit), worst.of(limit.unit)
        if not fits(limit, so_far, most):
            return Refusal(limit, so_far, most)
    return None


def granted(limits: Iterable[Limit], spent: Mapping[Span, Use], wanted: Use, least: Use) -> Use | Refusal:
    """As much of what is wanted as every limit has room for, `spent` being what others use or have set aside; the first
    limit that has no room for the least."""
    seconds, candidates = wanted.seconds, wanted.candidates
    for limit in (limit for limit in limits if limit.unit in OF_SANDBOX):
        unit, others = limit.unit, spent[limit.span].of(limit.unit)
        if not wanted.of(unit):
            continue
        if not fits(limit, others, least.of(unit)):
            return Refusal(limit, max(0.0, others + least.of(unit) - 1), 1.0)
        if unit is Unit.CANDIDATES:
            candidates = min(candidates, int(limit.most - others + _CENT))
        else:
            seconds = min(seconds, limit.most - others)
    return Use(seconds, candidates)


def begins(span: Span, now: float) -> float:
    """From when on a span counts, `now` and the answer in seconds since 1970; 0 where it has no beginning."""
    if span in (Span.REPO_DAY, Span.DAY):
        return now - DAY
    return _month(now, 0) if span in (Span.INSTALLATION_MONTH, Span.MONTH) else 0.0


def free_at(refusal: Refusal, rows: Sequence[tuple[float, float]], now: float) -> float | None:
    """When there is room again. `rows` are the span's calls, oldest first: when each was made and what it counts."""
    limit, worst = refusal.limit, refusal.worst
    if not fits(limit, 0.0, worst) or begins(limit.span, now) == 0.0:
        return None
    if limit.span in (Span.INSTALLATION_MONTH, Span.MONTH):
        return _month(now, 1)
    left = refusal.spent
    for at, amount in rows:
        left -= amount
        if fits(limit, left, worst):
            return at + DAY
    return now + DAY


def _month(now: float, ahead: int) -> float:
    today = datetime.fromtimestamp(now, UTC)
    months = today.year * 12 + today.month - 1 + ahead
    return datetime(months // 12, months % 12 + 1, 1, tzinfo=UTC).timestamp()
