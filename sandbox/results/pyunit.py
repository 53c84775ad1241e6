"""What Python's own unittest prints (also Django's runner), as test cases by dotted name.

Without -v only failing tests have names. A class or a module that could not be set up is named like itself.
"""

from __future__ import annotations

import re

from sandbox.capture import begun
from sandbox.results.cases import Cases, Found

RUNNER = "unittest"
_TEST = re.compile(r"^(?P<method>[\w.]+) \((?P<owner>[\w.]+)\)(?: \(.*\)| \[.*\])?(?: \.\.\. (?P<outcome>.*))?$")
_OUTCOME = re.compile(r"^(?:.* \.\.\. )?(ok|FAIL|ERROR|skipped .*|expected failure|unexpected success)$")
_FRAME = re.compile(r'^ *File "([^"]+)", line (\d+)')
_SECTION = re.compile(r"^(FAIL|ERROR): ([\w.]+) \(([\w.]+)\)")
_RULE = re.compile(r"^(?:={20,}|-{20,})$")
_RAN = re.compile(r"^Ran (\d{1,9}) tests? in [\d.]+s$")
_SKIPPED = re.compile(r"^(?:OK|FAILED) \(.*?skipped=(\d{1,9})")
_STATUS = {"ok": "passed", "FAIL": "failed", "ERROR": "error", "skipped": "skipped", "expected": "skipped",
           "unexpected": "failed"}  # fmt: skip


def parse(text: str) -> Found | None:
    """None when unittest's closing line is not there."""
    cases, told, pending = Cases(), -1, ""
    section, rules, said = "", 0, []  # type: tuple[str, int, list[str]]
    status = "failed"
    for line in text.split("\n"):
        head = _SECTION.match(line)
        rules += bool(section and _RULE.match(line))
        if section and (head or rules > 1):  # one rule under the title, one after the traceback
            cases.add(section, status, message=_message(said))
            section, said = "", []
        if head:
            section, rules = test_id(head[2], head[3]), 0
            status = "failed" if head[1] == "FAIL" else "error"
        elif ran := _RAN.match(line):
            told = max(told, 0) + int(ran[1])
        elif told >= 0 and (skipped := _SKIPPED.match(line)):
            told = max(0, told - int(skipped[1]))
        elif section:
            said.append(begun(line, 500)) if len(said) < 200 else None
        else:
            pending = _row(line, pending, cases)
    return Found(RUNNER, cases.tests(), told) if told >= 0 else None


def _row(line: str, pending: str, cases: Cases) -> str:
    """One line of -v. A test with a docstring, or one that prints, has its outcome on a later line."""
    test, outcome = _TEST.match(line), _OUTCOME.match(line)
    name = test_id(test["method"], test["owner"]) if test else pending
    if outcome and name:
        cases.add(name, _STATUS[outcome[1].split(" ")[0]])
        return ""
    return name


def _message(section: list[str]) -> str:
    """The last line of a traceback, after the place of its last frame outside of Python's own files."""
    lines = [line for line in section if line.strip() and not _RULE.match(line)]
    frames = [match for line in lines if (match := _FRAME.match(line)) and "/lib/python" not in match[1]]
    place = f"{frames[-1][1]}:{frames[-1][2]}: " if frames else ""
    return place + (lines[-1].strip() if lines else "")


def test_id(method: str, owner: str) -> str:
    """`test_x (tests.test_a.A.test_x)` of Python 3.11 and `test_x (tests.test_a.A)` of older ones become one id."""
    if owner.startswith("unittest.loader."):  # a module that could not be imported
        return method
    if method in ("setUpClass", "tearDownClass", "setUpModule", "tearDownModule"):
        return owner
    return owner if owner.endswith(f".{method}") or owner == method else f"{owner}.{method}"
