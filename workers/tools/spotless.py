"""Reads Spotless under Gradle and Maven: the files that are not formatted, and knows its task that formats them."""

from __future__ import annotations

import re
from collections.abc import Sequence

from sandbox.spec import TestCase
from workers.domain import FailureClass, Finding
from workers.scripts import invocations
from workers.tools import printed
from workers.tools.options import files_of

NAME = "spotless"
RUNS_TESTS = False
_HEAD = re.compile(r"The following files had format violations:$")
_FILE = re.compile(r"^(?:\[ERROR\] {1,8}| {4,8})(?P<path>[^\s@][^\n@]{0,400}\.\w{1,12})$")
_END = re.compile(r"Run '[^'\n]{1,200}' to fix|^\* Try:|^\[ERROR\] *$")
_UNFORMATTED = "unformatted"
_APPLY = {
    "gradle": ("--offline", "spotlessApply"),
    "gradlew": ("--offline", "spotlessApply"),
    "mvn": ("-o", "-q", "spotless:apply"),
    "mvnw": ("-o", "-q", "spotless:apply"),
}


def recognises(command: str, output: str) -> bool:
    return "spotless" in command or "files had format violations" in output


def findings(output: str, tests: Sequence[TestCase]) -> tuple[Finding, ...]:  # noqa: ARG001 - formatters report no tests
    found: list[Finding] = []
    inside = False
    for line in printed.lines(output):
        if _HEAD.search(line):
            inside = True
        elif inside and _END.search(line):
            inside = False
        elif inside and (match := _FILE.match(line)):
            found.append(Finding("is not formatted", match["path"], None, None, _UNFORMATTED))
    return tuple(dict.fromkeys(found))


def classify(output: str, findings: Sequence[Finding]) -> FailureClass:  # noqa: ARG001 - the findings say all
    return FailureClass.FORMAT if findings else FailureClass.UNKNOWN


def fix_commands(command: str, findings: Sequence[Finding]) -> tuple[str, ...]:
    """The build tool's own task; it formats every file, of which the named ones count."""
    if not files_of(findings):
        return ()
    return tuple(call.command(*task) for tool, task in _APPLY.items() for call in invocations(command, tool))
