"""Reads mocha's spec reporter: the numbered failures at its end, and a run that found no test file."""

from __future__ import annotations

import re
from collections.abc import Sequence

from sandbox.results import outline
from sandbox.spec import TestCase
from workers.domain import FailureClass, Finding
from workers.scripts import invocations
from workers.tools import javascript, printed, reported

NAME = "mocha"
RUNS_TESTS = True
_SPEAKS = re.compile(
    r"^ {2}\d{1,9} passing \(\d[^)\n]{0,20}\)$|^ {2}\d{1,9} failing$|^Error: No test files found: ", re.MULTILINE
)
_EMPTY = re.compile(r"^Error: No test files found[^\n]*$", re.MULTILINE)


def recognises(command: str, output: str) -> bool:
    return any(invocations(command, name) for name in (NAME, "_mocha", "electron-mocha")) or bool(
        _SPEAKS.search(output)
    )


def findings(output: str, tests: Sequence[TestCase]) -> tuple[Finding, ...]:
    """One per failed test, or hook."""
    text = "\n".join(printed.lines(output))
    seen = outline.parse(text)
    if failed := reported.of_tests(tests, seen if seen and seen.runner == NAME else None):
        return failed
    empty = _EMPTY.search(text)
    return (Finding(empty[0][: printed.MESSAGE], None, None, None, javascript.CONFIGURATION),) if empty else ()


def classify(output: str, findings: Sequence[Finding]) -> FailureClass:  # noqa: ARG001 - the findings say all
    return javascript.of_tests(findings)


def fix_commands(command: str, findings: Sequence[Finding]) -> tuple[str, ...]:  # noqa: ARG001 - the seam's signature
    return ()
