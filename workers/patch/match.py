"""Finds where a hunk belongs in a file by its text: exactly first, then with ever less attention to white space.

Two places that fit equally well are never guessed between: the answer is refused with what was seen.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import takewhile

from workers.patch.edits import Hunk, PatchError, elides
from workers.patch.lines import LEVELS, Lines
from workers.patch.nearest import nearest, quoted

_LIKENESS, _MARGIN, _LINE_LIKENESS, _FUZZY_LIMIT = 0.85, 0.04, 0.6, 4000
_DROP_LIMIT, _HUNK_LIMIT, _PARTS = 8, 80, 6
"""An answer is untrusted: how hard to look for its lines is bounded."""


@dataclass(frozen=True)
class Placement:
    """Where a hunk goes: for each of its old lines the index in the file."""

    hunk: Hunk
    at: tuple[int, ...]

    @property
    def effects(self) -> tuple[tuple[int, str, str], ...]:
        """What happens where: (index, kind, text) of every removed and added line."""
        found: list[tuple[int, str, str]] = []
        places = iter(self.at)
        cursor = self.at[0] if self.at else 0
        for kind, text in self.hunk.lines:
            if kind == "+":
                found.append((cursor, kind, text))
                continue
            here = next(places)
            cursor = here + 1
            if kind == "-":
                found.append((here, kind, ""))
        return tuple(found)


def place(hunk: Hunk, lines: Lines) -> list[Placement]:
    """The places of a hunk (several when it left something out), empty when the change is already there."""
    if not hunk.changes:
        return []
    hunk = _spaced(hunk, lines)
    parts = _at_elisions(hunk, lines)
    if len(parts) > 1:
        return _in_order(parts, lines)
    if not any(line.strip() for line in hunk.old):
        return _into_blank(hunk, lines)
    whole = _bulleted(hunk, lines) or _unique(hunk, lines)
    if whole:
        return [whole]
    if _already(hunk, lines):
        return []
    shorter = _trimmed(hunk, lines)
    if shorter:
        return [shorter]
    found = _split(hunk, lines) or _alike(hunk, lines)
    if found:
        return found
    raise _missing(hunk.old, lines)


def _missing(old: Sequence[str], lines: Lines) -> PatchError:
    return PatchError(f"these lines are not in the file:\n{quoted(old)}\n{nearest(old, lines.text)}")


def _into_blank(hunk: Hunk, lines: Lines) -> list[Placement]:
    if any(line.strip() for line in lines.text):
        raise PatchError("a change names no existing line: quote the lines around the place where it goes")
    return [Placement(Hunk(tuple(("+", text) for text in hunk.new)), ())]


def _unique(hunk: Hunk, lines: Lines, levels: int = len(LEVELS)) -> Placement | None:
    """The one place where the old lines stand together; None when there is none, refused when there are more."""
    old = hunk.old
    for level in range(levels):
        hits = lines.hits(old, level)
        if len(hits) > 1:
            hits = _decide(hunk, hits, lines.text)
        if hits:
            return Placement(hunk, tuple(range(hits[0], hits[0] + len(old))))
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
        + quoted(hunk.old)
    )


def _within(lines: Sequence[str], start: int, hit: int) -> bool:
    """No line between is indented as little as the scope's own."""
    depth = len(lines[start]) - len(lines[start].lstrip())
    between = [line for line in lines[start + 1 : hit + 1] if line.strip()]
    return all(len(line) - len(line.lstrip()) > depth for line in between)


def _already(hunk: Hunk, lines: Lines) -> bool:
    new = hunk.new
    return any(kind == "+" and text.strip() for kind, text in hunk.lines) and len(lines.hits(new, 1)) == 1


def _trimmed(hunk: Hunk, lines: Lines) -> Placement | None:
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
                if placement:
                    _check_torn(rows, front, placement, lines)
                    found.append(placement)
        if found:
            return _agreed(found, lines)
    return None


def _check_torn(rows: Sequence[tuple[str, str]], start: int, placed: Placement, lines: Lines) -> None:
    """Refuse a part of a hunk, from row `start` on, that adds lines at its end where the file goes on otherwise.

    A kept line followed there that the file has elsewhere, so one between was left out, and what is new may belong to
    either side of it; a kept line that the file does not have is only misquoted.
    """
    part = placed.hunk.lines
    ends = (
        (part, rows[:start][::-1], lines.text[: placed.at[0]][::-1]),
        (part[::-1], rows[start + len(part) :], lines.text[placed.at[-1] + 1 :]),
    )
    for inside, outside, there in ends:
        edge = [kind for kind, _ in takewhile(lambda row: row[0] != " ", inside)]
        if edge.count("+") <= edge.count("-"):
            continue
        told = next((text.strip() for kind, text in outside if kind != "+" and text.strip()), "")
        real = next((line.strip() for line in there if line.strip()), "")
        if told and LEVELS[4](told) != LEVELS[4](real) and LEVELS[4](told) in lines.at(4)[1]:
            raise PatchError(
                "ambiguous: it is not clear where new lines go, because the kept lines around them do not stand "
                f"together in the file:\n{quoted([text for kind, text in rows if kind != '+'])}\n"
                + nearest([text for kind, text in rows if kind != "+"], lines.text)
            )


def _agreed(found: Sequence[Placement], lines: Lines) -> Placement:
    """The place that all ways to leave kept lines out lead to; only blank lines between two make no difference."""
    first, *others = found
    for other in others:
        ours, theirs = [effect[0] for effect in first.effects], [effect[0] for effect in other.effects]
        low, high = min(ours[0], theirs[0]), max(ours[0], theirs[0])
        if ours != theirs and any(line.strip() for line in lines.text[low:high]):
            raise PatchError(
                f"ambiguous: it is not clear whether the change goes to line {low + 1} or {high + 1}, because the kept "
                f"lines around it do not stand together in the file:\n{quoted(first.hunk.old)}\n"
                f"the file has there:\n{quoted(lines.text[max(0, low - 1) : high + 1])}"
            )
    return first


def _spaced(hunk: Hunk, lines: Lines) -> Hunk:
    """With the first space of kept lines that lost it to the empty place of their mark. Where removed lines lack a
    space as well, all of it was written further left, which is not the same."""

    def short(text: str) -> bool:
        return bool(text.strip()) and text not in lines.known and f" {text}" in lines.known

    if not hunk.marked or any(kind == "-" and short(text) for kind, text in hunk.lines):
        return hunk
    rows = tuple((kind, f" {text}" if kind == " " and short(text) else text) for kind, text in hunk.lines)
    return Hunk(rows, hunk.hint, hunk.scope, hunk.marked)


def _bulleted(hunk: Hunk, lines: Lines) -> Placement | None:
    """With list items (`- one`) that lost the space of a kept line and so look like changes, if that fits exactly."""
    if not hunk.marked:
        return None
    rows = tuple(
        (" ", kind + text) if kind != " " and text.startswith(" ") and kind + text in lines.known else (kind, text)
        for kind, text in hunk.lines
    )
    kept = Hunk(rows, hunk.hint, hunk.scope)
    return _unique(kept, lines, levels=2) if rows != hunk.lines and kept.old and kept.changes else None


def _boundaries(hunk: Hunk) -> Iterator[int]:
    """Where a hunk may be cut: between two old lines, never inside one replacement."""
    rows = hunk.lines
    for i in range(1, len(rows)):
        before, after = rows[i - 1][0], rows[i][0]
        if before == " " or after == " " or (before == "+" and after == "-"):
            yield i


def _split(hunk: Hunk, lines: Lines, floor: int = 0, parts: int = _PARTS) -> list[Placement]:
    """As two or more parts, each found once, in order: for hunks that skip lines without saying so."""
    if len(hunk.lines) > _HUNK_LIMIT or parts < 2:
        return []
    for cut in _boundaries(hunk):
        left, right = Hunk(hunk.lines[:cut]), Hunk(hunk.lines[cut:])
        if not (left.changes and right.changes and left.old and right.old):
            continue
        try:
            first = _unique(left, lines) or _trimmed(left, lines)
            if not first or first.at[0] < floor:
                continue
            _check_torn(hunk.lines, _offset(left, first), first, lines)
            second = _unique(right, lines) or _trimmed(right, lines)
            if second:
                _check_torn(hunk.lines, cut + _offset(right, second), second, lines)
            rest = [second] if second else _split(right, lines, first.at[-1] + 1, parts - 1)
        except PatchError:
            continue
        if rest and rest[0].at[0] > first.at[-1]:
            return [first, *rest]
    return []


def _offset(whole: Hunk, placed: Placement) -> int:
    """How many rows of a hunk were left out before the placed ones."""
    size = len(placed.hunk.lines)
    return next(i for i in range(len(whole.lines) - size + 1) if whole.lines[i : i + size] == placed.hunk.lines)


def _alike(hunk: Hunk, lines: Lines) -> list[Placement]:
    """At the one window that is nearly the same text, clearly better than every other."""
    old = hunk.old
    if not 2 <= len(old) <= _HUNK_LIMIT or len(lines) > _FUZZY_LIMIT or len(lines) < len(old):
        return []
    want = [LEVELS[4](line) for line in old]
    have, _ = lines.at(4)
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
    if not all(a == b or _is_closest(a, b, lines) for a, b in pairs):
        return []
    return [Placement(hunk, tuple(range(start, start + len(old))))]


def _is_closest(wanted: str, real: str, lines: Lines) -> bool:
    """A misquoted line is this real one, and no other of the file."""
    likeness = difflib.SequenceMatcher(None, real, wanted, autojunk=False).ratio()
    matcher = difflib.SequenceMatcher(None, "", wanted, autojunk=False)
    for other in lines.at(4)[1]:
        matcher.set_seq1(other)
        near = matcher.real_quick_ratio() >= likeness and matcher.quick_ratio() >= likeness
        if other != real and near and matcher.ratio() >= likeness:
            return False
    return likeness >= _LINE_LIKENESS


def _at_elisions(hunk: Hunk, lines: Lines) -> list[Hunk]:
    """Cut at kept lines that only say `...`, unless the file has such a line."""
    parts: list[list[tuple[str, str]]] = [[]]
    for kind, text in hunk.lines:
        if kind == " " and elides(text) and text not in lines.known:
            parts.append([])
        else:
            parts[-1].append((kind, text))
    return [Hunk(tuple(part), None, hunk.scope) for part in parts if any(text.strip() for _, text in part)]


def _in_order(parts: Sequence[Hunk], lines: Lines) -> list[Placement]:
    """The places of what stands around elisions: all of it must be in the file, one after the other."""
    found: list[Placement] = []
    floor = 0
    for part in parts:
        placed = place(part, lines) if part.changes else [_next(part.old, lines, floor)]
        starts = [index for one in placed for index in one.at]
        if starts and min(starts) < floor:
            raise PatchError(f"the parts around `...` are not in this order in the file:\n{quoted(part.old)}")
        floor = max(starts, default=floor - 1) + 1
        found += placed if part.changes else []
    return found


def _next(old: Sequence[str], lines: Lines, floor: int) -> Placement:
    for level in range(len(LEVELS)):
        later = [hit for hit in lines.hits(old, level) if hit >= floor]
        if later:
            return Placement(Hunk(tuple((" ", line) for line in old)), tuple(range(later[0], later[0] + len(old))))
    raise _missing(old, lines)
