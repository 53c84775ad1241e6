"""How many live pages there may be at once. A seat is taken when a stream begins and given back however it ends.

A stream that was counted where it is made would never be given back when its client leaves before it begins.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass

from starlette.responses import JSONResponse, Response, StreamingResponse
from starlette.types import Receive, Scope, Send

MOST_LISTENERS = 200


@dataclass
class Seats:
    """Those of one server; its event loop counts, no lock is needed."""

    most: int = MOST_LISTENERS
    taken: int = 0

    @property
    def full(self) -> bool:
        """Nobody else may listen now."""
        return self.taken >= self.most

    def refusal(self) -> Response:
        """The answer to one more."""
        return JSONResponse({"error": "too many live pages"}, status_code=503, headers={"retry-after": "30"})


class Seated(StreamingResponse):
    """Server-sent events for whoever gets a seat, the refusal for the others."""

    def __init__(self, stream: AsyncIterator[str], seats: Seats) -> None:
        super().__init__(stream, media_type="text/event-stream")
        self._seats = seats

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Take the seat, send, give it back."""
        if self._seats.full:
            await self._seats.refusal()(scope, receive, send)
            return
        self._seats.taken += 1
        try:
            await super().__call__(scope, receive, send)
        finally:
            self._seats.taken -= 1
