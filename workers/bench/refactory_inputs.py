"""What the functions of Refactory's exercises may be called with, by their descriptions. Pure.

A function that is not named here takes whatever has the types of the calls in the data set.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence
from typing import Any

from workers.bench.values import Args, drawn

_MONTHS, _DAYS = ("January", "February", "March", "May"), ("1", "2", "3", "10")


def inputs(name: str, samples: Sequence[Args], wanted: int, rng: random.Random) -> list[Args]:
    """Different arguments for the function, the samples first."""
    if name in _WRITTEN:
        made = {repr(args): args for args in (*samples, *(_WRITTEN[name](rng) for _ in range(wanted * 2)))}
        return list(made.values())[:wanted]
    rule = _RULES.get(name)
    return drawn(samples, wanted, rng, lambda args: rule(*args) if rule else args)


def _ordered(sought: int, values: list[int] | tuple[int, ...]) -> Args:
    return sought, sorted(values) if isinstance(values, list) else tuple(sorted(values))


def _ages(people: list[Any]) -> Args | None:
    """Pairs of a sex and an age, and no two of the same age."""
    known = {person[1]: person for person in people if len(person) == 2}
    return ([(person[0][:1], abs(age)) for age, person in known.items() if age > 0],)


def _greatest(values: list[int], count: int) -> Args:
    return values, min(abs(count), len(values))


_RULES: dict[str, Callable[..., Args | None]] = {"search": _ordered, "sort_age": _ages, "top_k": _greatest}


def _dates(rng: random.Random) -> tuple[tuple[str, str], ...]:
    """Different dates."""
    return tuple(dict.fromkeys((rng.choice(_MONTHS), rng.choice(_DAYS)) for _ in range(rng.randint(0, 7))))


_WRITTEN: dict[str, Callable[[random.Random], Args]] = {
    "unique_day": lambda rng: (rng.choice(_DAYS), _dates(rng)),
    "unique_month": lambda rng: (rng.choice(_MONTHS), _dates(rng)),
    "contains_unique_day": lambda rng: (rng.choice(_MONTHS), _dates(rng)),
}
