"""A receiver as a process of its own, under more than anybody should send: who behaves is served meanwhile."""

from __future__ import annotations

import asyncio
import shutil
from collections import Counter
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import httpx
import pytest

from benchmarks import receivers, storms
from benchmarks.deliveries import Answer, Connection, Sender, delivery, read_answer
from benchmarks.receivers import Server
from benchmarks.storms import begin, beginnings, end
from bot.bodies import BODY_SECONDS, LARGE_ROOM
from bot.connections import HEAD_SECONDS, allow_connections
from bot.seats import MOST_LISTENERS
from tests.bot.conftest import until
from tests.bot.finished import at_work
from workers.store.database import open_engine

pytestmark = [pytest.mark.uncounted, pytest.mark.process]
GOOD = 50
MEGABYTE = 2**20


@pytest.fixture(scope="module")
def database(empty_database: Path, tmp_path_factory: pytest.TempPathFactory) -> str:
    """The database of the one receiver here, with a run that goes on."""
    file = tmp_path_factory.mktemp("loaded") / "heal.db"
    shutil.copy(empty_database, file)
    return f"sqlite:///{file}"


@pytest.fixture(scope="module")
def run(database: str) -> str:
    """The run that goes on."""
    engine = open_engine(database)
    made = at_work(engine)
    engine.dispose()
    return made


@pytest.fixture(scope="module")
def heal(database: str) -> Iterator[Server]:
    """`heal serve`, for all tests of this file."""
    allow_connections()
    with receivers.heal(database) as server:
        yield server


def _metric(heal: Server, name: str) -> float:
    lines = httpx.get(f"http://127.0.0.1:{heal.port}/metrics", timeout=20).text.splitlines()
    return sum(float(line.rpartition(" ")[2]) for line in lines if line.partition(" ")[0] == name)


async def _good(heal: Server) -> list[Answer]:
    """Deliveries one after the other."""
    sender = Sender(heal.port)
    answers = [await sender.send(delivery()) for _ in range(GOOD)]
    sender.close()
    return answers


def test_a_thousand_deliveries_at_once(heal: Server, database: str) -> None:
    """None is refused, and what was acknowledged is there."""
    answers, _ = asyncio.run(storms.at_once(heal, 1_000))
    assert Counter(answer.status for answer in answers) == {202: 1_000}
    assert receivers.missing(database, [answer.guid for answer in answers]) == 0


@pytest.mark.fault(7)
def test_a_thousand_clients_that_stall(heal: Server) -> None:
    """500 bodies and 500 heads stop at once: each is told 408 when its time is up, and before that all others are
    served."""

    async def both() -> tuple[list[Answer], list[tuple[int, float]]]:
        stalled = await asyncio.gather(*(begin(heal.port, one) for one in beginnings(500, 500)))
        waiting = asyncio.gather(*(end(one, 2 * max(BODY_SECONDS, HEAD_SECONDS) + 10) for one in stalled))
        good = await _good(heal)
        assert not waiting.done()
        return good, await waiting

    good, stalled = asyncio.run(both())
    assert Counter(answer.status for answer in good) == {202: GOOD}
    assert Counter(status for status, _ in stalled) == {408: 1000}


@pytest.mark.fault(6)
def test_forty_large_bodies_that_nobody_signed(heal: Server) -> None:
    """800 MB arrive at once and stop: what finds no room is refused, memory grows by the room and no more, and small
    deliveries find theirs."""

    async def both() -> tuple[float, list[Answer], list[int]]:
        pouring = [asyncio.create_task(_pour(heal.port, 20)) for _ in range(40)]
        before = heal.used().memory_mb
        heal.forget_peak()
        good = await _good(heal)
        poured = list(await asyncio.gather(*pouring))
        return heal.peak() - before, good, poured

    grown, good, poured = asyncio.run(both())
    assert Counter(answer.status for answer in good) == {202: GOOD}
    assert set(poured) <= {408, 503, 0}  # 0: cut off before the answer was read
    assert 0 < poured.count(408) <= LARGE_ROOM // (20 * MEGABYTE)
    assert grown < 1.25 * LARGE_ROOM / MEGABYTE, poured


async def _pour(port: int, megabytes: int) -> int:
    """Send so much of a delivery that is longer, and stop: the status of the answer."""
    request = delivery(secret="guessed" * 8).request.replace(
        b"Content-Length: ", b"Content-Length: 24000000\r\nX-Was: "
    )
    connection = await begin(port, request[: request.index(b"\r\n\r\n") + 4])
    with suppress(OSError):
        for _ in range(megabytes):
            connection[1].write(bytes(MEGABYTE))
            await connection[1].drain()
    return (await end(connection))[0]


@pytest.mark.fault(9)
def test_two_thousand_bad_signatures_at_once(heal: Server) -> None:
    """Each is refused, counted and loses its connection; whoever signs is served meanwhile."""
    before = _metric(heal, "heal_signature_failures_total")

    async def both() -> tuple[list[Answer], list[Answer]]:
        senders = [Sender(heal.port) for _ in range(100)]
        bad = asyncio.gather(*(_forge(sender, 20) for sender in senders))
        good = await _good(heal)
        return good, [answer for answers in await bad for answer in answers]

    good, bad = asyncio.run(both())
    assert Counter(answer.status for answer in good) == {202: GOOD}
    assert Counter(answer.status for answer in bad) == {401: 2000}
    assert _metric(heal, "heal_signature_failures_total") - before == 2000


async def _forge(sender: Sender, count: int) -> list[Answer]:
    """Deliveries that were signed with another secret, one after the other."""
    return [await sender.send(delivery(secret="guessed" * 8)) for _ in range(count)]


@pytest.mark.fault(71)
def test_a_thousand_live_pages(heal: Server, run: str) -> None:
    """As many as have a seat get their stream, the others 503; when they have left, nothing of them stays open and
    every seat is free again."""
    files = heal.used().files
    for _ in range(2):
        assert asyncio.run(_listen(heal, run, 1000)) == {200: MOST_LISTENERS, 503: 1000 - MOST_LISTENERS}
        until(lambda: heal.used().files < files + 50, 20)  # the database keeps some of its connections


async def _listen(heal: Server, run: str, count: int) -> Counter[int]:
    """Open so many streams, deliver something while they are open, leave all at once."""
    request = f"GET /runs/{run}/events HTTP/1.1\r\nHost: localhost\r\nLast-Event-ID: 999999999\r\n\r\n".encode()
    streams = await asyncio.gather(*(begin(heal.port, request) for _ in range(count)))
    answers = await asyncio.gather(*(_first(stream) for stream in streams))
    assert Counter(answer.status for answer in await _good(heal)) == {202: GOOD}
    for _, writer in streams:
        writer.transport.abort()
    return Counter(answers)


async def _first(stream: Connection) -> int:
    """The status of a stream, once its first event is there; it tells all, whatever id it was asked for."""
    status, _ = await read_answer(stream[0])
    if status == 200:
        told = await stream[0].readuntil(b"event: line")
        assert b"\nid: 1\n" in told.replace(b"\r\n", b"\n")
    return status
