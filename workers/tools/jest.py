"""Reads jest: failed tests and suites, snapshots that drifted, coverage below its threshold, and a broken set-up."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace

from sandbox.results import jest
from sandbox.spec import TestCase
from workers.domain import FailureClass, Finding
from workers.scripts import invocations
from workers.tools import javascript, printed, reported

NAME = "jest"
RUNS_TESTS = True
_SPEAKS = re.compile(
    r"^Test Suites: .{0,100}\d total$|^Jest: \"[^\"\n]{1,200}\" coverage |^Ran all test suites"
    r"|^\u25cf Validation Error:|^No tests found, exiting with code 1",
    re.MULTILINE,
)
_SYNTAX = re.compile(
    r"^ {0,8}(?P<text>SyntaxError: (?:(?P<path>/[^\n:]{1,400}): )?[^\n]{1,600}?(?: \((?P<line>\d{1,7}):\d{1,7}\))?)$",
    re.MULTILINE,
)
_COVERAGE = re.compile(
    r"^Jest: (?P<text>\"[^\"\n]{1,300}\" coverage threshold for [^\n]{1,200} not met: [^\n]+)$", re.MULTILINE
)
_OBSOLETE = re.compile(
    r"^ {0,8}\u203a (?P<text>\d{1,9} snapshots? obsolete from \d[^\n]*|\d{1,9} snapshot files? obsolete[^\n]*)$",
    re.MULTILINE,
)
_SET_UP = re.compile(
    r"^(?:No tests found, exiting with code 1|\u25cf Validation Error:|\u25cf Multiple configurations found:"
    r"|Error: Could not (?:find a config file|resolve a config file)|Can't find a root directory)[^\n]*$",
    re.MULTILINE,
)


def recognises(command: str, output: str) -> bool:
    return bool(invocations(command, NAME)) or bool(_SPEAKS.search(output))


def findings(output: str, tests: Sequence[TestCase]) -> tuple[Finding, ...]:
    """One per failed test or suite; without any, what else made jest end red."""
    text = "\n".join(printed.lines(output))
    seen = jest.parse(text)
    if failed := reported.of_tests(tests, seen):
        said_of = {test.id: test.message for test in (*(seen.tests if seen else ()), *tests)}
        return tuple(_parsed(finding, said_of.get(finding.test or "", "")) for finding in failed)
    for rule, pattern in (("coverage-threshold", _COVERAGE), ("obsolete-snapshot", _OBSOLETE)):
        if said := [match["text"] for match in pattern.finditer(text)]:
            return tuple(Finding(one[: printed.MESSAGE], None, None, None, rule) for one in dict.fromkeys(said))
    if broken := _SET_UP.search(text):
        after = next((line.strip() for line in text[broken.end() :].split("\n", 8)[:8] if line.strip()), "")
        said_there = f"{broken[0].strip()} {after}" if broken[0].endswith(":") else broken[0]
        return (Finding(said_there[: printed.MESSAGE], None, None, None, javascript.CONFIGURATION),)
    return ()


def classify(output: str, findings: Sequence[Finding]) -> FailureClass:  # noqa: ARG001 - the findings say all
    if any(finding.rule == "obsolete-snapshot" for finding in findings):
        return FailureClass.SNAPSHOT
    if any(finding.rule == "coverage-threshold" for finding in findings):
        return FailureClass.TEST
    return javascript.of_tests(findings)


def fix_commands(command: str, findings: Sequence[Finding]) -> tuple[str, ...]:  # noqa: ARG001 - the seam's signature
    """None: writing snapshots anew would accept whatever the code does now."""
    return ()


def _parsed(finding: Finding, said: str) -> Finding:
    """A file that cannot be parsed, by the error below jest's advice."""
    error = _SYNTAX.search(said) if finding.message.startswith("Jest encountered an unexpected token") else None
    if error is None:
        return finding
    line = int(error["line"]) if error["line"] else finding.line
    return replace(
        finding,
        message=error["text"][: printed.MESSAGE],
        path=error["path"] or finding.path,
        line=line,
        rule="SyntaxError",
    )
