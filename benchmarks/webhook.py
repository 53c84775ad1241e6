"""Webhook latency at a fixed arrival rate, beside a bare FastAPI endpoint that only verifies the signature.

Both run as uvicorn processes at the same time and get the same load interleaved, so noise of the machine hits both.
Latency counts from the moment a request was due, not from when it was sent (no coordinated omission).
"""

from __future__ import annotations

import argparse
import asyncio
import hashlib
import json
import os
import random
import socket
import subprocess
import sys
import tempfile
import time
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path

import httpx
from fastapi import FastAPI, Request, Response
from sqlalchemy import text

from bot.signature import digest_in, is_valid
from bot.webhook import signed_headers
from workers.bench.machine import describe
from workers.store import schema
from workers.store.database import open_engine

RATE = 50.0
SECRET = "benchmark-secret-benchmark-secret"
HEAL = Path(sys.executable).parent / "heal"
_WORDS = [hashlib.sha256(bytes([n])).hexdigest()[:9] for n in range(256)]
_PICKED = random.Random(20).choices(_WORDS, k=1995)  # noqa: S311 - filler; compresses about fourfold, as payloads do
BODY = json.dumps({"action": "created", "filler": " ".join(_PICKED)}).encode()
"""20 kB; an action that starts no run, so that the store is measured and not the ledger."""

bare = FastAPI()


@bare.post("/webhook")
async def _bare(request: Request) -> Response:
    body = await request.body()
    digest = digest_in(request.headers.get("x-hub-signature-256"))
    return Response(status_code=202 if digest and is_valid(body, digest, (SECRET.encode(),)) else 401)


@dataclass(frozen=True)
class Latency:
    """Answers of one endpoint; milliseconds."""

    sent: int
    failed: int
    median_ms: float
    p99_ms: float
    max_ms: float
    cpu_ms: float
    """The server's processor time per delivery, which a busy machine disturbs least."""


@dataclass(frozen=True)
class Comparison:
    """One run of the benchmark. `lost` counts deliveries that were answered 202 and are not in the database."""

    machine: str
    rate: float
    seconds: float
    heal: Latency
    bare: Latency
    p99_ratio: float
    lost: int


def main() -> None:
    """Run, print, and fail when something was lost or refused."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=float, default=30.0)
    parser.add_argument("--rate", type=float, default=RATE, help="deliveries per second to each endpoint")
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    found = compare(options.rate, options.seconds)
    print(json.dumps(asdict(found), indent=2) if options.json else table(found))
    if found.lost or found.heal.failed or found.bare.failed:
        sys.exit(1)


def compare(rate: float, seconds: float) -> Comparison:
    """Load both endpoints at `rate` each for `seconds`."""
    machine = describe()
    with tempfile.TemporaryDirectory() as folder:
        url = f"sqlite:///{folder}/heal.db"
        schema.upgrade(url)
        settings = {
            "HEAL_WEBHOOK_SECRET": SECRET,
            "HEAL_DATABASE_URL": url,
            "HEAL_REDIS_URL": "redis://127.0.0.1:1/0",
            "HEAL_STATE_DIR": folder,
        }
        plain = [sys.executable, "-m", "uvicorn", "benchmarks.webhook:bare", "--log-level", "critical"]
        with _server(plain, settings) as bare_server:
            with _server([str(HEAL), "serve"], settings) as heal_server:
                guids, heal, simple = asyncio.run(_load(heal_server, bare_server, rate, seconds))
            lost = _lost(url, guids)
        return Comparison(
            machine=machine,
            rate=rate,
            seconds=seconds,
            heal=heal,
            bare=simple,
            p99_ratio=round(heal.p99_ms / simple.p99_ms, 2),
            lost=lost,
        )


@dataclass(frozen=True)
class Server:
    """One of the two under load."""

    port: int
    pid: int

    def cpu_seconds(self) -> float:
        """Processor time used since it started."""
        ticks = Path(f"/proc/{self.pid}/stat").read_text().rpartition(")")[2].split()[11:13]
        return sum(map(int, ticks)) / os.sysconf("SC_CLK_TCK")


@contextmanager
def _server(command: list[str], settings: dict[str, str]) -> Iterator[Server]:
    with socket.create_server(("127.0.0.1", 0)) as probe:
        port = probe.getsockname()[1]
    root = Path(__file__).parents[1]
    env = {**os.environ, **settings}
    # what it logs is thrown away: a terminal would slow it down
    process = subprocess.Popen(
        [*command, "--port", str(port)], env=env, cwd=root, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    try:
        _wait(port, process)
        yield Server(port, process.pid)
    finally:
        process.terminate()
        process.wait(timeout=20)


def _wait(port: int, process: subprocess.Popen[bytes]) -> None:
    end = time.monotonic() + 30
    while time.monotonic() < end and process.poll() is None:
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                return
        time.sleep(0.05)
    raise SystemExit("a server did not start")


async def _load(heal: Server, plain: Server, rate: float, seconds: float) -> tuple[list[str], Latency, Latency]:
    accepted: list[str] = []
    limits = httpx.Limits(max_connections=64, max_keepalive_connections=64)
    async with httpx.AsyncClient(timeout=15, limits=limits) as client:
        ports = (heal.port, plain.port)
        for _ in range(20):  # both are warm before anything is measured
            await asyncio.gather(*(_post(client, port, time.perf_counter(), []) for port in ports))
        used = [-heal.cpu_seconds(), -plain.cpu_seconds()]
        start = time.perf_counter() + 0.1
        tasks: list[list[asyncio.Task[float | None]]] = [[], []]
        for n in range(int(rate * seconds)):
            for which, port in enumerate(ports):
                due = start + (n + which / 2) / rate
                await asyncio.sleep(max(0.0, due - time.perf_counter()))
                kept = accepted if which == 0 else []
                tasks[which].append(asyncio.create_task(_post(client, port, due, kept)))
        answers = [await asyncio.gather(*group) for group in tasks]
        used[0] += heal.cpu_seconds()
        used[1] += plain.cpu_seconds()
    return accepted, _latency(answers[0], used[0]), _latency(answers[1], used[1])


async def _post(client: httpx.AsyncClient, port: int, due: float, accepted: list[str]) -> float | None:
    guid = str(uuid.uuid4())
    headers = signed_headers(SECRET, "check_run", BODY, guid)
    try:
        answer = await client.post(f"http://127.0.0.1:{port}/webhook", content=BODY, headers=headers)
    except httpx.HTTPError:
        return None
    if answer.status_code != 202:
        return None
    accepted.append(guid)
    return time.perf_counter() - due


def _latency(answers: list[float | None], cpu_seconds: float) -> Latency:
    good = sorted(answer * 1000 for answer in answers if answer is not None) or [float("nan")]
    return Latency(
        sent=len(answers),
        failed=sum(answer is None for answer in answers),
        median_ms=round(good[len(good) // 2], 2),
        p99_ms=round(good[min(len(good) - 1, int(len(good) * 0.99))], 2),
        max_ms=round(good[-1], 2),
        cpu_ms=round(1000 * cpu_seconds / len(answers), 2),
    )


def _lost(url: str, guids: list[str]) -> int:
    engine = open_engine(url)
    with engine.connect() as connection:
        stored = set(connection.execute(text("SELECT guid FROM delivery")).scalars())
    engine.dispose()
    return len(set(guids) - stored)


def table(found: Comparison) -> str:
    """The comparison as Markdown."""
    rows = [
        f"{found.rate:g} deliveries/s of {round(len(BODY) / 1000)} kB for {found.seconds:g} s on {found.machine}",
        "",
        "| endpoint | sent | failed | median ms | p99 ms | max ms | CPU ms each |",
        "| --- | --- | --- | --- | --- | --- | --- |",
    ]
    for name, one in (("heal", found.heal), ("bare, signature only", found.bare)):
        figures = (one.sent, one.failed, one.median_ms, one.p99_ms, one.max_ms, one.cpu_ms)
        rows.append(f"| {name} | {' | '.join(map(str, figures))} |")
    rows += ["", f"p99 ratio {found.p99_ratio}, acknowledged and lost: {found.lost}"]
    return "\n".join(rows)


if __name__ == "__main__":
    main()
