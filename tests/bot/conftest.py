"""A receiver as its own uvicorn server in this process, on a real SQLite file, and a real Redis of our own."""

from __future__ import annotations

import shutil
import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import pytest
import uvicorn
from sqlalchemy import Engine, text
from starlette.types import ASGIApp

from bot.app import create_app
from bot.connections import SERVER
from bot.settings import BotSettings
from tests.bot.deliveries import SECRET
from tests.workers.store.servers import redis_server
from workers.store import schema
from workers.store.database import open_engine

DEAD_REDIS = "redis://127.0.0.1:1/0"


@pytest.fixture(scope="session")
def empty_database(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A migrated SQLite file to copy from: migrating once is enough."""
    file = tmp_path_factory.mktemp("db") / "heal.db"
    schema.upgrade(f"sqlite:///{file}")
    return file


@pytest.fixture
def database(empty_database: Path, tmp_path: Path) -> str:
    """The URL of a fresh, migrated database."""
    shutil.copy(empty_database, tmp_path / "heal.db")
    return f"sqlite:///{tmp_path / 'heal.db'}"


@pytest.fixture
def engine(database: str) -> Iterator[Engine]:
    """An engine on that database."""
    opened = open_engine(database)
    yield opened
    opened.dispose()


def rows(engine: Engine, table: str) -> list[dict[str, Any]]:
    """All rows of a table."""
    with engine.connect() as connection:
        return [dict(row) for row in connection.execute(text(f"SELECT * FROM {table} ORDER BY 1")).mappings()]  # noqa: S608


def until(check: Callable[[], bool], seconds: float = 30.0) -> None:
    """Wait until something is so; fail when it does not come to be."""
    end = time.monotonic() + seconds
    while not check():
        assert time.monotonic() < end, "it did not happen in time"
        time.sleep(0.05)


@dataclass(frozen=True)
class Site:
    """A running receiver."""

    url: str
    port: int
    settings: BotSettings
    client: httpx.Client

    def metric(self, line: str) -> float:
        """The value of one line of /metrics, 0 when it is not there."""
        text_ = self.client.get("/metrics", headers=self.authorization()).text
        found = [one.rpartition(" ")[2] for one in text_.splitlines() if one.rpartition(" ")[0] == line]
        return float(found[0]) if found else 0.0

    def authorization(self) -> dict[str, str]:
        """The headers that open the pages."""
        token = self.settings.dashboard_token
        return {"authorization": f"Bearer {token.get_secret_value()}"} if token else {}


Serve = Callable[..., Site]


@contextmanager
def listening(app: ASGIApp, **changes: Any) -> Iterator[int]:
    """The port of an application that is served in this process with our server's settings, some of them changed."""
    listener = socket.create_server(("127.0.0.1", 0))
    settings = SERVER | {"timeout_graceful_shutdown": 1, "timeout_keep_alive": 600} | changes
    server = uvicorn.Server(uvicorn.Config(app, log_level="critical", **settings))
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]}, daemon=True)
    thread.start()
    until(lambda: server.started)
    try:
        yield listener.getsockname()[1]
    finally:
        server.should_exit = True
        thread.join(timeout=10)


@pytest.fixture
def serve(database: str) -> Iterator[Serve]:
    """Starts receivers with given settings on free ports and stops them afterwards."""
    with ExitStack() as running:

        def start(**changes: Any) -> Site:
            values = {"webhook_secret": SECRET, "database_url": database, "redis_url": DEAD_REDIS, **changes}
            settings = BotSettings(**values)
            port = running.enter_context(listening(create_app(settings)))
            url = f"http://127.0.0.1:{port}"
            client = running.enter_context(httpx.Client(base_url=url, timeout=20))
            return Site(url=url, port=port, settings=settings, client=client)

        yield start


@pytest.fixture
def site(serve: Serve) -> Site:
    """A receiver with default settings."""
    return serve()


@pytest.fixture(scope="session")
def redis_url() -> Iterator[str]:
    """A real Redis server of our own."""
    with redis_server() as server:
        yield server.url
