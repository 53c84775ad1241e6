"""Reads the standard library's unittest (also Django's runner): its FAIL and ERROR sections with their tracebacks.

A subtest is a test of its own, named with its parameters; a test that was expected to fail and did not is a failure.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import replace

from sandbox.spec import TestCase
from workers.domain import FailureClass, Finding
from workers.scripts import invocations
from workers.tools import doctest
from workers.tools.exceptions import class_of, kind_of
from workers.tools.plain import MESSAGE, fix_commands

__all__ = ["NAME", "RUNS_TESTS", "classify", "findings", "fix_commands", "recognises"]

NAME = "unittest"
RUNS_TESTS = True
_HEAD = re.compile(r"^={70}\n(?P<status>FAIL|ERROR|UNEXPECTED SUCCESS): (?P<title>[^\n]{1,1000})\n", re.MULTILINE)
_RULE = re.compile(r"^(?:-{70}|={70})$", re.MULTILINE)
_CHAIN = re.compile(
    r"^(?:During handling of the above exception|The above exception was the direct cause)", re.MULTILINE
)
_BUFFERED = re.compile(r"^(?:Stdout|Stderr):$", re.MULTILINE)
_FRAME = re.compile(r'^ {2,40}File "([^"\n]{1,400})", line (\d{1,7})', re.MULTILINE)
_RAN = re.compile(r"^Ran \d{1,9} tests? in ", re.MULTILINE)
_NAMED = re.compile(r"^([\w.]{1,400}) \(([\w.]{1,400})\)(.*)$")
_UNEXPECTED = re.compile(
    r"^(?P<title>\w{1,200} \([\w.]{1,400}\))(?:\n[^\n]{1,400})? \.\.\. unexpected success$", re.MULTILINE
)
_FOREIGN = re.compile(r"/lib/python|(?:site|dist)-packages/|^<")
_UNEXPECTED_SUCCESS = "UnexpectedSuccess"


def recognises(command: str, output: str) -> bool:
    return bool(invocations(command, NAME)) or bool(_RAN.search(output))


def findings(output: str, tests: Sequence[TestCase]) -> tuple[Finding, ...]:  # noqa: ARG001 - the text says all
    """One finding per section, at the last frame that is not the standard library's."""
    found = {finding.test: finding for finding in _sections(output)}
    for match in _UNEXPECTED.finditer(output):
        test = _test_id(match["title"])
        found.setdefault(test, _unexpected(test))
    return tuple(found.values())


def classify(output: str, findings: Sequence[Finding]) -> FailureClass:  # noqa: ARG001 - the findings say all
    kinds = [finding.rule or kind_of(finding.message) for finding in findings]
    return class_of(["" if kind == _UNEXPECTED_SUCCESS else kind for kind in kinds])


def _sections(output: str) -> Iterator[Finding]:
    heads = list(_HEAD.finditer(output))
    for head, end in zip(heads, [*(one.start() for one in heads), len(output)][1:], strict=True):
        test = _test_id(head["title"])
        if head["status"] == "UNEXPECTED SUCCESS":
            yield _unexpected(test)
        else:
            yield _failure(test, output[head.end() : end])


def _failure(test: str, section: str) -> Finding:
    """`section` starts with a docstring's first line, if there is one, and a rule; a rule ends the last of them."""
    _, _, body = section.partition(f"{'-' * 70}\n")
    if examples := doctest.findings(body, ()):
        return replace(examples[0], test=test)
    body = _BUFFERED.split(_RULE.split(body, maxsplit=1)[0])[0]
    body = _CHAIN.split(body)[-1]
    frames = [frame for frame in _FRAME.findall(body) if not _FOREIGN.search(frame[0])]
    path, line = frames[-1] if frames else (None, None)
    said = [text for text in body.strip().split("\n") if kind_of(text)]
    message = (said[-1] if said else body.strip().split("\n")[-1]) or "failed"
    return Finding(message[:MESSAGE], path, int(line) if line else None, test, kind_of(message) or None)


def _unexpected(test: str) -> Finding:
    return Finding("passed, although a failure was expected", None, None, test, _UNEXPECTED_SUCCESS)


def _test_id(title: str) -> str:
    """`test_x (tests.test_a.A.test_x)` of Python 3.11 and `test_x (tests.test_a.A)` of older ones become one id.

    What follows the brackets are the parameters of a subtest. A module that cannot be imported is a test of its name.
    """
    match = _NAMED.match(title)
    if match is None:
        return title
    name, owner, rest = match.groups()
    if owner.startswith("unittest.loader."):
        return name
    return (owner if owner.endswith(f".{name}") or owner == name else f"{owner}.{name}") + rest
