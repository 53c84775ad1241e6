"""Reads nox: which sessions failed, by which command, and what else it says is wrong.

It stands behind the tools that it calls: what they say of themselves goes first.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from sandbox.spec import TestCase
from workers.domain import FailureClass, Finding
from workers.scripts import invocations
from workers.tools import words
from workers.tools.phrases import kind, phrase, spoken
from workers.tools.plain import MESSAGE, fix_commands

__all__ = ["NAME", "RUNS_TESTS", "classify", "findings", "fix_commands", "recognises"]

NAME = "nox"
RUNS_TESTS = False
_PHRASES = (
    phrase("session", FailureClass.WORKFLOW, r"nox > (?P<text>Sessions not found: .+)$"),
    phrase("noxfile", FailureClass.WORKFLOW,
           r"nox > (?P<text>(?:Failed to load Noxfile|Noxfile not found|Error while loading).+)$"),
    phrase("interpreter", FailureClass.WORKFLOW,
           r"nox > (?P<text>Session .{1,400} (?:failed|skipped): Python interpreter .+)$"),
    phrase("program", FailureClass.WORKFLOW, r"nox > (?P<text>Program .{1,400} not found\.)$"),
    phrase("aborted", FailureClass.UNKNOWN, r"nox > (?P<text>Session .{1,400} aborted: .+)$"),
)  # fmt: skip
_SESSION = re.compile(r"^nox > Running session (?P<session>\S.*)$")
_COMMAND = re.compile(r"^nox > Command (?P<command>.{1,3000}) failed with exit code (?P<code>-?\d{1,10})")
_MARK = "nox > "


def recognises(command: str, output: str) -> bool:
    return bool(invocations(command, NAME)) or "\nnox > " in f"\n{output}"


def findings(output: str, tests: Sequence[TestCase]) -> tuple[Finding, ...]:  # noqa: ARG001 - the tools inside do
    """One finding per session that failed, with the last words of its command; the rule names the session."""
    if _MARK not in output:
        return ()
    lines = output.split("\n")
    found, session, start = list(spoken(_PHRASES, output)), "", 0
    for at, line in enumerate(lines):
        if match := _SESSION.match(line):
            session = match["session"]
        elif match := _COMMAND.match(line):
            said = words.last(lines[start:at])
            how = f"ended with exit code {match['code']}{f': {said}' if said else ''}"
            message = f"{session}: `{match['command'][:200]}` {how}"
            found.append(Finding(message[:MESSAGE], rule=f"session {session}"))
        if line.startswith(_MARK):
            start = at + 1
    return tuple(found)


def classify(output: str, findings: Sequence[Finding]) -> FailureClass:  # noqa: ARG001 - the findings say all
    """What a failed command means is for others to say."""
    return kind(_PHRASES, findings)
