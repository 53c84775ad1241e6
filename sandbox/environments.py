"""Environments on a Docker engine: made once per key in the set-up phase, then frozen and used by many checks.

An environment is a named volume mounted at /env, and a second, empty volume named after the key whose labels point
to it. The second is created last and creating a volume is atomic, so a half-made environment is never found, and of
two workers that make the same one the first wins and the other throws its own away.
"""

from __future__ import annotations

import json
import time
import uuid
from collections.abc import Mapping
from contextlib import AbstractContextManager, nullcontext
from dataclasses import replace
from pathlib import Path
from threading import Event
from typing import Any, Literal

from sandbox import policy
from sandbox.admission import AHEAD, SHARE
from sandbox.adopt import Adopter
from sandbox.caches import Caches
from sandbox.checks import DockerEnvironment, Frozen
from sandbox.egress import Allowed, Egress
from sandbox.engine import Engine
from sandbox.errors import SandboxError, SetupFailed
from sandbox.grants import Grants
from sandbox.hosts import by_https
from sandbox.images.build import resolve
from sandbox.languages import BY_KEY
from sandbox.pool import Keep, Pool
from sandbox.protocol import KEEP_S
from sandbox.references import REGISTRIES
from sandbox.service_images import Resolved, ServiceImages
from sandbox.setup import Options, set_up
from sandbox.spec import SETUP_LIMITS, Finding, Limits, Plan, Tree
from sandbox.trees import Trees
from sandbox.turns import Turns
from sandbox.usage import Usage

_LABEL_LIMIT = 60_000


class DockerSandbox:
    """A `Sandbox` on a Docker engine.

    `owner` names this installation in the labels, or one session of it (`installation/session`). `ca_bundle` is given
    to the set-up phase where the host has its own certificate authority. `package_indexes` are environment variables
    for the set-up phase (PIP_INDEX_URL, ...).

    Set-up reaches the package hosts of `sandbox.hosts`, those of `package_indexes` and `allowed_hosts` (exact or
    `*.suffix`) through the egress proxy, and nothing else. A host whose name resolves to a private address is refused
    unless `private_hosts` has its exact name. `setup_network` "open" gives set-up whatever the engine's host reaches.
    Checks reach no host, but those that their plan names and `check_hosts` grants, through a proxy of their own.

    `runtime` runs everything but our own proxies and lenders; `fork_runtime`, where given, runs what comes from forks.
    `certificates` are for an engine at a `tcp://` address, see `Engine`.
    Images that a plan and its services name by reference are pulled from `registries` (patterns) only, without
    credentials.

    The containers of all workers together are limited to `memory_share` of the engine's memory; a run that finds no
    room waits. At most `ahead` containers of a kind are started ahead of need.

    It may serve many runs one after the other: `rest` ends one of them, and `keep` says what stays behind for the next.
    """

    def __init__(
        self,
        docker_host: str | None,
        owner: str,
        runtime: str | None = None,
        ca_bundle: Path | None = None,
        state_dir: Path = Path(".heal"),
        package_indexes: Mapping[str, str] | None = None,
        setup_limits: Limits = SETUP_LIMITS,
        allowed_hosts: tuple[str, ...] = (),
        private_hosts: tuple[str, ...] = (),
        setup_network: Literal["proxy", "open"] = "proxy",
        registries: tuple[str, ...] = REGISTRIES,
        check_hosts: tuple[str, ...] = (),
        memory_share: float = SHARE,
        ahead: int = AHEAD,
        fork_runtime: str | None = None,
        certificates: Path | None = None,
        keep: Keep = Keep(),  # noqa: B008 - a frozen value
    ) -> None:
        self.engine = Engine(docker_host, memory_share=memory_share, certificates=certificates)
        self._pool = Pool(ahead, keep)
        self.engine.room.offer(self._pool.give_up)
        self.owner = owner
        self.installation = owner.partition("/")[0]
        self.usage = Usage(self.engine, self.installation)
        self._trees = Trees(self.engine, owner, self.usage, runtime)
        self._caches = Caches(self.engine, owner, self.usage)
        self.runtime, self.fork_runtime = runtime, fork_runtime
        self.state_dir = state_dir
        indexes = dict(package_indexes or {})
        allowed = Allowed(by_https(allowed_hosts, indexes), private_hosts)
        self.egress = Egress(self.engine, owner, allowed) if setup_network == "proxy" else None
        self._options = Options(setup_limits, self.egress, runtime, ca_bundle, indexes)
        self._service_images = ServiceImages(self.engine, registries, runtime)
        self._adopter = Adopter(self.engine, owner, self._options, registries)
        self._grants = Grants(self.engine, owner, check_hosts, ca_bundle)
        self._making = Turns("waiting for another run that makes the same environment")

    def prepare(self, plan: Plan, tree: Tree, cancel: Event | None = None) -> DockerEnvironment:
        """The environment for a plan, made now unless there is one.

        Raises SetupFailed, ServiceFailed, ServiceMissing, ImageMissing, EngineDown, Cancelled.
        """
        grant = self._grants.of(plan.network)
        services = self._service_images.resolve(plan.services, cancel)
        image = self._image(plan.image, cancel)
        key = plan.env_key(image, tuple(one.image for one in services), self.installation)
        with self._making.turn(key, cancel):
            frozen = self._find(key) or self._make(plan, tree, image, key, services, cancel)
        self.usage.note(key)
        return DockerEnvironment(
            self.engine, self._pool, self._trees, frozen, plan, self.owner, self._runtime(plan), cancel, services, grant
        )

    @property
    def engines(self) -> tuple[Engine, ...]:
        return (self.engine,)

    def rest(self) -> None:
        """A run is over: nothing waits for its commit any more, only what is kept for the next one of an environment
        that was red. Never raises; the next run connects to the engine anew."""
        self.engine.renew()
        self._pool.rest()
        self._trees.rest()

    def close(self) -> None:
        """Destroy the waiting containers, wait until used ones and their networks are gone, and leave the engine."""
        self._pool.close()
        self._trees.close()
        self._grants.close()
        if self.egress is not None:
            self.egress.close()
        self.engine.close()

    def doctor(self) -> list[Finding]:
        """Whether this machine can run untrusted code, line by line. Never raises."""
        from sandbox.doctor import examine

        return examine(self.engine, self.owner, (self.runtime, self.fork_runtime), self.state_dir, self.egress)

    def _runtime(self, plan: Plan) -> str | None:
        return (self.fork_runtime if plan.from_fork else None) or self.runtime

    def _image(self, name: str, cancel: Event | None) -> str:
        """The engine's id of the image a plan names: one of ours by its language, or somebody else's made usable."""
        return self.engine.image_id(resolve(name)) if name in BY_KEY else self._adopter.usable(name, cancel)

    def _find(self, key: str) -> Frozen | None:
        marker = self.engine.volume(f"heal-env-{key}")
        if marker is None:
            return None
        labels = marker.labels
        volume = self.engine.volume(labels.get("heal.volume", ""))
        if volume is None or not self.engine.has_image(labels.get("heal.image", "")):  # someone removed it
            self.engine.remove_volume(marker.name)
            return None
        state = json.loads(labels.get("heal.state", "{}"))
        return Frozen(
            key, labels["heal.image"], labels["heal.volume"], state.get("exports", {}),
            tuple(state.get("path", ())), tuple(state.get("notes", ())), tuple(state.get("outputs", (0, 0))),
            state.get("values", {}),
        )  # fmt: skip

    def _make(
        self, plan: Plan, tree: Tree, image: str, key: str, services: tuple[Resolved, ...], cancel: Event | None
    ) -> Frozen:
        if plan.setup and self.egress is not None:
            self.egress.start()  # while volume and cache are made
        options = replace(self._options, runtime=self._runtime(plan))
        limits = options.limits
        labels = policy.Labels(self.owner, uuid.uuid4().hex, "setup", key, time.time() + limits.wall_s + KEEP_S)
        volume = f"heal-env-{key}-{labels.run[:12]}"
        about = {"heal.about": f"{plan.image}, {plan.trust}"}
        self.engine.create_volume(volume, {**replace(labels, role="environment").as_dict(), **about})
        kept = False
        try:
            with self._cache(plan, image, volume, labels, cancel):
                state, made = set_up(self.engine, options, plan, tree, image, volume, labels, cancel, services)
            frozen = self._publish(key, made or image, volume, labels, state)
            kept = frozen.volume == volume
        finally:
            if not kept:
                self.engine.remove_volume(volume)
        return frozen

    def _cache(
        self, plan: Plan, image: str, volume: str, labels: policy.Labels, cancel: Event | None
    ) -> AbstractContextManager[None]:
        """The trust domain's package cache, for the time of a set-up that has anything to do."""
        about = f"{plan.image}, {plan.trust}"
        return self._caches.lent(plan.trust, about, image, volume, labels, cancel) if plan.setup else nullcontext()

    def _publish(self, key: str, image: str, volume: str, labels: policy.Labels, state: Mapping[str, Any]) -> Frozen:
        text = json.dumps(
            {name: state.get(name) for name in ("exports", "path", "notes", "outputs", "values") if state.get(name)}
        )
        if len(text) > _LABEL_LIMIT:
            reason = "its steps exported more than 60 kB of environment variables and outputs"
            raise SetupFailed("set-up", None, "", reason)
        marks = {**replace(labels, role="marker").as_dict(), "heal.volume": volume, "heal.image": image,
                 "heal.state": text}  # fmt: skip
        self.engine.create_volume(f"heal-env-{key}", marks)
        frozen = self._find(key)
        if frozen is None:
            raise SandboxError(f"environment {key} was removed while it was being made")
        return frozen
