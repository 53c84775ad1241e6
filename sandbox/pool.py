"""Containers started ahead of need: as many as runs are expected, a few at a time, each for one run.

A key says everything in which containers differ, the commit's files among it; only a run with the same key gets one.
Where something was red, a container or so stays behind that has no files yet, for the next commit of its environment.
Nothing here is needed for a right answer: what cannot be started, died or was given up is replaced by a cold start.
"""

from __future__ import annotations

import atexit
import contextlib
import threading
import weakref
from collections.abc import Callable, Hashable, Sequence
from dataclasses import dataclass, field
from functools import partial
from threading import Event

import structlog

from sandbox.admission import AHEAD
from sandbox.errors import SandboxError
from sandbox.forks import fresh_after_fork
from sandbox.slots import Slot

log = structlog.get_logger(__name__)
_POLL_S = 0.05
_MOST_KEPT = 8
"""Containers without files in one process, of all environments: each takes about 20 MB of the engine's machine."""


Make = Callable[[Callable[[], None]], Slot | None]
"""Starts one, or None when there is no room now; what it is given is called when that one has ended."""


@dataclass(frozen=True)
class Keep:
    """How many containers stay behind for the next commit of an environment, and how long each waits (seconds)."""

    count: int = 0
    seconds: float = 600.0


@dataclass(eq=False)
class _Place:
    """One waiting container, from the decision to start it until somebody takes it or it is of no use."""

    key: Hashable
    kept: bool = False
    slot: Slot | None = None
    made: Event = field(default_factory=Event)
    left: Event = field(default_factory=Event)
    taken: bool = False


class Pool:
    """Thread-safe. A forked process starts with an empty one and never touches its parent's containers."""

    def __init__(self, most: int = AHEAD, keep: Keep = Keep()) -> None:
        """At most `most` wait per key; with 0 none is started for a run that was announced."""
        self._most, self.keep = most, keep
        self.after_fork()
        fresh_after_fork(self)
        _OPEN.add(self)

    def after_fork(self) -> None:
        self._lock = threading.Lock()
        self._places: list[_Place] = []
        self._expected: dict[Hashable, int] = {}
        self._red: dict[str, tuple[Hashable, Make]] = {}
        self._threads: set[threading.Thread] = set()
        self._closed = False

    def expect(self, key: Hashable, count: int, make: Make) -> None:
        """So many runs of this key will come. Starts the first of them in the background; the others when those are
        taken, so there are never more than can run at once."""
        with self._lock:
            if not self._closed:
                self._expected[key] = max(count, self._expected.get(key, 0))
                self._fill(key, make)

    def waiting(self, key: Hashable) -> int:
        """How many wait now, started and ready."""
        with self._lock:
            return sum(place.key == key and place.made.is_set() for place in self._places)

    def was_red(self, environment: str, key: Hashable, make: Make) -> None:
        """When the run is over, keep what this starts: the first that is said of an environment counts."""
        with self._lock:
            self._red.setdefault(environment, (key, make))

    def rest(self) -> None:
        """The run is over: destroy, in the background, what waits for its commit, and start what is to be kept."""
        with self._lock:
            for place in [place for place in self._places if not place.kept]:
                self._leave(place, taken=False)
            self._expected.clear()
            for key, make in self._red.values() if not self._closed else ():
                waiting = sum(place.key == key for place in self._places)
                for _ in range(waiting, min(self.keep.count, AHEAD)):
                    self._add(_Place(key, kept=True), make)
            self._red.clear()
            for place in self._places[:-_MOST_KEPT]:
                self._leave(place, taken=False)

    def take(self, keys: Sequence[Hashable], make: Make, seconds: float, cancel: Event | None = None) -> Slot | None:
        """For a run of so many seconds: one that waits, else one that is being started, of the first key that has any;
        None when there is none. `make` is how another of the first key is started."""
        with self._lock:
            places = [place for place in self._places if place.key in keys]
            place = min(places, key=lambda one: (not one.made.is_set(), keys.index(one.key)), default=None)
            if place is not None:
                self._leave(place, taken=True)
            self._expected[keys[0]] = max(0, self._expected.get(keys[0], 0) - 1)
            self._fill(keys[0], make)
        if place is None:
            return None
        try:
            while not place.made.wait(_POLL_S):
                if cancel is not None and cancel.is_set():
                    self._in_background(lambda: _destroy(place))
                    return None
            if place.slot is not None and place.slot.usable(seconds):
                return place.slot
        except BaseException:  # whatever ends the run here: nobody else knows of the container
            self._in_background(lambda: _destroy(place))
            raise
        _destroy(place)
        return None

    def discard(self, slot: Slot) -> None:
        """Destroy what was used, in the background."""
        self._in_background(lambda: _discard(slot))

    def give_up(self) -> bool:
        """Destroy the container that has waited longest, now; False when none waits. Those that are kept without files
        take no room, so they stay."""
        with self._lock:
            place = next((place for place in self._places if place.made.is_set() and not place.kept), None)
            if place is None:
                return False
            self._leave(place, taken=True)
            self._expected.pop(place.key, None)
        _destroy(place)
        return True

    def close(self) -> None:
        """Destroy every waiting container and wait until all are gone. Afterwards every start is a cold one."""
        with self._lock:
            self._closed = True
            for place in list(self._places):
                self._leave(place, taken=False)
            threads = list(self._threads)
        for thread in threads:
            thread.join()

    def _fill(self, key: Hashable, make: Make) -> None:
        """With the lock held."""
        waiting = sum(place.key == key for place in self._places)
        for _ in range(waiting, 0 if self._closed else min(self._expected.get(key, 0), self._most)):
            self._add(_Place(key), make)

    def _add(self, place: _Place, make: Make) -> None:
        """With the lock held."""
        self._places.append(place)
        self._start(partial(self._tend, place, make))

    def _tend(self, place: _Place, make: Make) -> None:
        """Start a container, and destroy it when it ends or the pool closes before anybody takes it."""
        try:
            place.slot = _made(make, place.left.set)
        finally:
            place.made.set()  # whatever happened: somebody may be waiting for it
        if place.slot is not None:
            place.left.wait()
        with self._lock:
            if place in self._places:
                self._places.remove(place)
            taken = place.taken
        if not taken:
            _destroy(place)

    def _leave(self, place: _Place, *, taken: bool) -> None:
        """With the lock held: the place is in the pool no more, and if it was taken its container is not ours."""
        self._places.remove(place)
        place.taken = taken
        place.left.set()

    def _in_background(self, work: Callable[[], None]) -> None:
        with self._lock:
            if not self._closed:
                self._start(work)
                return
        work()

    def _start(self, work: Callable[[], None]) -> None:
        """With the lock held."""
        thread = threading.Thread(target=self._work, args=(work,), daemon=True)
        self._threads.add(thread)
        thread.start()

    def _work(self, work: Callable[[], None]) -> None:
        try:
            work()
        finally:
            with self._lock:
                self._threads.discard(threading.current_thread())


def _made(make: Make, on_end: Callable[[], None]) -> Slot | None:
    """One that is ready; None when there is no room, or when it cannot be started, which a cold start will tell."""
    with contextlib.suppress(SandboxError):
        slot = make(on_end)
        if slot is None or slot.ready():
            return slot
        _discard(slot)
    return None


def _destroy(place: _Place) -> None:
    """Destroy the container of a place that is in no pool any more, once it is made."""
    place.made.wait()
    if place.slot is not None:
        _discard(place.slot)


def _discard(slot: Slot) -> None:
    """What the engine does not remove now is left to the reaper."""
    try:
        slot.discard()
    except SandboxError as error:
        log.warning("container.stays", container=slot.id, error=str(error))


_OPEN: weakref.WeakSet[Pool] = weakref.WeakSet()


def _close_all() -> None:
    for pool in list(_OPEN):
        pool.close()


atexit.register(_close_all)
