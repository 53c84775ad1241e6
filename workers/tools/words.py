"""The words of a command that has no module of its own, from what a wrapper printed around it."""

from __future__ import annotations

import re
from collections.abc import Sequence

from workers.tools.plain import MESSAGE

_SPEAKS = re.compile(r"error|not found|no such|failed|fatal|cannot|can't|denied|exception|missing", re.IGNORECASE)
_LINES = 30


def last(lines: Sequence[str]) -> str:
    """The last line that speaks of trouble, else the last line; empty without one."""
    said = [line.strip() for line in lines[-_LINES:] if line.strip()]
    speaking = [line for line in said if _SPEAKS.search(line)]
    last_one = (speaking or said or [""])[-1]
    if last_one.endswith(":") and last_one is not said[-1]:  # it announces what stands below it
        last_one = f"{last_one} {said[said.index(last_one) + 1]}"
    return last_one[:MESSAGE]
