"""Reads `black --check`: which files it would reformat and which it cannot parse."""

from __future__ import annotations

import re
from collections.abc import Sequence

from sandbox.spec import TestCase
from workers.domain import FailureClass, Finding
from workers.scripts import invocations
from workers.tools.options import files_of, kept

NAME = "black"
RUNS_TESTS = False
_WOULD = re.compile(r"^would reformat (?P<path>.+)$", re.MULTILINE)
_CANNOT = re.compile(r"^error: cannot format (?P<path>.+?): (?P<text>.+)$", re.MULTILINE)
_VALUES = frozenset(
    {
        "-l",
        "--line-length",
        "-t",
        "--target-version",
        "--config",
        "--exclude",
        "--extend-exclude",
        "--include",
        "--force-exclude",
        "-W",
        "--workers",
        "--required-version",
        "--stdin-filename",
        "-c",
        "--code",
        "--line-ranges",
    }
)
_DROPPED = frozenset(
    {
        "--check",
        "--diff",
        "--color",
        "--no-color",
        "-q",
        "--quiet",
        "-v",
        "--verbose",
        "-c",
        "--code",
        "--line-ranges",
    }
)


def recognises(command: str, output: str) -> bool:
    return bool(invocations(command, NAME)) or bool(_WOULD.search(output))


def findings(output: str, tests: Sequence[TestCase]) -> tuple[Finding, ...]:  # noqa: ARG001 - formatters report no tests
    would = [
        Finding("would be reformatted", match["path"], None, None, "unformatted") for match in _WOULD.finditer(output)
    ]
    cannot = [
        Finding(match["text"][:500], match["path"], None, None, "unparsable") for match in _CANNOT.finditer(output)
    ]
    return tuple(dict.fromkeys([*cannot, *would]))


def classify(output: str, findings: Sequence[Finding]) -> FailureClass:  # noqa: ARG001 - the findings say all
    if any(finding.rule == "unparsable" for finding in findings):
        return FailureClass.SYNTAX
    return FailureClass.FORMAT if findings else FailureClass.UNKNOWN


def fix_commands(command: str, findings: Sequence[Finding]) -> tuple[str, ...]:
    """black on the named files, as the failing command calls it."""
    files = files_of(finding for finding in findings if finding.rule == "unformatted")
    calls = invocations(command, NAME) if files else ()
    return tuple(call.command(*kept(call.args, _VALUES, _DROPPED), "--", *files) for call in calls)
