"""Test runners without a module of their own: findings from the tests that the sandbox saw fail, by whatever report."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from sandbox.results.cases import Found
from sandbox.spec import LOG, Result, TestCase
from workers.domain import FailureClass, Finding
from workers.tools import pytest

_PLACE = re.compile(
    r"(?:(?<![\w/:.@+-])(?:file://)?(?P<path>[\w./@+-]{1,300}\.[a-zA-Z]{1,5})"
    r"|\((?:file://)?(?P<spaced>[^()\n:]{1,300}\.[a-zA-Z]{1,5})):(?P<line>\d{1,7})(?::\d{1,5})?\b"
)
"""A path may have spaces where it stands in parentheses, as in JavaScript's stacks."""
_FRAME = re.compile(r"at (?:[^(]{1,300}\([^()]{0,500}\)|\S{1,300}:\d{1,7}:\d{1,7})(?: \{)?$|\u276f \S|Error Trace: ")
"""A line of a stack, as JavaScript and Java print it."""
_SHOWN = re.compile(r"(?:> ?)?\d{1,7} {0,3}\||\|")
"""A line of the source that is shown beside the message."""
_NOT_THEIRS = re.compile(
    r"(^|/)(node_modules|rustc|site-packages)/|^/(usr|root|opt|env)/|^node:|^internal/|^_testmain\.go$"
)
_FILE = re.compile(r"^[^\s:]+\.[a-zA-Z]{1,5}$")
_SPEAKS = re.compile(
    r"error|exception|panic|assert|expect|want|fail|cannot|undefined|thrown|timed? ?out|mismatch", re.IGNORECASE
)
_LINES, _LENGTH = 3, 500
_RED = ("failed", "error")


@dataclass  # not frozen: the protocol is one of modules, whose names can be assigned
class Reported:
    """A tool by the name of the runner whose tests failed."""

    NAME: str
    RUNS_TESTS: bool = True

    def recognises(self, command: str, output: str) -> bool:  # noqa: ARG002 - the seam's signature
        return False  # it is made from a result, never found by its words

    def findings(self, output: str, tests: Sequence[TestCase]) -> tuple[Finding, ...]:  # noqa: ARG002 - as above
        """One finding per failed test, at the first line of the message that lies in nobody else's code."""
        return of_tests(tests)

    def classify(self, output: str, findings: Sequence[Finding]) -> FailureClass:
        return pytest.classify(output, findings)

    def fix_commands(self, command: str, findings: Sequence[Finding]) -> tuple[str, ...]:  # noqa: ARG002 - as above
        return ()


def of_tests(tests: Sequence[TestCase], printed: Found | None = None) -> tuple[Finding, ...]:
    """One finding per test that failed by the report, or else by what the runner printed."""
    reported = tuple(_finding(test) for test in tests if test.status in _RED)
    return reported or (of_tests(printed.tests) if printed else ())


def kind_of(message: str) -> str | None:
    """The name of the error at the start of a message."""
    return pytest.kind_of(message) or None


def of(result: Result) -> Reported | None:
    """The tool for what failed in this result; None when no test is known to have failed."""
    if not result.count("failed", "error"):
        return None
    return Reported(result.source.removeprefix(f"{LOG} of ").removesuffix(" reporter") or "tests")


def _finding(test: TestCase) -> Finding:
    text, owner = test.message.lstrip(), test.id.partition("::")[0]
    places = [match for match in _PLACE.finditer(text) if not _NOT_THEIRS.search(_path(match))]
    path = _path(places[0]) if places else owner if _FILE.match(owner) else None
    if places and places[0].start() == 0:  # as our own reporters write it
        text = text[places[0].end() :].lstrip(": ").removeprefix("- ")
    lines = [line for raw in text.split("\n") if (line := " ".join(raw.split())) and not _FRAME.match(line)]
    lines = [line for line in lines if not _SHOWN.match(line)] or lines
    first = next((at for at, line in enumerate(lines) if _SPEAKS.search(line)), 0)
    message = " ".join(lines[first : first + _LINES])[:_LENGTH] or "failed"
    return Finding(message, path, int(places[0]["line"]) if places else None, test.id, kind_of(message))


def _path(place: re.Match[str]) -> str:
    return place["path"] or place["spaced"]
