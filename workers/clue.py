"""What the commit that brought a failure changed, as lines and files of the commit that is to be mended: a clue.

Later commits may have moved or changed those lines again, so they are found by their text.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping

from workers.ports import SourceTree

_COMMON = 4
"""A text that stands more often in a file says nothing about which of its lines was changed."""
_SHORTEST = 4


def paths(diff: str) -> tuple[str, ...]:
    """The files that the diff leaves changed, in its order."""
    return tuple(dict.fromkeys(path for path, _ in _touched(diff)))


def lines(diff: str, tree: SourceTree) -> Mapping[str, frozenset[int]]:
    """By file the lines (from 1) that the diff wrote, or that stand beside what it took away."""
    texts: dict[str, set[str]] = {}
    for path, text in _touched(diff):
        texts.setdefault(path, set()).add(text.strip())
    return {path: found for path, wanted in texts.items() if (found := _numbers(tree.read(path), wanted))}


def _numbers(data: bytes | None, wanted: set[str]) -> frozenset[int]:
    here = [line.strip() for line in (data or b"").decode("utf-8", "replace").split("\n")]
    count = Counter(here)
    telling = {text for text in wanted if len(text) >= _SHORTEST and count[text] <= _COMMON}
    return frozenset(number for number, text in enumerate(here, 1) if text in telling)


def _touched(diff: str) -> Iterator[tuple[str, str]]:
    """(path, text) of every line that was added, and of the neighbours of every line that was taken away."""
    path, before, beside = "", "", False
    for line in diff.split("\n"):
        kind, text = line[:1], line[1:]
        if line.startswith("+++ "):
            path = line[6:] if line.startswith("+++ b/") else ""
        elif line.startswith(("diff --git ", "@@ ")):
            before, beside = "", False
        elif path and kind == "-":
            yield path, before
            beside = True
        elif path and kind in ("+", " "):
            if kind == "+" or beside:
                yield path, text
            before, beside = text, False
