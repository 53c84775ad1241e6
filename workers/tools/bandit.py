"""Reads bandit's issues in its text, screen and custom formats. It cannot mend anything itself."""

from __future__ import annotations

import re
from collections.abc import Sequence

from sandbox.spec import TestCase
from workers.domain import FailureClass, Finding
from workers.scripts import invocations
from workers.tools.plain import MESSAGE, PATH, fix_commands, lint, located, unique

__all__ = ["NAME", "RUNS_TESTS", "classify", "findings", "fix_commands", "recognises"]

NAME = "bandit"
RUNS_TESTS = False
_ISSUE = re.compile(r"^>> Issue: \[(?P<rule>B\d{3})(?::[\w-]{1,80})?\] (?P<text>.+)$")
_PLACE = re.compile(r"^ {3}Location: (?:\./)?(?P<path>[^\n]{1,400}?):(?P<line>\d{1,7})(?::\d{1,7})?$")
_CUSTOM = re.compile(
    rf"^{PATH}:(?P<line>\d{{1,7}}): (?P<rule>B\d{{3}})\[bandit\]: (?:LOW|MEDIUM|HIGH): (?P<text>.+)$", re.MULTILINE
)
_BETWEEN = 12
"""Lines from an issue's title to its place: severity, confidence, weakness, a link."""


def recognises(command: str, output: str) -> bool:
    return bool(invocations(command, NAME)) or "\n>> Issue: [B" in f"\n{output}"


def findings(output: str, tests: Sequence[TestCase]) -> tuple[Finding, ...]:  # noqa: ARG001 - linters report no tests
    if ">> Issue: [" not in output:
        return located(_CUSTOM, output)
    lines = output.split("\n")
    found = []
    for at, line in enumerate(lines):
        if issue := _ISSUE.match(line):
            places = (_PLACE.match(following) for following in lines[at + 1 : at + _BETWEEN])
            place = next(filter(None, places), None)
            path, number = (place["path"], int(place["line"])) if place else (None, None)
            found.append(Finding(issue["text"][:MESSAGE], path, number, None, issue["rule"]))
    return unique(found)


def classify(output: str, findings: Sequence[Finding]) -> FailureClass:  # noqa: ARG001 - the findings say all
    return lint(findings)
