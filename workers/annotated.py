"""What a check run points at when there is no log to read: its annotations beside what the sandbox found."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from workers import logs
from workers.domain import Finding


def alike(theirs: Sequence[Finding], ours: Iterable[Finding], output: str) -> bool | None:
    """Whether both are about the same thing; None when they cannot be compared.

    The words of an annotation may be anywhere in the output; where they are not, a file that both name must do,
    because whoever annotates words a finding in his own way.
    """
    if not theirs:
        return None
    said = {logs.normalise(line) for line in output.split("\n")}
    if any(logs.normalise(finding.message.split("\n")[0]) in said for finding in theirs):
        return True
    here = {finding.path for finding in ours if finding.path}
    there = {finding.path for finding in theirs if finding.path}
    if not here or not there:
        return None
    return any(mine == path or mine.endswith(f"/{path}") for mine in here for path in there)
