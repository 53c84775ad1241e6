"""Reads shellcheck's findings as a terminal, gcc and annotations show them. It cannot mend anything safely itself."""

from __future__ import annotations

import re
from collections.abc import Sequence

from sandbox.spec import TestCase
from workers.domain import FailureClass, Finding
from workers.scripts import invocations
from workers.tools.plain import MESSAGE, PATH, fix_commands, lint, unique

__all__ = ["NAME", "RUNS_TESTS", "classify", "findings", "fix_commands", "recognises"]

NAME = "shellcheck"
RUNS_TESTS = False
_TITLE = re.compile(r"^In (?P<path>\S.{0,400}?) line (?P<line>\d{1,7}):$")
_ARROW = re.compile(r"^\s{0,500}\^-{1,500}\^? (?P<rule>SC\d{4})(?: \((?:error|warning|info|style)\))?: (?P<text>.+)$")
_GCC = re.compile(
    rf"^{PATH}:(?P<line>\d{{1,7}}):\d{{1,7}}: (?:error|warning|note|info|style): (?P<text>[^\n]{{1,2000}}?) \["
    rf"(?P<rule>SC\d{{4}})\]$"
)
_ANNOTATION = re.compile(
    r"^::(?:error|warning|notice) (?:[a-zA-Z]{1,20}=[^,\n]{0,200},){0,4}?file=(?P<path>[^,\n]{1,400}),line="
    r"(?P<line>\d{1,7})"
    r"[^:\n]{0,300}::(?:[^\n]{0,100}?\b)?(?P<rule>SC\d{4})[: ]{1,3}(?P<text>.+)$"
)
_UNPARSED = frozenset(
    {f"SC{number}" for number in (1009, 1046, 1047, 1049, 1050, 1056, 1058, 1061, 1062, 1070, 1072, 1073, 1089)}
)
"""Rules that mean that the shell could not read the script either."""


def recognises(command: str, output: str) -> bool:
    return bool(invocations(command, NAME)) or any(_ARROW.match(line) for line in output.split("\n") if "^-" in line)


def findings(output: str, tests: Sequence[TestCase]) -> tuple[Finding, ...]:  # noqa: ARG001 - linters report no tests
    if "SC" not in output:
        return ()
    found: list[Finding] = []
    title: re.Match[str] | None = None
    for line in output.split("\n"):
        if match := _TITLE.match(line):
            title = match
        elif title and (match := _ARROW.match(line)):
            found.append(_finding(match, title))
        elif match := (_GCC.match(line) or _ANNOTATION.match(line)):
            found.append(_finding(match, match))
    return unique(found)


def classify(output: str, findings: Sequence[Finding]) -> FailureClass:  # noqa: ARG001 - the findings say all
    return lint(findings, syntax=_UNPARSED)


def _finding(match: re.Match[str], place: re.Match[str]) -> Finding:
    return Finding(match["text"][:MESSAGE], place["path"], int(place["line"]), None, match["rule"])
