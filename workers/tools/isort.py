"""Reads `isort --check-only` and `--diff`: which files have imports in another order than configured."""

from __future__ import annotations

import re
from collections.abc import Sequence

from sandbox.spec import TestCase
from workers.domain import FailureClass, Finding
from workers.scripts import invocations
from workers.tools import diffs
from workers.tools.options import files_of, on_files
from workers.tools.plain import unique

NAME = "isort"
RUNS_TESTS = False
_SORTED = re.compile(
    r"^ERROR: (?P<path>[^\n]{1,400}?) Imports are incorrectly sorted(?: and/or formatted)?\.?$", re.MULTILINE
)
_DIFF = re.compile(r"^--- [^\t\n]{1,400}:before\t", re.MULTILINE)
_VALUES = frozenset(
    {
        "--settings-path",
        "--sp",
        "--settings-file",
        "--settings",
        "--profile",
        "-l",
        "--line-length",
        "-p",
        "--project",
        "-s",
        "--skip",
        "--skip-glob",
        "--sg",
        "--src",
        "--src-path",
        "-m",
        "--multi-line",
        "--py",
        "--python-version",
        "-o",
        "--thirdparty",
        "-j",
        "--jobs",
    }
)
_DROPPED = frozenset(
    {
        "-c",
        "--check",
        "--check-only",
        "-d",
        "--diff",
        "-q",
        "--quiet",
        "-v",
        "--verbose",
        "--color",
        "-j",
        "--jobs",
    }
)


def recognises(command: str, output: str) -> bool:
    return bool(invocations(command, NAME)) or bool(_SORTED.search(output) or _DIFF.search(output))


def findings(output: str, tests: Sequence[TestCase]) -> tuple[Finding, ...]:  # noqa: ARG001 - formatters report no tests
    """The files it would sort; `--diff` alone names them in its diff."""
    paths = [match["path"] for match in _SORTED.finditer(output)]
    if not paths and _DIFF.search(output):
        paths = list(diffs.changed(output))
    return unique(Finding("imports are not sorted", path, None, None, "unsorted") for path in paths)


def classify(output: str, findings: Sequence[Finding]) -> FailureClass:  # noqa: ARG001 - the findings say all
    return FailureClass.FORMAT if findings else FailureClass.UNKNOWN


def fix_commands(command: str, findings: Sequence[Finding]) -> tuple[str, ...]:
    """isort on the named files, as the failing command calls it."""
    files = files_of(findings)
    return on_files(invocations(command, NAME), files, _VALUES, _DROPPED)
