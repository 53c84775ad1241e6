"""Reads make: its own errors in a Makefile, and the target whose command failed with that command's last words.

It stands behind the tools that a Makefile calls: what they say of themselves goes first.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from sandbox.spec import TestCase
from workers.domain import FailureClass, Finding
from workers.scripts import invocations
from workers.tools import words
from workers.tools.phrases import kind, phrase, said, spoken
from workers.tools.plain import fix_commands

__all__ = ["NAME", "RUNS_TESTS", "classify", "findings", "fix_commands", "recognises"]

NAME = "make"
RUNS_TESTS = False
_MAKE = r"(?:g|m|mingw32-)?make(?:\[\d{1,3}\])?: "
_PLACE = r"(?P<path>[^\s:*][^:*\n]{0,300}):(?P<line>\d{1,7}): \*\*\* "
_PHRASES = (
    phrase("syntax", FailureClass.SYNTAX,
           rf"{_PLACE}(?P<text>(?:missing separator|recipe commences before first target|missing `?endef"
           rf"|missing `?endif"
           r"|unterminated |extraneous |commands commence).{0,400}?)(?:\.  Stop\.)?$"),
    phrase("makefile", FailureClass.BUILD, rf"{_PLACE}(?P<text>.{{1,400}}?)(?:\.  Stop\.)?$"),
    phrase("no-makefile", FailureClass.WORKFLOW, rf"{_MAKE}\*\*\* (?P<text>No targets.{{0,400}}?)\.?(?:  Stop\.)?$"),
    phrase("no-rule", FailureClass.BUILD,
           rf"{_MAKE}\*\*\* (?P<text>No rule to make target .{{1,400}}, needed by .{{1,400}}?)\.?(?:  Stop\.)?$"),
    phrase("no-target", FailureClass.WORKFLOW,
           rf"{_MAKE}\*\*\* (?P<text>No rule to make target .{{1,400}}?)\.?(?:  Stop\.)?$"),
    phrase("command", FailureClass.WORKFLOW,
           rf"{_MAKE}(?P<text>[^\s*:][^:\n]{{0,300}}: (?:No such file or directory|Permission denied))$"),
)  # fmt: skip
_FAILED = re.compile(
    rf"^{_MAKE}\*\*\* \[(?:[^\]\s:][^\]:\n]{{0,300}}:\d{{1,7}}: )?(?P<target>[^\]\n]{{1,300}})\] "
    r"(?:Error (?P<code>\d{1,3})|(?P<signal>[A-Z][A-Za-z ]{2,40}))"
)
_OWN = re.compile(rf"^{_MAKE}")


def recognises(command: str, output: str) -> bool:
    called = invocations(command, NAME) or invocations(command, "gmake")
    return bool(called) or said(_PHRASES, output) or any(_FAILED.match(line) for line in output.split("\n"))


def findings(output: str, tests: Sequence[TestCase]) -> tuple[Finding, ...]:  # noqa: ARG001 - make reports no tests
    """Its own errors, else the first target that failed: those above it failed because of it."""
    if "*** " not in output and "make" not in output:
        return ()
    return spoken(_PHRASES, output) or _failed(output.split("\n"))


def classify(output: str, findings: Sequence[Finding]) -> FailureClass:
    """What a failed command means is for others to say, except that the system killed it."""
    if any(match["signal"] == "Killed" for line in output.split("\n") if (match := _FAILED.match(line))):
        return FailureClass.OOM
    return kind(_PHRASES, findings)


def _failed(lines: Sequence[str]) -> tuple[Finding, ...]:
    for at, line in enumerate(lines):
        if match := _FAILED.match(line):
            before = [said for said in lines[max(0, at - 60) : at] if not _OWN.match(said)]
            how = f"exit code {match['code']}" if match["code"] else match["signal"]
            message = words.last(before) or f"the command of target '{match['target']}' ended with {how}"
            return (Finding(message, None, None, None, f"target {match['target']}"),)
    return ()
