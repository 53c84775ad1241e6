"""The values between reading an answer and changing files: edits of files, made of hunks of lines.

Nothing here knows how an answer was written; every format of `parse` ends in these shapes.
"""

from __future__ import annotations

from dataclasses import dataclass


class PatchError(Exception):
    """An answer that could not be turned into an edit. The message says what to correct, for its author."""


@dataclass(frozen=True)
class Hunk:
    """A change in one place: (kind, text) pairs, kind being " " (kept), "-" (removed) or "+" (added).

    `hint` is the line number the author believed in, counted from 1; `scope` the text after `@@`.
    """

    lines: tuple[tuple[str, str], ...]
    hint: int | None = None
    scope: str = ""

    @property
    def old(self) -> list[str]:
        """The lines that must be in the file."""
        return [text for kind, text in self.lines if kind != "+"]

    @property
    def new(self) -> list[str]:
        """The lines that will be there afterwards."""
        return [text for kind, text in self.lines if kind != "-"]

    @property
    def changes(self) -> bool:
        """False for context only, and for a replacement by the same text."""
        return self.old != self.new


@dataclass(frozen=True)
class Edit:
    """What happens to one file. `path` is as the author wrote it, empty when no file was named.

    `content` is the whole new text; otherwise `hunks` say what changes. `create` and `delete` are explicit.
    """

    path: str
    hunks: tuple[Hunk, ...] = ()
    content: str | None = None
    create: bool = False
    delete: bool = False
