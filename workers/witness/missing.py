"""What a report lacks that a failing test could be made of: the one thing to ask for, the first in this order."""

from __future__ import annotations

import re
from enum import StrEnum

from workers.domain import IssueReport
from workers.patch.envelope import blocks
from workers.witness.names import Names
from workers.witness.stated import stated

_WORD = re.compile(r"[A-Za-z_]\w{2,60}")


class Missing(StrEnum):
    """What is asked for. Its sentence is in `workers.messages.reported`."""

    STEPS = "steps"  # nothing says how to get there
    EXPECTED = "expected"  # what happens is told, and not what should
    ACTUAL = "actual"  # the other way round
    VERSION = "version"  # the example does what it should on this commit
    EXAMPLE = "example"  # all is told, and yet no example of it can be run


def missing(report: IssueReport, names: Names, *, green: bool) -> Missing:
    """What to ask. `green` says that a test of the report's own example passed on the unchanged code."""
    if green:
        return Missing.VERSION
    says = stated((report.title, *report.texts))
    if not _has_steps(report, names):
        return Missing.STEPS
    if not says.expected and not says.exceptions:
        return Missing.EXPECTED
    if not says.actual and not says.breaks:
        return Missing.ACTUAL
    return Missing.EXAMPLE


def _has_steps(report: IssueReport, names: Names) -> bool:
    """Something of the repository's own is called, in a block or between backticks."""
    for text in report.texts:
        code = [block.text for block in blocks(text)] + re.findall(r"`([^`\n]{3,200})`", text)
        words = {word for one in code for word in _WORD.findall(one[:6_000])}
        if words & (names.definitions.keys() | names.packages):
            return True
    return False
