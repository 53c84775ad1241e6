"""A door before the engine's socket that can be slammed: what an engine that restarts is to those who use it."""

from __future__ import annotations

import os
import socket
import threading
from contextlib import suppress
from pathlib import Path
from types import TracebackType
from typing import Self

_CHUNK = 1 << 16


class Gate:
    """Passes every connection at `path` on to the engine, while it is open."""

    def __init__(self, path: Path, engine: str = "/var/run/docker.sock") -> None:
        self.host = f"unix://{path}"
        self._path, self._engine = path, os.environ.get("DOCKER_HOST", engine).removeprefix("unix://")
        self._door: socket.socket | None = None
        self._ends: list[socket.socket] = []
        self._turn = threading.Lock()
        """Nobody comes in while the door is slammed."""

    def __enter__(self) -> Self:
        self.open()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.cut()

    def open(self) -> None:
        """Take connections from now on."""
        self._door = door = socket.socket(socket.AF_UNIX)
        door.bind(str(self._path))
        door.listen(64)
        threading.Thread(target=self._accept, args=(door,), daemon=True).start()

    def cut(self) -> None:
        """End every connection, in the middle of whatever is said, and take no other."""
        if self._door is None:
            return
        self._path.unlink()
        with self._turn:
            door, self._door = self._door, None
            ends, self._ends = self._ends, []
        for one in (door, *ends):
            with suppress(OSError):
                one.shutdown(socket.SHUT_RDWR)
            one.close()

    def _accept(self, door: socket.socket) -> None:
        with suppress(OSError):
            while True:
                here, _ = door.accept()
                there = socket.socket(socket.AF_UNIX)
                there.connect(self._engine)
                with self._turn:
                    if self._door is not door:
                        here.close()
                        there.close()
                        return
                    self._ends += [here, there]
                for one, other in ((here, there), (there, here)):
                    threading.Thread(target=_pump, args=(one, other), daemon=True).start()


def _pump(source: socket.socket, target: socket.socket) -> None:
    with suppress(OSError):
        while data := source.recv(_CHUNK):
            target.sendall(data)
        target.shutdown(socket.SHUT_WR)
