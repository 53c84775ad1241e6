"""Reads `gofmt -l` and `-d` (also goimports and gofumpt): files that are not formatted, and that cannot be parsed."""

from __future__ import annotations

import re
import shlex
from collections.abc import Sequence

from sandbox.spec import TestCase
from workers.domain import FailureClass, Finding
from workers.tools import printed
from workers.tools.options import files_of

NAME = "gofmt"
RUNS_TESTS = False
_CALLED = re.compile(
    r"(?<![\w./-])(?P<tool>gofmt|goimports|gofumpt)(?P<options>(?: {1,4}-[\w-]{1,40}(?:=[\w./,]{1,200})?){0,12})"
)
_DIFF = re.compile(r"^diff (?:-u )?(?P<old>\S[^\n]{0,400}?\.go)\.orig (?P<path>\S[^\n]{0,400}\.go)$")
_LISTED = re.compile(r"^(?P<path>(?![+@-])[^\s:][^:\n]{0,400}\.go)$")
_PARSE = re.compile(
    r"^(?P<path>[^\s:][^:\n]{0,400}\.go):(?P<line>\d{1,7}):\d{1,7}: (?P<text>(?:expected |illegal |missing "
    r"|unterminated|string literal )[^\n]+)$"
)
_UNFORMATTED = "unformatted"


def recognises(command: str, output: str) -> bool:
    return bool(_CALLED.search(command)) or any(map(_DIFF.match, printed.lines(output)))


def findings(output: str, tests: Sequence[TestCase]) -> tuple[Finding, ...]:  # noqa: ARG001 - formatters report no tests
    found: list[Finding] = []
    for line in printed.lines(output):
        if match := _PARSE.match(line):
            found.append(
                Finding(match["text"][: printed.MESSAGE], match["path"], int(match["line"]), None, "unparsable")
            )
        elif match := _DIFF.match(line) or _LISTED.match(line):
            found.append(Finding("is not formatted", match["path"], None, None, _UNFORMATTED))
    return tuple(dict.fromkeys(found))


def classify(output: str, findings: Sequence[Finding]) -> FailureClass:  # noqa: ARG001 - the findings say all
    if any(finding.rule == "unparsable" for finding in findings):
        return FailureClass.SYNTAX
    return FailureClass.FORMAT if findings else FailureClass.UNKNOWN


def fix_commands(command: str, findings: Sequence[Finding]) -> tuple[str, ...]:
    """The same formatter with `-w` on the named files; `-s` is kept, because it changes what is well formatted."""
    files = files_of(finding for finding in findings if finding.rule == _UNFORMATTED)
    called = _CALLED.search(command)
    if not files:
        return ()
    simplify = ["-s"] if called and re.search(r" -s\b", called["options"]) else []
    return (shlex.join([called["tool"] if called else NAME, *simplify, "-w", "--", *files]),)
