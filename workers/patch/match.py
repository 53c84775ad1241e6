"""Finds where a hunk belongs in a file by its text: exactly first, then with ever less attention to white space.

Two places that fit equally well are never guessed between: the answer is refused with what was seen.
"""

from __future__ import annotations

import difflib
import re
import unicodedata
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache

from workers.patch.edits import Hunk, PatchError

_QUOTES = str.maketrans({
    "\u200b": None, "\ufeff": None,
    "\u2018": "'", "\u2019": "'", "\u201a": "'", "\u201c": '"', "\u201d": '"', "\u201e": '"', "\u00a0": " ",
    "\u202f": " ",    "\u2007": " ", "\u2013": "-", "\u2014": "-", "\u2212": "-",
})  # fmt: skip
_LIKENESS, _MARGIN, _LINE_LIKENESS, _FUZZY_LIMIT = 0.85, 0.04, 0.6, 4000


def plain(line: str) -> str:
    """With typographic quotes, dashes and spaces made plain."""
    return unicodedata.normalize("NFC", line).translate(_QUOTES).rstrip()


LEVELS: tuple[Callable[[str], str], ...] = (
    lambda line: line,
    lambda line: line.rstrip(),
    plain,
    lambda line: plain(line).expandtabs(4),
    lambda line: plain(line).strip(),
    lambda line: re.sub(r"\s+", " ", plain(line).strip()),
    lambda line: re.sub(r"\s+", " ", unicodedata.normalize("NFKC", plain(line)).strip()),
)
_DROP_LIMIT, _HUNK_LIMIT = 8, 80
"""An answer is untrusted: how hard to look for its lines is bounded."""
PLAIN = 2
"""From this level on, added lines are made plain as well."""


@dataclass(frozen=True)
class Placement:
    """Where a hunk goes: for each of its old lines the index in the file, and the level that made them equal."""

    hunk: Hunk
    at: tuple[int, ...]
    level: int = 0


def place(hunk: Hunk, lines: Sequence[str]) -> list[Placement]:
    """The places of a hunk (several when it left something out), empty when the change is already there."""
    if not hunk.changes:
        return []
    elided = _at_elisions(hunk, lines)
    if len(elided) > 1:
        return [found for part in elided for found in place(part, lines)]
    if not any(line.strip() for line in hunk.old):
        return _into_blank(hunk, lines)
    whole = _unique(hunk, lines)
    if whole:
        return [whole]
    if _already(hunk, lines):
        return []
    shorter = _trimmed(hunk, lines)
    if shorter:
        return [shorter]
    parts = _split(hunk, lines) or _alike(hunk, lines)
    if parts:
        return parts
    raise PatchError(f"these lines are not in the file:\n{_quote(hunk.old)}\n{nearest(hunk.old, lines)}")


def _into_blank(hunk: Hunk, lines: Sequence[str]) -> list[Placement]:
    if any(line.strip() for line in lines):
        raise PatchError("a change names no existing line: quote the lines around the place where it goes")
    return [Placement(Hunk(tuple(("+", text) for text in hunk.new)), ())]


@lru_cache(maxsize=len(LEVELS) * 2)
def _at_level(lines: tuple[str, ...], level: int) -> list[str]:
    """Kept for the many questions about one file."""
    return [LEVELS[level](line) for line in lines]


def _hits(old: Sequence[str], lines: Sequence[str], level: int) -> list[int]:
    if len(old) > len(lines):
        return []
    key = LEVELS[level]
    want, have = [key(line) for line in old], _at_level(tuple(lines), level)
    return [i for i in range(len(have) - len(want) + 1) if have[i] == want[0] and have[i : i + len(want)] == want]


def _unique(hunk: Hunk, lines: Sequence[str]) -> Placement | None:
    """The one place where the old lines stand together; None when there is none, refused when there are more."""
    old = hunk.old
    for level in range(len(LEVELS)):
        hits = _hits(old, lines, level)
        if len(hits) > 1:
            hits = _decide(hunk, hits, lines)
        if hits:
            return Placement(hunk, tuple(range(hits[0], hits[0] + len(old))), level)
    return None


def _decide(hunk: Hunk, hits: Sequence[int], lines: Sequence[str]) -> list[int]:
    """Choose by the exact line number, then by the scope named after `@@`."""
    if hunk.hint is not None and hunk.hint - 1 in hits:
        return [hunk.hint - 1]
    if hunk.scope:
        scope = hunk.scope.strip()
        opened = [i for i, line in enumerate(lines) if scope in line]
        if len(opened) == 1:
            inside = [hit for hit in hits if opened[0] <= hit and _within(lines, opened[0], hit)]
            if len(inside) == 1:
                return inside
    shown = ", ".join(str(hit + 1) for hit in hits[:6])
    raise PatchError(
        f"ambiguous: these lines are in the file {len(hits)} times (lines {shown}); add lines around them:\n"
        + _quote(hunk.old)
    )


def _within(lines: Sequence[str], start: int, hit: int) -> bool:
    """No line between is indented as little as the scope's own."""
    depth = len(lines[start]) - len(lines[start].lstrip())
    between = [line for line in lines[start + 1 : hit + 1] if line.strip()]
    return all(len(line) - len(line.lstrip()) > depth for line in between)


def _already(hunk: Hunk, lines: Sequence[str]) -> bool:
    new = hunk.new
    return any(kind == "+" and text.strip() for kind, text in hunk.lines) and len(_hits(new, lines, 1)) == 1


def _trimmed(hunk: Hunk, lines: Sequence[str]) -> Placement | None:
    """Without some of the outer kept lines, fewest first."""
    rows = hunk.lines
    lead = next((i for i, (kind, _) in enumerate(rows) if kind != " "), 0)
    trail = next((i for i, (kind, _) in enumerate(reversed(rows)) if kind != " "), 0)
    lead, trail = min(lead, _DROP_LIMIT), min(trail, _DROP_LIMIT)
    for dropped in range(1, lead + trail + 1):
        found = []
        for front in range(min(lead, dropped) + 1):
            back = dropped - front
            if back > trail:
                continue
            part = Hunk(rows[front : len(rows) - back], None, hunk.scope)
            if any(line.strip() for line in part.old):
                placement = _unique(part, lines)
                found += [placement] if placement else []
        if found:
            return found[0]
    return None


def _boundaries(hunk: Hunk) -> Iterator[int]:
    """Where a hunk may be cut: between two old lines, never inside one replacement."""
    rows = hunk.lines
    for i in range(1, len(rows)):
        before, after = rows[i - 1][0], rows[i][0]
        if before == " " or after == " " or (before == "+" and after == "-"):
            yield i


def _split(hunk: Hunk, lines: Sequence[str], floor: int = 0) -> list[Placement]:
    """As two or more parts, each found once, in order: for hunks that skip lines without saying so."""
    if len(hunk.lines) > _HUNK_LIMIT:
        return []
    for cut in _boundaries(hunk):
        left, right = Hunk(hunk.lines[:cut]), Hunk(hunk.lines[cut:])
        if not (left.changes and right.changes and left.old and right.old):
            continue
        try:
            first = _unique(left, lines) or _trimmed(left, lines)
            if not first or first.at[0] < floor:
                continue
            second = _unique(right, lines) or _trimmed(right, lines)
            rest = [second] if second else _split(right, lines, first.at[-1] + 1)
        except PatchError:
            continue
        if rest and rest[0].at[0] > first.at[-1]:
            return [first, *rest]
    return []


def _alike(hunk: Hunk, lines: Sequence[str]) -> list[Placement]:
    """At the one window that is nearly the same text, clearly better than every other."""
    old = hunk.old
    if not 2 <= len(old) <= _HUNK_LIMIT or len(lines) > _FUZZY_LIMIT or len(lines) < len(old):
        return []
    want = [LEVELS[4](line) for line in old]
    have = [LEVELS[4](line) for line in lines]
    scores = []
    for start in range(len(have) - len(want) + 1):
        matcher = difflib.SequenceMatcher(
            None, "\n".join(want), "\n".join(have[start : start + len(want)]), autojunk=False
        )
        if matcher.real_quick_ratio() >= _LIKENESS and matcher.quick_ratio() >= _LIKENESS:
            scores.append((matcher.ratio(), start))
    scores.sort(reverse=True)
    if not scores or scores[0][0] < _LIKENESS or (len(scores) > 1 and scores[0][0] - scores[1][0] <= _MARGIN):
        return []
    start = scores[0][1]
    pairs = zip(want, have[start : start + len(want)], strict=True)
    if any(a != b and difflib.SequenceMatcher(None, a, b).ratio() < _LINE_LIKENESS for a, b in pairs):
        return []
    return [Placement(hunk, tuple(range(start, start + len(old))), 4)]


def _at_elisions(hunk: Hunk, lines: Sequence[str]) -> list[Hunk]:
    """Cut at kept lines that only say `...`, unless the file has such a line."""
    dots = {"...", "\u2026", "# ...", "// ..."}
    if any(line.strip() in dots for line in lines):
        return [hunk]
    parts: list[list[tuple[str, str]]] = [[]]
    for kind, text in hunk.lines:
        if kind == " " and text.strip() in dots:
            parts.append([])
        else:
            parts[-1].append((kind, text))
    return [Hunk(tuple(part), None, hunk.scope) for part in parts if part]


def nearest(old: Sequence[str], lines: Sequence[str], count: int = 5) -> str:
    """The real lines most like the ones asked for, to show to the author."""
    if not lines:
        return "the file is empty"
    old = old[:12]
    want = "\n".join(line.strip()[:200] for line in old)
    size = max(1, min(len(old), len(lines)))
    step = max(1, len(lines) // 2000)
    best = max(
        range(0, len(lines) - size + 1, step),
        key=lambda i: difflib.SequenceMatcher(
            None, want, "\n".join(s.strip()[:200] for s in lines[i : i + size])
        ).quick_ratio(),
    )
    start = max(0, best - 1)
    shown = lines[start : start + max(count, min(size + 2, 12))]
    return f"did you mean the lines from {start + 1} on:\n{_quote(shown)}"


def _quote(lines: Sequence[str]) -> str:
    return "\n".join(f"    | {line[:200]}" for line in lines[:12])
