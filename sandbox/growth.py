"""How much a running container has written into its own layer on the engine's disk, and its end when that is too much.

For containers whose first process is not ours and so cannot watch from inside, as set-up's does (`heal_guard`). Asking
makes the engine walk the layer, which takes a tenth of a second per ten thousand files: so every second, not oftener.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from threading import Event

from sandbox.engine import Engine
from sandbox.errors import SandboxError

_EVERY_S = 1.0
_LOOK_S = 0.1


class Bound:
    """`stop` is set when the caller's cancel is, or when the layer has outgrown its limit: then `exceeded` is true."""

    def __init__(self) -> None:
        self.stop = Event()
        self.exceeded = False


@contextmanager
def bounded(engine: Engine, label: str, limit: int, cancel: Event | None = None) -> Iterator[Bound]:
    """While inside, look at the containers with the label; give `stop` to whatever runs them as its cancel event."""
    bound, over = Bound(), Event()

    def watch() -> None:
        looks = 0
        while not over.wait(_LOOK_S):
            looks += 1
            if cancel is not None and cancel.is_set():
                bound.stop.set()
            elif looks % int(_EVERY_S / _LOOK_S) == 0 and _written(engine, label) > limit:
                bound.exceeded = True
                bound.stop.set()

    watcher = threading.Thread(target=watch, daemon=True)
    watcher.start()
    try:
        yield bound
    finally:
        over.set()
        watcher.join()


def _written(engine: Engine, label: str) -> int:
    """Bytes in the layers of these containers; 0 where the engine does not answer now: the next look tells."""
    try:
        return engine.written(label)
    except SandboxError:
        return 0
