"""Runs side by side: started in order, ended at the first success, with results in order."""

from __future__ import annotations

import threading
import time
from threading import Event

import pytest

from sandbox.checks import DockerEnvironment
from sandbox.race import race
from sandbox.spec import Ending, Limits, Result, Step
from tests.sandbox.trees import ADDER, FIX, tree

WRONG = FIX.replace(b"+    return a + b", b"+    return a * b")
ENDLESS = FIX.replace(b"+    return a + b", b"+    while True: pass")


def test_order_and_number() -> None:
    """Jobs start in their order, never more than allowed at once, and the results keep that order."""
    began: list[int] = []
    running: list[int] = []
    most: list[int] = []
    guard, together = threading.Lock(), threading.Barrier(2)

    def run(job: int, ended: Event) -> int:
        with guard:
            began.append(job)
            running.append(job)
            most.append(len(running))
        if most_at_once == 2 and job < 2:
            together.wait(30)
        ended.wait(0.05 if job % 2 else 0.01)
        with guard:
            running.remove(job)
        return job * 10

    for most_at_once in (1, 2):
        began.clear()
        most.clear()
        assert race(range(6), run, at_once=most_at_once) == [0, 10, 20, 30, 40, 50]
        assert max(most) == most_at_once
        # Of two threads that were started the second may be the first to say so.
        assert all(abs(job - at) < most_at_once for at, job in enumerate(began))


def test_the_first_success_ends_the_rest() -> None:
    """What runs then is told to end and waited for; what has not begun is not; the winner is not disturbed."""
    ended_early: list[int] = []
    together = threading.Barrier(2)

    def run(job: int, ended: Event) -> str:
        together.wait(30)
        if ended.wait(0.1 if job == 1 else 60):
            ended_early.append(job)
            return "cancelled"
        return "green"

    assert race(range(4), run, lambda result: result == "green", at_once=2) == ["cancelled", "green", None, None]
    assert ended_early == [0]


def test_an_interrupt_ends_all(monkeypatch: pytest.MonkeyPatch) -> None:
    """What strikes the waiting thread itself, as a worker's time limit does, does not wait for the jobs' own time."""
    began = Event()

    def struck(*_: object) -> None:
        assert began.wait(10)
        raise KeyboardInterrupt

    def run(_: int, ended: Event) -> bool:
        began.set()
        return ended.wait(30)

    monkeypatch.setattr("sandbox.race.wait", struck)
    started = time.monotonic()
    with pytest.raises(KeyboardInterrupt):
        race(range(3), run, at_once=1)
    assert time.monotonic() - started < 10


def test_cancelling_ends_all() -> None:
    """The caller's event ends every job; those that come later see it set."""
    cancel = Event()
    threading.Timer(0.1, cancel.set).start()
    assert race(range(3), lambda _, ended: ended.wait(60), cancel=cancel, at_once=2) == [True, True, True]


def test_an_error_ends_all() -> None:
    """What one raises is raised when the others have returned."""
    returned: list[int] = []

    def run(job: int, ended: Event) -> None:
        if job == 0:
            raise ValueError("none of the candidate's")
        ended.wait(30)
        returned.append(job)

    with pytest.raises(ValueError, match="none of the candidate's"):
        race(range(2), run, at_once=2)
    assert returned == [1]


@pytest.mark.engine
def test_candidates_until_the_first_full_success(with_pytest: DockerEnvironment) -> None:
    """Of four patches the third is right: what still runs is cancelled, the last never begins, and the containers of
    the cancelled ones are gone at once."""
    key, engine = with_pytest.key, with_pytest._engine

    def containers() -> set[str]:
        return {name for name, labels in engine.containers("heal.role=check").items() if labels["heal.key"] == key}

    step = Step("check", "python -m pytest -q")
    limits = Limits(wall_s=60, memory=256 << 20)
    patches = [ENDLESS, WRONG, FIX, WRONG]

    def run(patch: bytes, ended: Event) -> Result:
        return with_pytest.run(step, tree(ADDER), patch, limits, cancel=ended)

    with_pytest.warm(tree(ADDER), len(patches), limits)
    results = race(patches, run, _green, at_once=2)
    endings = [result and result.ending for result in results]
    assert endings == [Ending.CANCELLED, Ending.FAILED, Ending.PASSED, None]
    with_pytest._pool.give_up()  # the one that waited for the fourth
    deadline = time.monotonic() + 60
    while containers() and time.monotonic() < deadline:  # the two that ended by themselves go in the background
        time.sleep(0.02)
    assert not containers()


def _green(result: Result) -> bool:
    return result.green and result.count("passed") == 2
