"""What large bodies take of the receiver's memory, at its highest: whatever is sent, it has a bound."""

from __future__ import annotations

import asyncio
from contextlib import suppress

import pytest

from benchmarks.deliveries import Connection, delivery
from benchmarks.receivers import Database, Server, database, heal
from benchmarks.storms import begin, end, one_large
from bot.webhook import LARGEST_BODY
from tests.bot.conftest import until
from tests.bot.receiving import receiving
from workers.store.database import open_engine
from workers.store.inbox import Inbox

pytestmark = [pytest.mark.uncounted, pytest.mark.process]
MEGABYTE = 2**20
LARGEST_GROWTH = 60.0
"""Megabytes for a delivery of 25 MB until its answer."""
LARGEST_ROUTED = 130.0
"""Megabytes while it is read as JSON: text, what is read of it, and what was kept are there together."""


@pytest.mark.fault(6)
@pytest.mark.parametrize(
    "kind", [Database.SQLITE, pytest.param(Database.POSTGRESQL, marks=pytest.mark.postgres)], ids=str.lower
)
def test_the_largest_body(kind: Database) -> None:
    """25 MB that hardly compress take at most 60 MB until they are committed, and most of it is given back."""
    with database(kind) as url, receiving(url) as server:
        before = server.used().memory_mb
        found = asyncio.run(one_large(server, settle=0.0))
        assert found.status == 202
        assert found.growth_mb < LARGEST_GROWTH, found
        until(lambda: server.used().memory_mb - before < LARGEST_GROWTH / 2)


@pytest.mark.fault(6)
def test_large_bodies_are_given_back() -> None:
    """A whole receiver routes three of them: each takes a bounded part of memory, and most of it is given back."""
    with database(Database.SQLITE) as url, heal(url) as server:
        before = server.used().memory_mb
        for _ in range(3):
            asyncio.run(one_large(server, settle=0.0))
            until(lambda: _all_routed(url), 30)
            assert server.peak() - before < LARGEST_ROUTED
        until(lambda: server.used().memory_mb - before < LARGEST_GROWTH)


def _all_routed(url: str) -> bool:
    engine = open_engine(url)
    counts = Inbox(engine).counts().by_state
    engine.dispose()
    return "new" not in counts


@pytest.mark.fault(6)
def test_bodies_without_an_end() -> None:
    """Chunk after chunk, four times: each is ended at 25 MB, and memory never grows by much more than one of them."""
    with database(Database.SQLITE) as url, receiving(url) as server:
        before = server.used().memory_mb
        server.forget_peak()
        for _ in range(4):
            assert asyncio.run(_endless(server)) in {413, 0}  # 0: cut off before the answer was read
        assert server.peak() - before < 1.5 * LARGEST_BODY / MEGABYTE


async def _endless(server: Server) -> int:
    """Send 40 MB without saying how many they are: the status of the answer."""
    head, _, _ = delivery().request.partition(b"\r\n\r\n")
    lines = [line for line in head.split(b"\r\n") if not line.startswith(b"Content-Length")]
    connection = await begin(server.port, b"\r\n".join([*lines, b"Transfer-Encoding: chunked\r\n\r\n"]))
    with suppress(OSError):
        await _pour(connection, 40)
    return (await end(connection))[0]


async def _pour(connection: Connection, megabytes: int) -> None:
    for _ in range(megabytes):
        connection[1].write(b"100000\r\n" + bytes(MEGABYTE) + b"\r\n")
        await connection[1].drain()
