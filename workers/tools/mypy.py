"""Reads mypy's errors. It cannot mend anything itself."""

from __future__ import annotations

import re
from collections.abc import Sequence

from sandbox.spec import TestCase
from workers.domain import FailureClass, Finding
from workers.scripts import invocations

NAME = "mypy"
RUNS_TESTS = False
_ERROR = re.compile(
    r"^(?P<path>[^\s:][^:\n]*\.pyi?):(?:(?P<line>\d+):)?(?:\d+:)? error: (?P<text>.+?)(?:  \[(?P<rule>[\w-]+)\])?$",
    re.MULTILINE,
)
_DONE = re.compile(r"^Found \d+ errors? in \d+ files? \(", re.MULTILINE)


def recognises(command: str, output: str) -> bool:
    return bool(invocations(command, NAME)) or bool(_DONE.search(output))


def findings(output: str, tests: Sequence[TestCase]) -> tuple[Finding, ...]:  # noqa: ARG001 - type checkers report no tests
    return tuple(
        Finding(match["text"][:500], match["path"], int(match["line"]) if match["line"] else None, None, match["rule"])
        for match in _ERROR.finditer(output)
    )


def classify(output: str, findings: Sequence[Finding]) -> FailureClass:  # noqa: ARG001 - the findings say all
    rules = {finding.rule for finding in findings}
    if "syntax" in rules:
        return FailureClass.SYNTAX
    if rules and rules <= {"import-not-found", "import-untyped"}:
        return FailureClass.DEPENDENCY
    return FailureClass.TYPE if findings else FailureClass.UNKNOWN


def fix_commands(command: str, findings: Sequence[Finding]) -> tuple[str, ...]:  # noqa: ARG001 - the seam's signature
    return ()
