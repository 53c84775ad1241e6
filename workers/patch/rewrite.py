"""Changes a file's bytes by placed hunks. Lines that are not changed keep every byte: encoding mark, line ends, spaces.

New lines take the file's own line end and, where the author's indentation differed from the file's, the file's.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from workers.patch.edits import Hunk, PatchError, leaves_out
from workers.patch.lines import DASHES, LEVELS, QUOTES, SPACES, Lines
from workers.patch.match import Placement, place
from workers.patch.nearest import quoted

_BOM = "\ufeff"
_LIMIT = 10 << 20
_SHOWN = 3
"""Hunks that do not fit are explained together, so that one more turn can mend all of them; the rest is counted."""


@dataclass(frozen=True)
class Text:
    """A file as lines with their own ends. `eol` is what most lines end with."""

    lines: tuple[str, ...]
    ends: tuple[str, ...]
    eol: str
    bom: bool

    @staticmethod
    def of(data: bytes) -> Text:
        """Read UTF-8 text; anything else is refused."""
        if len(data) > _LIMIT:
            raise PatchError("the file is too large to be changed")
        try:
            text = data.decode("utf-8")
        except UnicodeDecodeError:
            raise PatchError("the file is not UTF-8 text") from None
        bom = text.startswith(_BOM)
        parts = re.split(r"(\r\n|\n)", text.removeprefix(_BOM))
        lines, ends = parts[0::2], [*parts[1::2], ""]
        if lines[-1] == "":
            lines, ends = lines[:-1], ends[:-1]
        eol = "\r\n" if ends.count("\r\n") > ends.count("\n") else "\n"
        return Text(tuple(lines), tuple(ends), eol, bom)


def rewritten(data: bytes, hunks: Sequence[Hunk]) -> bytes:
    """The file after all hunks; raises `PatchError` when one of them does not fit exactly one place.

    The same hunk twice is one: answers are repeated now and then.
    """
    text = Text.of(data)
    lines = Lines(text.lines)
    removed: set[int] = set()
    inserted: dict[int, list[str]] = defaultdict(list)
    for placement in _placed(tuple(dict.fromkeys(hunks)), lines):
        _collect(placement, text.lines, removed, inserted)
    return _joined(text, removed, inserted)


def _placed(hunks: Sequence[Hunk], lines: Lines) -> list[Placement]:
    """The places of all hunks; when some have none, all of them are told at once."""
    found: list[Placement] = []
    wrong: list[PatchError] = []
    for hunk in hunks:
        try:
            _check(hunk, lines)
            found += place(hunk, lines)
        except PatchError as error:
            wrong.append(error)
    if not wrong:
        return found
    if len(hunks) == 1:
        raise wrong[0]
    told = "\n".join(str(error) for error in wrong[:_SHOWN])
    more = f"\nand {len(wrong) - _SHOWN} more" if len(wrong) > _SHOWN else ""
    raise PatchError(f"{len(wrong)} of {len(hunks)} changes do not fit, so none was made:\n{told}{more}")


def _check(hunk: Hunk, lines: Lines) -> None:
    if leaves_out(hunk.new, {*hunk.old, *lines.known}):
        raise PatchError(f"the new text says `...` instead of lines: write all of them\n{quoted(hunk.new)}")


def _collect(placed: Placement, lines: Sequence[str], removed: set[int], inserted: dict[int, list[str]]) -> None:
    indent, typed = Indent(placed, lines), _typography(placed, lines)
    for at, kind, line in placed.effects:
        if kind == "+":
            inserted[at].append(indent.of(line.translate(typed)))
            continue
        if at in removed:
            raise PatchError(f"two changes overlap at line {at + 1}")
        removed.add(at)


def _typography(placed: Placement, lines: Sequence[str]) -> dict[int, str]:
    """What to make plain in new lines: the kinds of characters that the author has where the file has plain ones."""
    plain: dict[int, str] = {}
    pairs = [(theirs, lines[at]) for theirs, at in zip(placed.hunk.old, placed.at, strict=True) if theirs != lines[at]]
    for group in (QUOTES, SPACES, DASHES):
        if any(set(theirs) & group.keys() and not set(real) & group.keys() for theirs, real in pairs):
            plain |= str.maketrans(group)
    return plain


def plainer(before: bytes, after: bytes) -> Iterator[bytes]:
    """A new text with plain quotes instead of typographic ones, then with plain spaces, then with plain dashes as well;
    only of kinds that the old text has none of."""
    known = set(before.decode("utf-8", "replace").removeprefix(_BOM))
    bom = after.startswith(_BOM.encode())
    text = after.decode("utf-8").removeprefix(_BOM)
    for group in (QUOTES, SPACES, DASHES):
        if not known & group.keys() and set(text) & group.keys():
            marks: dict[int, str] = str.maketrans(group)
            text = text.translate(marks)
            yield (_BOM * bom + text).encode()


def _joined(text: Text, removed: set[int], inserted: dict[int, list[str]]) -> bytes:
    out: list[tuple[str, str]] = []
    for i in range(len(text.lines) + 1):
        out += [(line, text.eol) for line in inserted.get(i, ())]
        if i < len(text.lines) and i not in removed:
            out.append((text.lines[i], text.ends[i]))
    rows = [(line, end or text.eol) for line, end in out]
    if rows and text.ends and text.ends[-1] == "":
        rows[-1] = (rows[-1][0], "")
    return ((_BOM if text.bom else "") + "".join(line + end for line, end in rows)).encode("utf-8")


class Indent:
    """How the author's indentation maps to the file's, learnt from the lines that both have.

    Removed lines are believed before kept ones: these may have lost the space that marks them.
    """

    def __init__(self, placed: Placement, lines: Sequence[str]) -> None:
        self.map: dict[str, str] = {}
        rows = [row for row in placed.hunk.lines if row[0] != "+"]
        old = [(kind, theirs, lines[at]) for (kind, theirs), at in zip(rows, placed.at, strict=True)]
        exact = {_lead(theirs) for _, theirs, real in old if theirs.strip() and _lead(theirs) == _lead(real)}
        for kind, theirs, real in sorted(old, key=lambda row: row[0] != "-"):
            lead, known = _lead(theirs), _lead(real)
            misquoted = kind == " " and known in exact and len(lead.expandtabs(4)) > len(known.expandtabs(4))
            if theirs.strip() and not misquoted:  # a kept line that is only meant for another one says nothing of depth
                self.map.setdefault(lead, known)
        self.same = all(a == b for a, b in self.map.items())
        self.spaces = any(line.startswith("  ") for line in lines) and not any(line.startswith("\t") for line in lines)

    def of(self, line: str) -> str:
        """A new line with the file's indentation."""
        lead = _lead(line)
        if self.same and self.spaces and "\t" in lead:  # nothing quoted is indented, and no line of the file has a tab
            return lead.expandtabs(4) + line[len(lead) :]
        if self.same or not line.strip():
            return line
        if lead in self.map:
            return self.map[lead] + line[len(lead) :]
        known = sorted((a for a in self.map if lead.startswith(a)), key=len)
        if known:
            rest = lead[len(known[-1]) :]
            return self.map[known[-1]] + self._converted(rest) + line[len(lead) :]
        theirs = min(self.map, key=len)
        cut = len(theirs.expandtabs(4)) - len(self.map[theirs].expandtabs(4))
        return " " * max(0, len(lead.expandtabs(4)) - cut) + line[len(lead) :]

    def _converted(self, rest: str) -> str:
        """Deeper indentation in the file's own unit."""
        if any("\t" in real for real in self.map.values()) and "\t" not in rest:
            return "\t" * (len(rest) // 4) + " " * (len(rest) % 4)
        if all("\t" not in real for real in self.map.values()):
            return rest.expandtabs(4)
        return rest


def _lead(line: str) -> str:
    return line[: len(line) - len(line.lstrip(" \t\u00a0"))]


def fits(data: bytes, hunks: Sequence[Hunk]) -> bool:
    """The first hunk's lines are in the file, word for word: for diffs that do not name their file."""
    try:
        lines = Text.of(data).lines
    except PatchError:
        return False
    old = [LEVELS[1](line) for line in hunks[0].old]
    have = [LEVELS[1](line) for line in lines]
    return any(have[i : i + len(old)] == old for i in range(len(have) - len(old) + 1)) if old else False
