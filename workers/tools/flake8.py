"""Reads flake8's one-line findings. It cannot mend anything itself."""

from __future__ import annotations

import re
from collections.abc import Sequence

from sandbox.spec import TestCase
from workers.domain import FailureClass, Finding
from workers.scripts import invocations

NAME = "flake8"
RUNS_TESTS = False
_LINE = re.compile(
    r"^(?P<path>[^\s:][^:\n]*):(?P<line>\d+):\d+: (?P<rule>[A-Z]{1,3}\d{1,4}) (?P<text>.+)$", re.MULTILINE
)


def recognises(command: str, output: str) -> bool:  # noqa: ARG001 - its lines look like other linters'
    return bool(invocations(command, NAME))


def findings(output: str, tests: Sequence[TestCase]) -> tuple[Finding, ...]:  # noqa: ARG001 - linters report no tests
    return tuple(
        Finding(match["text"][:500], match["path"], int(match["line"]), None, match["rule"])
        for match in _LINE.finditer(output)
    )


def classify(output: str, findings: Sequence[Finding]) -> FailureClass:  # noqa: ARG001 - the findings say all
    if any(finding.rule in ("E999", "E902") for finding in findings):
        return FailureClass.SYNTAX
    return FailureClass.LINT if findings else FailureClass.UNKNOWN


def fix_commands(command: str, findings: Sequence[Finding]) -> tuple[str, ...]:  # noqa: ARG001 - the seam's signature
    return ()
