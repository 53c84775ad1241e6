"""Reads ninja: its own errors, and the edges that failed with their commands' last words.

It stands behind the compilers it calls: what they say of themselves goes first.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from sandbox.spec import TestCase
from workers.domain import FailureClass, Finding
from workers.scripts import invocations
from workers.tools import words
from workers.tools.phrases import kind, phrase, spoken
from workers.tools.plain import fix_commands, unique

__all__ = ["NAME", "RUNS_TESTS", "classify", "findings", "fix_commands", "recognises"]

NAME = "ninja"
RUNS_TESTS = False
_PHRASES = (
    phrase("manifest", FailureClass.WORKFLOW, r"ninja: error: (?P<text>loading '.{1,400}': .+)$"),
    phrase("no-target", FailureClass.WORKFLOW, r"ninja: error: (?P<text>unknown target .+)$"),
    phrase("no-rule", FailureClass.BUILD, r"ninja: error: (?P<text>.+)$"),
    phrase("oom", FailureClass.OOM, r"ninja: (?P<text>fatal: .{0,400}(?:posix_spawn|fork|Cannot allocate memory).*)$"),
)  # fmt: skip
_EDGE = re.compile(r"^FAILED: (?:\[code=\d{1,3}\] )?(?P<target>\S.{0,500}?) ?$")
_NEXT = re.compile(r"^\[\d{1,7}/\d{1,7}\] |^ninja: |^FAILED: ")
_STOPPED = "ninja: build stopped: "


def recognises(command: str, output: str) -> bool:
    return bool(invocations(command, NAME)) or _STOPPED in output or "ninja: error: " in output


def findings(output: str, tests: Sequence[TestCase]) -> tuple[Finding, ...]:  # noqa: ARG001 - ninja reports no tests
    """Its own errors, else each edge that failed, with the last words of its command."""
    lines = output.split("\n")
    own = spoken(_PHRASES, output)
    if own or _STOPPED not in output:
        return own
    found = []
    for at, line in enumerate(lines):
        if edge := _EDGE.match(line):
            said = lines[at + 2 : at + 60]  # the line between is the command
            end = next((number for number, one in enumerate(said) if _NEXT.match(one)), len(said))
            message = words.last(said[:end]) or f"the command of {edge['target']} failed"
            found.append(Finding(message, None, None, None, f"target {edge['target']}"))
    return unique(found)


def classify(output: str, findings: Sequence[Finding]) -> FailureClass:  # noqa: ARG001 - the findings say all
    if any((finding.rule or "").startswith("target ") for finding in findings):
        return FailureClass.BUILD
    return kind(_PHRASES, findings)
