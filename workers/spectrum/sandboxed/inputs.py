"""Inputs like those that were seen: arguments mixed and varied by one step, within what held of all of them."""

from __future__ import annotations

import copy
from random import Random
from typing import Any


def varied(rows: list[dict[str, Any]], rng: Random, count: int) -> list[dict[str, Any]]:
    """At most so many variations of captured arguments."""
    held = {name: Held([row[name] for row in rows if name in row]) for name in rows[0]}
    names = [name for name in held if name not in ("self", "cls")]
    made: list[dict[str, Any]] = []
    for _ in range(count if names else 0):
        row = dict(rng.choice(rows))
        for name in rng.sample(names, rng.choice((1, 1, 2)) if len(names) > 1 else 1):
            other = rng.choice(rows)
            if name in other and rng.random() < 0.25:
                row[name] = copy.deepcopy(other[name])
            elif name in row:
                row[name] = held[name].vary(copy.deepcopy(row[name]), rng)
        made.append(row)
    return made


class Held:
    """What held of all values of one argument, and of what they contain."""

    def __init__(self, values: list[Any], depth: int = 4) -> None:
        numbers = [value for value in values if type(value) in (int, float)]
        sized = [value for value in values if isinstance(value, (list, tuple, str))]
        self.least = min(numbers) if numbers else 0
        self.sizes = {len(value) for value in sized}
        lists = [value for value in sized if not isinstance(value, str)]
        self.ordered = bool(lists) and all(_ordered(value) for value in lists)
        self.distinct = bool(lists) and all(_distinct(value) for value in lists)
        self.letters = "".join(sorted({letter for value in sized if isinstance(value, str) for letter in value}))
        inner = [thing for value in lists for thing in value][:400]
        inner += [thing for value in values if isinstance(value, dict) for thing in value.values()][:400]
        self.inner = Held(inner, depth - 1) if inner and depth else None
        self.pool = inner

    def vary(self, value: Any, rng: Random) -> Any:
        """One step away; the value itself where nothing is known of its kind."""
        if type(value) is bool:
            return not value
        if type(value) is int:
            return max(self._floor(), value + rng.choice((-2, -1, 1, 2, 3, value)))
        if type(value) is float:
            return max(float(self._floor()), value + rng.choice((-1.0, -0.5, 0.25, 1.0, value)))
        if type(value) is str:
            return self._string(value, rng)
        if type(value) in (list, tuple):
            return type(value)(self._items(list(value), rng))
        if type(value) is dict and value and self.inner:
            key = rng.choice(list(value))
            value[key] = self.inner.vary(value[key], rng)
        return value

    def _floor(self) -> int:
        return 0 if self.least == 0 else 1 if self.least > 0 else -(10**6)

    def _string(self, value: str, rng: Random) -> str:
        if not self.letters:
            return value
        at = rng.randrange(len(value) + 1)
        change = rng.choice("idr")
        if change == "d" and len(value) > min(self.sizes):
            return value[:at] + value[at + 1 :]
        if change == "i" and len(self.sizes) > 1:
            return value[:at] + rng.choice(self.letters) + value[at:]
        return value[:at] + rng.choice(self.letters) + value[at + 1 :] if at < len(value) else value

    def _items(self, items: list[Any], rng: Random) -> list[Any]:
        before = list(items)
        change = rng.choice("dissvv")
        fixed = len(self.sizes) < 2
        if change == "d" and not fixed and len(items) > min(self.sizes):
            items.pop(rng.randrange(len(items)))
        elif change == "i" and not fixed and self.pool:
            items.insert(rng.randrange(len(items) + 1), copy.deepcopy(rng.choice(self.pool)))
        elif change == "s" and len(items) > 1 and not self.ordered and not fixed:
            rng.shuffle(items)
        elif items and self.inner:
            at = rng.randrange(len(items))
            items[at] = self.inner.vary(items[at], rng)
        if self.ordered:
            items.sort()
        return before if self.distinct and not _distinct(items) else items


def _ordered(values: Any) -> bool:
    try:
        return all(a <= b for a, b in zip(values, list(values)[1:]))  # noqa: B905 - Python 3.8
    except TypeError:
        return False


def _distinct(values: Any) -> bool:
    try:
        return len(set(values)) == len(values)
    except TypeError:
        return False
