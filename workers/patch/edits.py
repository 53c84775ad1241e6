"""The values between reading an answer and changing files: edits of files, made of hunks of lines.

Nothing here knows how an answer was written; every format of `parse` ends in these shapes.
"""

from __future__ import annotations

import re
from collections.abc import Container, Sequence
from dataclasses import dataclass

_ELISION = re.compile(
    r"(?:#|//|--|;|/\*|<!--)?\s{0,40}(?:\.\.\.|…)\s{0,40}"
    r"(?:\(?(?:rest|existing|remaining|other|unchanged|same)\b.{0,200})?(?:\*/|-->)?",
    re.IGNORECASE,
)
_DOTS = frozenset({"...", "\u2026"})


class PatchError(Exception):
    """An answer that could not be turned into an edit. The message says what to correct, for its author."""


class Executable(bytes):
    """The content of a file that an edit makes executable besides, which is the only mode that edits may change. It
    equals the plain content: whoever asks what is in the file need not know of modes."""


@dataclass(frozen=True)
class Hunk:
    """A change in one place: (kind, text) pairs, kind being " " (kept), "-" (removed) or "+" (added).

    `hint` is the line number the author believed in, counted from 1; `scope` the text after `@@`. `marked`: the author
    wrote the kinds in front of the lines, where they can be mistaken.
    """

    lines: tuple[tuple[str, str], ...]
    hint: int | None = None
    scope: str = ""
    marked: bool = False

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

    `content` is the whole new text; otherwise `hunks` say what changes. `create` and `delete` are explicit; the hunks
    of a deleted file are what the author believes to be in it.
    """

    path: str
    hunks: tuple[Hunk, ...] = ()
    content: str | None = None
    create: bool = False
    delete: bool = False


def elides(line: str) -> bool:
    """The line only says that lines are left out: `...`, `# ... rest of the file`."""
    return _ELISION.fullmatch(line.strip()[:300]) is not None


def leaves_out(new: Sequence[str], known: Container[str] = frozenset()) -> bool:
    """A new text that says `...` instead of lines. The `...` of Python, the only thing in a body, is code; so is a line
    of `known`, which the file has already."""
    for i, line in enumerate(new):
        if not elides(line) or line in known:
            continue
        above = next((other.rstrip() for other in reversed(new[:i]) if other.strip()), "")
        alone = line.strip() in _DOTS and (above.endswith((":", '"""', "'''")) or len(new) == 1)
        if not alone:
            return True
    return False
