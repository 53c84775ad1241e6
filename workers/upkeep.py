"""What a person and `heal fix` do for the engine's disk; a worker's own sweeper does it by itself."""

from __future__ import annotations

import math
import time

from sandbox.engine import Engine
from sandbox.inventory import IDLE_S, Item, Pruned, inventory, prune
from sandbox.reaper import Reaped, reap
from workers.settings import EngineSettings, WorkerSettings

_COUNT_SECONDS = 600
_DAY_S = 24 * 3600


def kept() -> list[Item]:
    """Everything that this installation keeps on its engine. Raises EngineDown."""
    settings = EngineSettings()
    engine = Engine(settings.docker_host, _COUNT_SECONDS)
    try:
        return inventory(engine, settings.installation)
    finally:
        engine.close()


def make_room(to: int | None = None, everything: bool = False) -> tuple[Reaped, Pruned]:
    """Remove left-overs, then what was not used for longest: to the given size, everything that nobody uses, or (when
    neither is said) to the cap of the settings and whatever was not used for a day. Raises EngineDown."""
    settings = EngineSettings()
    engine = Engine(settings.docker_host, _COUNT_SECONDS)
    try:
        reaped = reap(engine, settings.installation)
        if everything:
            return reaped, prune(engine, settings.installation, 0, settle_s=0, idle_s=0)
        if to is not None:
            return reaped, prune(engine, settings.installation, to, settle_s=0)
        return reaped, prune(engine, settings.installation, int(settings.sandbox_cap), idle_s=IDLE_S)
    finally:
        engine.close()


def hold_cap_daily(engine: Engine, settings: WorkerSettings) -> None:
    """Hold what is kept under its cap, at most once a day per machine: counting takes the engine seconds."""
    stamp = settings.state_dir.expanduser() / "pruned"
    last = stamp.stat().st_mtime if stamp.exists() else -math.inf
    if time.time() - last >= _DAY_S:
        stamp.parent.mkdir(parents=True, exist_ok=True)
        stamp.touch()
        prune(engine, settings.installation, int(settings.sandbox_cap))
