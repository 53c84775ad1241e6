"""Reads AVA's own reporter: the failed tests, and under each title the file, the difference or the error."""

from __future__ import annotations

import re
from collections.abc import Sequence

from sandbox.spec import TestCase
from workers.domain import FailureClass, Finding
from workers.scripts import invocations
from workers.tools import javascript, printed, reported

NAME = "ava"
RUNS_TESTS = True
_FAILED = re.compile(r"^ {1,4}[\u2718\u2716\u00d7] \[fail\]: (?P<test>\S[^\n]{0,300})$")
_TITLE = re.compile(r"^ {2}(?P<test>\S[^\n]{0,300})$")
_PLACE = re.compile(r"^ {2}(?P<path>[^\s:][^\n:]{0,300}\.[cm]?[jt]sx?):(?P<line>\d{1,7})$")
_SPEAKS = re.compile(
    r"^ {2}\d{1,7} (?:tests? failed|uncaught exceptions?|unhandled rejections?)$"
    r"|^ {1,4}[\u2718\u2716\u00d7] \[fail\]: ",
    re.MULTILINE,
)
_ERROR = re.compile(r"^ {2}(?P<text>(?:[A-Z]\w{0,60})?(?:Error|Exception): [^\n]+)$")
_FRAME = re.compile(
    r"^ {6}at (?:[^\n(]{1,200} \()?(?:file://)?(?P<path>/[^\n():]{1,400}):(?P<line>\d{1,7}):\d{1,7}\)?$"
)
_SAYS = re.compile(
    r"^ {2}(?P<text>(?:Difference|Value is|Error thrown|Rejected|Test (?:finished|timed)|Did not match|Expected"
    r"|Function|Promise)[^\n]*)$"
)
_WINDOW = 60


def recognises(command: str, output: str) -> bool:
    return bool(invocations(command, NAME)) or bool(_SPEAKS.search(output))


def findings(output: str, tests: Sequence[TestCase]) -> tuple[Finding, ...]:
    lines = printed.lines(output)
    failed = dict.fromkeys(match["test"] for line in lines if (match := _FAILED.match(line)))
    titles = {match["test"]: at for at, line in enumerate(lines) if (match := _TITLE.match(line))}
    names = {row: next((one for one in titles if row == one or row.startswith(f"{one} ")), row) for row in failed}
    starts = sorted(titles[title] for title in names.values() if title in titles)
    found = []
    for row, title in names.items():
        at = titles.get(title, len(lines))
        end = next((start for start in starts if start > at), at + _WINDOW)
        found.append(_finding(title, row, lines[at + 1 : end]))
    return reported.of_tests(tests) or tuple(found)


def classify(output: str, findings: Sequence[Finding]) -> FailureClass:  # noqa: ARG001 - the findings say all
    return javascript.of_tests(findings)


def fix_commands(command: str, findings: Sequence[Finding]) -> tuple[str, ...]:  # noqa: ARG001 - the seam's signature
    return ()


def _finding(title: str, row: str, section: Sequence[str]) -> Finding:
    place = next((match for line in section if (match := _PLACE.match(line))), None)
    frames = (match for line in section if (match := _FRAME.match(line)))
    place = place or next((frame for frame in frames if "/node_modules/" not in frame["path"]), None)
    error = next((match["text"] for line in section if (match := _ERROR.match(line))), None)
    said = next((match["text"] for line in section if (match := _SAYS.match(line))), None)
    message = error or said or row.removeprefix(title).strip() or "failed"
    path, line = (place["path"], int(place["line"])) if place else (None, None)
    return Finding(message[: printed.MESSAGE], path, line, title, reported.kind_of(message))
