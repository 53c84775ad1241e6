"""The services of a job: each run's own set, up before its command starts, on a network that nothing else is on.

A pause container without network holds the names and the data; services and command join it, so that `localhost` and
a service's name both answer and nothing leaves. What set-up left in the services lies in the environment, beside its
packages; every check starts from a copy of it in memory, so that no run sees what another one wrote.
"""

from __future__ import annotations

import json
import time
import uuid
from collections.abc import Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from pathlib import Path
from threading import Event
from typing import Any

from sandbox import policy, readiness
from sandbox.admission import Ticket
from sandbox.engine import Engine
from sandbox.engine_errors import translated
from sandbox.errors import SandboxError
from sandbox.images.build import resolve
from sandbox.readiness import PATIENCE_S, POLL_S, Running
from sandbox.service_images import Resolved
from sandbox.spec import Limits
from sandbox.stream import Caps

SERVICE_LIMITS = Limits(memory=1 << 30, cpus=2.0, pids=256, workspace=768 << 20, tmp=128 << 20)
"""Of each service. `workspace` is what it may store, in memory; it counts as the service's."""
_STOP_S = 30
_PAUSE_S = 30
_KEPT = f"{policy.ENVIRONMENT}/.heal/services"
_SOURCE = (Path(__file__).parent / "images" / "pause.py").read_text()


class Companions:
    """What stands beside one container: the network it joins. Without services: no network, and nothing to end."""

    network = policy.NO_NETWORK

    def __enter__(self) -> Companions:
        return self

    def __exit__(self, *_: object) -> None:
        self.release()

    def ended(self) -> tuple[str, ...]:
        """One note for each service that has ended, with its last lines."""
        return ()

    def keep(self, volume: str) -> None:
        """Stop the services in order and copy what they stored into this environment. Raises SandboxError."""

    def release(self) -> None:
        """Remove everything. Raises nothing but EngineDown."""


@dataclass
class _Set(Companions):
    """One running set of services."""

    engine: Engine
    services: tuple[Resolved, ...]
    labels: policy.Labels
    runtime: str | None
    limits: Limits
    patience: float
    room: Ticket
    network: str = policy.NO_NETWORK
    pause: str = ""
    containers: dict[str, str] = field(default_factory=dict)
    volumes: list[dict[str, str]] = field(default_factory=list)
    """Of each service: volume names by mount point."""

    def start(self, network: str, environment: str | None) -> None:
        self.volumes = [self._names(number, one) for number, one in enumerate(self.services)]
        with translated():
            for name in [name for volumes in self.volumes for name in volumes.values()]:
                self.engine.client().volumes.create(**policy.service_volume(name, self.limits, self.labels))
        self.pause = self._pause(network, environment)
        self.network = policy.beside(self.pause)
        with ThreadPoolExecutor(len(self.services)) as pool:
            started = pool.map(self._start, self.services, self.volumes)
            self.containers.update(zip((one.service.name for one in self.services), started, strict=True))

    def _names(self, number: int, one: Resolved) -> dict[str, str]:
        return {
            place: f"heal-service-{self.labels.run[:12]}-{number}-{at}"
            for at, place in enumerate((*one.data, *one.scratch))
        }

    def _pause(self, network: str, environment: str | None) -> str:
        """Start the pause container and wait until the data is in its place and the ports are forwarded."""
        held = {_held(name): name for volumes in self.volumes for name in volumes.values()}
        kept = [
            (f"{_KEPT}/{number}-{at}", _held(volumes[place]))
            for number, (one, volumes) in enumerate(zip(self.services, self.volumes, strict=True))
            for at, place in enumerate(one.data)
        ]
        task = {
            "copies": kept if environment else [],
            "forwards": [pair for one in self.services for pair in one.service.forwards],
            "probes": [[one.service.name, one.protocol, one.ports, one.user] for one in self.services],
            "lives": max(1.0, self.labels.deadline - time.time()),
        }
        settings = policy.pause_container(
            resolve("debian"), ["-I", "-c", _SOURCE, json.dumps(task)], [one.service.name for one in self.services],
            environment, held, replace(self.labels, role="pause"),
            foreign=environment is not None and not all(one.own for one in self.services), network=network,
            runtime=self.runtime, counted=self.room.need,
        )  # fmt: skip
        with translated():
            container = self.engine.client().containers.create(**settings)
        self.pause = self.room.container = str(container.id)
        with translated():
            container.start()
            limit = time.monotonic() + _PAUSE_S
            while b'"standing"' not in (log := bytes(container.logs(tail=20))):
                container.reload()
                if container.status != "running" or time.monotonic() > limit:
                    last = log.decode(errors="replace").strip().rpartition("\n")[2]
                    raise SandboxError(f"the services' pause container does not start: {last or container.status}")
                time.sleep(POLL_S)
        return self.pause

    def _start(self, one: Resolved, volumes: Mapping[str, str]) -> str:
        settings = policy.service_container(
            one.image, one.service, volumes, self.limits, self.labels, self.pause, own=one.own, root=one.root,
            runtime=self.runtime,
        )  # fmt: skip
        with translated():
            container = self.engine.client().containers.create(**settings)
        self.containers[one.service.name] = str(container.id)  # known before it starts: whatever happens, it goes
        with translated():
            container.start()
        return str(container.id)

    def ready(self, cancel: Event | None) -> None:
        readiness.await_all(self.engine, self.pause, self._running(), cancel)

    def _running(self) -> list[Running]:
        return [Running(self.engine, one, self.containers[one.service.name], self.patience) for one in self.services]

    def ended(self) -> tuple[str, ...]:
        codes = [(each, each.exit_code()) for each in self._running()]
        return tuple(
            f"service '{each.name}' ended with exit code {code}: {each.log()[-1000:].strip()}"
            for each, code in codes
            if code is not None
        )

    def keep(self, volume: str) -> None:
        with ThreadPoolExecutor(len(self.containers)) as pool:
            list(pool.map(self._stop, self.containers.values()))
        kept = {
            f"{number}-{at}": volumes[place]
            for number, (one, volumes) in enumerate(zip(self.services, self.volumes, strict=True))
            for at, place in enumerate(one.data)
        }
        script = [f"rm -rf {_KEPT}", f"mkdir -p {_KEPT}"]
        script += [f"cp -a --sparse=auto {_held(name)} {_KEPT}/{place}" for place, name in kept.items()]
        settings = policy.keeping_container(
            resolve("debian"), ["sh", "-ec", "\n".join(script)], volume,
            {_held(name): name for name in kept.values()}, replace(self.labels, role="keep"), self.runtime,
        )  # fmt: skip
        copied = self.engine.run(settings, (), 300, Caps(4096, 4096, 4096, 1 << 20))
        if copied.exit_code != 0:
            raise SandboxError(f"what the services stored cannot be kept: {copied.stderr.output().text[-500:]}")

    def _stop(self, container: str) -> None:
        with translated():
            self.engine.client().api.stop(container, timeout=_STOP_S)

    def release(self) -> None:
        containers = [*self.containers.values(), self.pause]
        try:
            with ThreadPoolExecutor(len(containers)) as pool:
                list(pool.map(self.engine.remove_container, filter(None, containers)))
            for name in [name for volumes in self.volumes for name in volumes.values()]:
                self.engine.remove_volume(name)
        finally:
            self.engine.room.leave(self.room)


def stand_up(
    engine: Engine,
    services: tuple[Resolved, ...],
    labels: policy.Labels,
    *,
    environment: str | None = None,
    network: str = policy.NO_NETWORK,
    runtime: str | None = None,
    limits: Limits = SERVICE_LIMITS,
    patience: float = PATIENCE_S,
    cancel: Event | None = None,
    room: Ticket | None = None,
) -> Companions:
    """A set of services for one container, ready. Whoever has it must `release` it; it is a context of its own too.

    `environment` is the volume that holds what set-up left in them, None for services that start empty. `network` is
    that of the pause container. `room` is a ticket of which they take their part; without one they wait for room.
    Raises ServiceFailed with the service's log, EngineBusy, EngineDown, Cancelled.
    """
    if not services:
        return Companions()
    need = memory(services, limits)
    ticket = engine.room.split(room, need) if room else engine.room.enter(need, labels.owner, cancel)
    marked = replace(labels, run=uuid.uuid4().hex, role="service")
    made = _Set(engine, services, marked, runtime, limits, patience, ticket)
    try:
        made.start(network, environment)
        made.ready(cancel)
    except BaseException:
        made.release()
        raise
    return made


def memory(services: Iterable[Any], limits: Limits = SERVICE_LIMITS) -> int:
    """What a set of services may take at most, for whoever admits containers by their limits (bytes)."""
    return sum(limits.memory for _ in services)


def _held(volume: str) -> str:
    """Where the pause container mounts a volume of a service."""
    return f"/services/{volume}"
