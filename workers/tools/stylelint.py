"""Reads stylelint in its usual form and its unix and GitHub forms."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from sandbox.spec import TestCase
from workers.domain import FailureClass, Finding
from workers.scripts import invocations
from workers.tools import printed
from workers.tools.javascript import CONFIGURATION, calls, missing
from workers.tools.options import files_of, on_files

NAME = "stylelint"
RUNS_TESTS = False
_ROW = re.compile(
    r"^ {0,8}(?P<line>\d{1,7}):\d{1,7} {1,8}(?P<mark>[\u2716\u00d7\u26a0\u2139]) {1,4}(?P<rest>\S[^\n]*)$"
)
_UNIX = re.compile(
    r"^(?P<path>[^\s:][^:\n]{0,400}):(?P<line>\d{1,7}):\d{1,7}: (?P<text>[^\n]{1,700}) \[(?P<level>error|warning)\]$"
)
_RULE = re.compile(r"^@?[a-z][\w-]{0,80}(?:/[\w-]{1,80}){0,3}$|^CssSyntaxError$")
_NAMED = re.compile(r"\((?P<rule>[@\w/-]{2,100})\)$")
_SPEAKS = re.compile(
    r"^(?:\u2716 )?\d{1,9} problems? \(\d{1,9} errors?, \d{1,9} warnings?\)$|(?:ConfigurationError"
    r"|AllFilesIgnoredError|NoFilesFoundError): ",
    re.MULTILINE,
)
_BROKEN = re.compile(
    r"^(?P<text>(?:ConfigurationError|AllFilesIgnoredError|NoFilesFoundError|Error): [^\n]{0,600}(?:config|plugin"
    r"|No files|stylelint|ignored)[^\n]*)$"
)
_SYNTAX = "CssSyntaxError"
_VALUES = frozenset(
    {
        "--config",
        "--config-basedir",
        "--custom-syntax",
        "--formatter",
        "-f",
        "--custom-formatter",
        "--ignore-path",
        "-i",
        "--ignore-pattern",
        "--ip",
        "--max-warnings",
        "--mw",
        "--output-file",
        "-o",
        "--cache-location",
        "--cache-strategy",
    }
)
_DROPPED = frozenset(
    {
        "--fix",
        "--formatter",
        "-f",
        "--custom-formatter",
        "--max-warnings",
        "--mw",
        "--output-file",
        "-o",
        "--cache",
        "--color",
        "--cache-location",
        "--cache-strategy",
        "--no-color",
        "--quiet",
        "-q",
        "--allow-empty-input",
        "--aei",
    }
)


def recognises(command: str, output: str) -> bool:
    return bool(invocations(command, NAME)) or bool(_SPEAKS.search(output) and findings(output, ()))


def findings(output: str, tests: Sequence[TestCase]) -> tuple[Finding, ...]:  # noqa: ARG001 - linters report no tests
    """Errors, or warnings where there are no errors; else why it did not start."""
    lines = printed.lines(output)
    found = list(_found(lines))
    errors = [finding for error, finding in found if error] or [finding for _, finding in found]
    if errors:
        return tuple(dict.fromkeys(errors))
    broken = next((match for line in lines if (match := _BROKEN.match(line))), None)
    if broken is None or "stylelint" not in output:
        return ()
    return (Finding(broken["text"][: printed.MESSAGE], None, None, None, CONFIGURATION),)


def classify(output: str, findings: Sequence[Finding]) -> FailureClass:  # noqa: ARG001 - the findings say all
    rules = {finding.rule for finding in findings}
    if not rules:
        return FailureClass.UNKNOWN
    if CONFIGURATION in rules:
        absent = missing(findings[0].message) or ("Could not find" in findings[0].message and FailureClass.DEPENDENCY)
        return absent or FailureClass.WORKFLOW
    return FailureClass.SYNTAX if _SYNTAX in rules else FailureClass.LINT


def fix_commands(command: str, findings: Sequence[Finding]) -> tuple[str, ...]:
    """`stylelint --fix` on the named files, with the options of the failing command where it can be seen."""
    files = files_of(finding for finding in findings if finding.rule not in (_SYNTAX, CONFIGURATION))
    return on_files(calls(command, NAME), files, _VALUES, _DROPPED, "--fix")


def _found(lines: Sequence[str]) -> Iterator[tuple[bool, Finding]]:
    path: str | None = None
    for line in lines:
        if row := _ROW.match(line):
            text, _, rule = row["rest"].rpartition("  ")
            known = bool(text and _RULE.match(rule))
            if path is not None:
                message = (text if known else row["rest"]).strip()
                yield (
                    row["mark"] in "\u2716\u00d7",
                    Finding(message[: printed.MESSAGE], path, int(row["line"]), None, rule if known else None),
                )
        elif (match := _UNIX.match(line)) and (named := _NAMED.search(match["text"])):
            text = match["text"][: named.start()].strip()
            yield (
                match["level"] == "error",
                Finding(text[: printed.MESSAGE], match["path"], int(match["line"]), None, named["rule"]),
            )
        elif line.strip():
            path = line.strip() if not line.startswith(" ") else None
    for one in printed.annotated(list(lines)):
        if one.path and "tylelint" in one.title:
            rule = _NAMED.search(one.text)
            text = one.text[: rule.start()].strip() if rule else one.text
            yield (
                one.level == "error",
                Finding(text[: printed.MESSAGE], one.path, one.line, None, rule["rule"] if rule else None),
            )
