"""Reads `cargo test` and `cargo nextest`: failed tests, documentation tests, and the panics that they report."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import replace

from sandbox.results import libtest
from sandbox.spec import TestCase
from workers.domain import FailureClass, Finding
from workers.scripts import invocations
from workers.tools import printed, reported

NAME = "cargo test"
RUNS_TESTS = True
_SPEAKS = re.compile(r"^test result: FAILED\. |^ {1,12}Summary \[ {0,8}[\d.]{1,12}s\] ", re.MULTILINE)
_ASSERTS = re.compile(r"\bassertion\b|^failed$|test did not panic|Test executable failed|assert")
_PANIC = re.compile(
    r"^thread '(?P<name>[^'\n]{1,300})'(?: \(\d{1,9}\))? panicked at (?P<path>[^\n:]{1,300}):"
    r"(?P<line>\d{1,7}):\d{1,7}:$"
)
_WHERE = re.compile(r"^thread '[^'\n]{1,300}'(?: \(\d{1,9}\))? panicked at [^\n:]{1,300}:\d{1,7}:\d{1,7}: ")
_SNAPSHOT = "snapshot assertion for "
"""How insta panics."""
_COMPILES = re.compile(r"error\[E\d{4}\]|^error: |Couldn't compile the test")


def recognises(command: str, output: str) -> bool:
    called = any({"test", "nextest", "t"} & set(call.args[:2]) for call in invocations(command, "cargo"))
    return called or bool(_SPEAKS.search(output))


def findings(output: str, tests: Sequence[TestCase]) -> tuple[Finding, ...]:
    """One per failed test, with the panic's own words and place."""
    lines = printed.lines(output)
    found = reported.of_tests(tests, libtest.parse("\n".join(lines)))
    panics = {
        match["name"]: (match, lines[at + 1]) for at, line in enumerate(lines[:-1]) if (match := _PANIC.match(line))
    }
    return tuple(_explained(finding, panics) for finding in found)


def classify(output: str, findings: Sequence[Finding]) -> FailureClass:  # noqa: ARG001 - the findings say all
    said = [finding.message for finding in findings]
    if not said:
        return FailureClass.UNKNOWN
    if all(message.startswith(_SNAPSHOT) for message in said):
        return FailureClass.SNAPSHOT
    if any(map(_COMPILES.search, said)):
        return FailureClass.BUILD
    return FailureClass.TEST if all(map(_ASSERTS.search, said)) else FailureClass.ERROR


def fix_commands(command: str, findings: Sequence[Finding]) -> tuple[str, ...]:  # noqa: ARG001 - the seam's signature
    return ()


def _explained(finding: Finding, panics: Mapping[str, tuple[re.Match[str], str]]) -> Finding:
    """The words without the thread and the place; nextest prints them apart from the test's line."""
    message, test = _WHERE.sub("", finding.message), finding.test or ""
    panic, said = panics.get(test) or panics.get(test.partition("::")[2]) or (None, "")
    if panic is not None and said not in message:  # what stands above the panic is what the test printed itself
        message = said[: printed.MESSAGE]
    if panic is None or finding.path:
        return replace(finding, message=message)
    return replace(finding, path=panic["path"], line=int(panic["line"]), message=message)
