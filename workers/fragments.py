"""A check that asks for a news fragment, by its tool's own words: what a change means for its users.

It compares with a branch, which no sandbox has, and the words are the author's: nothing is run and nothing is written.
"""

from __future__ import annotations

import re

from workers.domain import JobReport
from workers.scripts import invocations

_ASKS = (("towncrier", "check", re.compile(r"No new newsfragments found on this branch\.")),)
"""The program, its subcommand, and the line by which it asks."""


def asked(job: JobReport) -> tuple[str, str]:
    """(program, the line by which it asks); two empty texts for a job that failed for another reason."""
    step = job.log.failed
    if step is None or not step.script:
        return "", ""
    for program, verb, says in _ASKS:
        called = any(verb in call.args for call in invocations(step.script, program))
        line = says.search(step.output)
        if called and line:
            return program, line[0]
    return "", ""
