"""A tool's lines, shorter than `reading` leaves them, and what a log adds to them: annotations in GitHub's form.

Lines are cut, which bounds what a tool's patterns can cost: output is written by untrusted code.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

_WIDTH = 1_000
MESSAGE = 500
"""The length of a finding's message, in characters."""


@dataclass(frozen=True)
class Annotation:
    """One `::error file=...::text` line. `text` is its first line."""

    level: str
    text: str
    path: str | None = None
    line: int | None = None
    title: str = ""


@lru_cache(maxsize=4)  # some thirty tools ask for the lines of the same output
def lines(output: str) -> Sequence[str]:
    """The lines without what is beyond a thousand characters. The runner's marks are off already, see `reading`."""
    return tuple(line[:_WIDTH] for line in output.split("\n"))


def annotated(printed: Sequence[str]) -> tuple[Annotation, ...]:
    """The workflow commands that name errors and warnings, in order."""
    found = (_annotation(line) for line in printed if line.startswith(("::error ", "::warning ")))
    return tuple(one for one in found if one is not None)


def _annotation(line: str) -> Annotation | None:
    level, _, rest = line.removeprefix("::").partition(" ")
    properties, mark, text = rest.partition("::")
    if not mark:
        return None
    named = dict(pair.partition("=")[::2] for pair in properties.split(","))
    number = named.get("line", "")
    return Annotation(
        level,
        _decoded(text).split("\n")[0].strip(),
        _decoded(named.get("file", "")) or None,
        int(number) if number.isascii() and number.isdigit() and len(number) < 8 else None,
        _decoded(named.get("title", "")),
    )


def _decoded(text: str) -> str:
    for code, char in (("%0A", "\n"), ("%0D", ""), ("%3A", ":"), ("%2C", ","), ("%25", "%")):
        text = text.replace(code, char)
    return text
