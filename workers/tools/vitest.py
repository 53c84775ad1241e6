"""Reads vitest: failed tests and suites, errors outside of tests, coverage below its threshold, an empty run."""

from __future__ import annotations

import re
from collections.abc import Sequence

from sandbox.results import vitest
from sandbox.spec import TestCase
from workers.domain import FailureClass, Finding
from workers.scripts import invocations
from workers.tools import javascript, printed, reported

NAME = "vitest"
RUNS_TESTS = True
_SPEAKS = re.compile(r"^ {0,8}(?:RUN|DEV)  v\d|^ {1,12}Test Files  \d|^ {0,3}FAIL {2}\S[^\n]{0,300} > ", re.MULTILINE)
_COVERAGE = re.compile(r"^ERROR: (?P<text>Coverage for [^\n]{1,200} does not meet [^\n]+)$", re.MULTILINE)
_UNHANDLED = re.compile(
    r"^\u23af{1,60} (?:Unhandled (?:Errors?|Rejection|Error)|Uncaught Exception|Startup Error) \u23af{1,60}$"
)
_ERROR = re.compile(r"^(?P<text>\w{0,60}Error(?: \[\w{1,60}\])?: [^\n]+)$")
_PLACE = re.compile(r"^ \u276f (?:[^\n]{1,300} )?(?P<path>\S{1,300}):(?P<line>\d{1,7}):\d{1,7}$")
_EMPTY = re.compile(r"^No test (?:files|suite) found[^\n]*$", re.MULTILINE)


def recognises(command: str, output: str) -> bool:
    return bool(invocations(command, NAME)) or bool(_SPEAKS.search(output))


def findings(output: str, tests: Sequence[TestCase]) -> tuple[Finding, ...]:
    """One per failed test or suite; without any, what else made vitest end red."""
    lines = printed.lines(output)
    text = "\n".join(lines)
    if failed := reported.of_tests(tests, vitest.parse(text)) or _unhandled(lines):
        return failed
    if said := dict.fromkeys(match["text"] for match in _COVERAGE.finditer(text)):
        return tuple(Finding(one[: printed.MESSAGE], None, None, None, "coverage-threshold") for one in said)
    empty = _EMPTY.search(text)
    return (Finding(empty[0][: printed.MESSAGE], None, None, None, javascript.CONFIGURATION),) if empty else ()


def classify(output: str, findings: Sequence[Finding]) -> FailureClass:  # noqa: ARG001 - the findings say all
    if any(finding.rule == "coverage-threshold" for finding in findings):
        return FailureClass.TEST
    return javascript.of_tests(findings)


def fix_commands(command: str, findings: Sequence[Finding]) -> tuple[str, ...]:  # noqa: ARG001 - the seam's signature
    """None: writing snapshots anew would accept whatever the code does now."""
    return ()


def _unhandled(lines: Sequence[str]) -> tuple[Finding, ...]:
    """Errors that no test owns, with the first place named after each; the runner's own start is one of them."""
    found: list[Finding] = []
    message = ""
    inside = False
    for line in lines:
        if _UNHANDLED.match(line):
            inside, message = True, ""
        elif inside and not message and (error := _ERROR.match(line)):
            message = error["text"]
        elif message and ((place := _PLACE.match(line)) or not line.strip()):
            found.append(_error(message, place))
            message = ""
    return tuple(dict.fromkeys([*found, *([_error(message, None)] if message else [])]))


def _error(message: str, place: re.Match[str] | None) -> Finding:
    path, line = (place["path"], int(place["line"])) if place else (None, None)
    return Finding(message[: printed.MESSAGE], path, line, None, reported.kind_of(message))
