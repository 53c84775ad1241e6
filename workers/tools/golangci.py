"""Reads golangci-lint, versions 1 and 2: its text form, GitHub's, the tab form, and why it did not start."""

from __future__ import annotations

import re
from collections.abc import Sequence

from sandbox.spec import TestCase
from workers.domain import FailureClass, Finding
from workers.scripts import invocations
from workers.tools import printed
from workers.tools.javascript import CONFIGURATION
from workers.tools.options import files_of, kept

NAME = "golangci-lint"
RUNS_TESTS = False
_LINE = re.compile(
    r"^(?P<path>[^\s:][^:\n]{0,400}\.(?:go|mod)):(?P<line>\d{1,7})(?::\d{1,7})?: {1,8}(?P<text>\S[^\n]*) \("
    r"(?P<rule>[a-z][a-z0-9]{2,30})\)$"
)
_TAB = re.compile(
    r"^(?P<path>[^\s:][^:\n]{0,400}\.(?:go|mod)):(?P<line>\d{1,7})(?::\d{1,7})?[ \t]{1,40}"
    r"(?P<rule>[a-z][a-z0-9]{2,30})[ \t]{1,40}(?P<text>\S[^\n]*)$"
)
_NAMED = re.compile(r"^(?P<text>[^\n]+?) \((?P<rule>[a-z][a-z0-9]{2,30})\)$")
_SPEAKS = re.compile(
    r"\blevel=(?:error|warning) msg=\"\[[\w/-]+\]|\blevel=error msg=\"(?:Running error|Timeout exceeded)"
    r"|golangci-lint (?:has version|found no issues|found issues)|^\d{1,6} issues?:$",
    re.MULTILINE,
)
_BROKEN = re.compile(
    r"^(?:level=error msg=\"(?P<logged>[^\n]{1,900}?)\"?|Error: (?P<said>[^\n]{0,600}(?:config|linter|version)[^\n]*))$"
)
_FORMATTERS = frozenset({"gofmt", "gofumpt", "goimports", "gci", "golines", "swaggo"})
_VALUES = frozenset(
    {
        "-c",
        "--config",
        "-E",
        "--enable",
        "-D",
        "--disable",
        "--enable-only",
        "--default",
        "--timeout",
        "-j",
        "--concurrency",
        "--build-tags",
        "--modules-download-mode",
        "--go",
        "-p",
        "--presets",
        "--out-format",
        "--new-from-rev",
        "--new-from-patch",
        "--new-from-merge-base",
        "--max-issues-per-linter",
        "--max-same-issues",
        "--path-prefix",
        "--path-mode",
        "--issues-exit-code",
        "-e",
        "--exclude",
        "--skip-dirs",
        "--skip-files",
        "--color",
        "--cpu-profile-path",
        "--mem-profile-path",
        "--trace-path",
    }
)
_DROPPED = frozenset(
    {
        "--fix",
        "--out-format",
        "--color",
        "--issues-exit-code",
        "-v",
        "--verbose",
        "--print-issued-lines",
        "--print-linter-name",
        "--new",
        "-n",
        "--new-from-rev",
        "--new-from-patch",
        "--new-from-merge-base",
        "--cpu-profile-path",
        "--mem-profile-path",
        "--trace-path",
        "--path-prefix",
        "--show-stats",
    }
)


def recognises(command: str, output: str) -> bool:
    return bool(invocations(command, NAME)) or bool(_SPEAKS.search(output)) or bool(_found(printed.lines(output)))


def findings(output: str, tests: Sequence[TestCase]) -> tuple[Finding, ...]:  # noqa: ARG001 - linters report no tests
    lines = printed.lines(output)
    return _found(lines) or _set_up(lines)


def classify(output: str, findings: Sequence[Finding]) -> FailureClass:  # noqa: ARG001 - the findings say all
    rules = {finding.rule for finding in findings}
    if not rules:
        return FailureClass.UNKNOWN
    if CONFIGURATION in rules:
        said = findings[0].message
        if "Timeout exceeded" in said:
            return FailureClass.TIMEOUT
        return FailureClass.BUILD if "context loading failed" in said else FailureClass.WORKFLOW
    if "typecheck" in rules:
        syntax = any("expected " in one.message or "syntax error" in one.message for one in findings)
        return FailureClass.SYNTAX if syntax else FailureClass.BUILD
    return FailureClass.FORMAT if rules <= _FORMATTERS else FailureClass.LINT


def fix_commands(command: str, findings: Sequence[Finding]) -> tuple[str, ...]:
    """`golangci-lint run --fix` with the options of the failing command: it takes packages, so no file is named."""
    mendable = [finding for finding in findings if finding.rule not in ("typecheck", CONFIGURATION)]
    if not files_of(mendable):
        return ()
    return tuple(
        call.command(
            "run",
            "--fix",
            *(option for option in kept(call.args, _VALUES, _DROPPED) if not option.startswith("--output.")),
        )
        for call in invocations(command, NAME)
        if call.args[:1] != ("fmt",)
    )


def _found(lines: Sequence[str]) -> tuple[Finding, ...]:
    matches = (_LINE.match(line) or _TAB.match(line) for line in lines)
    found = [_finding(match["text"], match["path"], int(match["line"]), match["rule"]) for match in matches if match]
    found += [
        _finding(named["text"], one.path, one.line, named["rule"])
        for one in printed.annotated(list(lines))
        if one.path and (named := _NAMED.match(one.text))
    ]
    return tuple(dict.fromkeys(found))


def _finding(text: str, path: str, line: int | None, rule: str) -> Finding:
    return Finding(text[: printed.MESSAGE], path, line, None, rule)


def _set_up(lines: Sequence[str]) -> tuple[Finding, ...]:
    for line in lines:
        if broken := _BROKEN.match(line):
            said = (broken["logged"] or broken["said"]).replace('\\"', '"')
            return (Finding(said[: printed.MESSAGE], None, None, None, CONFIGURATION),)
    return ()
