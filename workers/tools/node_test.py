"""Reads Node's own test runner, in its outline and as the Test Anything Protocol."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace

from sandbox.results import outline, tap
from sandbox.results.cases import Found
from sandbox.spec import TestCase
from workers.domain import FailureClass, Finding
from workers.scripts import invocations
from workers.tools import javascript, node, printed, reported

NAME = "node --test"
RUNS_TESTS = True
_SPEAKS = re.compile(r"^(?:\u2139|#) (?:pass|cancelled) \d{1,9}$", re.MULTILINE)

_ENDED = "test failed"
"""All that the runner says of a file whose process ended before its tests did; the error was printed above."""


def recognises(command: str, output: str) -> bool:
    called = any("--test" in call.args for name in ("node", "tsx") for call in invocations(command, name))
    return called or bool(_SPEAKS.search(output))


def findings(output: str, tests: Sequence[TestCase]) -> tuple[Finding, ...]:
    found = reported.of_tests(tests, _printed("\n".join(printed.lines(output))))
    ended = [finding for finding in found if finding.message.strip("'") == _ENDED]
    causes = node.findings(output, tests) if ended else ()
    if len(causes) == 1:  # files that load the same one all end with the same error
        causes *= len(ended)
    if len(causes) != len(ended):
        return found
    of = dict(zip(ended, causes, strict=True))
    return tuple(_caused(finding, of[finding]) if finding in of else finding for finding in found)


def classify(output: str, findings: Sequence[Finding]) -> FailureClass:  # noqa: ARG001 - the findings say all
    return javascript.of_tests(findings)


def fix_commands(command: str, findings: Sequence[Finding]) -> tuple[str, ...]:  # noqa: ARG001 - the seam's signature
    return ()


def _printed(text: str) -> Found | None:
    if not _SPEAKS.search(text):
        return None  # other runners print outlines and TAP too
    seen = outline.parse(text)
    return seen if seen and seen.runner == NAME else tap.parse(text)


def _caused(finding: Finding, cause: Finding) -> Finding:
    return replace(cause, test=finding.test, path=cause.path or finding.path)
