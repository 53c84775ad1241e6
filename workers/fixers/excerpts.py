"""The part of a long file that a failure is about: its head, the definitions that hold the suspected lines, whole, and
what those use, in the file's own order with the gaps named.

Pure functions of texts; nothing is cleaned here.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Sequence

from workers.repo_map import Definition, symbols

_AROUND = 12
"""Lines shown on both sides of a line that no definition holds, or whose definition is too long."""
_HEAD = 30
"""Lines of the head of a file, as far as its first definition: what it imports."""
_GAP = len("[... 100000 lines left out ...]\n")
_MOST_HELD, _MOST_USED = 20, 60
"""Definitions that are looked at: of a text made to have very many, the rest does not fit anyway."""
_WORD = re.compile(r"[^\W\d]\w*")


def sliced(path: str, text: str, lines: Sequence[int], names: Collection[str], limit: int) -> str:
    """At most `limit` characters of a file; all of it where it fits.

    `lines`, from 1 and likeliest first, and `names` say what it is about. Empty when that is nowhere in the file.
    """
    if len(text) <= limit:
        return text
    rows = text.split("\n")
    definitions = symbols(path, text.encode("utf-8", "replace")).definitions
    shown: set[int] = set()
    limit -= _GAP
    for ways in _wanted(rows, definitions, lines, names):
        for wanted in ways:
            new = wanted - shown
            cost = sum(len(rows[n]) + 1 + (0 if n - 1 in new else _GAP) for n in new)
            if cost <= limit:
                limit -= cost
                shown |= new
                break
    return "\n".join(_with_gaps(rows, shown)) if shown else ""


def shortened(text: str, limit: int) -> str:
    """The text; without its middle when it is too long."""
    if len(text) <= limit:
        return text
    half = limit // 2
    return f"{text[:half]}\n[... {len(text) - 2 * half} characters left out ...]\n{text[-half:]}"


def _wanted(
    rows: Sequence[str], definitions: Sequence[Definition], lines: Sequence[int], names: Collection[str]
) -> Iterator[list[set[int]]]:
    """Sets of rows, counted from 0, the most wanted first, each with a smaller one for where it is too large."""
    about = [line for line in dict.fromkeys(lines) if 0 < line <= len(rows)]
    held = []
    for line in about:
        holding = _holding(definitions, line)
        held += holding
        yield [*(_rows(one, definitions) for one in holding), _near(line, len(rows))]
    meant = sorted((one for one in definitions if one.name in names), key=lambda one: one.end - one.start)[:_MOST_HELD]
    if not about and not meant:
        return
    yield from ([_rows(one, definitions)] for one in meant[: 0 if about else 1])
    yield [set(range(min(definitions[0].start - 1, _HEAD)))] if definitions else []
    yield from ([_rows(one, definitions)] for one in meant)
    used = {word for one in [*held, *meant] for row in rows[one.start - 1 : one.end] for word in _WORD.findall(row)}
    for one in [one for one in definitions if one.name in used][:_MOST_USED]:
        yield [_rows(one, definitions)]


def _holding(definitions: Sequence[Definition], line: int) -> list[Definition]:
    """The definition that a line stands in, the innermost one; its outer ones are too much."""
    holding = [one for one in definitions if one.holds(line)]
    return [max(holding, key=lambda one: (one.depth, one.start))] if holding else []


def _rows(one: Definition, definitions: Sequence[Definition]) -> set[int]:
    """Its own rows, and the first row of what it stands in."""
    outer = {other.start - 1 for other in definitions if other.depth < one.depth and other.holds(one.start)}
    return outer | set(range(one.start - 1, one.end))


def _near(line: int, last: int) -> set[int]:
    return set(range(max(0, line - 1 - _AROUND), min(last, line + _AROUND)))


def _with_gaps(rows: Sequence[str], shown: Collection[int]) -> Iterator[str]:
    before = -1
    for n in [*sorted(shown), len(rows)]:
        if n - before > 1:
            yield f"[... {n - before - 1} lines left out ...]"
        if n < len(rows):
            yield rows[n]
        before = n
