"""Tests that never end: they are ended, told as failures, and cost the tests behind them nothing."""

from __future__ import annotations

import os
import signal
from pathlib import Path
from typing import Any

import pytest

from workers.spectrum.sandboxed import project
from workers.spectrum.sandboxed.children import answer
from workers.spectrum.sandboxed.outcomes import Hung, alarm
from workers.spectrum.sandboxed.session import session
from workers.spectrum.sandboxed.tracing import Tracer

TESTS = """def spin():
    while True:
        try:
            sum(range(100))
        except Exception:
            pass


def test_a():
    spin()


def test_b():
    spin()


def test_c():
    pass
"""


def test_an_endless_loop_is_ended_though_it_catches_exceptions() -> None:
    """And the timer that ran before runs on, with its own handler."""
    handler = signal.getsignal(signal.SIGALRM)
    signal.setitimer(signal.ITIMER_REAL, 500)
    names: dict[str, Any] = {}
    exec(TESTS, names)  # noqa: S102 - the text above
    with pytest.raises(Hung), alarm(0.05):
        names["spin"]()
    assert 400 < signal.setitimer(signal.ITIMER_REAL, 0)[0] <= 500
    assert signal.getsignal(signal.SIGALRM) is handler


def test_hanging_tests_are_failures_of_the_red_state(tmp_path: Path) -> None:
    """Each by itself, and what passes is seen to pass."""
    (tmp_path / "test_loops.py").write_text(TESTS)
    plan: dict[str, Any] = {"trace_s": 20.0, "hang_s": 0.2}

    def traced() -> dict[str, Any]:
        tracer = Tracer(plan)
        found = session(
            "pytest", [str(tmp_path), "--rootdir", str(tmp_path), "-p", "no:timeout", "-c", "/dev/null"], tracer
        )
        return {**found, "raised": {name: said["type"] for name, said in tracer.exceptions.items()}}

    found = answer(traced, 60.0)
    assert found["raised"] == {"test_loops.py::test_a": "Hung", "test_loops.py::test_b": "Hung"}
    assert list(found["passed"]) == ["test_loops.py::test_c"]


LOOP = """def halve(n):
    steps = []
    while n != 1:
        n = n // 2
        steps.append(n)
        del steps[5:]
    return steps
"""
HALVES = """from loop import halve


def test_halves():
    assert halve(0) == []
"""


def test_what_is_known_to_take_long_is_traced_until_it_shows_nothing_new(tmp_path: Path) -> None:
    """Its time is not waited for: all lines of the loop, and the types of what the function had in its hands."""
    (tmp_path / "loop.py").write_text(LOOP)
    (tmp_path / "test_loop.py").write_text(HALVES)
    name = "test_loop.py::test_halves"
    options = ["--rootdir", str(tmp_path), "-p", "no:timeout", "-c", "/dev/null"]

    def traced(plan: dict[str, Any]) -> dict[str, Any]:
        os.chdir(tmp_path)
        project.ROOT = tmp_path
        tracer = Tracer(plan)
        found = session("pytest", [str(tmp_path), *options], tracer)
        raised = {name: said["type"] for name, said in tracer.exceptions.items()}
        return {**found, "raised": raised, "counts": tracer.counts, "types": tracer.live.types}

    found = answer(lambda: traced({"trace_s": 900.0, "hang_s": 900.0, "slow": [name]}), 60.0)
    assert found["raised"] == {name: "Hung"}
    assert set(found["counts"]["loop.py"]) == {"1", "2", "3", "4", "5", "6"}
    assert found["types"]["loop.py"] == {"halve:1": {"n": ["int"], "steps": ["list"]}}
