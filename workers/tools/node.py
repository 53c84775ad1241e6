"""Reads a JavaScript program that Node ended: an error that nobody caught, or a file that it could not load."""

from __future__ import annotations

import re
from collections.abc import Sequence

from sandbox.spec import TestCase
from workers.domain import FailureClass, Finding
from workers.tools import javascript, printed, reported

NAME = "node"
RUNS_TESTS = False
_END = re.compile(r"^Node\.js v\d{1,3}\.\d{1,4}\.\d{1,4}")
_SPEAKS = re.compile(r"^Node\.js v\d{1,3}\.\d{1,4}\.\d{1,4}", re.MULTILINE)
_HEAD = re.compile(r"^(?:file://)?(?P<path>(?!node:)[^\s:][^\n:]{0,400}):(?P<line>\d{1,7})$")
_ERROR = re.compile(
    r"^(?:Uncaught )?(?:\w{1,60} \[)?(?P<kind>(?:[A-Z]\w{0,60})?(?:Error|Exception))(?: \[\w{1,60}\])?\]?: [^\n]+$"
)
_FRAME = re.compile(
    r"^ {4}at (?:[^\n(]{1,200} \()?(?:file://)?(?P<path>/[^\n():]{1,400}):(?P<line>\d{1,7}):\d{1,7}\)?$"
)
_NOT_THEIRS = "/node_modules/"
_ASKED = re.compile(r"(?: imported from |^- )(?P<path>/[^\n]{1,400}\.\w{1,4})$")
"""The file that wanted the one that is not there."""
_WINDOW = 120
"""So many lines before Node's last one the report of the error may begin."""


def recognises(command: str, output: str) -> bool:  # noqa: ARG001 - nobody runs node to check something
    return bool(_SPEAKS.search(output))


def findings(output: str, tests: Sequence[TestCase]) -> tuple[Finding, ...]:  # noqa: ARG001 - a program reports no tests
    lines = printed.lines(output)
    ends = [at for at, line in enumerate(lines) if _END.match(line)]
    found = (_uncaught(lines[max(0, end - _WINDOW) : end]) for end in ends[-20:])
    return tuple(dict.fromkeys(one for one in found if one))


def classify(output: str, findings: Sequence[Finding]) -> FailureClass:  # noqa: ARG001 - the findings say all
    return javascript.of_tests(findings)


def fix_commands(command: str, findings: Sequence[Finding]) -> tuple[str, ...]:  # noqa: ARG001 - the seam's signature
    return ()


def _uncaught(report: Sequence[str]) -> Finding | None:
    """The last error before the end, at the line that Node shows above it, else at the first frame that is theirs."""
    at = next((at for at in range(len(report) - 1, -1, -1) if _ERROR.match(report[at])), None)
    if at is None:
        return None
    heads = [match for line in report[max(0, at - 6) : at] if (match := _HEAD.match(line))]
    frames = [match for line in report[at:] if (match := _FRAME.match(line)) and _NOT_THEIRS not in match["path"]]
    places = [one for one in [*heads[-1:], *frames] if _NOT_THEIRS not in one["path"]]
    asked = next((match["path"] for line in report[at : at + 3] if (match := _ASKED.search(line))), None)
    path, line = (places[0]["path"], int(places[0]["line"])) if places and not asked else (asked, None)
    return Finding(report[at][: printed.MESSAGE], path, line, None, reported.kind_of(report[at]))
