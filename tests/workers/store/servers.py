"""Real servers for tests: a private PostgreSQL cluster and a private Redis, in temporary folders, on loopback."""

from __future__ import annotations

import os
import pwd
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import psycopg
import redis


def free_port() -> int:
    """A port that was free a moment ago."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _as_postgres(command: Sequence[str]) -> list[str]:
    if os.geteuid() != 0:
        return list(command)
    user = pwd.getpwnam("postgres")
    return ["setpriv", f"--reuid={user.pw_uid}", f"--regid={user.pw_gid}", "--clear-groups", *command]


@dataclass
class PostgresServer:
    """A PostgreSQL of its own in `folder`, that may be stopped and started again. It refuses to run as root."""

    folder: Path
    port: int

    @property
    def url(self) -> str:
        return f"postgresql://heal@127.0.0.1:{self.port}/postgres"

    def start(self) -> None:
        """Start it and wait until it answers."""
        options = {"port": self.port, "listen_addresses": "127.0.0.1", "unix_socket_directories": self.folder}
        settings = [part for name, value in (options | {"fsync": "off"}).items() for part in ("-c", f"{name}={value}")]
        command = [str(_programs() / "postgres"), "-D", str(self.folder / "data"), *settings]
        with (self.folder / "log").open("ab") as log:
            self.process = subprocess.Popen(_as_postgres(command), stdout=log, stderr=log, cwd="/")
        _wait_for_postgresql(self.url, self.process, self.folder / "log")

    def stop(self, how: signal.Signals = signal.SIGQUIT) -> None:
        """SIGQUIT is at once, as in a crash; SIGINT ends sessions and shuts down in order."""
        self.process.send_signal(how)
        try:
            self.process.wait(10)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()


@contextmanager
def postgresql_server() -> Iterator[PostgresServer]:
    """A fresh cluster, running."""
    folder = Path(tempfile.mkdtemp(prefix="heal-pg-"))
    try:
        if os.geteuid() == 0:
            shutil.chown(folder, "postgres", "postgres")
        make = [str(_programs() / "initdb"), "-D", str(folder / "data"), "-U", "heal", "--auth=trust", "-E", "UTF8"]
        subprocess.run(_as_postgres([*make, "--no-sync"]), check=True, capture_output=True, cwd="/")
        server = PostgresServer(folder, free_port())
        server.start()
        try:
            yield server
        finally:
            server.stop()
    finally:
        shutil.rmtree(folder, ignore_errors=True)


@contextmanager
def postgresql() -> Iterator[str]:
    """A fresh cluster; gives the URL of its database `postgres`."""
    with postgresql_server() as server:
        yield server.url


def _programs() -> Path:
    return max(Path("/usr/lib/postgresql").glob("*/bin"), key=lambda path: int(path.parent.name))


def _wait_for_postgresql(url: str, server: subprocess.Popen[bytes], log: Path) -> None:
    deadline = time.monotonic() + 30
    while True:
        try:
            psycopg.connect(url, connect_timeout=2).close()
            return
        except psycopg.OperationalError:
            if server.poll() is not None or time.monotonic() > deadline:
                raise AssertionError(log.read_text()) from None
            time.sleep(0.05)


@dataclass
class RedisServer:
    """A running Redis; `process` may be stopped, frozen and killed by the test."""

    url: str
    process: subprocess.Popen[bytes]

    def client(self) -> redis.Redis:
        """A plain client."""
        return redis.Redis.from_url(self.url, socket_timeout=2)


@contextmanager
def redis_server() -> Iterator[RedisServer]:
    """A fresh, empty Redis without persistence."""
    folder = Path(tempfile.mkdtemp(prefix="heal-redis-"))
    port = free_port()
    command = ["redis-server", "--port", str(port), "--bind", "127.0.0.1", "--save", "", "--dir", str(folder)]
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL)
    try:
        server = RedisServer(f"redis://127.0.0.1:{port}/0", process)
        deadline = time.monotonic() + 10
        with server.client() as client:
            while True:
                try:
                    client.ping()
                    break
                except redis.RedisError:
                    assert process.poll() is None, "redis-server ended"
                    assert time.monotonic() < deadline, "redis-server does not answer"
                    time.sleep(0.02)
        yield server
    finally:
        process.kill()  # also ends a frozen one
        process.wait()
        shutil.rmtree(folder, ignore_errors=True)
