"""One at a time for each key, as a turn that can be given up while it is waited for."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from threading import Event
from weakref import WeakValueDictionary

from sandbox.errors import Cancelled
from sandbox.forks import fresh_after_fork

_POLL_S = 0.05


class Turns:
    """Thread-safe. Keys that nobody holds or waits for take no memory; in a forked process nobody holds any."""

    def __init__(self, what: str) -> None:
        """`what` names that which is done in turn, for who gives up."""
        self._what = what
        self.after_fork()
        fresh_after_fork(self)

    def after_fork(self) -> None:
        self._guard = threading.Lock()
        self._locks: WeakValueDictionary[str, threading.Lock] = WeakValueDictionary()

    @contextmanager
    def turn(self, key: str, cancel: Event | None = None) -> Iterator[None]:
        """Nobody else is inside with this key. Raises Cancelled when `cancel` is set before its turn comes."""
        with self._guard:
            lock = self._locks.get(key)
            if lock is None:
                lock = self._locks[key] = threading.Lock()
        while not lock.acquire(timeout=_POLL_S):
            if cancel is not None and cancel.is_set():
                raise Cancelled(f"{self._what} was cancelled")
        try:
            yield
        finally:
            lock.release()
