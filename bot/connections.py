"""How long a connection may take, and how many there may be: what the server itself would wait for without an end.

A request's head has to be there in `HEAD_SECONDS`, the whole of it in `WHOLE_SECONDS`; uvicorn knows a time limit
between two requests only, so a client that sends a byte and waits would keep its connection for ever.
"""

from __future__ import annotations

import asyncio
import resource
from typing import Any, ClassVar

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

HEAD_SECONDS = 5.0
WHOLE_SECONDS = 15.0
"""Bodies of deliveries have a shorter limit of their own; this one is for what nobody reads."""
MOST_CONNECTIONS = 2048
"""A burst of a thousand deliveries, 500 clients that stall and all live pages together stay below it."""
_OTHER_FILES = 256

_TOO_SLOW = b"HTTP/1.1 408 Request Timeout\r\nconnection: close\r\ncontent-length: 0\r\n\r\n"
_TOO_MANY = b"HTTP/1.1 503 Service Unavailable\r\nconnection: close\r\nretry-after: 30\r\ncontent-length: 0\r\n\r\n"


class BoundedProtocol(HttpToolsProtocol):
    """One connection: HTTP as uvicorn speaks it, with an end to every wait for the client."""

    head_seconds: ClassVar[float] = HEAD_SECONDS
    whole_seconds: ClassVar[float] = WHOLE_SECONDS
    most: ClassVar[int] = MOST_CONNECTIONS
    _limit: tuple[float, bytes] | None = None
    """Until when the loop's clock waits for what is not there yet, and what one who is late is told."""
    _timed: tuple[float, bytes] | None = None
    """The limit that the timer is for."""
    _timer: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]  # as uvicorn's own
        super().connection_made(transport)
        if len(self.connections) > self.most:
            self._end(_TOO_MANY)
        else:
            self._wait_for_head()
            self._set_timer()

    def connection_lost(self, exc: Exception | None) -> None:
        self._limit = None
        self._set_timer()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        super().data_received(data)
        self._set_timer()  # not for every part of a request: nearly all come whole

    def on_message_begin(self) -> None:
        super().on_message_begin()
        self._wait_for_head()

    def on_headers_complete(self) -> None:
        self._limit = self.loop.time() + self.whole_seconds, b""
        super().on_headers_complete()

    def on_message_complete(self) -> None:
        self._limit = None
        super().on_message_complete()

    def _wait_for_head(self) -> None:
        if self._limit is None:  # the first byte of a head gives it no more time than the connection had
            self._limit = self.loop.time() + self.head_seconds, _TOO_SLOW

    def _set_timer(self) -> None:
        if self._timed is self._limit:
            return
        if self._timer is not None:
            self._timer.cancel()
        self._timed = self._limit
        self._timer = None if self._limit is None else self.loop.call_at(self._limit[0], self._end, self._limit[1])

    def _end(self, last_words: bytes) -> None:
        """Close it, unless words would end up inside the answer to a request before."""
        if self.transport.is_closing():
            return
        if self.cycle is None or self.cycle.response_complete:
            self.transport.write(last_words)
        self.transport.close()


SERVER: dict[str, Any] = {
    "http": BoundedProtocol,
    "ws": "none",
    "server_header": False,
    "access_log": False,
    "timeout_graceful_shutdown": 10,
}
"""uvicorn's settings for every server of ours, tests included."""


def allow_connections() -> None:
    """Let this process open as many files as its connections need, as far as the system lets it.

    A thousand clients would reach the usual limit of 1,024, and then nothing can be opened, the database neither.
    """
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = MOST_CONNECTIONS + _OTHER_FILES
    if soft != resource.RLIM_INFINITY and soft < wanted:
        most = wanted if hard == resource.RLIM_INFINITY else min(wanted, hard)
        resource.setrlimit(resource.RLIMIT_NOFILE, (most, hard))
