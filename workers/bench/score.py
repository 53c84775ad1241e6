"""What rows add up to: shares with their 95 % intervals, per class of confidence too, times and costs. Pure."""

from __future__ import annotations

import statistics
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from math import comb

from workers.bench.row import Row
from workers.bench.wilson import interval
from workers.domain import Confidence, Outcome

_NOT_RED = frozenset({Outcome.NOT_REPRODUCED.value, Outcome.FLAKY.value, Outcome.INFRASTRUCTURE.value})


@dataclass(frozen=True)
class Share:
    """`hits` of `cases`, with the 95 % interval of the true share (Wilson's). Hits of a mean need not be whole."""

    hits: float
    cases: int

    @property
    def value(self) -> float | None:
        """The share from 0 to 1; None without cases."""
        return self.hits / self.cases if self.cases else None

    @property
    def interval(self) -> tuple[float, float]:
        """Its 95 % interval."""
        return interval(self.hits, self.cases)


@dataclass(frozen=True)
class Class:
    """The verified patches of one class of confidence; `precision` counts those that could be judged."""

    name: str
    verified: int
    precision: Share
    unjudged: int


@dataclass(frozen=True)
class Score:
    """The figures of a bench. Shares are of the cases that were red here: one that is green, or red by chance, says
    nothing of a fixer. `judged` is how many verified patches were judged."""

    cases: int
    red: int
    plausible: Share
    verified: Share
    proposed: Share
    correct: Share
    overfit: Share
    judged: int
    precision: Share
    classes: tuple[Class, ...]
    outcomes: tuple[tuple[str, int], ...]
    tiers: tuple[tuple[str, int], ...]
    seconds: float
    """Of all cases added up; less went by where some ran side by side."""
    median_s: float | None
    median_first_s: float | None
    slowest_first_s: float | None
    calls: int
    input_tokens: int
    output_tokens: int
    usd: float | None


def score(rows: Sequence[Row]) -> Score:
    """Add up. What could not be judged counts neither as correct nor as overfit."""
    total, outcomes = len(rows), counted(row.outcome for row in rows)
    rows = [row for row in rows if row.outcome not in _NOT_RED]
    firsts = [row.first_s for row in rows if row.first_s is not None]
    costs = [row.usd for row in rows]
    judged = [row for row in rows if row.verified and row.correct is not None]
    return Score(
        cases=total,
        red=len(rows),
        plausible=share(rows, lambda row: row.plausible),
        verified=share(rows, lambda row: row.verified),
        proposed=share(rows, lambda row: row.proposed),
        correct=share(rows, lambda row: row.verified and row.correct is True),
        overfit=share(rows, lambda row: row.overfit),
        judged=len(judged),
        precision=share(judged, lambda row: row.correct is True),
        classes=tuple(_class(rows, name) for name in Confidence),
        outcomes=outcomes,
        tiers=counted(row.tier for row in rows if row.verified),
        seconds=sum(row.seconds for row in rows),
        median_s=statistics.median(row.seconds for row in rows) if rows else None,
        median_first_s=statistics.median(firsts) if firsts else None,
        slowest_first_s=max(firsts, default=None),
        calls=sum(row.calls for row in rows),
        input_tokens=sum(row.input_tokens for row in rows),
        output_tokens=sum(row.output_tokens for row in rows),
        usd=None if None in costs else sum(cost or 0.0 for cost in costs),
    )


def pass_at(k: int, rows: Sequence[Row]) -> Share:
    """The share of tasks that one of `k` tries solves: the unbiased estimator over all samples of a task, which share
    its `group`, with Wilson's interval for a mean of as many tasks (wider than the true one, never narrower)."""
    tasks: dict[str, list[bool]] = {}
    for row in (row for row in rows if row.outcome not in _NOT_RED):
        tasks.setdefault(row.group, []).append(row.verified)
    solved = (
        1.0 - comb(len(tries) - sum(tries), k) / comb(len(tries), k) for tries in tasks.values() if len(tries) >= k
    )
    values = list(solved)
    return Share(sum(values), len(values))


def share(rows: Sequence[Row], which: Callable[[Row], bool]) -> Share:
    """How many of the rows are so."""
    return Share(sum(map(which, rows)), len(rows))


def counted(words: Iterable[str]) -> tuple[tuple[str, int], ...]:
    """How often each word stands there, most often first."""
    counts: dict[str, int] = {}
    for word in words:
        counts[word] = counts.get(word, 0) + 1
    return tuple(sorted(counts.items(), key=lambda pair: (-pair[1], pair[0])))


def _class(rows: Sequence[Row], name: Confidence) -> Class:
    own = [row for row in rows if row.verified and row.confidence == name]
    judged = [row for row in own if row.correct is not None]
    return Class(name.value, len(own), share(judged, lambda row: row.correct is True), len(own) - len(judged))
