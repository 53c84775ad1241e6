"""Reads cmake's configuration errors: the file and line of the call, and the first paragraph of what it says."""

from __future__ import annotations

import re
from collections.abc import Sequence

from sandbox.spec import TestCase
from workers.domain import FailureClass, Finding
from workers.scripts import invocations
from workers.tools.plain import MESSAGE, fix_commands, unique

__all__ = ["NAME", "RUNS_TESTS", "classify", "findings", "fix_commands", "recognises"]

NAME = "cmake"
RUNS_TESTS = False
_ERROR = re.compile(
    r"^CMake Error(?: \(dev\))?(?: (?:at|in) (?P<path>[^\s:][^:\n]{0,400}?)(?::(?P<line>\d{1,7}))?"
    r"(?: \((?P<rule>[\w-]{1,80})\))?)?:(?: (?P<text>\S.*))?$"
)
_CALL = re.compile(r"^ {2}(?P<path>[^\s:/][^:\n]{0,400}):(?P<line>\d{1,7}) \(\w{1,80}\)$")
_PARAGRAPH, _STACK = 12, 40
_WORKFLOW = re.compile(
    r"The source directory|.{0,200}does not appear to contain CMakeLists\.txt|Could not create named generator"
)
_MISSING = re.compile(r'.{0,400}(?:Could NOT find |By not providing "Find|Could not find a package|was not found)')


def recognises(command: str, output: str) -> bool:
    return bool(invocations(command, NAME)) or any(
        _ERROR.match(line) for line in output.split("\n") if line[:5] == "CMake"
    )


def findings(output: str, tests: Sequence[TestCase]) -> tuple[Finding, ...]:  # noqa: ARG001 - cmake reports no tests
    """The rule is the command that failed, such as find_package."""
    if "CMake Error" not in output:
        return ()
    lines = output.split("\n")
    found = []
    for at, line in enumerate(lines):
        if match := _ERROR.match(line):
            text = match["text"] or _paragraph(lines[at + 1 : at + 1 + _PARAGRAPH]) or line
            place = _caller(lines[at + 1 : at + 1 + _STACK]) if (match["path"] or "").startswith("/") else match
            number = int(place["line"]) if place and place["line"] else None
            path = place["path"] if place else match["path"]
            found.append(Finding(text[:MESSAGE], path, number, None, match["rule"]))
    return unique(found)


def classify(output: str, findings: Sequence[Finding]) -> FailureClass:  # noqa: ARG001 - the findings say all
    messages = [finding.message for finding in findings]
    if any(message.startswith("Parse error") for message in messages):
        return FailureClass.SYNTAX
    if any(map(_WORKFLOW.match, messages)):
        return FailureClass.WORKFLOW
    if any(map(_MISSING.match, messages)):
        return FailureClass.DEPENDENCY
    return FailureClass.BUILD if findings else FailureClass.UNKNOWN


def _caller(lines: Sequence[str]) -> re.Match[str] | None:
    """The outermost call: what cmake's own modules complain about is asked for by the project."""
    end = next((at for at, line in enumerate(lines) if line.startswith(("CMake ", "-- "))), len(lines))
    calls = [match for line in lines[:end] if (match := _CALL.match(line))]
    return calls[-1] if calls else None


def _paragraph(lines: Sequence[str]) -> str:
    said: list[str] = []
    for line in lines:
        if (said and not line.strip()) or line.startswith("Call Stack"):
            break
        if line.startswith("  "):
            said.append(line.strip())
    return " ".join(said)
