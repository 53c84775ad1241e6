"""Reads actionlint, also what it hands on from shellcheck and pyflakes. It cannot mend anything itself."""

from __future__ import annotations

import re
from collections.abc import Sequence

from sandbox.spec import TestCase
from workers.domain import FailureClass, Finding
from workers.scripts import invocations
from workers.tools.plain import PATH, fix_commands, lint, located

__all__ = ["NAME", "RUNS_TESTS", "classify", "findings", "fix_commands", "recognises"]

NAME = "actionlint"
RUNS_TESTS = False
_LINE = re.compile(
    rf"^{PATH}(?<=yml|aml):(?P<line>\d{{1,7}}):\d{{1,7}}: (?P<text>[^\n]{{1,2000}}?) \[(?P<rule>[a-z-]{{1,40}})\]$",
    re.MULTILINE,
)


def recognises(command: str, output: str) -> bool:
    return bool(invocations(command, NAME)) or (".github/workflows/" in output and bool(_LINE.search(output)))


def findings(output: str, tests: Sequence[TestCase]) -> tuple[Finding, ...]:  # noqa: ARG001 - linters report no tests
    return located(_LINE, output)


def classify(output: str, findings: Sequence[Finding]) -> FailureClass:  # noqa: ARG001 - the findings say all
    broken = any("could not parse as YAML" in finding.message for finding in findings)
    return FailureClass.SYNTAX if broken else lint(findings)
