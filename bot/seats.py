"""How many live pages there may be at once. A seat is taken before anything is read, and given back however it ends.

A seat that a handler took for a stream would be lost when the client leaves before the stream begins.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from starlette.responses import JSONResponse, Response
from starlette.types import Receive, Scope, Send

MOST_LISTENERS = 200


@dataclass
class Seats:
    """Those of one server; its event loop counts, no lock is needed."""

    most: int = MOST_LISTENERS
    taken: int = 0


class Seated(Response):
    """The answer that `make` gives, for whoever gets a seat; 503 for the others, who cost the database nothing."""

    def __init__(self, seats: Seats, make: Callable[[], Awaitable[Response]]) -> None:
        super().__init__()
        self._seats = seats
        self._make = make

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Take the seat, make the answer and send it to its end, give the seat back."""
        if self._seats.taken >= self._seats.most:
            busy = JSONResponse({"error": "too many live pages"}, status_code=503, headers={"retry-after": "30"})
            await busy(scope, receive, send)
            return
        self._seats.taken += 1
        try:
            answer = await self._make()
            await answer(scope, receive, send)
        finally:
            self._seats.taken -= 1
