"""Sends signed deliveries over plain sockets, as cheaply as Python can: sender and receiver share a machine.

Latency counts from the moment a delivery was due, not from when it was sent (no coordinated omission).
"""

from __future__ import annotations

import asyncio
import hashlib
import itertools
import json
import random
import time
import uuid
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field

from benchmarks.receivers import ROOT, SECRET
from bot.webhook import signed_headers

ANSWER_SECONDS = 20.0
FRESH_SECONDS = 2.0
"""uvicorn closes a connection that was not used for five."""
FAILURE = ROOT / "tests" / "bot" / "payloads" / "workflow_run.completed.json"
_WORDS = [hashlib.sha256(bytes([n])).hexdigest()[:9] for n in range(256)]
_PICKED = random.Random(20).choices(_WORDS, k=1995)  # noqa: S311 - filler; compresses about fourfold, as payloads do
BODY = json.dumps({"action": "created", "filler": " ".join(_PICKED)}).encode()
"""20 kB; an action that starts no run, so that the store is measured and not the ledger."""


Connection = tuple[asyncio.StreamReader, asyncio.StreamWriter]


@dataclass(frozen=True)
class Delivery:
    """A request as it goes over the wire, and the id it is kept under."""

    guid: str
    request: bytes


def delivery(body: bytes = BODY, event: str = "check_run", secret: str = SECRET) -> Delivery:
    """A new delivery, signed."""
    guid = str(uuid.uuid4())
    headers = {**signed_headers(secret, event, body, guid), "Host": "localhost", "Content-Length": str(len(body))}
    head = "".join(f"{name}: {value}\r\n" for name, value in headers.items())
    return Delivery(guid, f"POST /webhook HTTP/1.1\r\n{head}\r\n".encode() + body)


def failures() -> Iterator[bytes]:
    """Bodies of red workflow runs, each of which opens a run and rings the bell."""
    sample = json.loads(FAILURE.read_text())
    for number in itertools.count(1):
        run = {**sample["workflow_run"], "id": number, "head_sha": f"{number:040x}"}
        yield json.dumps({**sample, "workflow_run": run}).encode()


@dataclass(frozen=True)
class Answer:
    """What came of one delivery. `status` 0: the connection broke or nothing came. `seconds` since it was due."""

    guid: str
    status: int
    seconds: float


@dataclass
class Sender:
    """Kept-open connections to one port: as many as are needed at once."""

    port: int
    _idle: list[tuple[float, Connection]] = field(default_factory=list, init=False)
    """Since when each has had nothing to do; the last used is used next."""

    async def send(self, what: Delivery, due: float | None = None) -> Answer:
        """Send it now and wait for the answer. `due` is in the time of `time.perf_counter`."""
        started = time.perf_counter() if due is None else due
        try:
            async with asyncio.timeout(ANSWER_SECONDS):
                status = await self._exchange(what.request)
        except (OSError, EOFError, TimeoutError, ValueError):
            status = 0
        return Answer(what.guid, status, time.perf_counter() - started)

    async def _exchange(self, request: bytes) -> int:
        reader, writer = await self._connection()
        try:
            writer.write(request)
            status, stays = await read_answer(reader)
        except BaseException:
            writer.close()
            raise
        if stays:
            self._idle.append((time.monotonic(), (reader, writer)))
        else:
            writer.close()
        return status

    async def _connection(self) -> Connection:
        """The one that was used last, or a new one: those that the server is about to close are left to it."""
        if self._idle and time.monotonic() - self._idle[-1][0] < FRESH_SECONDS:
            return self._idle.pop()[1]
        self.close()
        return await asyncio.open_connection("127.0.0.1", self.port)

    def close(self) -> None:
        """Let go of the connections."""
        for _, (_, writer) in self._idle:
            writer.close()
        self._idle.clear()


async def read_answer(reader: asyncio.StreamReader) -> tuple[int, bool]:
    """The status of one answer, read to its end, and whether the connection stays open.

    Raises EOFError when the connection ends before.
    """
    head = (await reader.readuntil(b"\r\n\r\n")).lower()
    _, _, length = head.partition(b"content-length: ")
    if length:
        await reader.readexactly(int(length.partition(b"\r\n")[0]))
    return int(head[9:12]), b"connection: close" not in head


async def at_rate(
    senders: Sequence[Sender], rate: float, seconds: float, make: Callable[[], Delivery] = delivery
) -> list[list[Answer]]:
    """`rate` deliveries a second to each, interleaved, whether or not the ones before were answered."""
    tasks: list[list[asyncio.Task[Answer]]] = [[] for _ in senders]
    start = time.perf_counter() + 0.1
    for n in range(int(rate * seconds)):
        for which, sender in enumerate(senders):
            due = start + (n + which / len(senders)) / rate
            await asyncio.sleep(max(0.0, due - time.perf_counter()))
            tasks[which].append(asyncio.create_task(sender.send(make(), due)))
    return [list(await asyncio.gather(*sent)) for sent in tasks]


@dataclass(frozen=True)
class Latency:
    """How a number of deliveries were answered; milliseconds of those with 202."""

    sent: int
    failed: int
    median_ms: float
    p99_ms: float
    max_ms: float


def latency(answers: Sequence[Answer]) -> Latency:
    """The figures of these answers."""
    good = sorted(1000 * answer.seconds for answer in answers if answer.status == 202) or [float("nan")]
    return Latency(
        sent=len(answers),
        failed=sum(answer.status != 202 for answer in answers),
        median_ms=round(good[len(good) // 2], 2),
        p99_ms=round(good[min(len(good) - 1, int(len(good) * 0.99))], 2),
        max_ms=round(good[-1], 2),
    )


def accepted(answers: Sequence[Answer]) -> list[str]:
    """The ids of those that were promised to be kept."""
    return [answer.guid for answer in answers if answer.status == 202]
