"""Which known names a wrong one may have been meant to be. One slip of the finger is a sign; likeness is a guess."""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterable, Sequence
from itertools import islice

_SHORTEST = 4
"""Shorter names are a slip away from too many others to be sure of one."""
_LONGEST = 100
_MOST = 4000
_SUGGESTED = re.compile(r"Did you mean:? '([^'\n]{1,100})'\?")


def slip(wrong: str, right: str) -> bool:
    """One letter too many, too few or another one, or two neighbours swapped; capital letters count as the same."""
    a, b = wrong.lower(), right.lower()
    if a == b:
        return wrong != right
    if abs(len(a) - len(b)) > 1 or len(a) > _LONGEST:
        return False
    start = next((n for n, (x, y) in enumerate(zip(a, b, strict=False)) if x != y), min(len(a), len(b)))
    a, b = a[start:], b[start:]
    return a[1:] == b[1:] or a[1:] == b or a == b[1:] or (a[2:] == b[2:] and a[:2] == b[:2][::-1])


def nearest(wrong: str, known: Iterable[str], cutoff: float = 0.75, most: int = 3) -> list[tuple[str, bool]]:
    """(name, sure), likeliest first: those one slip away, then like ones. Sure is the only slip of a name that is not
    short."""
    names = [name for name in islice(dict.fromkeys(known), _MOST) if name != wrong]
    slips = sorted((name for name in names if slip(wrong, name)), key=lambda name: (-_likeness(wrong, name), name))
    like = difflib.get_close_matches(wrong[:_LONGEST], sorted(names), n=most, cutoff=cutoff)
    sure = len(slips) == 1 and len(wrong) >= _SHORTEST
    return [(name, sure and name == slips[0]) for name in list(dict.fromkeys([*slips, *like]))[:most]]


def suggested(message: str) -> list[str]:
    """The names that Python itself proposes at the end of a message."""
    return _SUGGESTED.findall(message)


def quoted(message: str) -> Sequence[str]:
    """What stands in single quotes, in order."""
    return re.findall(r"'([^'\n]{0,200})'", message)


def _likeness(wrong: str, name: str) -> float:
    return difflib.SequenceMatcher(None, wrong, name).ratio()
