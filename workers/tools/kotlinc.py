"""Reads the Kotlin compiler, by itself and as Gradle (before and since Kotlin 2) and Maven print it."""

from __future__ import annotations

import re
from collections.abc import Sequence

from sandbox.spec import TestCase
from workers.domain import FailureClass, Finding
from workers.scripts import invocations
from workers.tools import printed

NAME = "kotlinc"
RUNS_TESTS = False
_GRADLE = re.compile(
    r"^(?P<level>[ew]): (?:file://)?(?P<path>/?\S[^\n]{0,500}?\.kts?):(?: \(|)(?P<line>\d{1,7})(?:, |:)\d{1,7}\)?:? "
    r"(?P<text>\S[^\n]*)$"
)
_PLAIN = re.compile(
    r"^(?P<path>\S[^\n]{0,500}?\.kts?):(?P<line>\d{1,7}):\d{1,7}: (?P<level>error|warning): (?P<text>[^\n]+)$"
)
_MAVEN = re.compile(
    r"^\[(?P<level>ERROR|WARNING)\] (?:file://)?(?P<path>\S[^\n]{0,500}?\.kt): ?[(\[]"
    r"(?P<line>\d{1,7}), ?\d{1,7}[)\]] (?P<text>[^\n]+)$"
)
_WERROR = re.compile(r"^e: (?:warnings found and -Werror specified|Warnings found)", re.MULTILINE)
_SYNTAX = re.compile(
    r"^(?:Expecting |Syntax error|Unexpected tokens|Missing '\}'|expecting |unexpected tokens)", re.IGNORECASE
)


def recognises(command: str, output: str) -> bool:
    return bool(invocations(command, NAME)) or bool(findings(output, ()))


def findings(output: str, tests: Sequence[TestCase]) -> tuple[Finding, ...]:  # noqa: ARG001 - compilers report no tests
    """Errors, or the warnings where they are refused."""
    errors: list[Finding] = []
    warnings: list[Finding] = []
    for line in printed.lines(output):
        if match := _GRADLE.match(line) or _PLAIN.match(line) or _MAVEN.match(line):
            one = Finding(match["text"][: printed.MESSAGE], match["path"], int(match["line"]))
            (errors if match["level"].lower()[0] == "e" else warnings).append(one)
    return tuple(dict.fromkeys(errors or (warnings if _WERROR.search(output) else [])))


def classify(output: str, findings: Sequence[Finding]) -> FailureClass:
    if not findings:
        return FailureClass.UNKNOWN
    if _WERROR.search(output):
        return FailureClass.LINT
    return FailureClass.SYNTAX if any(_SYNTAX.search(one.message) for one in findings) else FailureClass.BUILD


def fix_commands(command: str, findings: Sequence[Finding]) -> tuple[str, ...]:  # noqa: ARG001 - the seam's signature
    return ()
