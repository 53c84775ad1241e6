"""The attached streams of one running container: fed by one thread, drained to the very end by another.

Knows the engine's framing of standard output and error, caps and clocks; nothing of Docker's API.
"""

from __future__ import annotations

import contextlib
import queue
import struct
import threading
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from enum import StrEnum
from threading import Event
from typing import Any

from sandbox.capture import Capture

_STDERR = 2
_POLL_S = 0.05
_DRAIN_S = 10.0
_OWN_LINES = 64 << 10


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


@dataclass(frozen=True)
class Marks:
    """Lines by which a container's first process tells how far it is; it need not say any of them.

    `ready` and `start` come on standard output: it waits for its command, the command starts. `over` comes on both
    streams when the command has ended, and is known to nobody else in the container.
    """

    ready: bytes = b""
    start: bytes = b""
    over: bytes = b""


class Stream:
    """An attached container: one thread feeds its input, one drains its output to the very end.

    An attached stream that nobody reads makes every later call on the container hang (moby issue 41827), so the
    drain goes on, and throws away, whatever happens to the container. `on_end` is called once, by the draining thread.
    """

    def __init__(self, attached: Any, caps: Caps, marks: Marks, on_end: Callable[[], None] | None = None) -> None:
        """`attached` is what the SDK's attach call gives: a socket or a file around one, by kind of connection."""
        self.stdout = Capture(0, caps.stdout)
        self.stderr = Capture(caps.head, caps.tail)
        self.ready, self.ended = Event(), Event()
        self._channels = (_Channel(self.stdout, marks.over), _Channel(self.stderr, marks.over))
        self._marks, self._kill, self._on_end = marks, caps.kill, on_end
        self._settled = Event()
        self._flooded = self._started = False
        self._first = self._last = time.monotonic()
        self._attached = attached
        self._socket = getattr(self._attached, "_sock", self._attached)
        self._early = _read_already(self._attached, self._socket)
        self._socket.settimeout(None)
        self._input: queue.SimpleQueue[Iterable[bytes] | None] = queue.SimpleQueue()
        self._threads = [threading.Thread(target=target, daemon=True) for target in (self._drain, self._pass_on)]

    def begin(self) -> None:
        self._first = self._last = time.monotonic()
        for thread in self._threads:
            thread.start()

    def feed(self, data: Iterable[bytes]) -> None:
        """Send to the container's standard input, in the order of the calls. Returns at once."""
        self._input.put(data)

    @property
    def over(self) -> bool:
        """The first process said that the command has ended, and everything written until then is here."""
        return all(channel.over for channel in self._channels)

    def watch(self, seconds: float, cancel: Event | None) -> Stop | None:
        """Wait until it is over or the streams end, or tell why the container has to be ended now."""
        deadline = time.monotonic() + seconds
        while not self._settled.wait(_POLL_S):
            if cancel is not None and cancel.is_set():
                return Stop.CANCELLED
            if time.monotonic() > deadline:
                return Stop.DEADLINE
        return Stop.OUTPUT if self._flooded else None

    def drained(self) -> bool:
        """Wait for the last byte of a container that was killed."""
        return self.ended.wait(_DRAIN_S)

    def seconds(self) -> float:
        """From the line `start`, else from the beginning, to the last byte of standard output."""
        return max(0.0, self._last - self._first)

    def close(self) -> None:
        self._input.put(None)
        with contextlib.suppress(OSError):
            self._socket.shutdown(2)
        for thread in self._threads:
            if thread.ident is not None and thread is not threading.current_thread():
                thread.join(_DRAIN_S)
        if response := getattr(self._attached, "_response", None):  # it keeps the connection of the hijacked call
            response.close()
        self._attached.close()
        self._socket.close()

    def _pass_on(self) -> None:
        with contextlib.suppress(OSError):  # the container ended without reading everything: its exit says why
            while (pieces := self._input.get()) is not None:
                for data in pieces:
                    self._socket.sendall(data)

    def _drain(self) -> None:
        try:
            with contextlib.suppress(OSError):
                while header := self._exactly(8):
                    channel, size = struct.unpack(">BxxxL", header)
                    self._frame(channel, size)
        finally:
            for one in self._channels:
                one.end()
            self.ended.set()
            self._settled.set()
            self.ready.set()  # it will not say it any more: nobody need wait
            if self._on_end is not None:
                self._on_end()

    def _frame(self, channel: int, size: int) -> None:
        while size:
            data = self._received(min(size, 1 << 16))
            if not data:
                return
            size -= len(data)
            self._channels[channel == _STDERR].feed(data)
            if channel != _STDERR:
                self._last = time.monotonic()
                self._progress()
            self._flooded = self._flooded or self.stderr.total + self.stdout.total > self._kill
            if self._flooded or self.over:
                self._settled.set()

    def _progress(self) -> None:
        """Until the command starts, standard output is a few lines of our own: in more, none is looked for."""
        if self._started or self.stdout.total > _OWN_LINES:
            return
        if self._marks.ready and self._marks.ready in self.stdout.bytes():
            self.ready.set()
        if self._marks.start and self._marks.start in self.stdout.bytes():
            self._started, self._first = True, self._last

    def _exactly(self, count: int) -> bytes:
        data = b""
        while len(data) < count:
            more = self._received(count - len(data))
            if not more:
                return b""
            data += more
        return data

    def _received(self, most: int) -> bytes:
        data, self._early = self._early[:most], self._early[most:]
        return data or bytes(self._socket.recv(most))


def _read_already(attached: Any, connection: Any) -> bytes:
    """What the SDK read beyond the head of the engine's answer and keeps in its buffer: the first output of a process
    that was quick. A connection that was made without an answer has none."""
    response = getattr(attached, "_response", None)
    if response is None:
        return b""
    connection.settimeout(0)  # an empty buffer asks the connection, which may have nothing yet
    with contextlib.suppress(OSError):  # TLS says so in this way
        return bytes(response.raw._fp.fp.peek())  # noqa: SLF001 - where the SDK takes the connection from
    return b""


class _Channel:
    """One of the two streams up to the line `over`: whatever follows was written after the end and counts for nothing.

    The line may arrive in pieces, so what could be its beginning is held back until more is known.
    """

    def __init__(self, capture: Capture, over: bytes) -> None:
        self.over = False
        self._capture, self._mark, self._held = capture, over, b""

    def feed(self, data: bytes) -> None:
        if self.over:
            return
        data = self._held + data
        if self._mark and (at := data.find(self._mark)) >= 0:
            data, self._held, self.over = data[:at], b"", True
        else:
            keep = next((n for n in range(len(self._mark) - 1, 0, -1) if data.endswith(self._mark[:n])), 0)
            data, self._held = data[: len(data) - keep], data[len(data) - keep :]
        self._capture.feed(data)

    def end(self) -> None:
        self._capture.feed(self._held)
        self._held = b""
