"""Red tests that take long to fail, as those do that run into a time limit: of several that fail in the same place,
one shows as well as all of them that a check is red again.

The first run runs every test under CI's own limits. In a repeat, once one test of such a group has failed again, the
rest of it is skipped by name; of a test that was skipped so nothing is said.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from statistics import median

from sandbox.spec import Result, Step, TestCase
from workers.plugged import has, plugged

_SLOW_S, _TIMES = 1.0, 100
"""A red test is slow from so many seconds on, and so many times the median of the tests that pass beside it."""
_NAME, _GROUPS = "heal_spared", "heal_spared.json"
_PLACE = re.compile(r"([^:\n]{1,300}\.py):\d{1,9}: ")
"""How the reporter's message begins: the file in which the test failed, be it the test's own or another."""
_OTHERS = ("/site-packages/", "/dist-packages/")
_RED = ("failed", "error")

_PLUGIN = b'''"""Of slow red tests that fail in the same place, one is enough: the others are skipped after it."""
import json
import os

import pytest

with open(os.path.join(os.path.dirname(os.path.abspath(__file__)), "heal_spared.json"), encoding="utf-8") as file:
    GROUPS = {name: number for number, names in enumerate(json.load(file)) for name in names}
RED_AGAIN = {}


def pytest_runtest_logreport(report):
    if report.failed and report.nodeid in GROUPS:
        RED_AGAIN.setdefault(GROUPS[report.nodeid], report.nodeid)


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_setup(item):
    again = RED_AGAIN.get(GROUPS.get(item.nodeid))
    if again is not None:
        pytest.skip("not repeated: it failed in the same place as " + again + ", which is red again")
'''


def slow(first: Result) -> tuple[TestCase, ...]:
    """The red tests that took far longer than those that pass. Empty for another runner than pytest: only its reporter
    tells seconds and places of single tests."""
    if not first.source.startswith("pytest"):
        return ()
    passing = [test.seconds for test in first.tests if test.status == "passed"]
    least = max(_SLOW_S, _TIMES * median(passing)) if passing else _SLOW_S
    return tuple(test for test in first.tests if test.status in _RED and test.seconds >= least)


def groups(first: Result) -> tuple[tuple[str, ...], ...]:
    """Two or more slow red tests each, by the file they failed in, else by their function."""
    found: dict[str, list[str]] = {}
    for test in slow(first):
        found.setdefault(_place(test), []).append(test.id)
    return tuple(tuple(names) for names in found.values() if len(names) > 1)


def again(step: Step, first: Result) -> Step:
    """The step as it is repeated."""
    return plugged(step, _NAME) if groups(first) else step


def inputs(step: Step, first: Result) -> Mapping[str, bytes]:
    """What the run of such a step finds beside it; nothing for a step that is as it was."""
    if not has(step, _NAME):
        return {}
    return {f"{_NAME}.py": _PLUGIN, _GROUPS: json.dumps(groups(first)).encode()}


def repeated(step: Step, first: Result) -> tuple[Step, Mapping[str, bytes] | None]:
    """The step as it is repeated, with what its run finds beside it."""
    step = again(step, first)
    return step, inputs(step, first) or None


def left_out(first: Result, repeat: Result) -> frozenset[str]:
    """The tests that the repeat skipped, each because another of its group had failed again."""
    status = {test.id: test.status for test in repeat.tests}
    red_again = [names for names in groups(first) if any(status.get(name) in _RED for name in names)]
    return frozenset(name for names in red_again for name in names if status.get(name) == "skipped")


def _place(test: TestCase) -> str:
    found = _PLACE.match(test.message)
    foreign = found is None or any(part in found[1] for part in _OTHERS)
    return test.id.split("[")[0] if found is None or foreign else found[1]
