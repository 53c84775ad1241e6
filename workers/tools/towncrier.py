"""Reads towncrier: a branch without a news fragment, and fragments that it cannot sort. It writes none by itself."""

from __future__ import annotations

import re
from collections.abc import Sequence

from sandbox.spec import TestCase
from workers.domain import FailureClass, Finding
from workers.scripts import invocations
from workers.tools.plain import fix_commands, lint, located

__all__ = ["NAME", "RUNS_TESTS", "classify", "findings", "fix_commands", "recognises"]

NAME = "towncrier"
RUNS_TESTS = False
_LINE = re.compile(
    r"^(?P<text>No new newsfragments found on this branch\."
    r"|Error: Invalid news fragment name: (?P<path>[^\n]{1,400}))$",
    re.MULTILINE,
)


def recognises(command: str, output: str) -> bool:
    return bool(invocations(command, NAME)) or "No new newsfragments found on this branch." in output


def findings(output: str, tests: Sequence[TestCase]) -> tuple[Finding, ...]:  # noqa: ARG001 - linters report no tests
    return located(_LINE, output)


def classify(output: str, findings: Sequence[Finding]) -> FailureClass:  # noqa: ARG001 - the findings say all
    return lint(findings)
