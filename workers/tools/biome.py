"""Reads Biome (`check`, `ci`, `lint`, `format`): problems of lint, format, imports and syntax, and of its own file."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from sandbox.spec import TestCase
from workers.domain import FailureClass, Finding
from workers.scripts import invocations
from workers.tools import printed
from workers.tools.javascript import calls
from workers.tools.options import files_of, kept

NAME = "biome"
RUNS_TESTS = False
_HEAD = re.compile(
    r"^(?P<path>\S[^\n]{0,400}?\.\w{1,10})(?::(?P<line>\d{1,7}):\d{1,7})? "
    r"(?P<rule>(?:lint|assist|suppressions)/[\w/]{1,100}|format|parse|organizeImports|deserialize|configuration|ci"
    r"|check)(?: {1,4}(?:FIXABLE|VERBOSE|TRUNCATED|INTERNAL|DEPRECATED) {0,4}){0,3} \u2501{3,200}$"
)
_TEXT = re.compile(r"^ {2}(?P<mark>[\u2716\u00d7!\u26a0\u2139]) (?P<text>\S[^\n]*)$")
_ERRORS = ("\u2716", "\u00d7")
_SPEAKS = re.compile(
    r"^Checked \d{1,9} files? in [^\n]{1,20}\. (?:No fixes applied|Fixed \d)|biomejs\.dev/|^\S[^\n]{0,400} "
    r"(?:lint/\w{1,40}/|format |parse |deserialize |configuration )[^\n]{0,80}\u2501\u2501\u2501",
    re.MULTILINE,
)
_FORMAT = frozenset({"format", "organizeImports", "assist/source/organizeImports"})
_VALUES = frozenset(
    {
        "--config-path",
        "--max-diagnostics",
        "--diagnostic-level",
        "--colors",
        "--reporter",
        "--only",
        "--skip",
        "--log-level",
        "--log-kind",
        "--files-max-size",
        "--vcs-root",
        "--since",
        "--stdin-file-path",
    }
)
_DROPPED = frozenset(
    {
        "--write",
        "--fix",
        "--apply",
        "--unsafe",
        "--apply-unsafe",
        "--reporter",
        "--colors",
        "--max-diagnostics",
        "--diagnostic-level",
        "--error-on-warnings",
        "--verbose",
        "--since",
        "--changed",
        "--staged",
        "--stdin-file-path",
        "--log-level",
        "--log-kind",
    }
)


def recognises(command: str, output: str) -> bool:
    return bool(invocations(command, NAME)) or bool(_SPEAKS.search(output))


def findings(output: str, tests: Sequence[TestCase]) -> tuple[Finding, ...]:  # noqa: ARG001 - linters report no tests
    """Errors, or warnings where there are no errors."""
    lines = printed.lines(output)
    found = list(_found(lines)) if _SPEAKS.search(output) else []
    for one in printed.annotated(lines):
        if one.path and re.match(r"(?:lint|assist)/|format$|parse$", one.title):
            found.append(
                (one.level == "error", Finding(one.text[: printed.MESSAGE], one.path, one.line, None, one.title))
            )
    errors = [finding for error, finding in found if error]
    return tuple(dict.fromkeys(errors or [finding for _, finding in found]))


def classify(output: str, findings: Sequence[Finding]) -> FailureClass:  # noqa: ARG001 - the findings say all
    rules = {finding.rule for finding in findings}
    if not rules:
        return FailureClass.UNKNOWN
    if "parse" in rules:
        return FailureClass.SYNTAX
    if rules & {"deserialize", "configuration"}:
        return FailureClass.WORKFLOW
    return FailureClass.FORMAT if rules <= _FORMAT else FailureClass.LINT


def fix_commands(command: str, findings: Sequence[Finding]) -> tuple[str, ...]:
    """The same command with `--write`, which applies safe fixes only, on the named files."""
    files = files_of(finding for finding in findings if finding.rule not in ("parse", "deserialize", "configuration"))
    if not files:
        return ()
    found = []
    for call in calls(command, NAME):
        verb = next((arg for arg in call.args if arg in ("check", "lint", "format")), "check")
        options = kept([arg for arg in call.args if arg not in (verb, "ci")], _VALUES, _DROPPED)
        found.append(
            call.command(verb, "--write", *options, *(f"./{file}" if file.startswith("-") else file for file in files))
        )
    return tuple(found)


def _found(lines: Sequence[str]) -> Iterator[tuple[bool, Finding]]:
    """Each problem's head, and the first line under it that has Biome's mark."""
    for at, line in enumerate(lines):
        head = _HEAD.match(line)
        text = (
            next((match for below in lines[at + 1 : at + 4] if (match := _TEXT.match(below))), None) if head else None
        )
        if head and text and "aborted due to parsing errors" not in text["text"]:
            number = int(head["line"]) if head["line"] else None
            yield (
                text["mark"] in _ERRORS,
                Finding(text["text"][: printed.MESSAGE], head["path"], number, None, head["rule"]),
            )
