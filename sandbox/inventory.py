"""What is kept on the engine to be used again (environments, prepared trees, package caches), how large it is, when it
was last used; and what has to go when it grows beyond its cap: the least recently used first, never one in use.

Sizes are the engine's own count (`docker system df`), which takes it seconds: never ask on the way to an answer.
"""

from __future__ import annotations

import contextlib
import math
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sandbox.engine import Engine, Volume
from sandbox.engine_errors import InUse, Missing, translated
from sandbox.errors import EngineBusy
from sandbox.images.sources import ENVIRONMENTS
from sandbox.reaper import KEPT, belongs
from sandbox.usage import HOUR_S, ROLE, last_used

SETTLE_S = 2 * HOUR_S
"""What was used more recently than this stays even when the cap is passed: a run may be between two containers, and
notes of use are exact to the hour."""
IDLE_S = 24 * HOUR_S
"""What was not used for this long goes when a person asks for room without saying how much."""

_COUNT_WAIT_S, _COUNT_PAUSE_S = 60.0, 0.2


@dataclass(frozen=True)
class Item:
    """One thing that is kept. `used` is in seconds since 1970, to the hour; `size` in bytes.

    `about` says for whom it was made; `volume` holds it, `others` are the volumes that only point to it, `image` is
    the one made for it.
    """

    kind: str
    key: str
    about: str
    size: int
    used: float
    in_use: bool
    volume: str
    others: tuple[str, ...] = ()
    image: str | None = None


@dataclass(frozen=True)
class Pruned:
    """What was removed and what is left, in bytes; `over` says that the rest is still beyond the cap."""

    items: tuple[Item, ...]
    freed: int
    left: int
    over: bool


def inventory(engine: Engine, owner: str) -> list[Item]:
    """Everything that the owner keeps, most recently used first. Raises EngineDown, and EngineBusy when others have
    kept the engine counting for a minute."""
    usage = _usage(engine)
    busy = {labels.get("heal.key") for labels in engine.containers("heal.owner").values()}
    return items(usage.get("Volumes") or (), usage.get("Images") or (), owner, busy)


def _usage(engine: Engine) -> Mapping[str, Any]:
    """The engine's own count. It counts for one at a time and refuses the others: every worker of an engine asks."""
    ends = time.monotonic() + _COUNT_WAIT_S
    while True:
        try:
            with translated():
                return dict(engine.client().df())
        except EngineBusy:
            if time.monotonic() > ends:
                raise
        time.sleep(_COUNT_PAUSE_S)


def items(
    volumes: Sequence[Mapping[str, Any]], images: Sequence[Mapping[str, Any]], owner: str, busy: set[str | None]
) -> list[Item]:
    """`inventory` of what the engine's `/system/df` says. `busy` are the keys for which a container exists."""
    labelled = {str(raw["Name"]): (raw, raw.get("Labels") or {}) for raw in volumes}
    used = last_used([Volume(name, labels) for name, (_, labels) in labelled.items()])
    found = []
    for name, (raw, labels) in labelled.items():
        role, key = labels.get("heal.role", ""), labels.get("heal.key", "")
        if role not in KEPT or not belongs(labels, owner):
            continue
        pointing = [
            other
            for other, (_, marks) in labelled.items()
            if marks.get("heal.volume") == name or (marks.get("heal.role") == ROLE and marks.get("heal.key") == key)
        ]
        made = next((image for image in images if _made_for(image, key)), None)
        counted = raw.get("UsageData") or {}
        size = max(0, int(counted.get("Size", 0))) + (_own_bytes(made) if made else 0)
        in_use = int(counted.get("RefCount", 0)) > 0 or key in busy
        image = str(made["Id"]) if made else None
        moment = used.get(key) or _created(labels)
        about = labels.get("heal.about", "")
        found.append(Item(role, key, about, size, moment, in_use, name, tuple(sorted(pointing)), image))
    return sorted(found, key=lambda item: item.used, reverse=True)


def prune(engine: Engine, owner: str, cap: int, settle_s: float = SETTLE_S, idle_s: float = math.inf) -> Pruned:
    """Remove what was not used for longest until at most `cap` bytes are left, and what was idle for `idle_s`.

    What a container uses stays, and what was used within `settle_s`. Raises EngineDown.
    """
    kept, now = inventory(engine, owner), time.time()
    before = left = sum(item.size for item in kept)
    gone = []
    for item in leaving(kept, cap, now - settle_s, now - idle_s):
        if remove(engine, item):
            gone.append(item)
            left -= item.size
    return Pruned(tuple(gone), before - left, left, left > cap)


def leaving(kept: Sequence[Item], cap: int, settled: float, idle: float = -math.inf) -> list[Item]:
    """Which of these have to go, in their order: nothing used after the moment `settled`, all unused since `idle`."""
    left = sum(item.size for item in kept)
    chosen = []
    for item in sorted(kept, key=lambda item: item.used):
        if not item.in_use and item.used <= settled and (left > cap or item.used <= idle):
            chosen.append(item)
            left -= item.size
    return chosen


def remove(engine: Engine, item: Item) -> bool:
    """Remove one; False when a container took it into use in the meantime."""
    if not engine.remove_volume(item.volume):
        return False
    for name in item.others:
        engine.remove_volume(name)
    if item.image is not None:
        with contextlib.suppress(Missing, InUse), translated():
            engine.client().images.remove(item.image)
    return True


def _made_for(image: Mapping[str, Any], key: str) -> bool:
    """By its name: what an image says of itself may be anybody's word."""
    return bool(key) and f"{ENVIRONMENTS}:{key}" in (image.get("RepoTags") or ())


def _own_bytes(image: Mapping[str, Any]) -> int:
    return max(0, int(image.get("Size", 0)) - max(0, int(image.get("SharedSize", 0))))


def _created(labels: Mapping[str, str]) -> float:
    """Without a note of its use: when its making had to be over."""
    deadline = labels.get("heal.deadline", "")
    return float(deadline) if deadline.isdigit() else 0.0
