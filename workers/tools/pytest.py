"""Reads pytest: its summary lines, failure sections and, better, the per-test report of our own plug-in."""

from __future__ import annotations

import re
from collections.abc import Sequence

from sandbox.spec import TestCase
from workers.domain import FailureClass, Finding
from workers.scripts import invocations

NAME = "pytest"
RUNS_TESTS = True
_CRASH = re.compile(r"^(?P<path>\S+\.py):(?P<line>\d+): (?P<message>[^\n]+)")
"""How our plug-in reports a failure: where it was raised, then the message."""
_SUMMARY = re.compile(r"^(FAILED|ERROR) ((?!\()[^\s\[]+(?:\[.*?\])?)(?: - (.*))?$", re.MULTILINE)
_PLACE = re.compile(r"^(?P<path>[^\s:][^:\n]*\.py):(?P<line>\d+): (?P<kind>[A-Za-z_][\w.]*)", re.MULTILINE)
_UNREADABLE = re.compile(r'^E +File "(?P<path>[^"]+)", line (?P<line>\d+)$', re.MULTILINE)
_MESSAGE = re.compile(r"^E {3,}(\S.*)$", re.MULTILINE)
_SECTION = re.compile(r"^_{3,} (.+?) _{3,}$", re.MULTILINE)
_KIND = re.compile(r"^(?:\w+\.)*([A-Za-z_]\w*(?:Error|Exception|Warning|Exit|Interrupt|Failed))\b")
_OF_KIND = {
    "SyntaxError": FailureClass.SYNTAX,
    "IndentationError": FailureClass.SYNTAX,
    "TabError": FailureClass.SYNTAX,
    "ModuleNotFoundError": FailureClass.DEPENDENCY,
    "ImportError": FailureClass.IMPORT,
    "NameError": FailureClass.IMPORT,
}


def recognises(command: str, output: str) -> bool:
    return bool(invocations(command, NAME) or invocations(command, "py.test")) or "= test session starts =" in output


def findings(output: str, tests: Sequence[TestCase]) -> tuple[Finding, ...]:
    """One finding per failed test, from the report where there is one, else from the printed summary."""
    reported = [test for test in tests if test.status in ("failed", "error")]
    if reported:
        return tuple(_finding(test.id, test.message, "") for test in reported)
    sections = _sections(output)
    printed = tuple(
        _finding(test, _section_of(test, sections), said or "") for _, test, said in _SUMMARY.findall(output)
    )
    return printed or _collection_errors(output)


def classify(output: str, findings: Sequence[Finding]) -> FailureClass:
    """By the exceptions' names: only assertions is a test failure, one that stops the import goes first."""
    kinds = [kind_of(finding.message) for finding in findings if finding.test]
    if not any(kinds):  # the summary is cut short on narrow terminals
        kinds = [kind_of(text) for text in _MESSAGE.findall(output)] or kinds
    for kind, cls in _OF_KIND.items():
        if kind in kinds:
            return cls
    if not kinds:
        return FailureClass.UNKNOWN
    failed = ("AssertionError", "Failed", "")
    return FailureClass.TEST if all(kind in failed for kind in kinds) else FailureClass.ERROR


def fix_commands(command: str, findings: Sequence[Finding]) -> tuple[str, ...]:  # noqa: ARG001 - the seam's signature
    return ()


def kind_of(message: str) -> str:
    """The exception's name at the start of a message; pytest writes a plain `assert ...` for AssertionError."""
    match = _KIND.match(message)
    if match:
        return match[1]
    return "AssertionError" if message.startswith("assert ") else ""


def _finding(test: str, text: str, said: str) -> Finding:
    crash = _CRASH.match(text)
    if crash:
        message = crash["message"]
        return Finding(message[:500], crash["path"], int(crash["line"]), test, kind_of(message) or None)
    messages = _MESSAGE.findall(text)
    places = list(_UNREADABLE.finditer(text)) or list(_PLACE.finditer(text))
    last = places[-1] if places else None
    lead = next((message for message in messages if kind_of(message)), messages[0] if messages else "")
    message = lead or said or (text.strip().split("\n")[-1] if text.strip() else "failed")
    path = last["path"] if last else test.split("::")[0] if ".py" in test else None
    return Finding(message[:500], path, int(last["line"]) if last else None, test, kind_of(message) or None)


def _sections(output: str) -> dict[str, str]:
    parts = _SECTION.split(output)
    return {
        title: re.split(r"^=+ ", body, maxsplit=1, flags=re.MULTILINE)[0]
        for title, body in zip(parts[1::2], parts[2::2], strict=True)
    }


def _section_of(test: str, sections: dict[str, str]) -> str:
    name = ".".join(test.split("::")[1:])
    for title in (name, f"ERROR collecting {test}", f"ERROR at setup of {name}", f"ERROR at teardown of {name}"):
        if title in sections:
            return sections[title]
    return ""


def _collection_errors(output: str) -> tuple[Finding, ...]:
    """conftest and usage errors have no summary line."""
    messages = [message for message in _MESSAGE.findall(output) if kind_of(message)]
    usage = re.findall(r"^ERROR: (.+)$", output, re.MULTILINE)
    place = next(iter(_PLACE.finditer(output)), None)
    path, line = (place["path"], int(place["line"])) if place else (None, None)
    return tuple(
        Finding(message[:500], path, line, None, kind_of(message) or None) for message in [*messages, *usage][:20]
    )
