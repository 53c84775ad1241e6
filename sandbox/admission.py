"""How many containers may run at once: by the memory that they may use together, not by their number.

Counted are the containers of this process and those that other workers of the same owner have on the engine. Between
processes nothing is locked: two that ask in the same millisecond may both be let in, which the share below 100 covers.
"""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from threading import Event
from typing import Protocol

from sandbox.errors import Cancelled, EngineBusy
from sandbox.forks import fresh_after_fork

SHARE = 0.7
"""Of the engine's memory that all containers may use together, by their limits."""
AHEAD = min(4, os.cpu_count() or 1)
"""Containers of one kind that wait at a time: more than there are cores cannot be used at once."""
PATIENCE_S = 300.0
_LOOK_S = 0.5


class Host(Protocol):
    """What admission asks of the engine."""

    def memory(self) -> int:
        """Bytes of memory of the engine's machine."""

    def memory_in_use(self, owner: str) -> Mapping[str, int]:
        """Memory limits (bytes) of the running containers of the owner's installation by id."""


@dataclass(eq=False)
class Ticket:
    """Room for one container. `container` is its id once it has one."""

    need: int
    container: str = ""


@dataclass(eq=False)
class Room:
    """Lets containers in while there is memory for them. Thread-safe; a forked process starts with an empty room."""

    host: Host
    share: float = SHARE
    patience_s: float = PATIENCE_S
    _inside: set[Ticket] = field(default_factory=set)
    _waiting: list[Callable[[], bool]] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.after_fork()
        fresh_after_fork(self)

    def after_fork(self) -> None:
        self._changed = threading.Condition()
        self._inside.clear()

    def offer(self, give_up: Callable[[], bool]) -> None:
        """Name somebody who gives up a waiting container when room is needed; it returns False when it has none."""
        self._waiting.append(give_up)

    def enter(self, need: int, owner: str, cancel: Event | None = None) -> Ticket:
        """Wait for room of `need` bytes. Raises Cancelled, and EngineBusy when patience ends."""
        deadline = time.monotonic() + self.patience_s
        while (ticket := self.try_enter(need, owner)) is None:
            if any(give_up() for give_up in list(self._waiting)):
                continue
            if cancel is not None and cancel.is_set():
                raise Cancelled("cancelled while it waited for room on the container engine")
            if time.monotonic() > deadline:
                raise EngineBusy(f"no room for another container of {need >> 20} MiB within {self.patience_s:g} s")
            with self._changed:
                self._changed.wait(_LOOK_S)
        return ticket

    def try_enter(self, need: int, owner: str, *, ahead: bool = False) -> Ticket | None:
        """Room of `need` bytes if there is some now.

        What is started `ahead` of need gets half of the room only, so that it never keeps out what is to run at once.
        Of the others one alone is let in whatever its size: it would never be otherwise.
        """
        most = self.host.memory() * self.share / (2 if ahead else 1)
        others = self.host.memory_in_use(owner)
        with self._changed:
            known = {ticket.container for ticket in self._inside}
            used = sum(ticket.need for ticket in self._inside)
            used += sum(limit for container, limit in others.items() if container not in known)
            if used + need > most and (used or ahead):
                return None
            ticket = Ticket(need)
            self._inside.add(ticket)
            return ticket

    def split(self, ticket: Ticket, part: int) -> Ticket:
        """Make of a part of it a ticket of its own: for containers that are only of use together."""
        with self._changed:
            ticket.need -= part
            own = Ticket(part)
            self._inside.add(own)
        return own

    def leave(self, ticket: Ticket) -> None:
        with self._changed:
            self._inside.discard(ticket)
            self._changed.notify_all()
