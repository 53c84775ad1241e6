"""Starts and stops the real processes that tests and the demo lean on. Loopback only, free ports, logs in a folder."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

_KEPT: list[socket.socket] = []
"""They hold the ports that were given out."""


def free_port() -> int:
    """A port nobody listens on, and that the kernel gives to nobody else while this process lives: other tests start
    servers and connect meanwhile. It stays bound here; a server that may reuse an address, as all do, can listen."""
    keeping = socket.socket()
    _KEPT.append(keeping)
    keeping.bind(("127.0.0.1", 0))
    keeping.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    port: int = keeping.getsockname()[1]
    return port


def unmeasured() -> dict[str, str]:
    """This environment without what makes a Python process count its lines: for processes that run none of the
    product's, or lines that are counted elsewhere. Counting makes Python two to four times as slow."""
    return {name: value for name, value in os.environ.items() if not name.startswith("COVERAGE_")}


class Process:
    """A child process with its output in a file. Stopped by its own id, never by name."""

    def __init__(self, name: str, command: Sequence[str], folder: Path, env: Mapping[str, str] | None = None) -> None:
        self.name = name
        self.log = folder / f"{name}.log"
        with self.log.open("ab") as out:
            self._child = subprocess.Popen(
                list(command),
                stdout=out,
                stderr=subprocess.STDOUT,
                stdin=subprocess.DEVNULL,
                env={**os.environ, **(env or {})},
                start_new_session=True,
            )

    @property
    def pid(self) -> int:
        return self._child.pid

    def wait_until(self, ready: Callable[[], bool], seconds: float = 30.0) -> None:
        """Poll until ready. Raises RuntimeError with the end of the log when the process ends or time is up."""
        deadline = time.monotonic() + seconds
        while not ready():
            if self._child.poll() is not None or time.monotonic() > deadline:
                ended = f" and ended with {self._child.returncode}" if self._child.returncode is not None else ""
                raise RuntimeError(
                    f"{self.name} did not get ready{ended}:\n{self.log.read_text(errors='replace')[-4000:]}"
                )
            time.sleep(0.02)

    def finished(self, seconds: float) -> int | None:
        """The exit code, or None when it is still running after that long."""
        try:
            return self._child.wait(seconds)
        except subprocess.TimeoutExpired:
            return None

    def stop(self, grace: float = 15.0) -> None:
        """SIGTERM, then SIGKILL for what is left of its session."""
        if self._child.poll() is None:
            self._child.terminate()
            try:
                self._child.wait(grace)
            except subprocess.TimeoutExpired:
                os.killpg(self._child.pid, signal.SIGKILL)
                self._child.wait(5)

    def kill(self) -> None:
        """SIGKILL to the whole session, as when the machine loses it."""
        os.killpg(self._child.pid, signal.SIGKILL)
        self._child.wait(5)


def listens(port: int) -> bool:
    """Something accepts connections on the port."""
    with socket.socket() as probe:
        probe.settimeout(0.2)
        return probe.connect_ex(("127.0.0.1", port)) == 0


def start_redis(folder: Path, port: int = 0) -> tuple[Process, str]:
    """A private Redis with its data in the folder: its process and its URL. On a free port when none is said."""
    port = port or free_port()
    command = ["redis-server", "--port", str(port), "--bind", "127.0.0.1", "--dir", str(folder), "--save", "",
               "--appendonly", "yes", "--maxmemory-policy", "noeviction"]  # fmt: skip
    process = Process("redis", command, folder)
    process.wait_until(lambda: listens(port))
    return process, f"redis://127.0.0.1:{port}/0"
