"""Reads pyright and basedpyright. Neither can mend anything itself."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from itertools import takewhile

from sandbox.spec import TestCase
from workers.domain import FailureClass, Finding
from workers.scripts import invocations
from workers.tools.plain import MESSAGE, fix_commands, unique

__all__ = ["NAME", "RUNS_TESTS", "classify", "findings", "fix_commands", "recognises"]

NAME = "pyright"
RUNS_TESTS = False
_LINE = re.compile(
    r"^ {0,4}(?P<path>(?:[A-Za-z]:[\\/])?[^\s:][^:\n]{0,400}):(?P<line>\d{1,7}):\d{1,7} - (?P<level>error|warning): "
    r"(?P<text>.+)$"
)
_RULE = re.compile(r" \((?P<rule>report[A-Za-z]{1,60})\)$")
_MORE = re.compile(r"^\s{3,20}\S")
_DONE = re.compile(r"^\d{1,7} errors?, \d{1,7} warnings?, \d{1,7} (?:informations?|notes?) ?$", re.MULTILINE)
_SYNTAX = re.compile(
    r"Expected |Unexpected |Unindent|Unterminated|Invalid (?:character|expression|number)|.{1,60} was not closed"
    r"|.{1,60} not allowed in this context|Inconsistent use of tabs"
)
_MISSING = frozenset({"reportMissingImports", "reportMissingModuleSource", "reportMissingTypeStubs"})


def recognises(command: str, output: str) -> bool:
    called = invocations(command, NAME) or invocations(command, "basedpyright")
    return bool(called) or bool(_DONE.search(output))


def findings(output: str, tests: Sequence[TestCase]) -> tuple[Finding, ...]:  # noqa: ARG001 - type checkers report no tests
    """Its errors; where it was red without one (`--warnings`, basedpyright), its warnings."""
    for level in (" - error: ", " - warning: "):
        if level in output and (found := unique(_at_level(output.split("\n"), level.strip(" -:")))):
            return found
    return ()


def classify(output: str, findings: Sequence[Finding]) -> FailureClass:  # noqa: ARG001 - the findings say all
    if any(finding.rule is None and _SYNTAX.match(finding.message) for finding in findings):
        return FailureClass.SYNTAX
    if findings and {finding.rule for finding in findings} <= _MISSING:
        return FailureClass.DEPENDENCY
    return FailureClass.TYPE if findings else FailureClass.UNKNOWN


def _at_level(lines: Sequence[str], level: str) -> Iterator[Finding]:
    """The rule stands at the end of the last line of an explanation, the message on the first."""
    for at, line in enumerate(lines):
        match = _LINE.match(line)
        if match and match["level"] == level:
            more = takewhile(lambda one: _MORE.match(one) and not _LINE.match(one), lines[at + 1 : at + 20])
            rules = (_RULE.search(one) for one in (line, *more))
            rule = next((found["rule"] for found in rules if found), None)
            text = _RULE.sub("", match["text"])
            yield Finding(text[:MESSAGE], match["path"], int(match["line"]), None, rule)
