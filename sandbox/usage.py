"""When something kept on the engine was last used, noted on the engine itself, so that it survives restarts and every
worker of every host sees it.

A note is an empty volume named after the key and the hour: creating it twice is no error, so nobody has to agree with
anybody, and one engine call per key and hour is all that a use costs.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Iterable

from sandbox.engine import Engine, Volume

HOUR_S = 3600
ROLE = "used"


class Usage:
    """Notes the uses that one process makes of one engine."""

    def __init__(self, engine: Engine, owner: str) -> None:
        self._engine, self._owner = engine, owner
        self._noted: dict[str, int] = {}
        self._guard = threading.Lock()

    def note(self, key: str, now: float | None = None) -> None:
        """Note that `key` is used now, unless this process did so in the same hour. Raises EngineDown, and then the
        next use notes it."""
        hour = int((time.time() if now is None else now) // HOUR_S)
        with self._guard:
            if self._noted.get(key) == hour:
                return
        labels = {"heal.owner": self._owner, "heal.role": ROLE, "heal.key": key, "heal.used": str(hour * HOUR_S)}
        self._engine.create_volume(f"heal-used-{key}-{hour}", labels)
        with self._guard:
            self._noted = {**{old: at for old, at in self._noted.items() if at == hour}, key: hour}


def last_used(notes: Iterable[Volume]) -> dict[str, float]:
    """For each key the start of the hour of its last use, in seconds since 1970."""
    latest: dict[str, float] = {}
    for note in notes:
        key, used = note.labels.get("heal.key", ""), note.labels.get("heal.used", "")
        if note.labels.get("heal.role") == ROLE and used.isdigit():
            latest[key] = max(latest.get(key, 0.0), float(used))
    return latest
