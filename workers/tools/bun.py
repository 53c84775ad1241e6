"""Reads `bun test`: the tests marked as failed, with the error that stands above each."""

from __future__ import annotations

import re
from collections.abc import Sequence

from sandbox.spec import TestCase
from workers.domain import FailureClass, Finding
from workers.scripts import invocations
from workers.tools import javascript, printed, reported

NAME = "bun test"
RUNS_TESTS = True
_FAILED = re.compile(r"^(?:\(fail\)|\u2717) (?P<test>\S[^\n]{0,400}?)(?: \[[\d.]{1,12}m?s\])?$")
_PASSED = re.compile(r"^(?:\(pass\)|\u2713) ")
_FILE = re.compile(r"^(?P<path>[^\s:(][^:\n]{0,300}\.[cm]?[jt]sx?):$")
_ERROR = re.compile(r"^(?P<text>(?:error|\w{1,60}Error): [^\n]+)$")
_FRAME = re.compile(
    r"^ {1,12}at (?:[^\n(]{1,200} \()?(?P<path>/?[^\s():][^\n():]{0,300}\.[cm]?[jt]sx?):(?P<line>\d{1,7})"
    r"(?::\d{1,7})?\)?$"
)
_SPEAKS = re.compile(r"^bun test v\d|^Ran \d{1,7} tests? across \d{1,7} files?\.", re.MULTILINE)


def recognises(command: str, output: str) -> bool:
    called = any(call.args[:1] == ("test",) for call in invocations(command, "bun"))
    return called or bool(_SPEAKS.search(output))


def findings(output: str, tests: Sequence[TestCase]) -> tuple[Finding, ...]:
    """The last error and its first frame before a failed test are that test's."""
    if not _SPEAKS.search(output):
        return reported.of_tests(tests)
    found: list[Finding] = []
    file, message = "", ""
    where: tuple[str | None, int | None] = (None, None)
    for line in printed.lines(output):
        if match := _FAILED.match(line):
            name = f"{file}::{match['test']}" if file else match["test"]
            text = (message or "failed").removeprefix("error: ")
            found.append(
                Finding(text[: printed.MESSAGE], where[0] or file or None, where[1], name, reported.kind_of(text))
            )
            message, where = "", (None, None)
        elif _PASSED.match(line):
            message, where = "", (None, None)
        elif match := _FILE.match(line):
            file = match["path"]
        elif match := _ERROR.match(line):
            message, where = match["text"], (None, None)
        elif where == (None, None) and (match := _FRAME.match(line)) and "node_modules/" not in match["path"]:
            where = (match["path"], int(match["line"]))
    return tuple(found) or reported.of_tests(tests)


def classify(output: str, findings: Sequence[Finding]) -> FailureClass:  # noqa: ARG001 - the findings say all
    return javascript.of_tests(findings)


def fix_commands(command: str, findings: Sequence[Finding]) -> tuple[str, ...]:  # noqa: ARG001 - the seam's signature
    return ()
