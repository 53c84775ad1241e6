"""Reads `go test` (also through gotestsum): failed tests and subtests, panics, data races, a package out of time."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace

from sandbox.results import go
from sandbox.spec import TestCase
from workers.domain import FailureClass, Finding
from workers.scripts import invocations
from workers.tools import printed, reported

NAME = "go test"
RUNS_TESTS = True
_SPEAKS = re.compile(r"^(?:FAIL|ok  )\t\S+\t|^ *--- FAIL: \S|^\{\"Time\":[^\n]{1,200}\"Action\":", re.MULTILINE)
_RACE = re.compile(r"^WARNING: DATA RACE$", re.MULTILINE)
_FRAME = re.compile(r"^\s{2,8}(?P<path>/[^\n:]{1,400}\.go):(?P<line>\d{1,7}) \+0x", re.MULTILINE)
_FRAMES = 4_000
_NOT_THEIRS = ("/usr/", "/opt/", "/root/", "/pkg/mod/")
_CALLED_OFF = re.compile(r"panic: test timed out after|test timed out after")
_PANIC = re.compile(r"panic: |fatal error: |runtime error: |SIG[A-Z]{3,5}|unexpected call to os\.Exit")
_STACKS = re.compile(r" goroutine \d{1,9} \[")
_NAMED = re.compile(r"^[^\s:]{1,300}::")


def recognises(command: str, output: str) -> bool:
    called = any(call.args[:1] == ("test",) for call in invocations(command, "go"))
    return called or bool(invocations(command, "gotestsum")) or bool(_SPEAKS.search(output))


def findings(output: str, tests: Sequence[TestCase]) -> tuple[Finding, ...]:
    """One per failed test that has no failing subtest; a file's path begins with its package's."""
    found = reported.of_tests(tests, go.parse("\n".join(printed.lines(output)) if '"Action"' not in output else output))
    tested = {finding.test for finding in found}
    outer = {name.rpartition("/")[0] for name in tested if name and "::" in name and "/" in name.partition("::")[2]}
    race = _race(output)
    return tuple(_in_package(_short(_raced(finding, race))) for finding in found if finding.test not in _above(outer))


def classify(output: str, findings: Sequence[Finding]) -> FailureClass:  # noqa: ARG001 - the findings say all
    said = [finding.message for finding in findings]
    if not said:
        return FailureClass.UNKNOWN
    if any(map(_CALLED_OFF.search, said)):
        return FailureClass.TIMEOUT
    if any("[build failed]" in text or "[setup failed]" in text for text in said):
        return FailureClass.BUILD
    if any(finding.rule for finding in findings) or any(map(_PANIC.search, said)):
        return FailureClass.ERROR
    return FailureClass.TEST


def fix_commands(command: str, findings: Sequence[Finding]) -> tuple[str, ...]:  # noqa: ARG001 - the seam's signature
    return ()


def _above(outer: set[str]) -> set[str]:
    """The tests around those, at every depth."""
    return {name[:at] for name in outer for at in range(len(name), 0, -1) if at == len(name) or name[at] == "/"}


def _race(output: str) -> tuple[str | None, int | None] | None:
    """Where the first data race is: the first frame of its report that is the repository's."""
    start = _RACE.search(output)
    if start is None:
        return None
    frames = _FRAME.finditer(output, start.end(), start.end() + _FRAMES)
    return next(
        ((one["path"], int(one["line"])) for one in frames if not any(word in one["path"] for word in _NOT_THEIRS)),
        (None, None),
    )


def _raced(finding: Finding, race: tuple[str | None, int | None] | None) -> Finding:
    if race is None or "race detected during execution of test" not in finding.message:
        return finding
    return replace(finding, path=race[0] or finding.path, line=race[1], rule="data-race", message="data race detected")


def _short(finding: Finding) -> Finding:
    """A panic without the stacks that are printed under it."""
    return replace(finding, message=_STACKS.split(finding.message, maxsplit=1)[0].rstrip())


def _in_package(finding: Finding) -> Finding:
    """Go prints a test's file without its folder: with the package before it, the tree's file is found by its end."""
    package = _NAMED.match(finding.test or "")
    if finding.path is None or package is None or "/" in finding.path:
        return finding
    return replace(finding, path=f"{package[0].removesuffix('::')}/{finding.path}")
