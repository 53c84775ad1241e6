"""Receivers under load, each a process of its own: `heal serve` on either database, and a bare endpoint beside it.

The bare one only verifies the signature: what is above it is the price of keeping what was accepted.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

from fastapi import FastAPI, Request, Response
from sqlalchemy import text

from benchmarks.usage import Usage, forget_peak, peak_of, usage
from bot.signature import digest_in, is_valid
from tests.processes import free_port, listens
from tests.workers.store.servers import postgresql
from workers.store import schema
from workers.store.database import open_engine

SECRET = "benchmark-secret-benchmark-secret"
HEAL = Path(sys.executable).parent / "heal"
ROOT = Path(__file__).parents[1]
NO_REDIS = "redis://127.0.0.1:1/0"
START_SECONDS = 60.0

bare = FastAPI()


@bare.post("/webhook")
async def _bare(request: Request) -> Response:
    body = await request.body()
    digest = digest_in(request.headers.get("x-hub-signature-256"))
    return Response(status_code=202 if digest and is_valid(body, digest, (SECRET.encode(),)) else 401)


class Database(StrEnum):
    """What the receiver commits to."""

    SQLITE = "SQLite"
    POSTGRESQL = "PostgreSQL"


@contextmanager
def database(kind: Database) -> Iterator[str]:
    """The URL of a new one at this release's schema. Both flush to the disk at every commit."""
    with tempfile.TemporaryDirectory(prefix="load-") as folder:
        if kind is Database.SQLITE:
            url = f"sqlite:///{folder}/heal.db"
            schema.upgrade(url)
            yield url
            return
        with postgresql(durable=True) as url:
            schema.upgrade(url)
            yield url


@dataclass
class Server:
    """A running one. `command` lacks the port."""

    command: Sequence[str]
    settings: Mapping[str, str]
    port: int

    def start(self) -> None:
        """Start it, on the same port as before, and wait until it listens."""
        env = {**os.environ, **self.settings}
        # what it logs is thrown away: a terminal would slow it down
        self._process = subprocess.Popen(
            [*self.command, "--port", str(self.port)],
            env=env,
            cwd=ROOT,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        deadline = time.monotonic() + START_SECONDS
        while not listens(self.port):
            if self._process.poll() is not None or time.monotonic() > deadline:
                raise SystemExit(f"{self.command} did not start")
            time.sleep(0.02)

    def kill(self) -> None:
        """SIGKILL, as when the machine loses it."""
        self._process.kill()
        self._process.wait()

    def stop(self) -> None:
        """SIGTERM, and SIGKILL to one that does not heed it."""
        self._process.terminate()
        try:
            self._process.wait(timeout=20)
        except subprocess.TimeoutExpired:
            self.kill()

    def used(self) -> Usage:
        """Processor time and memory so far."""
        return usage(self._process.pid)

    def forget_peak(self) -> None:
        """Let `peak` count from now."""
        forget_peak(self._process.pid)

    def peak(self) -> float:
        """Resident megabytes at their highest since then."""
        return peak_of(self._process.pid)


@contextmanager
def heal(url: str, redis_url: str = NO_REDIS) -> Iterator[Server]:
    """`heal serve` on a database."""
    with tempfile.TemporaryDirectory(prefix="load-state-") as state:
        settings = {
            "HEAL_WEBHOOK_SECRET": SECRET,
            "HEAL_DATABASE_URL": url,
            "HEAL_REDIS_URL": redis_url,
            "HEAL_STATE_DIR": state,
        }
        with running(Server([str(HEAL), "serve"], settings, free_port())) as server:
            yield server


@contextmanager
def signature_only() -> Iterator[Server]:
    """The bare endpoint."""
    command = [sys.executable, "-m", "uvicorn", "benchmarks.receivers:bare", "--log-level", "critical"]
    with running(Server(command, {}, free_port())) as server:
        yield server


@contextmanager
def running(server: Server) -> Iterator[Server]:
    """Start it, and stop it at the end."""
    server.start()
    try:
        yield server
    finally:
        server.stop()


def size(url: str) -> int:
    """Bytes of the database."""
    engine = open_engine(url)
    sqlite = "SELECT page_count * page_size FROM pragma_page_count(), pragma_page_size()"
    query = sqlite if engine.dialect.name == "sqlite" else "SELECT pg_database_size(current_database())"
    with engine.connect() as connection:
        found = int(connection.execute(text(query)).scalar_one())
    engine.dispose()
    return found


def missing(url: str, guids: Iterable[str]) -> int:
    """How many of these deliveries are not in the database."""
    engine = open_engine(url)
    with engine.connect() as connection:
        stored = set(connection.execute(text("SELECT guid FROM delivery")).scalars())
    engine.dispose()
    return len(set(guids) - stored)
