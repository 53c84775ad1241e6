"""One thread that writes deliveries: what arrives while a commit is under way goes into the next commit together.

A request waits only for the commit that holds its own row. SQLite gains a factor of five under load from this.
"""

from __future__ import annotations

import asyncio
import queue
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import structlog
from sqlalchemy.exc import SQLAlchemyError

from workers.store.inbox import PackedRow, Stored

LARGEST_BATCH = 64
LONGEST_QUEUE = 2048
BREATH_SECONDS = 0.05
"""Least time between two commits. One costs as much as ten rows, and at a hundred deliveries a second five or six
share it; a delivery that comes alone is written at once."""

log = structlog.get_logger(__name__)

Store = Callable[[Sequence[PackedRow]], Sequence[Stored]]
"""Commits deliveries in one transaction: `Inbox.store`."""


class StoreUnavailable(Exception):  # noqa: N818 - a state of the world
    """The delivery could not be committed; the sender must be told to come again."""


@dataclass(frozen=True)
class _Waiting:
    delivery: PackedRow
    loop: asyncio.AbstractEventLoop
    answer: asyncio.Future[Stored]


class Writer:
    """The group-commit thread. `stored` is called after each commit that stored something new."""

    def __init__(self, store: Store, stored: Callable[[], None]) -> None:
        self._store = store
        self._stored = stored
        self._queue: queue.SimpleQueue[_Waiting | None] = queue.SimpleQueue()
        self._thread = threading.Thread(target=self._work, name="heal-writer", daemon=True)

    def start(self) -> None:
        """Start the thread."""
        self._thread.start()

    def stop(self) -> None:
        """Commit what is queued, then end."""
        if self.alive:
            self._queue.put(None)
            self._thread.join(timeout=10)

    @property
    def alive(self) -> bool:
        """The thread runs."""
        return self._thread.is_alive()

    async def add(self, delivery: PackedRow) -> Stored:
        """Commit one delivery. Raises `StoreUnavailable`."""
        if not self.alive:
            raise StoreUnavailable("the writer has stopped")
        if self._queue.qsize() >= LONGEST_QUEUE:
            raise StoreUnavailable("too many deliveries are waiting for the database")
        loop = asyncio.get_running_loop()
        answer: asyncio.Future[Stored] = loop.create_future()
        self._queue.put(_Waiting(delivery, loop, answer))
        return await answer

    def _work(self) -> None:
        try:
            while self._turn():
                pass  # nothing of a batch is held while the next one is waited for: it may have been a large one
        finally:
            self._fail(self._left(), "the writer has stopped")

    def _turn(self) -> bool:
        """Write the next batch; False when it was the last."""
        batch, ended = self._next_batch()
        if batch:
            self._commit(batch)
            if not ended and self._queue.qsize() < LARGEST_BATCH:
                time.sleep(BREATH_SECONDS)  # here, as one that has its first row is woken once more for the others
        return not ended

    def _next_batch(self) -> tuple[list[_Waiting], bool]:
        batch: list[_Waiting] = []
        item = self._queue.get()
        while item is not None:
            batch.append(item)
            if len(batch) == LARGEST_BATCH:
                return batch, False
            try:
                item = self._queue.get_nowait()
            except queue.Empty:
                return batch, False
        return batch, True

    def _commit(self, batch: list[_Waiting]) -> None:
        try:
            answers = self._store([item.delivery for item in batch])
        except (SQLAlchemyError, OSError) as error:
            log.warning("deliveries.not_stored", count=len(batch), error=type(error).__name__)
            self._fail(batch, "the database does not answer")
            return
        _resolve(batch, answers)
        if not all(answer.duplicate for answer in answers):
            self._stored()

    def _left(self) -> list[_Waiting]:
        left: list[_Waiting] = []
        while True:
            try:
                item = self._queue.get_nowait()
            except queue.Empty:
                return left
            if item is not None:
                left.append(item)

    def _fail(self, batch: list[_Waiting], why: str) -> None:
        for item in batch:
            _call(item.loop, _set_error, item.answer, StoreUnavailable(why))


def _resolve(batch: list[_Waiting], answers: Sequence[Stored]) -> None:
    by_loop: dict[asyncio.AbstractEventLoop, list[tuple[asyncio.Future[Stored], Stored]]] = {}
    for item, stored in zip(batch, answers, strict=True):
        by_loop.setdefault(item.loop, []).append((item.answer, stored))
    for loop, pairs in by_loop.items():
        _call(loop, _set_results, pairs)


def _call(loop: asyncio.AbstractEventLoop, function: Callable[..., None], *args: object) -> None:
    if not loop.is_closed():  # the server went away while its last requests were waiting
        loop.call_soon_threadsafe(function, *args)


def _set_results(pairs: list[tuple[asyncio.Future[Stored], Stored]]) -> None:
    for answer, stored in pairs:
        if not answer.done():
            answer.set_result(stored)


def _set_error(answer: asyncio.Future[Stored], error: StoreUnavailable) -> None:
    if not answer.done():
        answer.set_exception(error)
