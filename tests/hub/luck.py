"""Bad luck: what goes wrong with requests and deliveries, for how often, and how a test asks for it.

A fault is a dictionary with a `kind`, a number of `times` it still strikes, and patterns that say where.
"""

from __future__ import annotations

import re
from datetime import timedelta

from tests.hub.state import Json, World

ON_REQUESTS = frozenset({"answer", "sever", "expire"})
ON_DELIVERIES = frozenset({"drop", "duplicate", "reorder", "delay"})
_DEFAULTS: Json = {"times": 1, "method": "", "path": "", "event": "", "status": 502, "after": False, "seconds": 1.0}


def strike(world: World, kinds: frozenset[str], **where: str) -> Json | None:
    """The first fault of these kinds whose patterns all match, used up once by asking."""
    with world.lock:
        for fault in world.faults:
            due = fault["kind"] in kinds and fault["times"] > 0
            if due and all(re.search(fault[name], text) for name, text in where.items()):
                fault["times"] -= 1
                return fault
    return None


def on_request(world: World, method: str, path: str) -> Json | None:
    """The fault that this request has. One that lets tokens expire has done so by now."""
    fault = strike(world, ON_REQUESTS, method=method, path=path)
    if fault is not None and fault["kind"] == "expire":
        expire(world)
        return None
    return fault


def expire(world: World) -> None:
    """Every token is over."""
    for token in world.tokens.values():
        token.expires = world.now()


class Luck:
    """The verbs of the human side that bring bad luck, and those that move the clock."""

    def __init__(self, world: World) -> None:
        self._world = world

    def do_fault(self, asked: Json) -> Json:
        """Bad luck for the next `times` requests or deliveries. `kind` is one of those above, or
        `expired_link`: log addresses that are too old when they are given out."""
        self._world.faults.append({**_DEFAULTS, **asked})
        return {}

    def do_clear_faults(self, asked: Json) -> Json:
        """Bad luck that nobody met is taken back."""
        self._world.faults.clear()
        return {}

    def do_faults(self, asked: Json) -> Json:
        """The bad luck that nobody met so far."""
        return {"left": [fault for fault in self._world.faults if fault["times"] > 0]}

    def do_expire_tokens(self, asked: Json) -> Json:
        expire(self._world)
        return {}

    def do_advance(self, asked: Json) -> Json:
        self._world.clock_offset += timedelta(seconds=asked["seconds"])
        return {}

    def do_disagree(self, asked: Json) -> Json:
        self._world.clock_error = timedelta(seconds=asked["seconds"])
        return {}
