"""/healthz, /readyz and /metrics: is the process alive, may it be sent traffic, and what has it counted."""

from __future__ import annotations

import shutil
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from sqlalchemy import Engine, text
from sqlalchemy.exc import SQLAlchemyError
from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, Response

from bot.access import Door, Entry
from bot.dispatcher import Dispatcher
from bot.metrics import Metrics, render
from bot.writer import Writer
from workers.store import schema
from workers.store.pages import Figures
from workers.store.roster import WorkerSeen

LONGEST_IDLE = 30.0
SCHEMA_CHECK_SECONDS = 30.0
LEAST_FREE_SHARE = 0.1
LEAST_FREE_BYTES = 2 * 2**30
"""Whichever is less: a tenth of a large disk is room enough for years."""


@dataclass
class Health:
    """The three endpoints. Without Redis or a worker it is degraded only: the receiver goes on accepting."""

    engine: Engine
    writer: Writer
    dispatcher: Dispatcher
    metrics: Metrics
    door: Door
    figures: Callable[[], Figures]
    broker_answers: Callable[[], bool]
    workers: Callable[[], Sequence[WorkerSeen]]
    state_dir: Path
    _schema_seen: tuple[float, bool] = field(default=(0.0, False), init=False)

    async def alive(self, request: Request) -> Response:  # noqa: ARG002 - the framework's signature
        """The process answers."""
        return PlainTextResponse("ok\n")

    def ready(self, request: Request) -> Response:  # noqa: ARG002
        """JSON per check: `ok`, what was seen and how many seconds ago; 503 unless every needed one is ok."""
        checks = {
            "database": self._database(),
            "migrations": self._migrations(),
            "writer": _check(self.writer.alive, "the group-commit thread runs"),
            "dispatcher": self._dispatcher(),
            "disk": self._disk(),
        }
        needed = all(check["ok"] for check in checks.values())
        broker = self.broker_answers()
        checks["redis"] = _check(broker, "answers" if broker else "does not answer; runs wait in the database")
        checks["workers"] = self._workers()
        helped = broker and checks["workers"]["ok"]
        status = "ready" if needed and helped else "degraded" if needed else "unready"
        return JSONResponse({"status": status, "checks": checks}, status_code=200 if needed else 503)

    def scrape(self, request: Request) -> Response:
        """Prometheus text; for this machine or with the dashboard token."""
        if self.door.entry(request) is not Entry.OPEN:
            return PlainTextResponse("set the dashboard token as a bearer token\n", status_code=403)
        try:
            figures: Figures | None = self.figures()
        except SQLAlchemyError:
            figures = None
        self.metrics.broker_up.set(1 if self.broker_answers() else 0)
        return Response(render(self.metrics, figures), media_type="text/plain; version=0.0.4; charset=utf-8")

    def _database(self) -> dict[str, Any]:
        started = time.monotonic()
        try:
            with self.engine.connect() as connection:
                connection.execute(text("SELECT 1"))
        except SQLAlchemyError as error:
            return _check(False, f"does not answer ({type(error).__name__})")
        return _check(True, f"answered in {time.monotonic() - started:.3f} s")

    def _workers(self) -> dict[str, Any]:
        try:
            alive = self.workers()
        except SQLAlchemyError:
            return _check(False, "unknown while the database does not answer")
        if not alive:
            return _check(False, "none has shown life; runs wait in the database. Start one: heal worker")
        return _check(True, f"{len(alive)} alive", age=min(worker.age for worker in alive))

    def _disk(self) -> dict[str, Any]:
        folder = next(path for path in (self.state_dir, *self.state_dir.parents) if path.exists())
        usage = shutil.disk_usage(folder)
        free = f"{usage.free / 2**30:.1f} GiB free"
        return _check(usage.free > min(usage.total * LEAST_FREE_SHARE, LEAST_FREE_BYTES), free)

    def _migrations(self) -> dict[str, Any]:
        at, current = self._schema_seen
        if not current or time.monotonic() - at > SCHEMA_CHECK_SECONDS:
            try:
                current = schema.is_current(self.engine)
            except SQLAlchemyError:
                return _check(False, "unknown while the database does not answer")
            at = time.monotonic()
            self._schema_seen = (at, current)
        seen = "at this release's schema" if current else "not at this release's schema; run: heal db upgrade"
        return _check(current, seen, age=time.monotonic() - at)

    def _dispatcher(self) -> dict[str, Any]:
        idle = self.dispatcher.idle_seconds
        if idle == float("inf"):
            return _check(False, "has not swept yet")
        return _check(idle < LONGEST_IDLE, "last complete sweep", age=idle)


def _check(ok: bool, seen: str, age: float = 0.0) -> dict[str, Any]:
    return {"ok": ok, "seen": seen, "age_seconds": round(age, 3)}
