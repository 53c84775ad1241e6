"""Finds the real lines of a file most like the ones an answer quoted, to show them to its author.

The author corrects the answer from these lines alone, so they are shown as they are, with the number of the first.
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterable, Sequence
from itertools import accumulate

COUNT = 5
"""Lines that are shown at least, when the file has as many."""
_ROWS, _WIDTH, _CLOSER_LOOKS = 12, 200, 20
_WORD = re.compile(r"\w+|[^\w\s]")


def nearest(wanted: Sequence[str], lines: Sequence[str]) -> str:
    """The part of the file that is most like the wanted lines, or that there is none."""
    if not any(line.strip() for line in lines):
        return "the file is empty"
    wanted = [line for line in wanted if line.strip()][:_ROWS]
    size = max(1, min(len(wanted), len(lines)))
    text = _flat(wanted)
    best = max(
        _likely(wanted, lines, size),
        key=lambda i: difflib.SequenceMatcher(None, text, _flat(lines[i : i + size]), autojunk=False).ratio(),
    )
    count = min(max(COUNT, size + 2), _ROWS)
    start = max(0, min(best - max(1, (count - size) // 2), len(lines) - count))
    return f"did you mean the lines from {start + 1} on:\n{quoted(lines[start : start + count])}"


def quoted(lines: Sequence[str]) -> str:
    """A dozen lines as they stand in a message."""
    return "\n".join(f"    | {line[:_WIDTH]}" for line in lines[:_ROWS])


def _likely(wanted: Iterable[str], lines: Sequence[str], size: int) -> list[int]:
    """Where windows start that share most words with the wanted lines; one look at every line, then few windows."""
    words = {word for line in wanted for word in _words(line)}
    shared = [len(words & _words(line)) / (1 + len(_words(line))) for line in lines]
    sums = list(accumulate(shared, initial=0.0))
    starts = range(len(lines) - size + 1)
    return sorted(starts, key=lambda i: (sums[i] - sums[i + size], i))[:_CLOSER_LOOKS]


def _words(line: str) -> set[str]:
    return set(_WORD.findall(line[:_WIDTH]))


def _flat(lines: Iterable[str]) -> str:
    return "\n".join(line.strip()[:_WIDTH] for line in lines)
