"""Removes what dead workers left behind on the engine: containers, networks, unfinished environments and their images
whose deadline has passed or whose process is gone, and notes about what is there no more.

Everything is told by our own labels; an object without them, or of another installation, is never touched.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from functools import partial

from sandbox import networks
from sandbox.engine import Engine, Image, Volume
from sandbox.errors import EngineDown, SandboxError
from sandbox.process import gone
from sandbox.usage import HOUR_S, ROLE, last_used

KEPT = ("environment", "tree", "cache")
"""Roles of the volumes that are kept for later."""
SHARED = ("proxy",)
"""Roles that outlive the process that made them, because the others of its installation use them too."""


_NOTE_S = 2 * HOUR_S


@dataclass(frozen=True)
class Reaped:
    containers: int
    volumes: int
    networks: int = 0
    images: int = 0


def reap(engine: Engine, owner: str, now: float | None = None) -> Reaped:
    """Remove what nobody waits for any more of the owner and of its sessions. Raises EngineDown, and SandboxError for
    what the engine cannot remove when all the rest is removed."""
    moment = time.time() if now is None else now
    failures: list[SandboxError] = []

    def each(remove: Callable[[str], object], names: Iterable[str]) -> int:
        done = 0
        for name in names:
            try:
                done += remove(name) is not False
            except EngineDown:
                raise
            except SandboxError as error:  # one thing that is stuck must not keep the rest for ever
                failures.append(error)
        return done

    containers = engine.containers("heal.owner").items()
    ended = each(engine.remove_container, [name for name, labels in containers if abandoned(labels, owner, moment)])
    volumes = [volume for volume in engine.volumes("heal.owner") if belongs(volume.labels, owner)]
    removed = each(engine.remove_volume, [*unfinished(volumes, moment), *stale(volumes, moment)])
    joined = networks.labelled(engine, "heal.owner").items()
    left = each(partial(networks.remove, engine), [name for name, marks in joined if abandoned(marks, owner, moment)])
    images = [image for image in engine.labelled_images("heal.owner") if abandoned(image.labels, owner, moment)]
    reaped = Reaped(ended, removed, left, each(engine.remove_image, unpublished(images, volumes)))
    if failures:
        raise failures[0]
    return reaped


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
        and _late(volume, now)
    ]


def stale(volumes: list[Volume], now: float) -> list[str]:
    """Names of the volumes that say something of nothing: late markers of what was removed, notes of a use that are
    older than another, or than two hours with nothing left that was used."""
    held = {volume.name for volume in volumes}
    markers = [volume for volume in volumes if volume.labels.get("heal.role") == "marker"]
    lost = [one.name for one in markers if one.labels.get("heal.volume") not in held and _late(one, now)]
    kept = {volume.labels.get("heal.key") for volume in volumes if volume.labels.get("heal.role") in KEPT}
    latest = last_used(volumes)
    for note in volumes:
        used, key = note.labels.get("heal.used", ""), note.labels.get("heal.key", "")
        if note.labels.get("heal.role") == ROLE and used.isdigit():
            superseded = float(used) < latest[key]
            lost += [note.name] if superseded or (key not in kept and float(used) < now - _NOTE_S) else []
    return lost


def unpublished(images: list[Image], volumes: list[Volume]) -> list[str]:
    """Ids of the images that a set-up made and no marker points to: of these late ones nothing will."""
    wanted = {volume.labels.get("heal.image") for volume in volumes}
    return [one.id for one in images if one.labels.get("heal.role") == "setup" and one.id not in wanted]


def _late(volume: Volume, now: float) -> bool:
    return expired(volume.labels, now) or gone(volume.labels.get("heal.process", ""))
