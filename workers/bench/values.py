"""Makes inputs for a function out of those that a data set has for it: the same types, slightly other values.

Pure and drawn from the random numbers it is given, so that the same seed makes the same inputs. Values are literals.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator, Sequence
from typing import Any

Args = tuple[Any, ...]

_TRIES = 30
"""Draws per wanted input: what is not allowed, or known already, is drawn again."""
_LONGEST = 400
"""Characters and elements that a grown value has at most."""


def luck(*seed: object) -> random.Random:
    """Random numbers that are the same for the same seed: what was drawn once can be drawn again."""
    return random.Random(" ".join(map(str, seed)))  # noqa: S311 - nothing secret is made of them


def drawn(
    samples: Sequence[Args], wanted: int, rng: random.Random, allowed: Callable[[Args], Args | None] = lambda args: args
) -> list[Args]:
    """The samples themselves and perturbations of them, all different, `wanted` together if so many are found.

    `allowed` answers the arguments that are tried in the place of those drawn, None where the function is not made for
    them.
    """
    found: dict[str, Args] = {}
    for args in _endless(samples, wanted * _TRIES, rng):
        kept = _kept(allowed, args)
        if kept is not None:
            found.setdefault(repr(kept), kept)
        if len(found) >= wanted:
            break
    return list(found.values())


def _kept(allowed: Callable[[Args], Args | None], args: Args) -> Args | None:
    """What the rule makes of them; None for a shape that it was not written for."""
    try:
        return allowed(args)
    except (TypeError, ValueError, LookupError):
        return None


def _endless(samples: Sequence[Args], draws: int, rng: random.Random) -> Iterator[Args]:
    yield from samples
    pool = list(samples)
    for _ in range(draws if samples else 0):
        args = list(rng.choice(pool))
        if len(args) > 1 and rng.random() < 0.2:  # one argument of another sample
            at = rng.randrange(len(args))
            other = rng.choice(pool)
            args[at] = other[at] if at < len(other) else args[at]
        for _ in range(rng.choice((1, 1, 1, 2, 3))):
            if args:
                at = rng.randrange(len(args))
                args[at] = changed(args[at], rng)
        made = tuple(args)
        if len(pool) < 4 * len(samples) + 20:
            pool.append(made)
        yield made


def changed(value: Any, rng: random.Random) -> Any:
    """Another value of the same type, near this one."""
    if isinstance(value, bool):
        return not value
    if isinstance(value, int):
        return _number(value, rng)
    if isinstance(value, float):
        return round(value * rng.choice((0.5, 2.0, 1.1, -1.0)) + rng.choice((0.0, 0.5, 1.0, -1.0)), 4)
    if isinstance(value, str):
        return "".join(_sequence(list(value), rng, _letter))[:_LONGEST]
    if isinstance(value, tuple) and len({type(one) for one in value}) > 1:  # a record: each place has its own meaning
        at = rng.randrange(len(value))
        return (*value[:at], changed(value[at], rng), *value[at + 1 :])
    if isinstance(value, list | tuple):
        return type(value)(_sequence(list(value), rng, changed)[:_LONGEST])
    if isinstance(value, dict):
        items = list(value.items())
        if items:
            at = rng.randrange(len(items))
            items[at] = (items[at][0], changed(items[at][1], rng))
        return dict(items)
    return value


def _number(value: int, rng: random.Random) -> int:
    step = rng.choice((1, 1, 1, 2, 3, 7))
    return rng.choice((value + step, value - step, value * 2, value // 2, rng.randint(0, 20), -value))


def _letter(letter: str, rng: random.Random) -> str:
    """A neighbour for letters and digits, the same for signs: they mean something."""
    if letter.isalpha():
        return rng.choice("abcdefgh") if letter.islower() else rng.choice("ABCDEFGH")
    return rng.choice("0123456789") if letter.isdigit() else letter


def _sequence(values: list[Any], rng: random.Random, other: Callable[[Any, random.Random], Any]) -> list[Any]:
    """The values with one of them changed, left out, doubled or moved, or some of them."""
    made = list(values)
    if not made:
        return made
    at, to = rng.randrange(len(made)), rng.randrange(len(made))
    match rng.randrange(7):
        case 0:
            del made[at]
        case 1:
            made.insert(to, made[at])
        case 2:
            made[at], made[to] = made[to], made[at]
        case 3:
            made = made[min(at, to) : max(at, to) + 1]
        case 4:
            made.insert(to, other(made[at], rng))
        case _:
            made[at] = other(made[at], rng)
    return made
