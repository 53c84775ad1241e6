"""Reads the standard library's unittest: its FAIL and ERROR sections with their tracebacks."""

from __future__ import annotations

import re
from collections.abc import Sequence

from sandbox.spec import TestCase
from workers.domain import Finding
from workers.scripts import invocations
from workers.tools.pytest import classify, kind_of

__all__ = ["NAME", "RUNS_TESTS", "classify", "findings", "fix_commands", "recognises"]

NAME = "unittest"
RUNS_TESTS = True
_SECTION = re.compile(
    r"^={20,}\n(?:FAIL|ERROR): ([^\n]+)\n(?:[^\n-][^\n]*\n)?-{20,}\n(.*?)(?=^={20,}|^-{20,}|\Z)",
    re.MULTILINE | re.DOTALL,
)
_FRAME = re.compile(r'^ {2,}File "([^"]+)", line (\d+)', re.MULTILINE)
_RAN = re.compile(r"^Ran \d+ tests? in ", re.MULTILINE)
_NAMED = re.compile(r"^(\w+) \(([\w.]+)\)(.*)$")


def recognises(command: str, output: str) -> bool:
    return bool(invocations(command, NAME)) or bool(_RAN.search(output))


def findings(output: str, tests: Sequence[TestCase]) -> tuple[Finding, ...]:  # noqa: ARG001 - the text says all
    """One finding per section, at the last frame that is not the standard library's."""
    found = []
    for title, body in _SECTION.findall(output):
        frames = [(path, line) for path, line in _FRAME.findall(body) if "/lib/python" not in path]
        path, line = frames[-1] if frames else (None, None)
        said = [text for text in body.strip().split("\n") if kind_of(text)]
        message = said[-1] if said else body.strip().split("\n")[-1]
        found.append(
            Finding(message[:500], path, int(line) if line else None, _test_id(title), kind_of(message) or None)
        )
    return tuple(found)


def fix_commands(command: str, findings: Sequence[Finding]) -> tuple[str, ...]:  # noqa: ARG001 - the seam's signature
    return ()


def _test_id(title: str) -> str:
    """`test_x (tests.test_a.A.test_x)` of Python 3.11 and `test_x (tests.test_a.A)` of older ones become one id."""
    match = _NAMED.match(title)
    if match is None:
        return title
    name, owner, rest = match.groups()
    return (owner if owner.endswith(f".{name}") else f"{owner}.{name}") + rest
