"""How long the search goes on: what is found may not hang on how busy the machine is."""

from __future__ import annotations

import os
import signal
import time
from typing import Any

import pytest

from workers.spectrum.sandboxed.allowance import Allowance, used
from workers.spectrum.sandboxed.children import PATIENT, Child
from workers.spectrum.sandboxed.warm import TURNS, allowed


@pytest.mark.parametrize(
    ("spent", "clock", "over", "left"),
    [
        (0.0, 0.0, False, 10.0),
        (19.0, 9.5, False, 0.5),  # two processors were busy all the time
        (2.0, 18.0, False, 1.0),  # so little of a busy machine, or tests that wait
        (20.5, 11.0, True, 0.0),
        (2.0, 20.5, True, 0.0),
    ],
)
def test_processor_time_decides_and_the_clock_ends_it(spent: float, clock: float, over: bool, left: float) -> None:
    """Ten seconds of two processors: twenty of work, and twenty on the clock at most."""
    at = {"spent": 100.0, "clock": 1000.0}
    allowance = Allowance(10.0, 2, lambda: at["spent"], lambda: at["clock"])
    at["spent"] += spent
    at["clock"] += clock
    assert allowance.over is over
    assert allowance.left_s == pytest.approx(left)


def test_a_test_that_takes_longer_may_take_longer_in_every_turn() -> None:
    """And in each turn longer than in the one before: a hundredth of a second more or less decides nothing."""
    limits = [number / 100 for number in range(4, 500)]
    for turn in range(TURNS):
        times = [allowed(limit, turn) for limit in limits]
        assert times == sorted(times)
    assert all(allowed(limit, turn) < allowed(limit, turn + 1) for limit in limits for turn in range(TURNS - 1))


def test_a_child_that_waits_for_a_processor_is_not_ended() -> None:
    """Silence counts what the child itself has taken, and the clock only when that is far ahead."""

    def works(_tell: Any) -> None:
        while True:
            pass

    waiting, busy = Child(lambda _tell: signal.pause(), 0.4), Child(works, 0.4)
    for child, times in ((busy, 1), (waiting, PATIENT)):
        while not child.ended:
            child.poll()
            time.sleep(0.02)
        assert child.ended == "timeout"
        assert child.seconds > times * child.limit
    assert waiting.cpu_s < waiting.limit
    assert busy.cpu_s >= busy.limit or busy.seconds > PATIENT * busy.limit


def test_what_a_process_took_is_known_while_it_runs() -> None:
    """And nothing of one that is gone."""
    began = time.process_time()
    while time.process_time() < began + 0.1:
        pass
    assert used(os.getpid()) > 0.05
    child = Child(lambda _tell: None, 1.0)
    while not child.ended:
        child.poll()
    assert used(child.pid) == 0.0
