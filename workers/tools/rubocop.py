"""Reads RuboCop: offenses with their cops, and files that are no Ruby. It mends what it marks as correctable."""

from __future__ import annotations

import re
from collections.abc import Sequence

from sandbox.spec import TestCase
from workers.domain import FailureClass, Finding
from workers.scripts import invocations
from workers.tools import printed
from workers.tools.options import files_of, on_files

NAME = "rubocop"
RUNS_TESTS = False
_LINE = re.compile(
    r"^(?P<path>[^\s:][^:\n]{0,400}):(?P<line>\d{1,7}):\d{1,7}: [A-Z]: (?P<mark>\[(?:Correctable|Corrected)\] )?"
    r"(?:(?P<rule>[A-Z]\w{1,60}(?:/[A-Z]\w{1,80}){1,3}): )?(?P<text>\S[^\n]{0,600})$"
)
_SPEAKS = re.compile(r"^\d{1,7} files? inspected, (?:\d{1,7} offenses?|no offenses) detected", re.MULTILINE)
_BROKEN = re.compile(r"^(?:Error: |Unrecognized cop |.{0,200}invalid option: )", re.MULTILINE)
_SYNTAX, _CORRECTABLE = "Lint/Syntax", "[Correctable] "
_VALUES = frozenset(
    {"-c", "--config", "--only", "--except", "-f", "--format", "-o", "--out", "-r", "--require", "--fail-level",
     "--cache-root", "-s", "--stdin"}
)  # fmt: skip
_DROPPED = frozenset(
    {"-f", "--format", "-o", "--out", "-a", "-A", "--auto-correct", "--autocorrect", "--auto-correct-all",
     "--autocorrect-all", "--fail-level", "--display-only-fail-level-offenses", "-F", "--fail-fast", "-P", "--parallel",
     "--no-parallel", "--color", "--no-color", "--cache", "-d", "--debug"}
)  # fmt: skip


def recognises(command: str, output: str) -> bool:
    return bool(invocations(command, NAME)) or bool(_SPEAKS.search(output))


def findings(output: str, tests: Sequence[TestCase]) -> tuple[Finding, ...]:  # noqa: ARG001 - linters report no tests
    """An offense each; the message keeps the mark of those that it can mend."""
    found = []
    for line in printed.lines(output):
        if match := _LINE.match(line):
            text = f"{match['mark'] or ''}{match['text']}"[: printed.MESSAGE]
            found.append(Finding(text, match["path"], int(match["line"]), None, match["rule"]))
    return tuple(dict.fromkeys(found))


def classify(output: str, findings: Sequence[Finding]) -> FailureClass:
    if any(finding.rule == _SYNTAX for finding in findings):
        return FailureClass.SYNTAX
    if findings:
        return FailureClass.LINT
    return FailureClass.WORKFLOW if _BROKEN.search(output) else FailureClass.UNKNOWN


def fix_commands(command: str, findings: Sequence[Finding]) -> tuple[str, ...]:
    """`rubocop -a`, which makes the corrections that it knows to be safe, on the files with correctable offenses."""
    files = files_of(finding for finding in findings if finding.message.startswith(_CORRECTABLE))
    return on_files(invocations(command, NAME), files, _VALUES, _DROPPED, "-a")
