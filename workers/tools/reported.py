"""Test runners without a module of their own: findings from the tests that the sandbox saw fail, by whatever report."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from sandbox.results import log
from sandbox.spec import LOG, Result, TestCase
from workers.domain import FailureClass, Finding
from workers.tools import pytest

_PLACE = re.compile(
    r"(?<![\w/:.@+-])(?:file://)?(?P<path>[\w./@+-]{1,300}\.[a-zA-Z]{1,5}):(?P<line>\d{1,7})(?::\d{1,5})?\b"
)
_FRAME = re.compile(r"at (?:[^(]{1,300}\([^()]{0,500}\)|\S{1,300}:\d{1,7}:\d{1,7})$")
"""A line of a stack, as JavaScript and Java print it."""
_NOT_THEIRS = re.compile(r"(^|/)(node_modules|rustc|site-packages)/|^/(usr|root|opt|env)/|^node:|^internal/")
_FILE = re.compile(r"^[^\s:]+\.[a-zA-Z]{1,5}$")
_SPEAKS = re.compile(r"error|exception|panic|assert|expect|want|fail|cannot|undefined", re.IGNORECASE)
_LINES, _LENGTH = 3, 500


@dataclass  # not frozen: the protocol is one of modules, whose names can be assigned
class Reported:
    """A tool by the name of the runner whose tests failed."""

    NAME: str
    RUNS_TESTS: bool = True

    def recognises(self, command: str, output: str) -> bool:  # noqa: ARG002 - the seam's signature
        return False  # it is made from a result, never found by its words

    def findings(self, output: str, tests: Sequence[TestCase]) -> tuple[Finding, ...]:  # noqa: ARG002 - as above
        """One finding per failed test, at the first line of the message that lies in nobody else's code."""
        return tuple(_finding(test) for test in tests if test.status in ("failed", "error"))

    def classify(self, output: str, findings: Sequence[Finding]) -> FailureClass:
        return pytest.classify(output, findings)

    def fix_commands(self, command: str, findings: Sequence[Finding]) -> tuple[str, ...]:  # noqa: ARG002 - as above
        return ()


def of(result: Result) -> Reported | None:
    """The tool for what failed in this result; None when no test is known to have failed."""
    if not result.count("failed", "error"):
        return None
    return Reported(result.source.removeprefix(f"{LOG} of ").removesuffix(" reporter") or "tests")


def alike(said: str, before: Result) -> bool | None:
    """The tests that fail here fail in CI's log too, by any runner's words; None where they share no name.

    One source may leave out the file or the package of a test, so the ends of the names are compared.
    """
    theirs = {
        _dotted(test.id) for found in log.parse(said) for test in found.tests if test.status in ("failed", "error")
    }
    ours = {_dotted(test.id) for test in before.tests if test.status in ("failed", "error")}
    both = {one for one in ours if any(one == other or _ends(one, other) or _ends(other, one) for other in theirs)}
    return both == ours if both else None


def _dotted(test: str) -> str:
    return re.sub(r"::| > |/", ".", test.split("[")[0])


def _ends(longer: str, end: str) -> bool:
    return longer.endswith(f".{end}")


def _finding(test: TestCase) -> Finding:
    text, owner = test.message, test.id.partition("::")[0]
    places = [match for match in _PLACE.finditer(text) if not _NOT_THEIRS.search(match["path"])]
    path = places[0]["path"] if places else owner if _FILE.match(owner) else None
    if places and places[0].start() == 0:  # as our own reporters write it
        text = text[places[0].end() :].lstrip(": ")
    lines = [line.strip() for line in text.split("\n") if line.strip() and not _FRAME.match(line.strip())]
    first = next((at for at, line in enumerate(lines) if _SPEAKS.search(line)), 0)
    message = " ".join(lines[first : first + _LINES])[:_LENGTH] or "failed"
    return Finding(message, path, int(places[0]["line"]) if places else None, test.id, pytest.kind_of(message) or None)
