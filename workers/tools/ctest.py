"""Reads ctest: the tests of its closing list, with what each printed where `--output-on-failure` shows it."""

from __future__ import annotations

import re
from collections.abc import Sequence

from sandbox.spec import TestCase
from workers.domain import FailureClass, Finding
from workers.scripts import invocations
from workers.tools import words
from workers.tools.plain import fix_commands, unique

__all__ = ["NAME", "RUNS_TESTS", "classify", "findings", "fix_commands", "recognises"]

NAME = "ctest"
RUNS_TESTS = True
_LIST = "The following tests FAILED:"
_ROW = re.compile(r"^\s{1,8}\d{1,7} - (?P<test>\S.{0,400}?) \((?P<status>[A-Za-z][\w ]{1,40})\)(?:\s.{0,500})?$")
_RESULT = re.compile(
    r"^ {0,6}\d{1,7}/\d{1,7} Test {1,6}#\d{1,7}: (?P<test>\S.{0,400}?) \.{2,200} {0,4}\*{3}"
    r"(?P<how>\S.{0,60}?) {1,40}[\d.]{1,12} sec"
)
_NEXT = re.compile(
    r"^ {4,12}Start {1,6}\d|^ {0,6}\d{1,7}/\d{1,7} Test|^\d{1,3}% tests passed|^Errors while running CTest"
)
_CLASS = {"Timeout": FailureClass.TIMEOUT, "Not Run": FailureClass.BUILD, "Failed": FailureClass.TEST}


def recognises(command: str, output: str) -> bool:
    return bool(invocations(command, NAME)) or _LIST in output


def findings(output: str, tests: Sequence[TestCase]) -> tuple[Finding, ...]:  # noqa: ARG001 - the text says all
    """The rule is what became of the test: Failed, Timeout, SEGFAULT, Not Run."""
    if _LIST not in output:
        return ()
    lines = output.split("\n")
    printed = _printed(lines)
    rows = (_ROW.match(line) for line in lines[lines.index(_LIST) + 1 :]) if _LIST in lines else ()
    return unique(
        Finding(printed.get(row["test"]) or row["status"], None, None, row["test"], row["status"])
        for row in rows
        if row is not None
    )


def classify(output: str, findings: Sequence[Finding]) -> FailureClass:  # noqa: ARG001 - the findings say all
    """One class for all of them, else a failed test; a crash is an error of the program, not of an assertion."""
    classes = {_CLASS.get(finding.rule or "", FailureClass.ERROR) for finding in findings}
    if len(classes) == 1:
        return classes.pop()
    return (
        FailureClass.TEST if FailureClass.TEST in classes else FailureClass.ERROR if classes else FailureClass.UNKNOWN
    )


def _printed(lines: Sequence[str]) -> dict[str, str]:
    """What each failed test said last, by its name."""
    found: dict[str, str] = {}
    for at, line in enumerate(lines):
        if result := _RESULT.match(line):
            said = lines[at + 1 : at + 200]
            end = next((number for number, one in enumerate(said) if _NEXT.match(one)), len(said))
            found[result["test"]] = words.last(said[:end])
    return found
