"""Which changed lines count, and which of them the tests are said to have executed."""

from __future__ import annotations

import json
from dataclasses import replace
from threading import Event

import pytest

from sandbox.spec import Result, Step
from tests.workers.fixers.benches import bench
from tests.workers.made import RED, ScriptedEnvironment
from workers.domain import Coverage, Suite
from workers.gates.lines import covered

BEFORE = '''"""Doc."""
import os


@cached
def add(a, b):
    """Doc."""
    if a:
        return a
    else:
        return (
            b
        )
'''
AFTER = '''"""Another doc."""
import sys
# a comment
LIMIT = {
    "a": 1,
}


@lru
@cached
def add(a, b=1):
    """Doc
    two."""
    global LIMIT
    try:
        if a and b:
            return a
        else:
            return (
                b
                + 1
            )
    except ValueError:
        raise
    match a:
        case 1:
            return 2


class Price:
    rate = 2
'''
COUNTED = (2, 4, 5, 9, 11, 16, 17, 19, 20, 21, 23, 24, 25, 27, 30, 31)


def seen(report: bytes, after: str = AFTER, tool: str = "pytest", path: str = "calc.py") -> Coverage | None:
    environment = ScriptedEnvironment(lambda step, patch, n: replace(RED, report=report))
    work = bench({path: BEFORE}, environment, "pytest -q", RED, tool=tool)
    edits = {path: after.encode()}
    return covered(edits, work.tree.diff(edits), work, Event())


def ran(*lines: int, **changes: object) -> bytes:
    row = {"kind": "lines", "failed": {}, "passed": {"t": 0.1}, "lines": {"calc.py": lines}, **changes}
    return json.dumps(row).encode()


def test_lines_that_do_nothing_are_not_counted() -> None:
    """Comments, docstrings, brackets and words without an instruction; every line of a statement is its own."""
    found = seen(ran())
    assert found is not None
    assert tuple(line for _, line in found.missed) == COUNTED
    assert found.lines == len(found.missed)


def test_a_statement_is_executed_when_any_of_its_lines_is() -> None:
    """Of a call over several lines the interpreter names one; a function's head is executed apart from its body."""
    found = seen(ran(2, 4, 11, 16, 19, 31))
    assert found is not None
    assert tuple(line for _, line in found.missed) == (17, 23, 24, 25, 27, 30)


def test_what_cannot_be_seen_is_said() -> None:
    """No trace, another tool's failure, a run without tests: unknown. Another file: named."""
    assert seen(b"") is None
    assert seen(ran(), tool="ruff") is None
    assert seen(ran(passed={})) is None
    assert seen(ran(), path="data.json", after="{}") == Coverage(0, (), ("data.json",))
    assert seen(ran(), after="x = (") == Coverage(0)


GUARDED = BEFORE.replace("        return a\n", "        if b:\n            return a\n")


@pytest.mark.parametrize(
    ("suite", "sidelined"),
    [(None, (("calc.py", 10),)), (ran(8, 9), (("calc.py", 10),)), (ran(8, 9, 10), ()), (b"", ())],
)
def test_what_is_put_behind_a_condition_that_never_held_is_told(
    suite: bytes | None, sidelined: tuple[tuple[str, int], ...]
) -> None:
    """Where the command is a part of the suite, the rest of it has a say first; what it says must be known."""
    check = ran(8, 9, 12)

    def answered(_step: Step, _patch: bytes | None, number: int) -> Result:
        return replace(RED, report=suite or b"" if number else check)

    work = bench({"calc.py": BEFORE}, ScriptedEnvironment(answered), "pytest -q test_calc.py", RED)
    edits = {"calc.py": GUARDED.encode()}
    beside = Suite(Step("suite", "pytest -q"), RED) if suite is not None else None
    found = covered(edits, work.tree.diff(edits), work, Event(), beside)
    assert found is not None
    assert found.sidelined == sidelined


@pytest.mark.parametrize("report", [b"{", b'{"kind": "lines"}', ran(lines=[1]), ran(lines={"calc.py": ["x"]})])
def test_any_report_can_be_read(report: bytes) -> None:
    """It is written where untrusted code runs."""
    assert seen(report) is None
