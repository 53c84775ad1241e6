"""Reads codespell: which words of which lines are misspelt; it writes the corrections that leave no choice."""

from __future__ import annotations

import re
from collections.abc import Sequence

from sandbox.spec import TestCase
from workers.domain import FailureClass, Finding
from workers.scripts import invocations
from workers.tools.options import files_of, on_files
from workers.tools.plain import MESSAGE, lint, unique

NAME = "codespell"
RUNS_TESTS = False
_LINE = re.compile(
    r"^(?P<path>(?:[A-Za-z]:[\\/])?[^\s:][^:\n]{0,400}):(?P<line>\d{1,7}): (?P<word>[^\n]{1,200}?) ==> (?P<right>.+)$",
    re.MULTILINE,
)
_VALUES = frozenset(
    {"-D", "--dictionary", "--builtin", "--ignore-regex", "-I", "--ignore-words", "-L", "--ignore-words-list",
     "--uri-ignore-words-list", "-r", "--regex", "--uri-regex", "-S", "--skip", "-x", "--exclude-file", "-i",
     "--interactive", "-q", "--quiet-level", "-e", "--config", "--toml", "-A", "--after-context", "-B",
     "--before-context", "-C", "--context", "--ignore-multiline-regex"}
)  # fmt: skip
_DROPPED = frozenset(
    {"-w", "--write-changes", "-i", "--interactive", "-s", "--summary", "--count", "-q", "--quiet-level", "-A",
     "--after-context", "-B", "--before-context", "-C", "--context", "-d", "--disable-colors", "-c", "--enable-colors"}
)  # fmt: skip


def recognises(command: str, output: str) -> bool:
    return bool(invocations(command, NAME)) or (" ==> " in output and bool(_LINE.search(output)))


def findings(output: str, tests: Sequence[TestCase]) -> tuple[Finding, ...]:  # noqa: ARG001 - linters report no tests
    if " ==> " not in output:
        return ()
    return unique(
        Finding(
            f"{match['word']} ==> {match['right']}"[:MESSAGE], match["path"], int(match["line"]), None, "misspelling"
        )
        for match in _LINE.finditer(output)
    )


def classify(output: str, findings: Sequence[Finding]) -> FailureClass:  # noqa: ARG001 - the findings say all
    return lint(findings)


def fix_commands(command: str, findings: Sequence[Finding]) -> tuple[str, ...]:
    """codespell writes a correction only where its list has exactly one."""
    files = files_of(finding for finding in findings if "," not in finding.message.rsplit(" ==> ", 1)[-1])
    return on_files(invocations(command, NAME), files, _VALUES, _DROPPED, "-w")
