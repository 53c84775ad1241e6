"""Reads pylint's messages in its text, parseable and Visual Studio formats. It cannot mend anything itself."""

from __future__ import annotations

import re
from collections.abc import Sequence

from sandbox.spec import TestCase
from workers.domain import FailureClass, Finding
from workers.scripts import invocations
from workers.tools.plain import MESSAGE, PATH, fix_commands, lint, unique

__all__ = ["NAME", "RUNS_TESTS", "classify", "findings", "fix_commands", "recognises"]

NAME = "pylint"
RUNS_TESTS = False
_TEXT = re.compile(
    rf"^{PATH}:(?P<line>\d{{1,7}}):\d{{1,7}}: (?P<code>[CRWEFI]\d{{4}}): "
    rf"(?P<text>.+) \((?P<rule>[a-z][\w-]{{1,60}})\)$",
    re.MULTILINE,
)
_PARSEABLE = re.compile(
    rf"^{PATH}:(?P<line>\d{{1,7}}): \["
    rf"(?P<code>[CRWEFI]\d{{4}})\((?P<rule>[a-z][\w-]{{1,60}})\),[^\]\n]{{0,200}}\] (?P<text>.+)$",
    re.MULTILINE,
)
_MSVS = re.compile(
    r"^(?P<path>(?:[A-Za-z]:[\\/])?[^\s:][^:\n(]{0,400})\((?P<line>\d{1,7})\): "
    r"\[[CRWEFI]\d{4}\((?P<rule>[a-z][\w-]{1,60})\)[^\]\n]{0,200}\] (?P<text>.+)$",
    re.MULTILINE,
)
_RATED = re.compile(r"^Your code has been rated at ", re.MULTILINE)
_HEADER = "************* Module "


def recognises(command: str, output: str) -> bool:
    return bool(invocations(command, NAME)) or _HEADER in output or bool(_RATED.search(output))


def findings(output: str, tests: Sequence[TestCase]) -> tuple[Finding, ...]:  # noqa: ARG001 - linters report no tests
    """The rule is the message's symbolic name."""
    if _HEADER not in output:
        return ()
    matches = [match for pattern in (_TEXT, _PARSEABLE, _MSVS) for match in pattern.finditer(output)]
    return unique(
        Finding(match["text"][:MESSAGE], match["path"], int(match["line"]), None, match["rule"]) for match in matches
    )


def classify(output: str, findings: Sequence[Finding]) -> FailureClass:  # noqa: ARG001 - the findings say all
    return lint(findings, syntax=frozenset({"syntax-error"}), missing=frozenset({"import-error"}))
