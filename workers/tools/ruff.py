"""Reads `ruff check` and `ruff format` in all formats that name a place, and knows ruff's safe fixes."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import replace

from sandbox.spec import TestCase
from workers.domain import FailureClass, Finding
from workers.scripts import invocations
from workers.tools import diffs, ruff_records
from workers.tools.options import files_of, kept
from workers.tools.plain import MESSAGE, PATH, unique

NAME = "ruff"
RUNS_TESTS = False
_RULE = r"(?P<rule>[A-Z]{1,6}\d{2,4}|invalid-syntax|SyntaxError|unformatted)"
_CONCISE = re.compile(rf"^{PATH}:(?P<line>\d{{1,7}}):\d{{1,7}}: {_RULE}:? (?P<text>.+)$")
_PYLINT = re.compile(rf"^{PATH}:(?P<line>\d{{1,7}}): \[{_RULE}\] (?P<text>.+)$")
_AZURE = re.compile(
    r"^##vso\[task\.logissue type=error;sourcepath=(?P<path>[^;\n]{1,400});linenumber=(?P<line>\d{1,7});"
    r"columnnumber=\d{1,7};code=(?P<rule>[\w-]{1,40});\](?P<text>.+)$"
)
_ANNOTATION = re.compile(r"^::error title=[Rr]uff \([^)\n]{1,60}\),file=[^:\n]{1,500}::")
"""What stands before the concise format in the GitHub one; the runner takes it off."""
_GROUP = re.compile(rf"^{PATH}:$")
_ROW = re.compile(rf"^ {{2,12}}(?P<line>\d{{1,7}}):\d{{1,7}} {{1,12}}{_RULE}:? (?P<text>.+)$")
_FULL = re.compile(rf"^{_RULE}:? (?P<text>.+)$")
_ARROW = re.compile(r"^\s{0,12}--> (?P<path>[^\n]{1,400}?):(?P<line>\d{1,7}):\d{1,7}$")
_REFORMAT = re.compile(r"^Would reformat: (?P<path>.+)$")
_FAILED = re.compile(r"^error: Failed to parse (?P<path>[^\n]{1,400}?):(?P<line>\d{1,7}):\d{1,7}: (?P<text>.+)$")
_BROKEN = re.compile(
    r"^ruff failed$|^  Cause: (?P<text>.+)$|^error: (?P<usage>(?:unrecognized|unexpected|invalid) .+)$"
)
_FIXABLE = re.compile(r"^\[\*\] |^\[-\] ")
_WOULD_FORMAT = re.compile(r"^\d{1,7} files? would be reformatted", re.MULTILINE)
_WOULD_FIX = re.compile(r"^Would fix \d{1,7} errors?", re.MULTILINE)
_OURS = re.compile(
    r"^Would reformat: |^unformatted: File would be reformatted$|^::error title=[Rr]uff \(|^Would fix \d{1,7} errors?"
    r"|^\[\*\] \d{1,7} (?:potentially )?fixable with|^No fixes available \(|^ruff failed$",
    re.MULTILINE,
)
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
        "--exit-non-zero-on-fix",
        "--show-source",
        "--add-noqa",
    }
)
UNFORMATTED = "unformatted"
_SYNTAX = frozenset({"invalid-syntax", "SyntaxError", "E999"})


def recognises(command: str, output: str) -> bool:
    return bool(invocations(command, NAME)) or bool(_OURS.search(output))


def findings(output: str, tests: Sequence[TestCase]) -> tuple[Finding, ...]:  # noqa: ARG001 - linters report no tests
    """What any of its output formats for people and machines names; a diff names the files that would change."""
    found = [*_lines(output.split("\n")), *ruff_records.findings(output)]
    if _WOULD_FORMAT.search(output):
        found += _changed(output, "would be reformatted", UNFORMATTED)
    elif _WOULD_FIX.search(output):
        found += _changed(output, "would be fixed", "fixable")
    return unique(found) or _broken(output)


def classify(output: str, findings: Sequence[Finding]) -> FailureClass:
    rules = {finding.rule for finding in findings}
    if rules & _SYNTAX or ("Failed to parse" in output and "usage" not in rules):
        return FailureClass.SYNTAX
    if "usage" in rules:
        return FailureClass.WORKFLOW
    if rules and rules <= {UNFORMATTED}:
        return FailureClass.FORMAT
    return FailureClass.LINT if rules else FailureClass.UNKNOWN


def fix_commands(command: str, findings: Sequence[Finding]) -> tuple[str, ...]:
    """`ruff check --fix` (safe fixes only) and `ruff format` on the named files, as the failing command calls ruff."""
    linted = files_of(finding for finding in findings if finding.rule not in (UNFORMATTED, "usage", *_SYNTAX))
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


def _lines(lines: Sequence[str]) -> Iterator[Finding]:
    """Of the formats that are read line by line: in two of them the place is not on the line of the rule."""
    title: re.Match[str] | None = None
    group: str | None = None
    for raw in lines:
        line = _ANNOTATION.sub("", raw).split("%0A")[0]
        if match := _CONCISE.match(line) or _PYLINT.match(line) or _AZURE.match(line):
            yield _finding(match, match["path"], match["rule"])
        elif match := _REFORMAT.match(line):
            yield Finding("would be reformatted", match["path"], None, None, UNFORMATTED)
        elif match := _FAILED.match(line):
            yield _finding(match, match["path"], "invalid-syntax")
        elif match := _FULL.match(line):
            title = match
        elif title and (match := _ARROW.match(line)):
            yield replace(_finding(title, match["path"], title["rule"]), line=int(match["line"]))
            title = None
        elif group and (match := _ROW.match(line)):
            yield _finding(match, group, match["rule"])
        else:
            group = match["path"] if (match := _GROUP.match(line)) else None


def _finding(match: re.Match[str], path: str, rule: str) -> Finding:
    line = match.groupdict().get("line")
    return Finding(_FIXABLE.sub("", match["text"])[:MESSAGE], path, int(line) if line else None, None, rule)


def _changed(output: str, message: str, rule: str) -> list[Finding]:
    return [Finding(message, path, None, None, rule) for path in diffs.changed(output)]


def _broken(output: str) -> tuple[Finding, ...]:
    """A configuration or a command line that ruff does not take."""
    matches = [match for line in output.split("\n") if (match := _BROKEN.match(line))]
    if not any(match["usage"] or match[0] == "ruff failed" for match in matches):
        return ()
    said = (match["text"] or match["usage"] for match in matches)
    return unique(Finding(text[:MESSAGE], None, None, None, "usage") for text in said if text)
