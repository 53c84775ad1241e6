"""Real servers for tests: a private PostgreSQL cluster and a private Redis, in temporary folders, on loopback."""

from __future__ import annotations

import os
import pwd
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import psycopg
import redis

from tests.processes import free_port


def _as_postgres(command: Sequence[str]) -> list[str]:
    if os.geteuid() != 0:
        return list(command)
    user = pwd.getpwnam("postgres")
    return ["setpriv", f"--reuid={user.pw_uid}", f"--regid={user.pw_gid}", "--clear-groups", *command]


@dataclass
class PostgresServer:
    """A cluster in a folder, on a port of its own; it may be stopped, killed and started again by the test."""

    folder: Path
    port: int
    durable: bool = False
    password: str = field(default="", repr=False)
    """Asked of everybody who connects; nothing is asked when it is empty."""
    process: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        """The URL of its database `postgres`."""
        word = f":{self.password}" if self.password else ""
        return f"postgresql://heal{word}@127.0.0.1:{self.port}/postgres"

    def start(self) -> None:
        """Start it, and wait until it answers."""
        options = {
            "port": self.port, "listen_addresses": "127.0.0.1", "unix_socket_directories": self.folder,
            "fsync": "on" if self.durable else "off",
        }  # fmt: skip
        settings = [part for name, value in options.items() for part in ("-c", f"{name}={value}")]
        command = [str(_programs() / "postgres"), "-D", str(self.folder / "data"), *settings]
        with (self.folder / "log").open("ab") as log:
            self.process = subprocess.Popen(_as_postgres(command), stdout=log, stderr=log, cwd="/")
        self._wait()

    def stop(self, how: signal.Signals = signal.SIGQUIT) -> None:
        """SIGQUIT ends it at once, as in a crash; SIGINT ends its sessions and shuts down in order."""
        if self.process is None:
            return
        self.process.send_signal(how)
        try:
            self.process.wait(10)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
        self.process = None

    def _wait(self) -> None:
        deadline = time.monotonic() + 30
        while True:
            try:
                psycopg.connect(self.url, connect_timeout=2).close()
                return
            except psycopg.OperationalError:
                ended = self.process is None or self.process.poll() is not None
                if ended or time.monotonic() > deadline:
                    raise AssertionError((self.folder / "log").read_text()) from None
                time.sleep(0.05)


def _programs() -> Path:
    return max(Path("/usr/lib/postgresql").glob("*/bin"), key=lambda path: int(path.parent.name))


@contextmanager
def postgresql_server(durable: bool = False, password: str = "") -> Iterator[PostgresServer]:
    """A fresh cluster that runs. PostgreSQL refuses to run as root. Only a `durable` one flushes to the disk when it
    commits."""
    folder = Path(tempfile.mkdtemp(prefix="heal-pg-"))
    try:
        if os.geteuid() == 0:
            shutil.chown(folder, "postgres", "postgres")
        told = folder / "password"
        told.write_text(f"{password}\n")
        make = [str(_programs() / "initdb"), "-D", str(folder / "data"), "-U", "heal", "-E", "UTF8", "--no-sync",
                *(["--auth=scram-sha-256", f"--pwfile={told}"] if password else ["--auth=trust"])]  # fmt: skip
        subprocess.run(_as_postgres(make), check=True, capture_output=True, cwd="/")
        told.unlink()
        server = PostgresServer(folder, free_port(), durable, password)
        try:
            server.start()
            yield server
        finally:
            server.stop()
    finally:
        shutil.rmtree(folder, ignore_errors=True)


@contextmanager
def postgresql(durable: bool = False) -> Iterator[str]:
    """A fresh cluster; gives the URL of its database `postgres`."""
    with postgresql_server(durable) as server:
        yield server.url


@dataclass
class RedisServer:
    """A running Redis; `process` may be stopped, frozen and killed by the test."""

    port: int
    process: subprocess.Popen[bytes]

    @property
    def url(self) -> str:
        """Of its database 0."""
        return f"redis://127.0.0.1:{self.port}/0"

    def client(self) -> redis.Redis:
        """A plain client."""
        return redis.Redis.from_url(self.url, socket_timeout=2)


@contextmanager
def redis_server(port: int = 0) -> Iterator[RedisServer]:
    """A fresh, empty Redis without persistence, on a free port when none is said."""
    folder = Path(tempfile.mkdtemp(prefix="heal-redis-"))
    port = port or free_port()
    command = ["redis-server", "--port", str(port), "--bind", "127.0.0.1", "--save", "", "--dir", str(folder)]
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL)
    try:
        server = RedisServer(port, process)
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
