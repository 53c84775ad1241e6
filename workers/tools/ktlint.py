"""Reads ktlint, by itself and under Gradle's plug-ins."""

from __future__ import annotations

import re
from collections.abc import Sequence

from sandbox.spec import TestCase
from workers.domain import FailureClass, Finding
from workers.scripts import invocations
from workers.tools import printed
from workers.tools.options import files_of, on_files

NAME = "ktlint"
RUNS_TESTS = False
_LINE = re.compile(
    r"^(?P<path>\S[^\n]{0,500}?\.kts?):(?P<line>\d{1,7}):\d{1,7}:? (?:Lint error > )?(?:\["
    r"(?P<before>[\w:-]{3,100})\] )?(?P<text>\S[^\n]{0,600}?)(?: \((?P<rule>[a-z][\w:-]{2,100})\))?$"
)
_SPEAKS = re.compile(
    r"\(standard:[\w-]{2,80}\)$|^Summary error count \(descending\) by rule:|KtLint found code style violations"
    r"|\bktlint\w{0,60}Check\b",
    re.MULTILINE,
)
_SYNTAX = re.compile(r"^Not a valid Kotlin file")
_VALUES = frozenset(
    {"--editorconfig", "--ruleset", "-R", "--reporter", "--baseline", "--limit", "--code-style", "-l", "--log-level"}
)
_DROPPED = frozenset({"-F", "--format", "--reporter", "--limit", "-l", "--log-level", "--color", "--relative"})


def recognises(command: str, output: str) -> bool:
    return bool(invocations(command, NAME)) or bool(_SPEAKS.search(output))


def findings(output: str, tests: Sequence[TestCase]) -> tuple[Finding, ...]:  # noqa: ARG001 - linters report no tests
    """Lines that name a rule, or that say that a file cannot be parsed."""
    found = []
    for line in printed.lines(output):
        match = _LINE.match(line)
        if match and (match["rule"] or match["before"] or _SYNTAX.match(match["text"])):
            rule = match["rule"] or match["before"]
            found.append(Finding(match["text"][: printed.MESSAGE], match["path"], int(match["line"]), None, rule))
    return tuple(dict.fromkeys(found))


def classify(output: str, findings: Sequence[Finding]) -> FailureClass:  # noqa: ARG001 - the findings say all
    if not findings:
        return FailureClass.UNKNOWN
    return FailureClass.SYNTAX if any(_SYNTAX.match(finding.message) for finding in findings) else FailureClass.LINT


def fix_commands(command: str, findings: Sequence[Finding]) -> tuple[str, ...]:
    """`ktlint --format` on the named files, where ktlint itself was called; a plug-in's task is left to people."""
    files = files_of(finding for finding in findings if not _SYNTAX.match(finding.message))
    return on_files(invocations(command, NAME), files, _VALUES, _DROPPED, "--format")
