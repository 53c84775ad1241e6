"""An action in a version that GitHub does not serve (any more): named by the runner before the job's first step.

Only the workflow can be mended then, and no patch of ours ever touches one.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from workers.domain import JobReport

_NAME, _VERSION = r"[\w.-]{1,100}(?:/[\w.-]{1,100}){1,8}", r"[\w./-]{1,100}"
_SAID = (
    re.compile(
        rf"This request has been automatically failed because it uses a deprecated version of `(?P<name>{_NAME}): "
        rf"(?P<version>{_VERSION})`"
    ),
    re.compile(rf"Unable to resolve action `?(?P<name>{_NAME})@(?P<version>{_VERSION}?)`?(?:,|\.(?:\s|$)|\s|$)"),
)


@dataclass(frozen=True)
class Unusable:
    """The action as a workflow asks for it, the runner's line, and the workflow file's lines that ask (from 1)."""

    uses: str
    said: str
    path: str
    lines: tuple[int, ...]


def unusable(job: JobReport) -> Unusable | None:
    """The action that the job could not begin with; None for a job that has begun."""
    if job.log.steps:
        return None
    for line in job.log.text.split("\n"):
        match = next((found for pattern in _SAID if (found := pattern.search(line[:2000]))), None)
        if match is not None:
            uses = f"{match['name']}@{match['version']}"
            asks = re.compile(rf"uses:[ \t]*[\"']?{re.escape(uses)}[\"']?[ \t]*(?:#.*)?$")
            text = (job.workflow or "").split("\n")
            lines = tuple(n for n, one in enumerate(text, 1) if asks.search(one[:2000]))
            return Unusable(uses, line.removeprefix("##[error]").strip(), job.workflow_path, lines)
    return None
