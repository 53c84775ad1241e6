"""Live pages share their questions to the database."""

from __future__ import annotations

import asyncio
from collections.abc import Collection, Mapping
from contextlib import ExitStack
from dataclasses import dataclass, field

from bot.watched import LOOK_SECONDS, Watched
from workers.domain import RunId

ONE, OTHER = RunId("a"), RunId("b")


@dataclass
class Database:
    """Answers, and remembers what it was asked."""

    asked: list[frozenset[RunId]] = field(default_factory=list)
    now: float = 0.0

    def look(self, runs: Collection[RunId]) -> Mapping[RunId, int]:
        self.asked.append(frozenset(runs))
        return {ONE: 7}


def test_two_hundred_pages_ask_once() -> None:
    """Whoever asks within half a second gets the same answer; a run that was not asked for is asked for at once."""
    database = Database()
    watched = Watched(database.look, lambda: database.now)

    async def visit() -> list[int]:
        with ExitStack() as pages:
            for _ in range(200):
                pages.enter_context(watched.watching(ONE))
            found = list(await asyncio.gather(*(watched.newest(ONE) for _ in range(200))))
            pages.enter_context(watched.watching(OTHER))
            found.append(await watched.newest(OTHER))
            database.now += LOOK_SECONDS
            found.append(await watched.newest(ONE))
        with watched.watching(OTHER):
            database.now += LOOK_SECONDS
            await watched.newest(OTHER)
        return found

    assert asyncio.run(visit()) == [7] * 200 + [0, 7]
    assert database.asked == [{ONE}, {ONE, OTHER}, {ONE, OTHER}, {OTHER}]
