"""Reads Deno's checks: `deno lint`, `deno fmt --check`, `deno check` and modules that it cannot find."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from sandbox.spec import TestCase
from workers.domain import FailureClass, Finding
from workers.scripts import invocations
from workers.tools import printed
from workers.tools.options import files_of

NAME = "deno"
RUNS_TESTS = False
_SOURCE = r"(?P<path>(?:file://)?[^\n]{1,400}?\.(?:[cm]?[jt]sx?|jsonc?|md)):(?P<line>\d{1,7}):\d{1,7}"
_LINT = re.compile(r"^error\[(?P<rule>[a-z][\w/-]{2,80})\]: (?P<text>[^\n]+)$")
_ARROW = re.compile(rf"^ {{1,12}}--> {_SOURCE}$")
_TYPE = re.compile(r"^(?:error: )?(?P<rule>TS\d{4,6}) \[ERROR\]: (?P<text>[^\n]+)$")
_AT = re.compile(rf"^ {{4}}at {_SOURCE}$")
_FORMAT = re.compile(r"^from (?P<path>[^\n]{1,400}\.\w{1,8}):$")
_MODULE = re.compile(
    r"^error: (?P<text>(?:Module not found|Relative import path|Could not find"
    r"|The module's source code could not be parsed|Unable to load|Import )[^\n]*)$"
)
_SPEAKS = re.compile(
    r"^(?:error: )?Found \d{1,7} not formatted files? in |docs: https://(?:docs\.deno\.com|lint\.deno\.land)|^"
    r"(?:error: )?TS\d{4,6} \[ERROR\]: ",
    re.MULTILINE,
)


def recognises(command: str, output: str) -> bool:
    return bool(invocations(command, NAME)) or bool(_SPEAKS.search(output))


def findings(output: str, tests: Sequence[TestCase]) -> tuple[Finding, ...]:  # noqa: ARG001 - these report no tests
    lines = printed.lines(output)
    formats = "not formatted file" in output
    return tuple(dict.fromkeys(_found(lines, formats=formats)))


def classify(output: str, findings: Sequence[Finding]) -> FailureClass:  # noqa: ARG001 - the findings say all
    rules = {finding.rule or "" for finding in findings}
    if not rules:
        return FailureClass.UNKNOWN
    if "module" in rules:
        said = findings[0].message
        if "could not be parsed" in said:
            return FailureClass.SYNTAX
        return FailureClass.IMPORT if "file://" in said else FailureClass.DEPENDENCY
    if rules == {"unformatted"}:
        return FailureClass.FORMAT
    return FailureClass.TYPE if any(rule.startswith("TS") for rule in rules) else FailureClass.LINT


def fix_commands(command: str, findings: Sequence[Finding]) -> tuple[str, ...]:
    """`deno fmt` and `deno lint --fix` on the named files."""
    found = []
    for call in invocations(command, NAME):
        unformatted = files_of(finding for finding in findings if finding.rule == "unformatted")
        linted = files_of(finding for finding in findings if finding.rule and re.match(r"[a-z]", finding.rule))
        if call.args[:1] == ("fmt",) and unformatted:
            found.append(call.command("fmt", "--", *unformatted))
        elif call.args[:1] == ("lint",) and linted:
            found.append(call.command("lint", "--fix", "--", *linted))
    return tuple(found)


def _found(lines: Sequence[str], *, formats: bool) -> Iterator[Finding]:
    for at, line in enumerate(lines):
        below = lines[at + 1 : at + 12]
        if match := _LINT.match(line):
            if arrow := next((one for text in below if (one := _ARROW.match(text))), None):
                yield _finding(match["text"], arrow, match["rule"])
        elif match := _TYPE.match(line):
            if place := next((one for text in below if (one := _AT.match(text))), None):
                yield _finding(match["text"], place, match["rule"])
        elif formats and (match := _FORMAT.match(line)):
            yield Finding("is not formatted", match["path"], None, None, "unformatted")
        elif match := _MODULE.match(line):
            place = next((one for text in below[:3] if (one := _AT.match(text))), None)
            yield _finding(match["text"], place, "module")


def _finding(text: str, place: re.Match[str] | None, rule: str) -> Finding:
    path = place["path"].removeprefix("file://") if place else None
    return Finding(text[: printed.MESSAGE], path, int(place["line"]) if place else None, None, rule)
