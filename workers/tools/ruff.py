"""Reads `ruff check` and `ruff format --check` in the full, concise and GitHub formats, and knows ruff's safe fixes."""

from __future__ import annotations

import re
from collections.abc import Sequence

from sandbox.spec import TestCase
from workers.domain import FailureClass, Finding
from workers.scripts import invocations
from workers.tools.options import files_of, kept

NAME = "ruff"
RUNS_TESTS = False
_CONCISE = re.compile(
    r"^(?P<path>[^\s:][^:\n]*):(?P<line>\d+):\d+: "
    r"(?P<rule>[A-Z]{1,6}\d{2,4}|invalid-syntax|SyntaxError|unformatted):? (?P<text>.+)$"
)
_FULL = re.compile(r"^(?P<rule>[A-Z]{1,6}\d{2,4}|invalid-syntax|unformatted):? (?P<text>.+)$")
_ARROW = re.compile(r"^\s*--> (?P<path>.+?):(?P<line>\d+):\d+$")
_REFORMAT = re.compile(r"^Would reformat: (?P<path>.+)$")
_FIXABLE = re.compile(r"^\[\*\] |^\[-\] ")
_VALUES = frozenset(
    {
        "--config",
        "--select",
        "--ignore",
        "--extend-select",
        "--line-length",
        "--target-version",
        "--exclude",
        "--extend-exclude",
        "--per-file-ignores",
        "--extend-per-file-ignores",
        "--fixable",
        "--unfixable",
        "--cache-dir",
        "--output-format",
        "-o",
        "--output-file",
        "--stdin-filename",
        "--extension",
        "--color",
    }
)
_DROPPED = frozenset(
    {
        "--check",
        "--diff",
        "--no-fix",
        "--fix-only",
        "--fix",
        "--unsafe-fixes",
        "--output-format",
        "-o",
        "--output-file",
        "--statistics",
        "--show-fixes",
        "--watch",
        "-w",
        "--exit-zero",
        "-q",
        "--quiet",
        "-s",
        "--silent",
        "-v",
        "--verbose",
        "--exit-non-",
        "zero-on-fix",
        "--show-source",
        "--add-noqa",
    }
)
UNFORMATTED = "unformatted"
_SYNTAX = frozenset({"invalid-syntax", "SyntaxError", "E999"})


def recognises(command: str, output: str) -> bool:
    return bool(invocations(command, NAME)) or bool(re.search(r"^Would reformat: ", output, re.MULTILINE))


def findings(output: str, tests: Sequence[TestCase]) -> tuple[Finding, ...]:  # noqa: ARG001 - linters report no tests
    found: list[Finding] = []
    title: tuple[str, str] | None = None
    for raw in output.split("\n"):
        line = raw.removeprefix("##[error]")
        if match := _CONCISE.match(line):
            found.append(_finding(match["text"], match["path"], int(match["line"]), match["rule"]))
        elif match := _REFORMAT.match(line):
            found.append(Finding("would be reformatted", match["path"], None, None, UNFORMATTED))
        elif match := _FULL.match(line):
            title = match["rule"], match["text"]
        elif title and (match := _ARROW.match(line)):
            found.append(_finding(title[1], match["path"], int(match["line"]), title[0]))
            title = None
    return tuple(dict.fromkeys(found))


def classify(output: str, findings: Sequence[Finding]) -> FailureClass:
    rules = {finding.rule for finding in findings}
    if rules & _SYNTAX or "Failed to parse" in output:
        return FailureClass.SYNTAX
    if rules and rules <= {UNFORMATTED}:
        return FailureClass.FORMAT
    return FailureClass.LINT if rules else FailureClass.UNKNOWN


def fix_commands(command: str, findings: Sequence[Finding]) -> tuple[str, ...]:
    """`ruff check --fix` (safe fixes only) and `ruff format` on the named files, as the failing command calls ruff."""
    linted = files_of(finding for finding in findings if finding.rule not in (UNFORMATTED, *_SYNTAX))
    unformatted = files_of(finding for finding in findings if finding.rule == UNFORMATTED)
    found: list[str] = []
    for call in invocations(command, NAME):
        verb = next((arg for arg in call.args if arg in ("check", "format")), "check")
        options = kept([arg for arg in call.args if arg != verb], _VALUES, _DROPPED)
        if verb == "check" and linted:
            found.append(call.command("check", "--fix", *options, "--", *linted))
        elif verb == "format" and unformatted:
            found.append(call.command("format", *options, "--", *unformatted))
    return tuple(found)


def _finding(text: str, path: str, line: int, rule: str) -> Finding:
    return Finding(_FIXABLE.sub("", text)[:500], path, line, None, rule)
