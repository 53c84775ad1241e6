"""Two candidates as one: each turns some of the failing tests green and breaks none, together they turn all of them.

Only where no candidate is enough by itself. What they do together is tried like any candidate.
"""

from __future__ import annotations

from itertools import combinations
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:  # Python 3.8 cannot evaluate them
    from .children import Row

LOOKED, SINGLES, PAIRS = 1500, 40, 200
"""Candidates that are looked at, those of them that are combined, and combinations."""


def paired(partly: list[tuple[Row, list[int]]], tests: int, first: int) -> list[Row]:
    """Candidates from number `first` on, of those that turn some of so many tests green, likeliest first. `alone` says
    how many tests each of the two mends by itself."""
    best = sorted(partly, key=lambda one: (-len(one[1]), one[0]["id"]))[:SINGLES]
    both = [
        (one, other)
        for one, other in combinations(best, 2)
        if len({*one[1], *other[1]}) == tests and _apart(one[0]["edits"], other[0]["edits"])
    ]
    both.sort(key=lambda pair: pair[0][0]["id"] + pair[1][0]["id"])
    return [
        {
            "id": first + number,
            "edits": _joined(one["edits"], other["edits"]),
            "of": [one["id"], other["id"]],
            "alone": [len(mended), len(more)],
        }
        for number, ((one, mended), (other, more)) in enumerate(both[:PAIRS])
    ]


def _apart(one: dict[str, list[Any]], other: dict[str, list[Any]]) -> bool:
    """No place of a file is changed by both."""
    return all(_follow(rows) for path, rows in _joined(one, other).items() if path in one and path in other)


def _joined(one: dict[str, list[Any]], other: dict[str, list[Any]]) -> dict[str, list[Any]]:
    return {path: sorted([*one.get(path, ()), *other.get(path, ())]) for path in {**one, **other}}


def _follow(places: list[Any]) -> bool:
    follows = enumerate(places[1:])
    return all(places[n][1] <= after[0] and places[n][0] < after[0] for n, after in follows)
