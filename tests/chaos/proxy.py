"""A TCP proxy between Redis and everybody: its connections can be cut, frozen, or left half open.

Half open is what a NAT or a load balancer makes of an idle connection: nothing arrives any more, and nobody is told.
"""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from types import TracebackType
from typing import Self

PIECE = 65_536


@dataclass(eq=False)
class _Link:
    """One connection through the proxy."""

    client: asyncio.StreamWriter
    server: asyncio.StreamWriter
    dead: bool = False
    """Whatever is sent into it from either side is lost."""


class Proxy:
    """`with Proxy(port) as proxy:` listens on `proxy.port` and passes on to the other port of loopback."""

    def __init__(self, target: int) -> None:
        self._target = target
        self._links: set[_Link] = set()
        self._ready = threading.Event()
        self._thread = threading.Thread(target=lambda: asyncio.run(self._serve()), name="proxy", daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        assert self._ready.wait(10), "the proxy did not start"
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._loop.call_soon_threadsafe(self._over.set)
        self._thread.join(10)

    def half_open(self) -> None:
        """Connections that exist carry nothing any more and stay open. New ones work."""
        self._do(self._forget)

    def freeze(self) -> None:
        """Nothing is carried until `thaw`; connections can still be made."""
        self._do(self._thawed.clear)

    def thaw(self) -> None:
        """What was sent meanwhile arrives."""
        self._do(self._thawed.set)

    def cut(self) -> None:
        """Reset every connection that exists."""
        self._do(self._cut)

    def _do(self, what: Callable[[], object]) -> None:
        done = threading.Event()
        self._loop.call_soon_threadsafe(what)
        self._loop.call_soon_threadsafe(done.set)
        assert done.wait(10), "the proxy does not answer"

    def _forget(self) -> None:
        for link in self._links:
            link.dead = True

    def _cut(self) -> None:
        for link in self._links:
            link.client.transport.abort()
            link.server.transport.abort()

    async def _serve(self) -> None:
        self._loop, self._over, self._thawed = asyncio.get_running_loop(), asyncio.Event(), asyncio.Event()
        self._thawed.set()
        server = await asyncio.start_server(self._accepted, "127.0.0.1", 0)
        self.port = int(server.sockets[0].getsockname()[1])
        self._ready.set()
        await self._over.wait()
        server.close()
        self._thawed.set()
        self._cut()

    async def _accepted(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            answers, server = await asyncio.open_connection("127.0.0.1", self._target)
        except OSError:  # Redis is away: so are we
            writer.transport.abort()
            return
        link = _Link(writer, server)
        self._links.add(link)
        pumps = [asyncio.create_task(self._pump(link, *way)) for way in ((reader, server), (answers, writer))]
        await asyncio.wait(pumps, return_when=asyncio.FIRST_COMPLETED)
        if link.dead:  # one side has given up; the other one is never told
            await asyncio.wait(pumps)
        self._links.discard(link)
        for end in (writer, server):
            end.transport.abort()

    async def _pump(self, link: _Link, source: asyncio.StreamReader, sink: asyncio.StreamWriter) -> None:
        with suppress(OSError):
            while piece := await source.read(PIECE):
                await self._thawed.wait()
                if not link.dead:
                    sink.write(piece)
                    await sink.drain()
