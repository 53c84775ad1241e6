"""A patch as suggestions on the lines of a pull request, where the request's own diff shows all of them.

A suggestion replaces whole lines of the new side, so an insertion takes a line along that it stands next to.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from unidiff.errors import UnidiffParseError
from unidiff.patch import Hunk, PatchedFile, PatchSet

from workers.ports import SourceTree


@dataclass(frozen=True)
class Replacement:
    """The lines `start` to `end` (counted from 1, both included) of a file become `text`; no text takes them away."""

    path: str
    start: int
    end: int
    text: tuple[str, ...]


@dataclass(frozen=True)
class _Change:
    """The lines `start` to `end` of the old file become `text`; nothing is replaced when `end` is before `start`."""

    start: int
    end: int
    text: tuple[str, ...]


def suggest(tree: SourceTree, patch: str, hunks: Mapping[str, str]) -> tuple[Replacement, ...] | str:
    """The patch as replacements of lines, in order; or why it cannot be given so, as a sentence for people.

    `tree` holds the files of the pull request's head and `hunks` what the pull request itself changes, per path as
    GitHub shows it.
    """
    try:
        files = PatchSet(patch)
    except (UnidiffParseError, ValueError):
        return "The patch is not one of plain lines."
    found: list[Replacement] = []
    for file in files:
        made = _file(file, tree, hunks)
        if isinstance(made, str):
            return made
        found += made
    return tuple(found)


def _file(file: PatchedFile, tree: SourceTree, hunks: Mapping[str, str]) -> list[Replacement] | str:
    path = file.path
    content = tree.read(path)
    if file.is_added_file or file.is_removed_file or content is None:
        return f"It adds or removes {path}, which no suggestion can."
    if not len(file):
        return f"It changes the mode of {path}, which no suggestion can."
    shown = _shown(hunks.get(path, ""))
    if any(line.value.endswith("\r\n") or line.line_type == "\\" for hunk in file for line in hunk):
        return f"A suggestion would not keep the line ends of {path}."
    lines = content.decode("utf-8", "replace").split("\n")
    found: list[Replacement] = []
    for change in (change for hunk in file for change in _changes(hunk)):
        anchored = _anchored(change, lines, shown)
        if anchored is None:
            return f"The pull request's own diff does not show line {change.start} of {path}."
        last = found[-1] if found else None
        if last is not None and anchored.start <= last.end:
            found[-1] = _joined(last, anchored)
        else:
            found.append(Replacement(path, anchored.start, anchored.end, anchored.text))
    return found


def _changes(hunk: Hunk) -> list[_Change]:
    """The runs of changed lines of a hunk, without the context between them."""
    found: list[_Change] = []
    at, removed, added = hunk.source_start + (hunk.source_length == 0), 0, list[str]()
    for line in [*hunk, None]:
        if line is not None and line.is_removed:
            removed += 1
        elif line is not None and line.is_added:
            added.append(line.value.removesuffix("\n"))
        else:
            if removed or added:
                found.append(_Change(at, at + removed - 1, tuple(added)))
            at, removed, added = at + removed + 1, 0, []
    return found


def _anchored(change: _Change, lines: Sequence[str], shown: Sequence[range]) -> _Change | None:
    """The change as a replacement of lines that one hunk shows; None when there is no such."""
    if change.end >= change.start:
        options = [change]
    else:
        before, after = change.start - 1, change.start
        options = [_Change(before, before, (lines[before - 1], *change.text))] if before >= 1 else []
        if after < len(lines):  # the last piece of the split text is no line
            options.append(_Change(after, after, (*change.text, lines[after - 1])))
    return next((one for one in options if any(one.start in hunk and one.end in hunk for hunk in shown)), None)


def _joined(first: Replacement, second: _Change) -> Replacement:
    """Two insertions around the same line, which the second one repeats at its beginning or its end."""
    return Replacement(first.path, first.start, second.end, (*first.text, *second.text[1:]))


def _shown(text: str) -> list[range]:
    """The lines of the new side that people can comment on, per hunk of a file's diff; none when it is not one."""
    if not text:
        return []
    try:
        files = PatchSet(f"--- a/file\n+++ b/file\n{text}\n")
    except (UnidiffParseError, ValueError):
        return []
    return [range(hunk.target_start, hunk.target_start + hunk.target_length) for file in files for hunk in file]
