"""Reads Checkstyle, by itself and as Maven, Gradle and Ant print it."""

from __future__ import annotations

import re
from collections.abc import Sequence

from sandbox.spec import TestCase
from workers.domain import FailureClass, Finding
from workers.scripts import invocations
from workers.tools import printed
from workers.tools.javascript import CONFIGURATION

NAME = "checkstyle"
RUNS_TESTS = False
_PLAIN = re.compile(
    r"^(?:\[ant:checkstyle\] |\s{0,8}\[checkstyle\] )?\[(?P<level>ERROR|WARN)\] (?P<path>\S[^\n]{0,500}?\.\w{1,12}):"
    r"(?P<line>\d{1,7})(?::\d{1,7})?: (?P<text>\S[^\n]{0,600}?) \[(?P<rule>[A-Z]\w{2,80})\]$"
)
_MAVEN = re.compile(
    r"^\[(?P<level>ERROR|WARNING)\] (?P<path>\S[^\n]{0,500}?\.\w{1,12}):\[(?P<line>\d{1,7})(?:,\d{1,7})?\] \("
    r"(?P<group>\w{1,40})\) (?P<rule>[A-Z]\w{2,80}): (?P<text>[^\n]+)$"
)
_SPEAKS = re.compile(
    r"^Checkstyle ends with \d{1,9} errors|^Starting audit\.\.\.$|Checkstyle rule violations were found"
    r"|You have \d{1,9} Checkstyle violation",
    re.MULTILINE,
)
_BROKEN = re.compile(
    r"(?P<text>(?:Unable to (?:create|find|parse)|cannot initialize module|Failed during checkstyle (?:execution"
    r"|configuration))[^\n]+)"
)


def recognises(command: str, output: str) -> bool:
    return bool(invocations(command, NAME)) or bool(_SPEAKS.search(output)) or bool(_found(output))


def findings(output: str, tests: Sequence[TestCase]) -> tuple[Finding, ...]:  # noqa: ARG001 - linters report no tests
    """Errors, or warnings where there are no errors: a limit of them may be what failed."""
    found = _found(output)
    if found or not _SPEAKS.search(output):
        return found
    broken = next((match for line in printed.lines(output) if (match := _BROKEN.search(line))), None)
    return (Finding(broken["text"][: printed.MESSAGE], None, None, None, CONFIGURATION),) if broken else ()


def classify(output: str, findings: Sequence[Finding]) -> FailureClass:  # noqa: ARG001 - the findings say all
    if not findings:
        return FailureClass.UNKNOWN
    return FailureClass.WORKFLOW if findings[0].rule == CONFIGURATION else FailureClass.LINT


def fix_commands(command: str, findings: Sequence[Finding]) -> tuple[str, ...]:  # noqa: ARG001 - the seam's signature
    return ()


def _found(output: str) -> tuple[Finding, ...]:
    errors: list[Finding] = []
    warnings: list[Finding] = []
    for line in printed.lines(output):
        if match := _PLAIN.match(line) or _MAVEN.match(line):
            one = Finding(match["text"][: printed.MESSAGE], match["path"], int(match["line"]), None, match["rule"])
            (errors if match["level"] == "ERROR" else warnings).append(one)
    return tuple(dict.fromkeys(errors or warnings))
