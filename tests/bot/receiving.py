"""The receiver without a dispatcher, as a server of its own: what it takes is the price of receiving alone."""

from __future__ import annotations

import os
import sys
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager

from starlette.applications import Starlette
from starlette.routing import Route

from benchmarks.receivers import SECRET, Server, running
from bot.metrics import Metrics
from bot.webhook import PATH, Receiver
from bot.writer import Writer
from tests.processes import free_port
from workers.store.database import open_engine
from workers.store.inbox import Inbox

DATABASE = "RECEIVING_DATABASE_URL"


def create() -> Starlette:
    """The application, on the database that the environment names."""
    engine = open_engine(os.environ[DATABASE])
    writer = Writer(Inbox(engine).store, lambda: None)

    @asynccontextmanager
    async def lifespan(app: Starlette) -> AsyncIterator[None]:
        writer.start()
        yield
        writer.stop()
        engine.dispose()

    receiver = Receiver((SECRET.encode(),), writer, Metrics())
    return Starlette(routes=[Route(PATH, receiver, methods=["POST"])], lifespan=lifespan)


@contextmanager
def receiving(url: str) -> Iterator[Server]:
    """It runs on a migrated database."""
    command = [sys.executable, "-m", "uvicorn", "--factory", f"{__name__}:create", "--log-level", "critical"]
    with running(Server(command, {DATABASE: url}, free_port())) as server:
        yield server
