"""Patterns of paths: `**` crosses folders, `*` and `?` do not, case is ignored. In time that grows with both lengths.

A regular expression made of such a pattern can take ages on a long path, and both come from strangers.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

_PART = re.compile(r"\*\*/|\*\*|\*|.", re.DOTALL)


@dataclass(frozen=True)
class _Glob:
    parts: tuple[str, ...]
    tail: str
    """What stands behind the last wildcard."""


def matches(path: str, globs: Sequence[str]) -> str | None:
    """The first of the patterns that the whole path matches."""
    folded = path.lower()
    return next((glob for glob in globs if _matches(folded, _read(glob))), None)


@lru_cache(maxsize=512)
def _read(glob: str) -> _Glob:
    text = glob.lower().removeprefix("/")
    return _Glob(tuple(_PART.findall(text)), re.split(r"\*\*/|[*?]", text)[-1])


def _matches(path: str, glob: _Glob) -> bool:
    """Walks along the path with every place of the pattern that it may have come to."""
    if not path.endswith(glob.tail):
        return False
    at = _skipping(glob.parts, {0})
    for char in path:
        at = _skipping(glob.parts, {to for place in at for to in _steps(glob.parts, place, char)})
        if not at:
            return False
    return len(glob.parts) in at


def _steps(parts: tuple[str, ...], place: int, char: str) -> tuple[int, ...]:
    """Where one character leads to from a place in the pattern. Inside a `**/`, which has to end with its slash, the
    place is written as its complement."""
    inside = place if place < 0 else ~place
    part = parts[~inside] if ~inside < len(parts) else ""
    if part == "**/":
        return (inside, ~inside + 1) if char == "/" else (inside,)
    if part == "**" or (part == "*" and char != "/"):
        return (place,)
    return (place + 1,) if part == char or (part == "?" and char != "/") else ()


def _skipping(parts: tuple[str, ...], at: set[int]) -> set[int]:
    """With the places behind what may stand for nothing."""
    found = set(at)
    for place in at:
        behind = place
        while 0 <= behind < len(parts) and parts[behind].startswith("*"):
            behind += 1
            found.add(behind)
    return found
