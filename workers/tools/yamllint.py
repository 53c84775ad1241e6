"""Reads yamllint in its standard, parsable and GitHub formats. It cannot mend anything itself."""

from __future__ import annotations

import re
from collections.abc import Sequence

from sandbox.spec import TestCase
from workers.domain import FailureClass, Finding
from workers.scripts import invocations
from workers.tools.plain import MESSAGE, PATH, fix_commands, lint, unique

__all__ = ["NAME", "RUNS_TESTS", "classify", "findings", "fix_commands", "recognises"]

NAME = "yamllint"
RUNS_TESTS = False
_PARSABLE = re.compile(
    rf"^{PATH}:(?P<line>\d{{1,7}}):\d{{1,7}}: \[(?P<level>error|warning)\] (?P<text>[^\n]{{1,1000}}?)"
    rf"(?: \((?P<rule>[a-z-]{{1,40}})\))?$"
)
_GITHUB = re.compile(
    r"^::(?P<level>error|warning) file=(?P<path>[^,\n]{1,400}),line=(?P<line>\d{1,7}),col=\d{1,7}::\d{1,7}:\d{1,7} "
    r"(?:\[(?P<rule>[a-z-]{1,40})\] )?(?P<text>.+)$"
)
_BARE = re.compile(r"^(?P<line>\d{1,7}):\d{1,7} (?:\[(?P<rule>[a-z-]{1,40})\] |(?=syntax error: ))(?P<text>.+)$")
"""What the runner leaves of the GitHub format: the file's name is that of the group."""
_GROUP = re.compile(r"^(?:::group::|##\[group\])(?P<path>\S.{0,400})$")
_FILE = re.compile(r"^(?P<path>(?:[A-Za-z]:[\\/])?[^\s:][^:\n]{0,400}\.(?:ya?ml|yamllint))$")
_ROW = re.compile(
    r"^ {2}(?P<line>\d{1,7}):\d{1,7} {1,9}(?P<level>error|warning) {1,9}(?P<text>\S[^\n]{0,1000}?)"
    r"(?: {1,4}\((?P<rule>[a-z-]{1,40})\))?$"
)
_SYNTAX = "syntax error:"


def recognises(command: str, output: str) -> bool:
    rows = (_ROW.match(line) for line in output.split("\n") if line.endswith(")"))
    return bool(invocations(command, NAME)) or any(row and row["rule"] for row in rows)


def findings(output: str, tests: Sequence[TestCase]) -> tuple[Finding, ...]:  # noqa: ARG001 - linters report no tests
    """Its errors; where it was red without one (`--strict`), its warnings."""
    found: list[tuple[bool, Finding]] = []
    path = None
    for line in output.split("\n"):
        if match := (_GROUP.match(line) or _FILE.match(line)):
            path = match["path"]
        elif match := (_PARSABLE.match(line) or _GITHUB.match(line)):
            found.append((match["level"] == "error", _finding(match, match["path"])))
        elif path and (match := (_ROW.match(line) or _BARE.match(line))):
            found.append((match.groupdict().get("level") != "warning", _finding(match, path)))
    errors = unique(finding for error, finding in found if error)
    return errors or unique(finding for _, finding in found)


def classify(output: str, findings: Sequence[Finding]) -> FailureClass:  # noqa: ARG001 - the findings say all
    return lint(findings, syntax=frozenset({"syntax"}))


def _finding(match: re.Match[str], path: str) -> Finding:
    rule = match["rule"] or ("syntax" if match["text"].startswith(_SYNTAX) else None)
    return Finding(match["text"].removesuffix(" (syntax)")[:MESSAGE], path, int(match["line"]), None, rule)
