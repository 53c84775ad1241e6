"""Reads ESLint in its stylish, compact, unix and GitHub forms and Next.js's variant, and why it did not start."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from sandbox.spec import TestCase
from workers.domain import FailureClass, Finding
from workers.scripts import invocations
from workers.tools import printed
from workers.tools.javascript import CONFIGURATION, calls, missing
from workers.tools.options import files_of, on_files

NAME = "eslint"
RUNS_TESTS = False
_SPEAKS = re.compile(
    r"^\u2716 \d{1,9} problems? \(\d{1,9} errors?, |^ESLint: \d{1,3}\.\d|^ESLint found too many warnings"
    r"|^info  - Need to disable some ESLint rules\?|^Oops! Something went wrong! :\(",
    re.MULTILINE,
)
_ROW = re.compile(
    r"^ {0,12}(?P<line>\d{1,7}):\d{1,7} {1,12}(?P<level>error|warning|Error:|Warning:) {1,8}(?P<rest>\S.*)$"
)
_RULE = re.compile(r"^@?[\w-]{1,80}(?:[./][\w-]{1,80}){0,6}$")
_COMPACT = re.compile(
    r"^(?P<path>\S[^\n]{0,500}?): line (?P<line>\d{1,7}), col \d{1,7}, (?P<level>Error|Warning) - (?P<text>[^\n]+)$"
)
_UNIX = re.compile(
    r"^(?P<path>[^\s:][^:\n]{0,500}):(?P<line>\d{1,7}):\d{1,7}: (?P<text>[^\n]{1,700}) "
    r"\[(?P<level>Error|Warning)(?:/(?P<rule>[^\]\s]{1,200}))?\]$"
)
_TITLE = re.compile(r"\((?P<rule>[^()\s]{1,200})\)$")
_BROKEN = re.compile(
    r"^(?:ESLint couldn't |Invalid option '|No files matching |\w{0,60}Error(?: \[\w{1,60}\])?: "
    r"|Cannot read config file"
    r"|All files matched by |The config \"|No ESLint configuration found|Configuration for rule "
    r"|.{0,300}Cannot find module )"
)
_PARSING = "parsing-error"
_VALUES = frozenset(
    {
        "-c",
        "--config",
        "--env",
        "--global",
        "--parser",
        "--parser-options",
        "--resolve-plugins-relative-to",
        "--plugin",
        "--rule",
        "--rulesdir",
        "--ignore-path",
        "--ignore-pattern",
        "--max-warnings",
        "-o",
        "--output-file",
        "-f",
        "--format",
        "--ext",
        "--cache-file",
        "--cache-location",
        "--cache-strategy",
        "--fix-type",
        "--report-unused-disable-directives-severity",
        "--stdin-filename",
        "--flag",
        "--concurrency",
        "--suppressions-location",
    }
)
_DROPPED = frozenset(
    {
        "--fix",
        "--fix-dry-run",
        "--max-warnings",
        "-o",
        "--output-file",
        "-f",
        "--format",
        "--color",
        "--no-color",
        "--cache",
        "--cache-file",
        "--cache-location",
        "--cache-strategy",
        "--ext",
        "--debug",
        "--stdin",
        "--stdin-filename",
        "--exit-on-fatal-error",
        "--stats",
        "--pass-on-no-patterns",
    }
)


def recognises(command: str, output: str) -> bool:
    return bool(invocations(command, NAME)) or bool(_SPEAKS.search(output))


def findings(output: str, tests: Sequence[TestCase]) -> tuple[Finding, ...]:  # noqa: ARG001 - linters report no tests
    """Errors; warnings where too many of them are what turned the job red; else what is wrong with the set-up."""
    lines = printed.lines(output)
    found = list(_listed(lines))
    errors = [finding for level, finding in found if level == "error"]
    if not errors and "ESLint found too many warnings" in output:
        errors = [finding for _, finding in found]
    return tuple(dict.fromkeys(errors)) or _set_up(lines)


def classify(output: str, findings: Sequence[Finding]) -> FailureClass:  # noqa: ARG001 - the findings say all
    if any(finding.rule == CONFIGURATION for finding in findings):
        said = " ".join(finding.message for finding in findings)
        absent = missing(said) or ("couldn't find the" in said and FailureClass.DEPENDENCY)
        return absent or FailureClass.WORKFLOW
    if any(finding.rule == _PARSING for finding in findings):
        return FailureClass.SYNTAX
    if findings and all(finding.rule == "prettier/prettier" for finding in findings):
        return FailureClass.FORMAT
    return FailureClass.LINT if findings else FailureClass.UNKNOWN


def fix_commands(command: str, findings: Sequence[Finding]) -> tuple[str, ...]:
    """`eslint --fix` on the named files, with the options of the failing command where it can be seen."""
    files = files_of(finding for finding in findings if finding.rule not in (_PARSING, CONFIGURATION))
    return on_files(calls(command, NAME), files, _VALUES, _DROPPED, "--fix")


def _listed(lines: Sequence[str]) -> Iterator[tuple[str, Finding]]:
    """Every problem with its level. In the stylish form the file stands above its rows."""
    path: str | None = None
    for line in lines:
        if row := _ROW.match(line):
            if path is not None:
                text, _, rule = row["rest"].rpartition("  ")
                yield _problem(
                    row["level"],
                    path,
                    row["line"],
                    *((text, rule) if _RULE.match(rule) and text else (row["rest"], None)),
                )
        elif match := _COMPACT.match(line):
            rule = _TITLE.search(match["text"])
            text = match["text"][: rule.start()] if rule else match["text"]
            yield _problem(match["level"], match["path"], match["line"], text, rule["rule"] if rule else None)
        elif match := _UNIX.match(line):
            yield _problem(match["level"], match["path"], match["line"], match["text"], match["rule"])
        elif line.strip():
            path = line.strip() if not line.startswith(" ") else None
    for one in printed.annotated(list(lines)):
        rule = _TITLE.search(one.title) or _TITLE.search(one.text)
        if rule and one.path and one.line:
            yield one.level, Finding(one.text[: printed.MESSAGE], one.path, one.line, None, rule["rule"])


def _problem(level: str, path: str, line: str, text: str, rule: str | None) -> tuple[str, Finding]:
    text = text.strip()
    named = _PARSING if rule is None and text.startswith("Parsing error") else rule
    return level.lower().rstrip(":"), Finding(text[: printed.MESSAGE], path, int(line), None, named)


def _set_up(lines: Sequence[str]) -> tuple[Finding, ...]:
    """The first line that says why ESLint did not start. It is ESLint's only after its own heading, or in its words."""
    heading = next(
        (at for at, line in enumerate(lines) if line.startswith(("Oops! Something went wrong", "Invalid option '"))),
        None,
    )
    if heading is None:
        return ()
    said = next((line.strip() for line in lines[heading : heading + 40] if _BROKEN.match(line)), "")
    return (Finding(said[: printed.MESSAGE], None, None, None, CONFIGURATION),) if said else ()
