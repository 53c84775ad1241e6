"""Reads hadolint's findings in Dockerfiles, its own and shellcheck's. It cannot mend anything itself."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace

from sandbox.spec import TestCase
from workers.domain import FailureClass, Finding
from workers.scripts import invocations
from workers.tools.plain import PATH, fix_commands, lint, located

__all__ = ["NAME", "RUNS_TESTS", "classify", "findings", "fix_commands", "recognises"]

NAME = "hadolint"
RUNS_TESTS = False
UNREADABLE = "unreadable"
_LINE = re.compile(
    rf"^(?:hadolint:)?{PATH}:(?P<line>\d{{1,7}})(?::\d{{1,7}})?:? (?P<rule>(?:DL|SC)\d{{4}}) (?:(?:error|warning"
    rf"|info|style): )?(?P<text>.+)$",
    re.MULTILINE,
)
_UNREADABLE = re.compile(
    rf"^{PATH}:(?P<line>\d{{1,7}}):\d{{1,7}} (?P<text>unexpected .+|expecting .+|missing .+)$", re.MULTILINE
)


def recognises(command: str, output: str) -> bool:
    return bool(invocations(command, NAME)) or (" DL" in output and bool(_LINE.search(output)))


def findings(output: str, tests: Sequence[TestCase]) -> tuple[Finding, ...]:  # noqa: ARG001 - linters report no tests
    unreadable = (replace(finding, rule=UNREADABLE) for finding in located(_UNREADABLE, output))
    return located(_LINE, output) or tuple(unreadable)


def classify(output: str, findings: Sequence[Finding]) -> FailureClass:  # noqa: ARG001 - the findings say all
    return lint(findings, syntax=frozenset({UNREADABLE}))
