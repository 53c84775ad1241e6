"""Slow red tests are repeated one per place, and what was not repeated is neither held against a run nor for it."""

from __future__ import annotations

from dataclasses import replace
from threading import Event

import pytest

from sandbox.checks import DockerEnvironment
from sandbox.spec import Plan, Result, Step, TestCase
from tests.workers.fixers.conftest import environment, sandbox
from tests.workers.fixers.trees import MemoryTree
from tests.workers.made import GREEN, RED, reproduction
from workers import spared
from workers.gates.lost import no_proof
from workers.messages.chance import steadiness
from workers.reruns import limits, repeat

__all__ = ["environment", "sandbox"]

LOOPS = """import time

def spin(n):
    while n:
        n = n
"""
SPINS = """import signal

import pytest

from loops import spin


def ended(_number, _frame):
    raise TimeoutError("longer than a second")


@pytest.mark.parametrize("n", [1, 2, 3])
def test_spins(n):
    signal.signal(signal.SIGALRM, ended)
    signal.setitimer(signal.ITIMER_REAL, 1.1)
    spin(n)


def test_stops():
    spin(0)


def test_counts():
    assert spin(0) == 0
"""


def ran(*tests: TestCase) -> Result:
    return replace(RED, tests=tests, source="pytest reporter")


def slow(name: str, at: str = "", seconds: float = 2.0, status: str = "failed") -> TestCase:
    return TestCase(name, status, seconds, f"{at}:4: Failed: Timeout" if at else "")


@pytest.mark.parametrize(
    ("tests", "expected"),
    [
        ([slow("t.py::a", "/work/loops.py"), slow("t.py::b", "/work/loops.py")], [("t.py::a", "t.py::b")]),
        ([slow("t.py::a", "/work/loops.py"), slow("t.py::b", "/work/other.py")], []),
        ([slow("t.py::a[1]"), slow("t.py::a[2]"), slow("t.py::b")], [("t.py::a[1]", "t.py::a[2]")]),
        ([slow("t.py::a", "/x/site-packages/p.py"), slow("t.py::b", "/x/site-packages/p.py")], []),
        ([slow("t.py::a", "/l.py", 0.9), slow("t.py::b", "/l.py")], []),
        ([slow("t.py::a[1]"), slow("t.py::a[2]"), TestCase("t.py::c", "passed", 0.5)], []),
        ([slow("t.py::a[1]"), slow("t.py::a[2]"), TestCase("t.py::c", "passed", 0.01)], [("t.py::a[1]", "t.py::a[2]")]),
    ],
)  # fmt: skip
def test_which_tests_stand_for_each_other(tests: list[TestCase], expected: list[tuple[str, ...]]) -> None:
    """Two or more that took at least a second, and a hundred times what passing tests take, and failed in one file of
    the repository or are cases of one function."""
    assert list(spared.groups(ran(*tests))) == expected


def test_other_runners_repeat_everything() -> None:
    """Nobody tells the seconds and the places of their tests as pytest's reporter does."""
    first = replace(ran(slow("t.py::a[1]"), slow("t.py::a[2]")), source="junit")
    assert spared.groups(first) == ()
    assert spared.again(Step("check", "make test"), first) == Step("check", "make test")


def test_what_was_left_out_is_no_missing_proof() -> None:
    """It was skipped because its like failed again. Where none did, or it passed, the proof is missing as ever."""
    one, two, other = slow("t.py::a[1]"), slow("t.py::a[2]"), TestCase("t.py::c", "failed", 0.01)
    before = ran(one, two, other)
    skipped = replace(two, status="skipped")
    assert no_proof(before, ran(one, skipped, other)) == ""
    assert "t.py::a[1] does not fail" in no_proof(before, ran(replace(one, status="skipped"), skipped, other))
    assert "t.py::a[2] does not fail" in no_proof(before, ran(one, replace(two, status="passed"), other))
    assert "t.py::c does not fail" in no_proof(before, ran(one, skipped))
    assert no_proof(before, GREEN).startswith("without the patch the check is green")


def test_readers_are_told() -> None:
    """How many tests were run once only, and why that is enough; nothing where all were repeated."""
    before = ran(slow("t.py::a[1]"), slow("t.py::a[2]"))
    assert steadiness(reproduction(before=before)) == [
        "2 tests took long to fail in the same place: all of them were run once, and in the repeated runs one of each "
        "place, the others no more once it was red again."
    ]
    assert steadiness(reproduction()) == []


@pytest.mark.engine
def test_endless_tests_are_repeated_one_per_place(environment: DockerEnvironment) -> None:
    """The first run has them all; each repeat has one of them, in either order, and every quick test."""
    plan = Plan("python", (), Step("check", "python -m pytest -q"))
    tree = MemoryTree({"loops.py": LOOPS, "test_loops.py": SPINS}).tar()
    first = environment.run(plan.check, tree, limits=limits(plan))
    assert first.count("failed") == 4
    kept = repeat(environment, plan, tree, first, 3, (), Event())
    assert kept.turned is not None
    for again in (*kept.same, kept.turned):
        assert not again.green
        assert {test.id: test.status for test in again.tests if "spins" not in test.id} == {
            "test_loops.py::test_stops": "passed",
            "test_loops.py::test_counts": "failed",
        }
        assert sorted(test.status for test in again.tests if "spins" in test.id) == ["failed", "skipped", "skipped"]
        assert len(spared.left_out(first, again)) == 2
