"""Reads the TypeScript compiler (also vue-tsc and tsc behind other tools), pretty or plain. It cannot mend anything."""

from __future__ import annotations

import re
from collections.abc import Sequence

from sandbox.spec import TestCase
from workers.domain import FailureClass, Finding
from workers.scripts import invocations
from workers.tools import printed
from workers.tools.javascript import missing

NAME = "tsc"
RUNS_TESTS = False
_NAMES = (NAME, "vue-tsc", "tsgo")
_ERROR = re.compile(
    r"^(?P<path>[^\s:(][^\n:(]{0,500}?)(?:\((?P<plain>\d{1,7}),\d{1,7}\): |:(?P<pretty>\d{1,7}):\d{1,7} - )"
    r"error (?P<rule>TS\d{4,6}): (?P<text>[^\n]+)$"
)
_GLOBAL = re.compile(r"^error (?P<rule>TS\d{4,6}): (?P<text>[^\n]+)$")
_SPEAKS = re.compile(r"^(?:##\[error\])?(?:[^\n]{1,500}(?:\): | - ))?error TS\d{4,6}: ", re.MULTILINE)
_SYNTAX = re.compile(r"^TS1(?:0\d\d|1[0-8]\d)$")
_SET_UP = re.compile(r"^TS(?:5\d{3}|6\d{3}|18\d{3})$")
_ABSENT = frozenset({"TS2307", "TS7016", "TS2792", "TS2688", "TS2882"})
"""A module, its types or a type library that is not there."""


def recognises(command: str, output: str) -> bool:
    return any(invocations(command, name) for name in _NAMES) or bool(_SPEAKS.search(output))


def findings(output: str, tests: Sequence[TestCase]) -> tuple[Finding, ...]:  # noqa: ARG001 - compilers report no tests
    found: list[Finding] = []
    for line in printed.lines(output):
        if match := _ERROR.match(line):
            number = int(match["plain"] or match["pretty"])
            found.append(Finding(match["text"][: printed.MESSAGE], match["path"], number, None, match["rule"]))
        elif match := _GLOBAL.match(line):
            found.append(Finding(match["text"][: printed.MESSAGE], None, None, None, match["rule"]))
    return tuple(dict.fromkeys(found))


def classify(output: str, findings: Sequence[Finding]) -> FailureClass:  # noqa: ARG001 - the findings say all
    rules = {finding.rule or "" for finding in findings}
    if not rules:
        return FailureClass.UNKNOWN
    if any(map(_SYNTAX.match, rules)) and not all(_SET_UP.match(rule) for rule in rules):
        return FailureClass.SYNTAX
    if rules <= _ABSENT:
        return missing(findings[0].message) or FailureClass.DEPENDENCY
    return FailureClass.WORKFLOW if all(map(_SET_UP.match, rules)) else FailureClass.TYPE


def fix_commands(command: str, findings: Sequence[Finding]) -> tuple[str, ...]:  # noqa: ARG001 - the seam's signature
    return ()
