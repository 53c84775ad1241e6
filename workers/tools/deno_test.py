"""Reads `deno test`: the errors that it lists at the end, each under its test and place."""

from __future__ import annotations

import re
from collections.abc import Sequence

from sandbox.spec import TestCase
from workers.domain import FailureClass, Finding
from workers.scripts import invocations
from workers.tools import javascript, printed, reported

NAME = "deno test"
RUNS_TESTS = True
_TITLE = re.compile(
    r"^(?P<test>\S[^\n]{0,300}?) => (?:file://)?(?P<path>[^\s:][^\n:]{0,400}):(?P<line>\d{1,7}):\d{1,7}$"
)
_ERROR = re.compile(r"^error: (?P<text>[^\n]+)$")
_FRAME = re.compile(r"^ {4}at (?:[^\n(]{1,200} \()?file://(?P<path>/[^\n():]{1,400}):(?P<line>\d{1,7}):\d{1,7}\)?$")
_SPEAKS = re.compile(r"^FAILED \| \d{1,7} passed|^ ERRORS $", re.MULTILINE)
_WINDOW = 60


def recognises(command: str, output: str) -> bool:
    called = any(call.args[:1] == ("test",) for call in invocations(command, "deno"))
    return called or bool(_SPEAKS.search(output))


def findings(output: str, tests: Sequence[TestCase]) -> tuple[Finding, ...]:
    """One per failed test, at its own file's first frame, else where the test is defined."""
    if not _SPEAKS.search(output):
        return reported.of_tests(tests)
    lines = printed.lines(output)
    found: dict[str, Finding] = {}
    for at, line in enumerate(lines):
        if (title := _TITLE.match(line)) and at + 1 < len(lines) and (error := _ERROR.match(lines[at + 1])):
            name = title["path"].removeprefix("./")
            frames = (match for below in lines[at + 1 : at + _WINDOW] if (match := _FRAME.match(below)))
            own = next((one for one in frames if one["path"].endswith(f"/{name}")), None) or title
            test = f"{name}::{title['test']}"
            text = error["text"][: printed.MESSAGE]
            found.setdefault(
                test, Finding(text, own["path"].removeprefix("./"), int(own["line"]), test, reported.kind_of(text))
            )
    return tuple(found.values()) or reported.of_tests(tests)


def classify(output: str, findings: Sequence[Finding]) -> FailureClass:  # noqa: ARG001 - the findings say all
    return javascript.of_tests(findings)


def fix_commands(command: str, findings: Sequence[Finding]) -> tuple[str, ...]:  # noqa: ARG001 - the seam's signature
    return ()
