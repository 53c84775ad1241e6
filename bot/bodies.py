"""Reads the body of a request: bounded in bytes and seconds, and all that are being read are bounded together.

Nothing is known of a sender before the whole of what it sent is there and its signature was checked. Until then it may
only have room that the receiver can spare.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from starlette.requests import Request
from starlette.types import Receive

BODY_SECONDS = 5.0
SMALL_BODY = 64 * 1024
"""Nearly every delivery is smaller. Bodies up to this size always find room, whatever the large ones hold."""
LARGE_ROOM = 128 * 1024 * 1024
"""Bytes of all bodies in memory beyond which none may grow large: five of the largest that GitHub sends."""


class Refused(Exception):  # noqa: N818 - an answer on its way out
    """A request that is not looked at further. `status` is the answer's, `result` the metric's label."""

    def __init__(self, status: int, result: str, message: str) -> None:
        super().__init__(message)
        self.status = status
        self.result = result
        self.message = message


@dataclass
class Room:
    """What bodies hold together. One for each server: its event loop counts, no lock is needed."""

    most: int = LARGE_ROOM
    held: int = field(default=0, init=False)

    @contextmanager
    def reading(self) -> Iterator[Share]:
        """A share that is given back at the end."""
        share = Share(self)
        try:
            yield share
        finally:
            self.held -= share.size


@dataclass
class Share:
    """What one body holds of the room."""

    room: Room
    size: int = 0

    def take(self, more: int) -> None:
        """Raises `Refused` where a large body would not fit."""
        if self.size + more > SMALL_BODY and self.room.held + more > self.room.most:
            raise Refused(503, "no_room", "too many large bodies at once; deliver it again later")
        self.size += more
        self.room.held += more


async def read_pieces(
    receive: Receive, share: Share, most: int, seen: Callable[[bytes], None] = lambda _: None
) -> list[bytes]:
    """The body in the pieces it came in, at most `most` bytes in at most `BODY_SECONDS`: uvicorn itself waits for ever.

    Each piece is told to `seen` when it comes. Raises `Refused`.
    """
    pieces: list[bytes] = []
    try:
        async with asyncio.timeout(BODY_SECONDS):
            while (message := await receive())["type"] == "http.request":
                piece = message.get("body", b"")
                if share.size + len(piece) > most:
                    raise Refused(413, "too_large", f"more than {most:,} bytes")
                share.take(len(piece))
                seen(piece)
                pieces.append(piece)
                if not message.get("more_body", False):
                    return pieces
    except TimeoutError as error:
        raise Refused(408, "slow_body", "the body came too slowly") from error
    raise Refused(400, "disconnected", "the body was cut off")


async def read_body(request: Request, share: Share, most: int) -> bytes:
    """The same in one piece, for what is small."""
    return b"".join(await read_pieces(request.receive, share, most))
