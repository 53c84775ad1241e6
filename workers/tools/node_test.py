"""Reads Node's own test runner, in its outline and as the Test Anything Protocol."""

from __future__ import annotations

import re
from collections.abc import Sequence

from sandbox.results import outline, tap
from sandbox.results.cases import Found
from sandbox.spec import TestCase
from workers.domain import FailureClass, Finding
from workers.scripts import invocations
from workers.tools import javascript, printed, reported

NAME = "node --test"
RUNS_TESTS = True
_SPEAKS = re.compile(r"^(?:\u2139|#) (?:pass|cancelled) \d{1,9}$", re.MULTILINE)


def recognises(command: str, output: str) -> bool:
    called = any("--test" in call.args for name in ("node", "tsx") for call in invocations(command, name))
    return called or bool(_SPEAKS.search(output))


def findings(output: str, tests: Sequence[TestCase]) -> tuple[Finding, ...]:
    return reported.of_tests(tests, _printed("\n".join(printed.lines(output))))


def classify(output: str, findings: Sequence[Finding]) -> FailureClass:  # noqa: ARG001 - the findings say all
    return javascript.of_tests(findings)


def fix_commands(command: str, findings: Sequence[Finding]) -> tuple[str, ...]:  # noqa: ARG001 - the seam's signature
    return ()


def _printed(text: str) -> Found | None:
    if not _SPEAKS.search(text):
        return None  # other runners print outlines and TAP too
    seen = outline.parse(text)
    return seen if seen and seen.runner == NAME else tap.parse(text)
