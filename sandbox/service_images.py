"""Which image each service of a job runs from: the one the workflow names where a registry gives it, else one of ours.

The name is a stranger's word: as for the job's own image, only allowed registries are asked, without credentials, and
what merely lies on the engine is not taken, unless it is what a registry once gave us under that name.
"""

from __future__ import annotations

import hashlib
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from threading import Event
from typing import Any

from sandbox import references
from sandbox.engine import Engine
from sandbox.engine_errors import translated
from sandbox.errors import ImageMissing, PullFailed, ServiceMissing
from sandbox.images.build import resolve
from sandbox.images.services import DATA, Kind, speaks, stand_in
from sandbox.images.sources import REPOSITORY
from sandbox.pulls import pull
from sandbox.references import Reference
from sandbox.spec import Service
from sandbox.turns import Turns

_PULLED = f"{REPOSITORY}/pulled"
_SHARING = (None, "runc", "crun")
_SCRATCH = ("/run", "/var/log", "/var/tmp")  # noqa: S108 - in the container
_ASK_AGAIN_S = 3600.0


@dataclass(frozen=True)
class Resolved:
    """A service and what it runs from. `data` are the mount points of what it stores, `scratch` of what it forgets.

    `own` says that the image is one of ours, `root` that it starts as root. `note` is for people, empty if the image
    is the one that the workflow names.
    """

    service: Service
    image: str
    kind: Kind | None
    own: bool
    root: bool
    data: tuple[str, ...]
    scratch: tuple[str, ...] = ()
    note: str = ""

    @property
    def protocol(self) -> str:
        return self.kind.key if self.kind else ""

    @property
    def ports(self) -> tuple[int, ...]:
        """The ports that answer when it is ready: of a known kind its own, whatever else is published."""
        return (self.kind.port,) if self.kind else self.service.ports

    @property
    def user(self) -> str:
        return self.service.env.get("POSTGRES_USER", "") or "postgres"


@dataclass
class ServiceImages:
    """Finds the images of services on one engine. Remembers for an hour what a registry said."""

    engine: Engine
    registries: tuple[str, ...] = references.REGISTRIES
    runtime: str | None = None
    _asked: dict[str, float] = field(default_factory=dict)
    _asking: Turns = field(default_factory=lambda: Turns("pulling the image of a service"))

    def resolve(self, services: tuple[Service, ...], cancel: Event | None = None) -> tuple[Resolved, ...]:
        """Raises ServiceMissing with a sentence when one cannot run here, ImageMissing when ours has to be built."""
        if services and self.runtime not in _SHARING:
            raise ServiceMissing(
                f"the job needs services, and containers of the runtime '{self.runtime}' cannot share a network"
            )
        return tuple(self._resolve(service, cancel) for service in services)

    def _resolve(self, service: Service, cancel: Event | None) -> Resolved:
        try:
            reference = references.parse(service.image)
        except ImageMissing as error:
            raise ServiceMissing(f"service '{service.name}': {error}", error.repair) from error
        try:
            return _foreign(service, speaks(reference), self._given(reference, cancel))
        except ImageMissing as missing:
            kind = stand_in(reference)
            if kind is None:
                raise ServiceMissing(
                    f"service '{service.name}': {missing}, and none of the sandbox's own images can take its place",
                    missing.repair,
                ) from missing
        ours = resolve(kind.image)
        try:
            image = self.engine.image_id(ours)
        except ImageMissing as error:
            repair = f"heal images build {kind.image}"
            raise ImageMissing(f"service '{service.name}' needs {service.image}, or {ours}", repair) from error
        note = f"service '{service.name}': Debian's {kind.offers} takes the place of {service.image}"
        if not kind.keeps:
            note += "; what set-up stores in it is gone before the check"
        return Resolved(service, image, kind, own=True, root=False, data=(DATA,), note=note)

    def _given(self, reference: Reference, cancel: Event | None) -> Mapping[str, Any]:
        """What the engine knows of the image that the registry gives, or once gave. Raises ImageMissing."""
        if not references.allowed(reference, self.registries):
            raise ImageMissing(
                f"the image {reference} is on {reference.registry}, which this installation does not ask",
                f"add {reference.registry} to HEAL_IMAGE_REGISTRIES",
            )
        name = str(reference)
        with self._asking.turn(name, cancel):
            refused: PullFailed | None = None
            if self._asked.get(name, 0.0) < time.monotonic():
                try:
                    pull(self.engine, reference, cancel)
                    self.engine.tag(name, _PULLED, _tag(name, self.engine.image_id(name)))
                except PullFailed as error:
                    refused = error
                self._asked[name] = time.monotonic() + _ASK_AGAIN_S
        try:
            image = self.engine.image_id(name)
            self.engine.image_id(f"{_PULLED}:{_tag(name, image)}")
        except ImageMissing:
            raise refused or ImageMissing(f"the image {name} cannot be pulled") from None
        with translated():
            found: Mapping[str, Any] = self.engine.client().images.get(image).attrs or {}
        return found


def _tag(name: str, image: str) -> str:
    """Marks that a registry gave this image under this name."""
    return hashlib.sha256(f"{name}\0{image}".encode()).hexdigest()[:32]


def _foreign(service: Service, kind: Kind | None, attrs: Mapping[str, Any]) -> Resolved:
    config = attrs.get("Config") or {}
    stored = tuple(sorted(config.get("Volumes") or {}))
    scratch = tuple(place for place in _SCRATCH if not any(_within(place, one) for one in stored))
    return Resolved(
        service, str(attrs["Id"]), kind, own=False, root=_is_root(str(config.get("User") or "")),
        data=stored, scratch=scratch,
    )  # fmt: skip


def _is_root(user: str) -> bool:
    return user.partition(":")[0] in ("", "0", "root")


def _within(place: str, other: str) -> bool:
    return f"{place}/".startswith(f"{other.rstrip('/')}/")
