"""The group-commit thread on a store that is no database: what goes into one commit, and when there is none."""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field

import pytest

from bot.writer import BREATH_SECONDS, LARGEST_BATCH, LONGEST_QUEUE, StoreUnavailable, Writer
from workers.store.inbox import PackedRow, Stored
from workers.store.packing import pack


def _row(guid: str) -> PackedRow:
    return PackedRow(guid, "push", pack([b"{}"]))


@dataclass
class Shelf:
    """A store that remembers its commits. It waits while `open` is not set, and fails while `broken`."""

    open: threading.Event = field(default_factory=threading.Event)
    entered: threading.Event = field(default_factory=threading.Event)
    broken: bool = False
    commits: list[list[str]] = field(default_factory=list)
    times: list[tuple[float, float]] = field(default_factory=list)
    """When each began and ended."""
    told: int = 0

    def store(self, rows: Sequence[PackedRow]) -> list[Stored]:
        """One commit."""
        began = time.monotonic()
        self.entered.set()
        self.open.wait(10)
        if self.broken:
            raise OSError("no space left on device")
        self.commits.append([row.guid for row in rows])
        self.times.append((began, time.monotonic()))
        return [Stored(duplicate=False) for _ in rows]

    def stored(self) -> None:
        """Called after a commit."""
        self.told += 1


@contextmanager
def writing(shelf: Shelf) -> Iterator[Writer]:
    """A writer that runs."""
    writer = Writer(shelf.store, shelf.stored)
    writer.start()
    try:
        yield writer
    finally:
        shelf.open.set()
        writer.stop()


async def _held_up(writer: Writer, shelf: Shelf, count: int) -> list[asyncio.Task[Stored]]:
    """One delivery whose commit does not end, and so many behind it."""
    first = asyncio.create_task(writer.add(_row("first")))
    await asyncio.to_thread(shelf.entered.wait, 10)
    others = [asyncio.create_task(writer.add(_row(f"{n}"))) for n in range(count)]
    await asyncio.sleep(0)
    return [first, *others]


def test_what_comes_during_a_commit_shares_the_next() -> None:
    """In the order it came, at most so many together, and the dispatcher is told once for each commit."""
    shelf = Shelf()

    async def load() -> None:
        waiting = await _held_up(writer, shelf, LARGEST_BATCH + 5)
        shelf.open.set()
        await asyncio.gather(*waiting)

    with writing(shelf) as writer:
        asyncio.run(load())
    numbers = [str(n) for n in range(LARGEST_BATCH + 5)]
    assert shelf.commits == [["first"], numbers[:LARGEST_BATCH], numbers[LARGEST_BATCH:]]
    assert shelf.told == 3


def test_commits_keep_their_distance() -> None:
    """Deliveries one after the other are not committed without a pause: each commit would cost more than its row."""
    shelf = Shelf()
    shelf.open.set()

    async def load() -> None:
        for n in range(4):
            await writer.add(_row(f"{n}"))

    with writing(shelf) as writer:
        asyncio.run(load())
    pauses = [began - ended for (_, ended), (began, _) in zip(shelf.times, shelf.times[1:], strict=False)]
    assert len(pauses) == 3
    assert min(pauses) >= BREATH_SECONDS * 0.9


def test_a_store_that_fails_is_told_to_everybody_who_waits() -> None:
    """And the writer goes on with what comes afterwards."""
    shelf = Shelf(broken=True)

    async def load() -> Stored:
        waiting = await _held_up(writer, shelf, 3)
        shelf.open.set()
        answers = await asyncio.gather(*waiting, return_exceptions=True)
        assert {type(answer) for answer in answers} == {StoreUnavailable}
        shelf.broken = False
        return await writer.add(_row("after"))

    with writing(shelf) as writer:
        assert asyncio.run(load()) == Stored(duplicate=False)
    assert shelf.commits == [["after"]]


def test_a_queue_that_is_full_takes_no_more() -> None:
    """Who comes then is sent away at once; who waited is served."""
    shelf = Shelf()

    async def load() -> None:
        waiting = await _held_up(writer, shelf, LONGEST_QUEUE)
        with pytest.raises(StoreUnavailable):
            await writer.add(_row("late"))
        shelf.open.set()
        await asyncio.gather(*waiting)

    with writing(shelf) as writer:
        asyncio.run(load())
    assert sum(map(len, shelf.commits)) == LONGEST_QUEUE + 1


def test_a_writer_that_has_stopped_takes_nothing() -> None:
    """What was queued before is written."""
    shelf = Shelf()
    with writing(shelf) as writer:
        asyncio.run(_stopped(writer, shelf))
    assert shelf.commits == [["first"], ["0", "1"]]


async def _stopped(writer: Writer, shelf: Shelf) -> None:
    waiting = await _held_up(writer, shelf, 2)
    shelf.open.set()
    await asyncio.to_thread(writer.stop)
    await asyncio.gather(*waiting)
    with pytest.raises(StoreUnavailable):
        await writer.add(_row("late"))
