"""Removes what dead workers left behind on the engine: containers, networks and unfinished environments whose deadline
has passed or whose process is gone.

Everything is told by our own labels; an object without them, or of another installation, is never touched.
"""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass

from sandbox import networks
from sandbox.engine import Engine, Volume
from sandbox.process import gone

SHARED = ("proxy",)
"""Roles that outlive the process that made them, because the others of its installation use them too."""


@dataclass(frozen=True)
class Reaped:
    containers: int
    volumes: int
    networks: int = 0


def reap(engine: Engine, owner: str, now: float | None = None) -> Reaped:
    """Remove what nobody waits for any more of the owner and of its sessions. Raises EngineDown."""
    moment = time.time() if now is None else now
    late = [name for name, labels in engine.containers("heal.owner").items() if abandoned(labels, owner, moment)]
    for container in late:
        engine.remove_container(container)
    volumes = unfinished([v for v in engine.volumes("heal.owner") if belongs(v.labels, owner)], moment)
    removed = [engine.remove_volume(volume) for volume in volumes]
    stale = [
        name for name, labels in networks.labelled(engine, "heal.owner").items() if abandoned(labels, owner, moment)
    ]
    return Reaped(len(late), sum(removed), sum([networks.remove(engine, name) for name in stale]))


def belongs(labels: Mapping[str, str], owner: str) -> bool:
    """Whether an object is the owner's, or of one of its sessions (`owner/session`)."""
    whose = labels.get("heal.owner", "")
    return whose == owner or whose.startswith(f"{owner}/")


def abandoned(labels: Mapping[str, str], owner: str, now: float) -> bool:
    """Whether an object of the owner is past its deadline, or its process is gone and nobody else uses it."""
    return belongs(labels, owner) and (expired(labels, now) or _orphaned(labels))


def _orphaned(labels: Mapping[str, str]) -> bool:
    exclusive = labels.get("heal.role") not in SHARED or "/" in labels.get("heal.owner", "")
    return exclusive and gone(labels.get("heal.process", ""))


def remove_containers(engine: Engine, owner: str) -> int:
    """Remove every container of the owner, running or not, and the networks they were on. Raises EngineDown."""
    label = f"heal.owner={owner}"
    containers = engine.containers(label)
    for container in containers:
        engine.remove_container(container)
    for network in networks.labelled(engine, label):
        networks.remove(engine, network)
    return len(containers)


def remove_all(engine: Engine, owner: str) -> Reaped:
    """Remove every container, network, environment and derived image of the owner, for tests and uninstalling."""
    label = f"heal.owner={owner}"
    before = len(networks.labelled(engine, label))
    containers = remove_containers(engine, owner)
    left = len(networks.labelled(engine, label))
    removed = [engine.remove_volume(volume.name) for volume in engine.volumes(label)]
    engine.remove_images(label)
    return Reaped(containers, sum(removed), before - left)


def expired(labels: Mapping[str, str], now: float) -> bool:
    """Past its deadline; a label that is no number counts as past."""
    try:
        return float(labels.get("heal.deadline", "0")) < now
    except ValueError:
        return True


def unfinished(volumes: list[Volume], now: float) -> list[str]:
    """Names of late volumes: those of single checks and their services, and environments and trees that no marker
    points to, so that their making cannot be going on any more."""
    wanted = {volume.labels.get("heal.volume") for volume in volumes}
    return [
        volume.name
        for volume in volumes
        if volume.labels.get("heal.role") in ("environment", "tree", "workspace", "upper", "service")
        and volume.name not in wanted
        and (expired(volume.labels, now) or gone(volume.labels.get("heal.process", "")))
    ]
