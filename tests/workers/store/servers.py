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


@contextmanager
def postgresql(durable: bool = False) -> Iterator[str]:
    """A fresh cluster; gives the URL of its database `postgres`. PostgreSQL refuses to run as root.

    Only a `durable` one flushes to the disk when it commits.
    """
    programs = max(Path("/usr/lib/postgresql").glob("*/bin"), key=lambda path: int(path.parent.name))
    folder = Path(tempfile.mkdtemp(prefix="heal-pg-"))
    try:
        if os.geteuid() == 0:
            shutil.chown(folder, "postgres", "postgres")
        data = str(folder / "data")
        make = [str(programs / "initdb"), "-D", data, "-U", "heal", "--auth=trust", "-E", "UTF8", "--no-sync"]
        subprocess.run(_as_postgres(make), check=True, capture_output=True, cwd="/")
        port = free_port()
        fsync = "on" if durable else "off"
        options = {"port": port, "listen_addresses": "127.0.0.1", "unix_socket_directories": folder, "fsync": fsync}
        settings = [part for name, value in options.items() for part in ("-c", f"{name}={value}")]
        with (folder / "log").open("wb") as log:
            server = subprocess.Popen(
                _as_postgres([str(programs / "postgres"), "-D", data, *settings]), stdout=log, stderr=log, cwd="/"
            )
        try:
            url = f"postgresql://heal@127.0.0.1:{port}/postgres"
            _wait_for_postgresql(url, server, folder / "log")
            yield url
        finally:
            server.send_signal(signal.SIGQUIT)  # at once: nobody needs its files any more
            try:
                server.wait(10)
            except subprocess.TimeoutExpired:
                server.kill()
                server.wait()
    finally:
        shutil.rmtree(folder, ignore_errors=True)


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
