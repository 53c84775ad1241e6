"""What a person and `heal fix` do for the engine's disk; a worker's own sweeper does it by itself."""

from __future__ import annotations

import math
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from sandbox.engine import Engine
from sandbox.images.bill import bill
from sandbox.images.stock import Stocked, stock
from sandbox.inventory import IDLE_S, Item, Pruned, inventory, prune
from sandbox.reaper import Reaped, reap
from workers.settings import EngineSettings, WorkerSettings

_COUNT_SECONDS = 600
_DAY_S = 24 * 3600


@dataclass(frozen=True)
class Room:
    """What making room did on the engine at `host`."""

    host: str
    reaped: Reaped
    pruned: Pruned


def engines(settings: EngineSettings, call_timeout_s: int = _COUNT_SECONDS) -> list[Engine]:
    """Every engine of the settings. Its owner closes it."""
    hosts, certificates = settings.docker_hosts(), settings.docker_cert_path
    return [Engine(host, call_timeout_s, certificates=certificates) for host in hosts]


def kept() -> dict[str, list[Item]]:
    """Everything that this installation keeps, by the address of its engine. Raises EngineDown."""
    settings = EngineSettings()
    with _opened(settings) as each:
        return {engine.host: inventory(engine, settings.installation) for engine in each}


def stocked() -> dict[str, list[Stocked]]:
    """The sandbox images by the address of the engine. Raises EngineDown."""
    with _opened(EngineSettings()) as each:
        return {engine.host: stock(engine) for engine in each}


def bills() -> dict[str, dict[str, Any]]:
    """What every sandbox image that is ready holds, as CycloneDX, by the image's name. Raises EngineDown."""
    with _opened(EngineSettings()) as each:
        ready = ((engine, image) for engine in each for image in stock(engine) if image.state == "ready")
        return {image.language: bill(engine, image) for engine, image in ready}


def make_room(to: int | None = None, everything: bool = False) -> list[Room]:
    """Remove left-overs, then what was not used for longest: to the given size on each engine, everything that nobody
    uses, or (when neither is said) to the cap of the settings and whatever was not used for a day. Raises EngineDown.
    """
    settings = EngineSettings()
    with _opened(settings) as each:
        return [Room(engine.host, reap(engine, settings.installation), _pruned(engine, settings, to, everything))
                for engine in each]  # fmt: skip


def _pruned(engine: Engine, settings: EngineSettings, to: int | None, everything: bool) -> Pruned:
    if everything:
        return prune(engine, settings.installation, 0, settle_s=0, idle_s=0)
    if to is not None:
        return prune(engine, settings.installation, to, settle_s=0)
    return prune(engine, settings.installation, int(settings.sandbox_cap), idle_s=IDLE_S)


@contextmanager
def _opened(settings: EngineSettings) -> Iterator[list[Engine]]:
    each = engines(settings)
    try:
        yield each
    finally:
        for engine in each:
            engine.close()


def hold_cap_daily(each: Iterable[Engine], settings: WorkerSettings) -> None:
    """Hold what is kept under its cap, at most once a day per machine: counting takes the engine seconds."""
    stamp = settings.state_dir.expanduser() / "pruned"
    last = stamp.stat().st_mtime if stamp.exists() else -math.inf
    if time.time() - last >= _DAY_S:
        stamp.parent.mkdir(parents=True, exist_ok=True)
        stamp.touch()
        for engine in each:
            prune(engine, settings.installation, int(settings.sandbox_cap))
