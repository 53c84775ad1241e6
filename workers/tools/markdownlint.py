"""Reads markdownlint-cli and markdownlint-cli2, and knows their repair of what needs no words."""

from __future__ import annotations

import re
from collections.abc import Sequence

from sandbox.spec import TestCase
from workers.domain import FailureClass, Finding
from workers.scripts import Invocation, invocations
from workers.tools.options import files_of, on_files
from workers.tools.plain import PATH, lint, located

NAME = "markdownlint"
RUNS_TESTS = False
_LINE = re.compile(
    rf"^{PATH}: ?(?P<line>\d{{1,7}})(?::\d{{1,7}})?:? (?:error )?(?P<rule>MD\d{{3}})(?:/[\w-]{{1,60}}){{0,3}} "
    rf"(?P<text>.+)$",
    re.MULTILINE,
)
_VALUES = frozenset(
    {"-c", "--config", "-i", "--ignore", "-p", "--ignore-path", "-o", "--output", "-r", "--rules", "--enable",
     "--disable", "--configPointer"}
)  # fmt: skip
_DROPPED = frozenset({"-f", "--fix", "-j", "--json", "-o", "--output", "-q", "--quiet", "-s", "--stdin", "--no-globs"})


def recognises(command: str, output: str) -> bool:
    return bool(_calls(command)) or (" MD0" in output and bool(_LINE.search(output)))


def findings(output: str, tests: Sequence[TestCase]) -> tuple[Finding, ...]:  # noqa: ARG001 - linters report no tests
    return located(_LINE, output)


def classify(output: str, findings: Sequence[Finding]) -> FailureClass:  # noqa: ARG001 - the findings say all
    return lint(findings)


def fix_commands(command: str, findings: Sequence[Finding]) -> tuple[str, ...]:
    """The linter on the named files, as the failing command calls it."""
    files = files_of(findings)
    return on_files(_calls(command), files, _VALUES, _DROPPED, "--fix")


def _calls(command: str) -> tuple[Invocation, ...]:
    return tuple(call for name in (NAME, "markdownlint-cli", f"{NAME}-cli2") for call in invocations(command, name))
