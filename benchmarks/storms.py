"""What hits a receiver besides steady load: everything at once, clients that stall, one huge body, SIGKILL, a Redis
that is half open or frozen. Each storm counts exactly what was promised and what was kept.
"""

from __future__ import annotations

import asyncio
import json
import random
import tempfile
import time
from collections import Counter
from dataclasses import dataclass
from pathlib import Path

from benchmarks.deliveries import (
    Answer,
    Connection,
    Latency,
    Sender,
    accepted,
    at_rate,
    delivery,
    failures,
    latency,
    read_answer,
)
from benchmarks.receivers import Database, Server, database, heal, missing
from bot.connections import allow_connections
from tests.chaos.proxy import Proxy
from tests.processes import start_redis

STALL_RATE = 50.0
STALL_SECONDS = 8.0
"""How long others are served while clients stall: longer than the receiver bears with them."""
LARGE_BODY = 25 * 1024 * 1024
SETTLE_SECONDS = 3.0
PHASE_RATE = 50.0


@dataclass(frozen=True)
class Burst:
    """Deliveries sent in one moment, each over a connection of its own."""

    answers: Latency
    seconds: float
    """Until the last answer."""
    lost: int

    @property
    def failed(self) -> int:
        """What was refused or lost."""
        return self.answers.failed + self.lost


def burst(count: int, kind: Database = Database.SQLITE) -> Burst:
    """Send `count` at once."""
    allow_connections()
    with database(kind) as url, heal(url) as server:
        answers, seconds = asyncio.run(at_once(server, count))
        return Burst(latency(answers), round(seconds, 2), missing(url, accepted(answers)))


async def at_once(server: Server, count: int) -> tuple[list[Answer], float]:
    """The answers to so many, each over a connection of its own, and the seconds until the last of them."""
    sender, made = Sender(server.port), [delivery() for _ in range(count)]
    await asyncio.gather(*(sender.send(delivery()) for _ in range(5)))
    started = time.perf_counter()
    answers = list(await asyncio.gather(*(sender.send(one, started) for one in made)))
    sender.close()
    return answers, time.perf_counter() - started


@dataclass(frozen=True)
class Stall:
    """Clients that begin a request and stop, some in its head and some in its body, and the others meanwhile."""

    stalled: int
    told: int
    """How many of them were told 408."""
    alone: Latency
    meanwhile: Latency
    seconds: float
    """Until the last of those that stall was let go."""

    @property
    def failed(self) -> int:
        """Others that were not served, and stalled ones that were not told."""
        return self.alone.failed + self.meanwhile.failed + self.stalled - self.told


def stall(bodies: int, heads: int, seconds: float = STALL_SECONDS) -> Stall:
    """So many stalled bodies and heads at once, while others deliver at `STALL_RATE`."""
    allow_connections()
    with database(Database.SQLITE) as url, heal(url) as server:
        return asyncio.run(_stall(server, bodies, heads, seconds))


async def _stall(server: Server, bodies: int, heads: int, seconds: float) -> Stall:
    sender = Sender(server.port)
    await asyncio.gather(*(sender.send(delivery()) for _ in range(20)))
    (alone,) = await at_rate([sender], STALL_RATE, seconds / 2)
    started = time.perf_counter()
    stalled = await asyncio.gather(*(begin(server.port, one) for one in beginnings(bodies, heads)))
    waiting = asyncio.gather(*map(end, stalled))
    (meanwhile,) = await at_rate([sender], STALL_RATE, seconds)
    ended = await waiting
    sender.close()
    told, last = Counter(status for status, _ in ended), max(at for _, at in ended)
    return Stall(len(stalled), told[408], latency(alone), latency(meanwhile), round(last - started, 1))


async def begin(port: int, request: bytes) -> Connection:
    """A new connection with the beginning of a request."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(request)
    await writer.drain()
    return reader, writer


async def end(connection: Connection, patience: float = 60.0) -> tuple[int, float]:
    """Wait for the answer: its status, 0 for none, and when it came."""
    reader, writer = connection
    try:
        async with asyncio.timeout(patience):
            status, _ = await read_answer(reader)
    except (OSError, EOFError, TimeoutError):
        status = 0
    writer.close()
    return status, time.perf_counter()


def beginnings(bodies: int, heads: int) -> list[bytes]:
    """Requests that stop short of the end of their body, and of their head."""
    return [*(delivery().request[:-100] for _ in range(bodies)), *(delivery().request[:40] for _ in range(heads))]


@dataclass(frozen=True)
class Large:
    """One delivery of the largest size that GitHub sends."""

    status: int
    seconds: float
    growth_mb: float
    """Resident memory at its highest until the answer, beyond what it was before."""
    routed_mb: float
    """The same while it was routed, which reads it as JSON."""
    kept_mb: float
    """What of it was still there `SETTLE_SECONDS` after the answer."""

    @property
    def failed(self) -> int:
        """It was not taken."""
        return int(self.status != 202)


def large(size: int = LARGE_BODY) -> Large:
    """Send one body of `size` bytes that hardly compresses."""
    with database(Database.SQLITE) as url, heal(url) as server:
        return asyncio.run(one_large(server, size))


async def one_large(server: Server, size: int = LARGE_BODY, settle: float = SETTLE_SECONDS) -> Large:
    """The same to a server that runs; `settle` is how long it is watched after the answer."""
    filler = random.Random(25).randbytes(size // 2 - 10)  # noqa: S311 - not a secret
    one, sender = delivery(json.dumps({"filler": filler.hex()}).encode()), Sender(server.port)
    await asyncio.gather(*(sender.send(delivery()) for _ in range(20)))
    before = server.used().memory_mb
    server.forget_peak()
    answer = await sender.send(one)
    receiving = server.peak() - before
    server.forget_peak()
    await asyncio.sleep(settle)
    routing, kept = server.peak() - before, server.used().memory_mb - before
    sender.close()
    return Large(answer.status, round(answer.seconds, 3), round(receiving, 1), round(routing, 1), round(kept, 1))


@dataclass(frozen=True)
class Killed:
    """A receiver that was killed again and again under load. Answers that did not come were no promise."""

    kills: int
    sent: int
    acknowledged: int
    lost: int

    @property
    def failed(self) -> int:
        """What was promised and not kept."""
        return self.lost


def killed(kills: int, rate: float = 100.0, seed: int = 40, kind: Database = Database.SQLITE) -> Killed:
    """SIGKILL to the receiver `kills` times, each at a random moment of its first second under load."""
    rng = random.Random(seed)  # noqa: S311 - moments, not secrets
    with database(kind) as url:
        with heal(url) as server:
            answers = [answer for _ in range(kills) for answer in asyncio.run(_until_killed(server, rate, rng))]
        promised = accepted(answers)
        return Killed(kills, len(answers), len(promised), missing(url, promised))


async def _until_killed(server: Server, rate: float, rng: random.Random) -> list[Answer]:
    """Deliver, kill, and start it again for the next round."""
    sender = Sender(server.port)
    load = asyncio.create_task(at_rate([sender], rate, 1.3))
    await asyncio.sleep(0.2 + rng.random())
    server.kill()
    (answers,) = await load
    sender.close()
    server.start()
    return answers


@dataclass(frozen=True)
class Phase:
    """How deliveries that each open a run were answered while Redis was in some state."""

    redis: str
    answers: Latency


@dataclass(frozen=True)
class Frozen:
    """The receiver's latency beside the state of Redis."""

    phases: tuple[Phase, ...]
    lost: int

    @property
    def failed(self) -> int:
        """What was refused or lost."""
        return self.lost + sum(phase.answers.failed for phase in self.phases)


def frozen(seconds: float) -> Frozen:
    """`seconds` each with Redis well, half open, frozen, and well again."""
    with tempfile.TemporaryDirectory(prefix="load-redis-") as folder, database(Database.SQLITE) as url:
        redis, address = start_redis(Path(folder))
        try:
            port = int(address.rpartition(":")[2].partition("/")[0])
            with Proxy(port) as proxy, heal(url, f"redis://127.0.0.1:{proxy.port}/0") as server:
                answers = _phases(server, proxy, seconds)
        finally:
            redis.stop()
        promised = [guid for told in answers.values() for guid in accepted(told)]
        phases = tuple(Phase(name, latency(told)) for name, told in answers.items())
        return Frozen(phases, missing(url, promised))


def _phases(server: Server, proxy: Proxy, seconds: float) -> dict[str, list[Answer]]:
    states = {"well": lambda: None, "half open": proxy.half_open, "frozen": proxy.freeze, "well again": proxy.thaw}
    bodies = failures()

    async def load(lasting: float) -> list[Answer]:
        sender = Sender(server.port)
        (answers,) = await at_rate([sender], PHASE_RATE, lasting, lambda: delivery(next(bodies), "workflow_run"))
        sender.close()
        return answers

    found: dict[str, list[Answer]] = {}
    asyncio.run(load(1))  # warm, and with a connection to Redis
    for name, change in states.items():
        change()
        found[name] = asyncio.run(load(seconds))
    return found
