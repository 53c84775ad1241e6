"""Images that a repository names (`container:` of a job, heal.yml) made fit for the sandbox.

Such a name is a stranger's word. Only allowed registries are asked, without any credentials of ours, so that what is
given is what anybody may have; an image that merely lies on the engine is not taken, because it may be another's. What
has to be added, our files and the tools they need, is added in a container under the set-up phase's limits. The result
is named by the contents of both, so it is made once.
"""

from __future__ import annotations

import hashlib
import time
import uuid
from collections.abc import Mapping
from contextlib import nullcontext
from dataclasses import dataclass, replace
from pathlib import Path
from threading import Event
from typing import Any

from sandbox import policy, references
from sandbox.engine import Engine
from sandbox.errors import Cancelled, ImageMissing, PullFailed
from sandbox.growth import bounded
from sandbox.images.build import own_files
from sandbox.images.sources import REPOSITORY
from sandbox.life import Commit, Ended
from sandbox.protocol import GRACE_S, KEEP_S, caps
from sandbox.pulls import flatten, pull
from sandbox.setup import Options
from sandbox.stream import Stop
from sandbox.turns import Turns

_ADOPTED = f"{REPOSITORY}/adopted"
_SCRIPT = (Path(__file__).parent / "images" / "adopt").read_text()
_ASK_AGAIN_S = 3600
_WALL_S = 600.0
_PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"


@dataclass(frozen=True)
class _Known:
    image: str
    until: float


class Adopter:
    """Makes images of others usable. One per sandbox; keeps for an hour what a registry said."""

    def __init__(
        self, engine: Engine, owner: str, options: Options, registries: tuple[str, ...] = references.REGISTRIES
    ) -> None:
        self._engine, self._owner, self._options, self._registries = engine, owner, options, registries
        self._known: dict[str, _Known] = {}
        self._asking = Turns("making an image usable")

    def usable(self, name: str, cancel: Event | None = None) -> str:
        """The engine's id of the image, ready for set-up and check.

        Raises ImageMissing for what is no reference, is on a registry that is not asked, or cannot be made usable;
        PullFailed when the registry does not give it.
        """
        reference = references.parse(name)
        if not references.allowed(reference, self._registries):
            raise ImageMissing(
                f"the image {name} is on {reference.registry}, which this installation does not ask",
                f"add {reference.registry} to HEAL_IMAGE_REGISTRIES",
            )
        with self._asking.turn(str(reference), cancel):
            known = self._known.get(str(reference))
            if known is None or known.until < time.monotonic() or not self._engine.has_image(known.image):
                known = _Known(self._adopt(reference, cancel), time.monotonic() + _ASK_AGAIN_S)
                self._known[str(reference)] = known
            return known.image

    def _adopt(self, reference: references.Reference, cancel: Event | None) -> str:
        try:
            pull(self._engine, reference, cancel)
        except PullFailed:
            adopted = self._adopted_before(reference)
            if adopted is None:
                raise
            return adopted
        source = self._engine.image_id(str(reference))
        name = _name(source)
        if not self._engine.has_image(name):
            self._make(reference, source, cancel)
        return self._engine.image_id(name)

    def _adopted_before(self, reference: references.Reference) -> str | None:
        """What the registry once gave and we made usable: its silence today takes nothing away."""
        try:
            return self._engine.image_id(_name(self._engine.image_id(str(reference))))
        except ImageMissing:
            return None

    def _make(self, reference: references.Reference, source: str, cancel: Event | None) -> None:
        config = self._engine.image_config(source)
        bundle = self._options.ca_bundle
        files, authorities = own_files(), bundle.read_bytes() if bundle else b""
        labels = policy.Labels(self._owner, uuid.uuid4().hex, "adopt", source, time.time() + _WALL_S + KEEP_S)
        changes = (*_environment(config), *_labels(labels, reference))
        raw = labels.run if config.get("Volumes") else _tag(source)  # what declares a volume has to be made anew
        commit = Commit(_ADOPTED, raw, None, changes)
        limits, egress = self._options.limits, self._options.egress
        with egress.opened(labels) if egress else nullcontext() as gate:
            proxied = [f"{name}={value}" for name, value in policy.proxy_environment(gate.url).items()] if gate else []
            command = ["/bin/sh", "-c", _SCRIPT, "adopt", str(len(files)), str(len(authorities)), *proxied]
            network = gate.network.name if gate else policy.OPEN
            settings = policy.adopt_container(source, command, limits, labels, self._options.runtime, network)
            feed, seconds = [files, authorities], _WALL_S + GRACE_S
            with bounded(self._engine, f"heal.run={labels.run}", limits.disk, cancel) as bound:
                ended = self._engine.run(settings, feed, seconds, caps(limits), bound.stop, commit=commit)
        if bound.exceeded:
            wrote = f"adding our files to it wrote more than {limits.disk >> 20} MiB to the engine's disk"
            raise ImageMissing(f"the image {reference} cannot be used: {wrote}", "name another image in heal.yml")
        _refuse(reference, ended)
        if raw != _tag(source):
            flatten(
                self._engine,
                f"{_ADOPTED}:{raw}",
                _ADOPTED,
                _tag(source),
                changes,
                replace(labels, run=uuid.uuid4().hex).as_dict(),
            )


def _refuse(reference: references.Reference, ended: Ended) -> None:
    if ended.stopped is Stop.CANCELLED:
        raise Cancelled("making an image usable was cancelled")
    if ended.image is None:
        said = ended.stderr.output().text.strip().splitlines()
        ours = [line.removeprefix("heal: ") for line in said if line.startswith("heal: ")]
        why = (ours or said or [f"it ended with exit code {ended.exit_code}"])[-1]
        raise ImageMissing(f"the image {reference} cannot be used: {why[:500]}", "name another image in heal.yml")


def _environment(config: Mapping[str, Any]) -> tuple[str, ...]:
    """The image's variables as lines of a Dockerfile, with our folders first on its PATH."""
    env = dict(entry.partition("=")[::2] for entry in config.get("Env") or ())
    env["PATH"] = f"{policy.ENVIRONMENT}/bin:/opt/heal/bin:{env.get('PATH') or _PATH}"
    return tuple(f"ENV {name}={_quoted(value)}" for name, value in env.items() if _plain(name) and "\n" not in value)


def _labels(labels: policy.Labels, reference: references.Reference) -> tuple[str, ...]:
    """Ours, so that the image is found again, and where it came from: whoever removes it removes that one with it."""
    marks = {**labels.as_dict(), "heal.role": "adopted", "heal.source": str(reference)}
    return tuple(f"LABEL {name}={_quoted(value)}" for name, value in marks.items())


def _plain(name: str) -> bool:
    return name.isidentifier() and name.isascii()


def _quoted(value: str) -> str:
    for special in ("\\", '"', "$"):
        value = value.replace(special, f"\\{special}")
    return f'"{value}"'


def _tag(source: str) -> str:
    return hashlib.sha256(f"{source}\0{_SCRIPT}\0".encode() + own_files()).hexdigest()[:32]


def _name(source: str) -> str:
    return f"{_ADOPTED}:{_tag(source)}"
