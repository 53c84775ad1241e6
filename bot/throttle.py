"""How often one address may ask for something: a bucket of tokens that fills again, one for each address.

Deliveries are not counted: behind a proxy GitHub and a stranger may have one address, and to check a signature costs
less than to be wrong about whose it is.
"""

from __future__ import annotations

import ipaddress
import time
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass, field

from starlette.requests import HTTPConnection
from starlette.responses import PlainTextResponse
from starlette.types import ASGIApp, Receive, Scope, Send

from bot.access import is_local

MOST_ADDRESSES = 20_000


@dataclass
class Throttle:
    """`burst` requests at once, then `per_minute`. Addresses that were quiet for longest are forgotten first."""

    per_minute: float
    burst: int
    clock: Callable[[], float] = time.monotonic
    most: int = MOST_ADDRESSES
    _left: OrderedDict[str, tuple[float, float]] = field(default_factory=OrderedDict, init=False)

    def allows(self, address: str) -> bool:
        """One more request of this address is within its share; it is counted."""
        now = self.clock()
        left, seen = self._left.pop(address, (float(self.burst), now))
        left = min(float(self.burst), left + (now - seen) * self.per_minute / 60)
        allowed = left >= 1
        self._left[address] = (left - 1 if allowed else left, now)
        if len(self._left) > self.most:
            self._left.popitem(last=False)
        return allowed

    @property
    def pause(self) -> int:
        """Seconds after which one more is allowed, for Retry-After."""
        return max(1, round(60 / self.per_minute))


class RateLimit:
    """ASGI middleware: 429 beyond an address's share of everything but deliveries. This very machine is not counted."""

    def __init__(self, app: ASGIApp, throttle: Throttle, free: tuple[str, ...] = ("/webhook",)) -> None:
        self._app, self._throttle, self._free = app, throttle, free

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on, or answer it."""
        if scope["type"] == "http" and scope["path"] not in self._free:
            request = HTTPConnection(scope)
            if not is_local(request) and not self._throttle.allows(address(request)):
                wait = {"retry-after": str(self._throttle.pause)}
                await PlainTextResponse("too many requests\n", 429, wait)(scope, receive, send)
                return
        await self._app(scope, receive, send)


def address(request: HTTPConnection) -> str:
    """Whose share of requests this one belongs to: an address, or the network that one IPv6 user has."""
    host = request.client.host if request.client else ""
    try:
        known = ipaddress.ip_address(host.partition("%")[0])
    except ValueError:
        return host[:64]
    return str(known) if known.version == 4 else str(ipaddress.ip_network((known, 64), strict=False))
