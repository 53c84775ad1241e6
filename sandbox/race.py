"""Runs side by side, in their order, a few at a time, until one of them is what was looked for."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import FIRST_EXCEPTION, ThreadPoolExecutor, wait
from threading import Event
from typing import TypeVar

T = TypeVar("T")
R = TypeVar("R")

CORES = os.cpu_count() or 1
"""Runs at once: tests are bound by the processor, so beyond its cores more runs only make each slower."""
_POLL_S = 0.05


def race(
    jobs: Sequence[T],
    run: Callable[[T, Event], R],
    won: Callable[[R], bool] = lambda _: False,
    cancel: Event | None = None,
    at_once: int = CORES,
) -> list[R | None]:
    """Start the jobs in their order, at most `at_once` at a time; what each returned, in that order.

    Each is called with an event of its own that ends it. When one has won, the events of the others are set and no
    more are started: those have None. When `cancel` is set, or a job raises, every event is set. Returns, or raises
    what the first of them raised, only when all that were started have returned.
    """
    events = [Event() for _ in jobs]
    decided = Event()

    def one(at: int) -> R | None:
        if decided.is_set():
            return None
        result = run(jobs[at], events[at])
        if won(result):
            decided.set()
            _set(event for event in events if event is not events[at])
        return result

    with ThreadPoolExecutor(max(1, at_once)) as threads:
        futures = [threads.submit(one, at) for at in range(len(jobs))]
        pending = set(futures)
        try:
            while pending:
                done, pending = wait(pending, _POLL_S, FIRST_EXCEPTION)
                if (cancel is not None and cancel.is_set()) or any(future.exception() for future in done):
                    _set(events)
        except BaseException:  # whoever interrupts us (a worker's time limit) waits for all that run
            _set(events)
            raise
    return [future.result() for future in futures]


def _set(events: Iterable[Event]) -> None:
    for event in events:
        event.set()
