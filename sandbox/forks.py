"""What a forked process must not take over from its parent: locks, connections, containers that wait for the parent."""

from __future__ import annotations

import os
import weakref
from typing import Protocol


class Fresh(Protocol):
    """Something that belongs to one process."""

    def after_fork(self) -> None:
        """Called in the child before anything else: forget what is the parent's, without touching it."""


_KNOWN: weakref.WeakSet[Fresh] = weakref.WeakSet()


def fresh_after_fork(thing: Fresh) -> None:
    """From now on `thing` starts anew in every process forked from this one, for as long as somebody holds it."""
    _KNOWN.add(thing)


def _in_child() -> None:
    for thing in list(_KNOWN):
        thing.after_fork()


os.register_at_fork(after_in_child=_in_child)
