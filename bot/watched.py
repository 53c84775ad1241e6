"""Which of the runs on live pages have something new: one question to the database for all of them.

Two hundred pages that each asked twice a second would take a fifth of a processor from the deliveries.
"""

from __future__ import annotations

import asyncio
import time
from collections import Counter
from collections.abc import Callable, Collection, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field

from starlette.concurrency import run_in_threadpool

from workers.domain import RunId

LOOK_SECONDS = 0.5

Look = Callable[[Collection[RunId]], Mapping[RunId, int]]
"""The id of the newest event of each of these runs: `Pages.newest`."""


@dataclass
class Watched:
    """The runs that somebody watches. One for each server, on its event loop."""

    look: Look
    clock: Callable[[], float] = time.monotonic
    _watchers: Counter[RunId] = field(default_factory=Counter, init=False)
    _newest: Mapping[RunId, int] = field(default_factory=dict, init=False)
    _asked: frozenset[RunId] = field(default=frozenset(), init=False)
    _at: float = field(default=float("-inf"), init=False)
    _lock: asyncio.Lock = field(default_factory=asyncio.Lock, init=False)

    @contextmanager
    def watching(self, run: RunId) -> Iterator[None]:
        """Somebody watches the run from here on."""
        self._watchers[run] += 1
        try:
            yield
        finally:
            self._watchers[run] -= 1
            if not self._watchers[run]:
                del self._watchers[run]

    async def newest(self, run: RunId) -> int:
        """The id of the run's newest event, 0 for none, at most `LOOK_SECONDS` old."""
        async with self._lock:
            if run not in self._asked or self.clock() - self._at >= LOOK_SECONDS:
                asked, at = frozenset(self._watchers), self.clock()
                self._newest = await run_in_threadpool(self.look, asked)
                self._asked, self._at = asked, at
        return self._newest.get(run, 0)
