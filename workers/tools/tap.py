"""Reads the Test Anything Protocol as tape, tap, ava --tap, bats and prove print it."""

from __future__ import annotations

import re
from collections.abc import Sequence

from sandbox.results import tap
from sandbox.spec import TestCase
from workers.domain import FailureClass, Finding
from workers.scripts import invocations
from workers.tools import javascript, printed, reported

NAME = "tap"
RUNS_TESTS = True
_SPEAKS = re.compile(r"^TAP version 1[34]$|^not ok \d{1,6} ", re.MULTILINE)


def recognises(command: str, output: str) -> bool:
    return any(invocations(command, name) for name in (NAME, "tape", "bats", "prove")) or bool(_SPEAKS.search(output))


def findings(output: str, tests: Sequence[TestCase]) -> tuple[Finding, ...]:
    text = "\n".join(printed.lines(output))
    return reported.of_tests(tests, tap.parse(text) if _SPEAKS.search(text) else None)


def classify(output: str, findings: Sequence[Finding]) -> FailureClass:  # noqa: ARG001 - the findings say all
    return javascript.of_tests(findings)


def fix_commands(command: str, findings: Sequence[Finding]) -> tuple[str, ...]:  # noqa: ARG001 - the seam's signature
    return ()
