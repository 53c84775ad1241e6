"""Which of our images the engine has, what is in them, and which of an older version nobody needs any more."""

from __future__ import annotations

import time
from collections.abc import Mapping, Set
from dataclasses import dataclass

from sandbox.engine import Engine, Image
from sandbox.images.build import resolve
from sandbox.images.services import SERVICES
from sandbox.images.sources import REPOSITORY
from sandbox.languages import KEYS

SETTLE_S = 24 * 3600
"""An image younger than this stays: a worker of another version may be at work on the same engine."""
_LAYERS = ("rootfs", "tools", *(f"base-{key}" for key in KEYS))


@dataclass(frozen=True)
class Stocked:
    """A language's image, or a service's.

    `state` is "ready", "outdated" (there is only one of another version) or "missing".
    `toolchain` are the versions in the image's own words, `base` what it was made from, `size` bytes of all its layers,
    of which several images share some.
    """

    language: str
    state: str
    reference: str
    toolchain: str = ""
    base: str = ""
    size: int = 0
    made: float = 0


def stock(engine: Engine) -> list[Stocked]:
    """One per language, and one per service that there is an image of. Raises EngineDown."""
    named = _named(engine)
    there = {_kind(name) for name in named}
    return [_stocked(key, named) for key in (*KEYS, *(service for service in SERVICES if service in there))]


def clear(engine: Engine, settle_s: float = SETTLE_S) -> list[str]:
    """Remove images of other versions, and layers that no image of this one stands on; returns their names.

    What an environment or a container was made from stays, and what is younger than `settle_s`.
    """
    used = {volume.labels["heal.image"] for volume in engine.volumes("heal.image")} | engine.images_in_use()
    old = outdated(_named(engine), used, time.time() - settle_s)
    return [name for name in old if engine.remove_image(name)]


def outdated(named: Mapping[str, Image], used: Set[str], before: float) -> list[str]:
    """Of the images with these names, those that can go, each before what it stands on.

    `used` are the ids that something was made from; what was made after the moment `before` stays.
    """
    kept = _standing(named)
    old = [name for name, image in named.items() if name not in kept and image.id not in used and image.made < before]
    return sorted(old, key=_depth)


def _named(engine: Engine) -> dict[str, Image]:
    images = [(name, image) for image in engine.images(f"{REPOSITORY}/*") for name in image.names]
    return {name: image for name, image in images if _kind(name) in (*KEYS, *SERVICES, *_LAYERS)}


def _standing(named: Mapping[str, Image]) -> set[str]:
    """The images of this version and everything below them."""
    wanted = [resolve(key) for key in (*KEYS, *SERVICES)]
    kept: set[str] = set()
    while wanted:
        name = wanted.pop()
        kept.add(name)
        below = named[name].labels.get("heal.base", "") if name in named else ""
        if below and below not in kept:
            wanted.append(below)
    return kept


def _stocked(language: str, named: Mapping[str, Image]) -> Stocked:
    reference = resolve(language)
    others = [name for name in named if _kind(name) == language]
    newest = max(others, key=lambda name: named[name].made, default=None)
    name = reference if reference in named else newest
    if name is None:
        return Stocked(language, "missing", reference)
    image, state = named[name], "ready" if name == reference else "outdated"
    toolchain, base = image.labels.get("heal.toolchain", ""), image.labels.get("heal.base", "")
    return Stocked(language, state, name, toolchain, base, image.size, image.made)


def _kind(name: str) -> str:
    return name.removeprefix(f"{REPOSITORY}/").partition(":")[0]


def _depth(name: str) -> int:
    """Images first, then what they stood on."""
    kind = _kind(name)
    return 0 if kind not in _LAYERS else 1 if kind.startswith("base-") else 2 if kind == "tools" else 3
