"""What a form is: how a call of an older release is written now, and which failure asks for it."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from typing import NamedTuple

from workers.fixers.source import Placed, Source, Splice
from workers.spectrum.evidence import Failure

Make = Callable[[Source, Failure, Mapping[str, Source]], Iterator[Splice]]
"""The splices of one file, given the failure and all files that may be changed; none where it has nothing to change or
one of its places cannot be written anew with the same meaning."""


class Form(NamedTuple):
    """`says` is looked for in "type: message" of a failure; `sure`: the new form means exactly the same."""

    says: re.Pattern[str]
    make: Make
    what: str
    sure: bool


def raising(source: Source, failure: Failure) -> int:
    """The line of this file that raised, 0 when another one did."""
    path, line, _ = failure.frames[-1] if failure.frames else ("", 0, "")
    return line if path == source.path else 0


def covers(node: Placed, line: int) -> bool:
    """The node stands on the line, from 1."""
    return node.lineno <= line <= (node.end_lineno or node.lineno)


def unused(source: Source, wanted: str, other: str) -> str:
    """The name, or the other one where the file has the first for something of its own."""
    return other if wanted in source.everywhere else wanted
