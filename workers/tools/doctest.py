"""Reads the standard library's doctest: the examples whose output was another one, or that raised.

pytest and unittest print the same words in frames of their own, so their modules ask here what an example says.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from sandbox.spec import TestCase
from workers.domain import FailureClass, Finding
from workers.scripts import invocations
from workers.tools.exceptions import class_of, kind_of
from workers.tools.plain import MESSAGE, fix_commands, unique

__all__ = ["NAME", "RUNS_TESTS", "classify", "findings", "fix_commands", "recognises"]

NAME = "doctest"
RUNS_TESTS = True
_HEAD = re.compile(
    r'^File "(?P<path>[^"\n]{1,400})", line (?P<line>\d{1,7}|\?), in (?P<test>[^\n]{1,400})\nFailed example:\n',
    re.MULTILINE,
)
_RULE = re.compile(r"^(?:\*{70}|-{70}|={70})$", re.MULTILINE)
_DONE = "***Test Failed*** "
_RAISED = re.compile(r"^UNEXPECTED EXCEPTION: (?P<kind>[A-Za-z_][\w.]{0,100})\((?P<text>.*)\)$", re.MULTILINE)
_DISAGREES = "DocTestFailure: "


def recognises(command: str, output: str) -> bool:
    return bool(invocations(command, NAME)) or _DONE in output


def findings(output: str, tests: Sequence[TestCase]) -> tuple[Finding, ...]:  # noqa: ARG001 - the text says all
    """One finding per example, at the example's line. Its test is the docstring's owner, or the text file."""
    if "Failed example:" not in output:
        return ()
    found = []
    heads = list(_HEAD.finditer(output))
    for head, end in zip(heads, [*(one.start() for one in heads), len(output)][1:], strict=True):
        body = _RULE.split(output[head.end() : end], maxsplit=1)[0]
        message = disagreement(body) or "the example fails"
        line = None if head["line"] == "?" else int(head["line"])
        found.append(Finding(message, head["path"], line, head["test"], kind(message) or kind_of(message) or None))
    return unique(found)


def classify(output: str, findings: Sequence[Finding]) -> FailureClass:  # noqa: ARG001 - the findings say all
    return class_of([finding.rule or "" for finding in findings])


def disagreement(body: str) -> str:
    """What an example was to print and what it printed, or what it raised; empty when the text is no example's."""
    if raised := _RAISED.search(body):
        return f"{raised['kind']}: {raised['text'].strip(chr(34) + chr(39))}"[:MESSAGE]
    lines = body.split("\n")
    if "Exception raised:" in lines:
        said = [line.strip() for line in lines if line.startswith("    ") and kind_of(line.strip())]
        return said[-1][:MESSAGE] if said else ""
    expected, got = _block(lines, "Expected"), _block(lines, "Got")
    return f"{_DISAGREES}expected {expected}, got {got}"[:MESSAGE] if expected and got else ""


def kind(message: str) -> str:
    """The name for an example that printed something else."""
    return "DocTestFailure" if message.startswith(_DISAGREES) else ""


def _block(lines: Sequence[str], title: str) -> str:
    """The indented lines under `title:` as one; `nothing` where doctest says so, empty without the title."""
    if f"{title} nothing" in lines:
        return "nothing"
    if f"{title}:" not in lines:
        return ""
    start = lines.index(f"{title}:") + 1
    block = []
    for line in lines[start : start + 10]:
        if line and not line.startswith("    "):
            break
        block.append(line.strip())
    return " ".join(filter(None, block))[:200] or "an empty line"
