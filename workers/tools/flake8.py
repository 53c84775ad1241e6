"""Reads flake8's one-line findings, its own and its plug-ins'. It cannot mend anything itself."""

from __future__ import annotations

import re
from collections.abc import Sequence

from sandbox.spec import TestCase
from workers.domain import FailureClass, Finding
from workers.scripts import invocations
from workers.tools.plain import PATH, fix_commands, lint, located

__all__ = ["NAME", "RUNS_TESTS", "classify", "findings", "fix_commands", "recognises"]

NAME = "flake8"
RUNS_TESTS = False
_PLACE = rf"^{PATH}:(?P<line>\d{{1,7}}):(?:\d{{1,7}}:)? "
_LINE = re.compile(rf"{_PLACE}(?P<rule>[A-Z]{{1,8}}\d{{1,4}}) (?P<text>.+)$", re.MULTILINE)
_PYLINT = re.compile(rf"{_PLACE}\[(?P<rule>[A-Z]{{1,8}}\d{{1,4}})\] (?P<text>.+)$", re.MULTILINE)
_USAGE = re.compile(r"^flake8: error: (?P<text>.+)$", re.MULTILINE)
_BROKEN = "There was a critical error during execution of Flake8:"


def recognises(command: str, output: str) -> bool:
    """Its lines look like other linters'; only its own failure is like nobody's."""
    return bool(invocations(command, NAME)) or _BROKEN in output


def findings(output: str, tests: Sequence[TestCase]) -> tuple[Finding, ...]:  # noqa: ARG001 - linters report no tests
    found = located(_LINE, output) or located(_PYLINT, output)
    if found or _BROKEN not in output:
        return found or tuple(Finding(match["text"][:500], rule="usage") for match in _USAGE.finditer(output))
    said = output.split(_BROKEN, 1)[1].strip().split("\n")[0]
    return (Finding(said[:500] or _BROKEN, rule="critical-error"),)


def classify(output: str, findings: Sequence[Finding]) -> FailureClass:  # noqa: ARG001 - the findings say all
    if any(finding.rule in ("critical-error", "usage") for finding in findings):
        return FailureClass.WORKFLOW
    return lint(findings, syntax=frozenset({"E999", "E902"}))
