"""Reruns on the real engine, and what is read in them."""

from __future__ import annotations

from dataclasses import replace
from threading import Event

import pytest

from sandbox.checks import DockerEnvironment
from sandbox.spec import Plan, Step, TestCase
from tests.workers.fixers.conftest import environment, sandbox
from tests.workers.fixers.trees import MemoryTree
from tests.workers.made import GREEN, RED
from workers.domain import Sighting
from workers.reruns import green_when_turned, limits, repeat, sightings

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


def test_sightings_are_of_red_tests_alone() -> None:
    """A test that was green in every run says nothing, nor does one that was skipped; executions are counted."""
    skipped = replace(RED, tests=(TestCase("tests/test_calc.py::t0", "skipped"),))
    assert sightings((RED, GREEN, skipped)) == (Sighting("tests/test_calc.py::t0", executions=2, red=1),)
    assert sightings((GREEN,)) == ()
