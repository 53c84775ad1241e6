"""The attached streams of one running container: fed by one thread, drained to the very end by another.

Knows the engine's framing of standard output and error, caps and clocks; nothing of Docker's API.
"""

from __future__ import annotations

import contextlib
import struct
import threading
import time
from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum
from threading import Event
from typing import Any

from sandbox.capture import Capture

_STDERR = 2
_POLL_S = 0.05
_DRAIN_S = 10.0


class Stop(StrEnum):
    """Why we ended a container that would have gone on."""

    DEADLINE = "deadline"
    CANCELLED = "cancelled"
    OUTPUT = "output"


@dataclass(frozen=True)
class Caps:
    """How much of each stream is kept, and how much may pass before the container is killed (bytes)."""

    stdout: int
    head: int
    tail: int
    kill: int


class Stream:
    """An attached container: one thread feeds its input, one drains its output to the very end.

    An attached stream that nobody reads makes every later call on the container hang (moby issue 41827), so the
    drain goes on, and throws away, whatever happens to the container.
    """

    def __init__(self, attached: Any, caps: Caps, marker: bytes) -> None:
        """`attached` is what the SDK's attach call gives: a socket or a file around one, by kind of connection."""
        self.stdout = Capture(0, caps.stdout)
        self.stderr = Capture(caps.head, caps.tail)
        self._ended = Event()
        self._flooded = False
        self._kill, self._marker = caps.kill, marker
        self._began = self._first = self._last = time.monotonic()
        self._attached = attached
        self._socket = getattr(self._attached, "_sock", self._attached)
        self._socket.settimeout(None)
        self._threads: list[threading.Thread] = []

    def begin(self, feed: Iterable[bytes]) -> None:
        self._began = self._first = self._last = time.monotonic()
        for target, args in ((self._drain, ()), (self._feed, (feed,))):
            thread = threading.Thread(target=target, args=args, daemon=True)
            thread.start()
            self._threads.append(thread)

    def watch(self, deadline_s: float, cancel: Event | None) -> Stop | None:
        """Wait for the end of the stream, or tell why it has to be ended now. The deadline counts from `begin`."""
        deadline = self._began + deadline_s
        while not self._ended.wait(_POLL_S):
            if self._flooded:
                return Stop.OUTPUT
            if cancel is not None and cancel.is_set():
                return Stop.CANCELLED
            if time.monotonic() > deadline:
                return Stop.DEADLINE
        return Stop.OUTPUT if self._flooded else None

    def drained(self) -> bool:
        """Wait for the last byte of a container that was killed."""
        return self._ended.wait(_DRAIN_S)

    def seconds(self) -> float:
        return max(0.0, self._last - self._first)

    def close(self) -> None:
        with contextlib.suppress(OSError):
            self._socket.shutdown(2)
        for thread in self._threads:
            thread.join(_DRAIN_S)
        if response := getattr(self._attached, "_response", None):  # it keeps the connection of the hijacked call
            response.close()
        self._attached.close()
        self._socket.close()

    def _feed(self, feed: Iterable[bytes]) -> None:
        with contextlib.suppress(OSError):  # the container ended without reading everything: its exit says why
            for data in feed:
                self._socket.sendall(data)

    def _drain(self) -> None:
        try:
            with contextlib.suppress(OSError):
                while header := self._exactly(8):
                    channel, size = struct.unpack(">BxxxL", header)
                    self._frame(channel, size)
        finally:
            self._ended.set()

    def _frame(self, channel: int, size: int) -> None:
        while size:
            data = self._socket.recv(min(size, 1 << 16))
            if not data:
                return
            size -= len(data)
            if channel == _STDERR:
                self.stderr.feed(data)
            else:
                self.stdout.feed(data)
                self._last = time.monotonic()
                if self._marker in data:
                    self._first = self._last
            self._flooded = self.stderr.total + self.stdout.total > self._kill

    def _exactly(self, count: int) -> bytes:
        data = b""
        while len(data) < count:
            more = self._socket.recv(count - len(data))
            if not more:
                return b""
            data += more
        return bytes(data)
