"""What a log adds to a tool's own lines: the marks of the runner's problem matchers, and annotations in GitHub's form.

Lines are cut, which bounds what a tool's patterns can cost: output is written by untrusted code.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

_MARK = re.compile(r"^##\[(?:error|warning|notice)\]")
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


def lines(output: str) -> list[str]:
    """The lines without the runner's mark before them and without what is beyond a thousand characters."""
    return [_MARK.sub("", line[:_WIDTH]) for line in output.split("\n")]


def annotated(printed: list[str]) -> tuple[Annotation, ...]:
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
