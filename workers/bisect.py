"""Which commits to try next to find the first red one, several at a time, and what the tries prove. Pure.

Positions count from 0, a commit that CI called green, to `size - 1`, the commit that is red here. A commit that cannot
be tried, fails otherwise or answers differently on a second run says nothing; a boundary counts when both of its sides
gave their answer twice.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from enum import StrEnum


class Seen(StrEnum):
    """What one run said of a commit."""

    GREEN = "green"  # the failure is not there
    RED = "red"  # it is
    OTHER = "other"  # neither can be said: another failure, or no environment


@dataclass(frozen=True)
class Found:
    """What is known: the failure came after `good` and by `first_red` at the latest (positions).

    `settled` says that more runs would not tell more, `steady` that no red commit was seen before `good`, and `good` is
    None when not even the commit that CI called green is green here.
    """

    good: int | None
    first_red: int
    settled: bool
    steady: bool = True

    @property
    def suspects(self) -> range:
        """The commits that may have brought the failure."""
        return range(0) if self.good is None else range(self.good + 1, self.first_red + 1)


@dataclass(frozen=True)
class Search:
    """The answers so far, by position. The red end needs none: its failure was reproduced before."""

    size: int
    answers: Mapping[int, tuple[Seen, ...]] = field(default_factory=dict)

    def told(self, answers: Mapping[int, Seen]) -> Search:
        """With the answers of one more round."""
        more = {at: (*self.answers.get(at, ()), seen) for at, seen in answers.items()}
        return replace(self, answers={**self.answers, **more})

    def next(self, at_once: int) -> tuple[int, ...]:
        """The commits to run now, side by side, at most `at_once`; none when the search is over.

        The green end is part of the first round: where it is red too, no commit brought the failure, and nothing else
        has to be run to know it.
        """
        if not self.answers.get(0):
            return (0, *_spread(self._gaps(0, self.size - 1), at_once - 1))
        good, red = self._sides()
        if good is None:
            return ()
        if gaps := self._gaps(good, red):
            return _spread(gaps, at_once)
        unsure = [at for at in (good, red) if 0 < at < self.size - 1 and len(self.answers[at]) < 2]
        return tuple(unsure[:at_once])

    def found(self) -> Found:
        """What the answers prove."""
        good, red = self._sides()
        steady = good is not None and all(self._seen(at) is not Seen.RED for at in range(good))
        return Found(good, red, settled=not self.next(1), steady=steady)

    def rounds_left(self, at_once: int) -> int:
        """How many rounds it takes from here when every commit answers, the confirming ones included."""
        good, red = self._sides()
        begun = bool(self.answers.get(0))
        apart = red - (good or 0) if begun else -(-red // max(1, at_once))
        return (not begun) + _digits(apart, at_once + 1) + -(-2 // at_once)

    def _seen(self, at: int) -> Seen | None:
        """The commit's verdict; OTHER when it changed its mind, None before it was run."""
        if at == self.size - 1:
            return Seen.RED
        said = self.answers.get(at, ())
        return (said[0] if len(set(said)) == 1 else Seen.OTHER) if said else None

    def _sides(self) -> tuple[int | None, int]:
        """The last commit seen green, CI's word counting until the green end was run, and the first seen red after it.

        Of a failure that came, went and came again it is the last coming that explains the red end.
        """
        believed = self._seen(0) in (Seen.GREEN, None)
        good = max((at for at in self.answers if self._seen(at) is Seen.GREEN), default=0) if believed else None
        after = range((good or 0) + 1, self.size)
        return good, next(at for at in after if self._seen(at) is Seen.RED)

    def _gaps(self, good: int, red: int) -> list[range]:
        """The runs of neighbours between the two sides that were not tried yet."""
        gaps: list[range] = []
        begin = good + 1
        for at in range(good + 1, red + 1):
            if at == red or self._seen(at) is not None:
                gaps += [range(begin, at)] if at > begin else []
                begin = at + 1
        return gaps


def _spread(gaps: Sequence[range], count: int) -> tuple[int, ...]:
    """So many places in the gaps that the largest piece left between two of them is as small as can be."""
    shares = [0] * len(gaps)
    for _ in range(min(count, sum(map(len, gaps)))):
        largest = max(range(len(gaps)), key=lambda n: (len(gaps[n]) - shares[n]) / (shares[n] + 1))
        shares[largest] += 1
    return tuple(at for gap, share in zip(gaps, shares, strict=True) for at in _evenly(gap, share))


def _evenly(gap: range, share: int) -> list[int]:
    """So many places, which cut a gap into pieces whose lengths differ by one at most."""
    left = len(gap) - share
    return [gap[(n + 1) * left // (share + 1) + n] for n in range(share)]


def _digits(apart: int, ways: int) -> int:
    """How often a distance can be cut into so many pieces until nothing lies between its ends."""
    return math.ceil(math.log(apart, ways) - 1e-9) if apart > 1 else 0
