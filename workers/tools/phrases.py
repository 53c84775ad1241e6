"""Tools that speak in sentences instead of lines with a place: a sentence has a rule's name and a class of failure.

A table of phrases is ordered from the gravest to the mildest: the first one that was said decides the class.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from workers.domain import FailureClass, Finding
from workers.tools.plain import MESSAGE, unique


@dataclass(frozen=True)
class Phrase:
    """`pattern` is matched at the start of a line; its groups `text`, `path` and `line` go into the finding."""

    rule: str
    cls: FailureClass
    pattern: re.Pattern[str]


def phrase(rule: str, cls: FailureClass, pattern: str) -> Phrase:
    """A row of a table."""
    return Phrase(rule, cls, re.compile(pattern))


def spoken(phrases: Sequence[Phrase], output: str) -> tuple[Finding, ...]:
    """A finding for each line that begins with one of the phrases, in order, without repeats."""
    return unique(found for line in output.split("\n") if line and (found := _of(phrases, line)) is not None)


def said(phrases: Sequence[Phrase], output: str) -> bool:
    """Any of the phrases is in the output."""
    return any(_of(phrases, line) is not None for line in output.split("\n") if line)


def kind(phrases: Sequence[Phrase], found: Sequence[Finding]) -> FailureClass:
    """The class of the gravest of the findings."""
    rules = {finding.rule for finding in found}
    return next((one.cls for one in phrases if one.rule in rules), FailureClass.UNKNOWN)


def _of(phrases: Sequence[Phrase], line: str) -> Finding | None:
    for one in phrases:
        if match := one.pattern.match(line):
            groups = match.groupdict()
            number = groups.get("line")
            text = (groups.get("text") or line).strip()
            return Finding(text[:MESSAGE], groups.get("path"), int(number) if number else None, None, one.rule)
    return None
