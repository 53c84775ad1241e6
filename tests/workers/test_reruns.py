"""Reruns on the real engine, and what is read in them."""

from __future__ import annotations

from dataclasses import replace
from threading import Event

import pytest

from sandbox.checks import DockerEnvironment
from sandbox.spec import Plan, Result, Step, TestCase
from tests.workers.fixers.conftest import environment, sandbox
from tests.workers.fixers.trees import MemoryTree
from tests.workers.made import GREEN, RED, ScriptedEnvironment
from workers.domain import Sighting
from workers.reruns import apart, green_when_turned, limits, repeat, rerun, sightings

__all__ = ["environment", "sandbox"]

POLLUTED = """import shop

def test_adds():
    shop.rates["tax"] = 19
    assert shop.rates

def test_is_empty_at_first():
    assert not shop.rates
"""


@pytest.mark.engine
def test_a_suite_is_run_in_reverse_order(environment: DockerEnvironment) -> None:
    """A test that another one breaks is red in every run in the suite's order and green in reverse, and is named."""
    plan = Plan("python", (), Step("check", "python -m pytest -q", env={"PYTEST_ADDOPTS": "--strict-markers"}))
    tree = MemoryTree({"shop.py": "rates = {}\n", "test_shop.py": POLLUTED}).tar()
    first = environment.run(plan.check, tree, limits=limits(plan))
    kept = repeat(environment, plan, tree, first, 3, (), Event())
    assert [result.green for result in kept.same] == [False] * 3
    assert kept.turned is not None
    assert [test.id for test in kept.turned.tests] == [
        "test_shop.py::test_is_empty_at_first",
        "test_shop.py::test_adds",
    ]
    assert green_when_turned(kept, {"test_shop.py::test_is_empty_at_first"}) == (
        "test_shop.py::test_is_empty_at_first",
    )


@pytest.mark.parametrize(
    "text",
    [
        "        time.sleep(1)\n>       assert new_id() != first",
        "E       assert datetime.date(2026, 1, 1) == datetime.date(2025, 12, 31)",
        "    const began = Date.now();",
        "\ttook := time.Since(began)",
        "assertion failed at let now = \x1b[31mInstant\x1b[0m::now();",
        "long at = System.currentTimeMillis();",
    ],
)
def test_who_asks_for_the_time_is_seen(text: str) -> None:
    """By the source or the values that a failure shows, in any language, in colour too."""
    assert apart("no word of it", text) > 0


@pytest.mark.parametrize(
    "text",
    ["", "2026-09-04T16:51:17.03Z FAILED in 1.05s", "timeout", "mtime.txt", "E   assert 3 == 4  # one time, at a time"],
)
def test_others_are_not_held_up(text: str) -> None:
    """No second is spent where nothing shows that code asks for the time."""
    assert apart(text) == 0


def test_two_that_would_read_the_same_clock_do_not_start_together() -> None:
    """The second is held back, and not a moment longer when the run is cancelled."""
    second, cancel = Event(), Event()
    together = []

    def answer(step: Step, _patch: bytes | None, _number: int) -> Result:
        if step.env["PYTHONHASHSEED"] == "1":
            together.append(second.wait(0.3))
            cancel.set()
        else:
            second.set()
        return RED

    plan = Plan("python", (), Step("check", "make check"))
    rerun(ScriptedEnvironment(answer), plan, MemoryTree({}).tar(), None, 2, cancel, apart_s=600)
    assert second.is_set()
    assert together == [False]


def test_sightings_are_of_red_tests_alone() -> None:
    """A test that was green in every run says nothing, nor does one that was skipped; executions are counted."""
    skipped = replace(RED, tests=(TestCase("tests/test_calc.py::t0", "skipped"),))
    assert sightings((RED, GREEN, skipped)) == (Sighting("tests/test_calc.py::t0", executions=2, red=1),)
    assert sightings((GREEN,)) == ()
