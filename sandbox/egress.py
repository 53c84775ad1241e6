"""The set-up phase's way out: an internal network on the engine, and on its edge a proxy with an allow-list.

A proxy is found by its name, which it gets only when it is ready; the engine gives a name once, so of several workers
that make one at the same time the first wins and the others throw theirs away. It serves for a window of twelve hours
and lives one more, so no set-up outlives the proxy it was given, and the reaper needs no other rule than the deadline.
"""

from __future__ import annotations

import hashlib
import ipaddress
import json
import threading
import time
import uuid
from collections.abc import Callable, Iterable, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from sandbox import policy
from sandbox.engine import Engine
from sandbox.engine_errors import InUse, Missing, translated
from sandbox.errors import EngineDown, ImageMissing, SandboxError
from sandbox.hosts import BY_HTTP
from sandbox.images.build import resolve
from sandbox.images.egress import PORT, Rules
from sandbox.life import Ended

WINDOW_S = 12 * 3600
_READY_S = 30
_TOLD = 20
_SOURCE = (Path(__file__).parent / "images" / "egress.py").read_text()
_ISOLATED = {"com.docker.network.bridge.gateway_mode_ipv4": "isolated"}
_NO_GATEWAY = {"com.docker.network.bridge.inhibit_ipv4": "true"}
_FIRST_ISOLATED = 27


@dataclass(frozen=True)
class Gate:
    """A proxy that is ready: its container, the network its clients join, and its address there."""

    container: str
    network: str
    address: str

    @property
    def url(self) -> str:
        return f"http://{self.address}:{PORT}"


@dataclass(frozen=True)
class Allowed:
    """What the proxy lets through; see `sandbox.images.egress.Rules`."""

    hosts: tuple[str, ...]
    private: tuple[str, ...] = ()
    plain: tuple[str, ...] = BY_HTTP


class Egress:
    """The proxy of one owner on one engine, made when it is first asked for."""

    def __init__(
        self,
        engine: Engine,
        owner: str,
        allowed: Allowed,
        purpose: str = "",
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._engine, self._owner, self._allowed, self._purpose, self._clock = engine, owner, allowed, purpose, clock
        self._making = threading.Lock()

    def gate(self) -> Gate:
        """The proxy, made now unless it runs. Raises EngineDown, ImageMissing, SandboxError."""
        with self._making:
            window = int(self._clock() // WINDOW_S)
            name = f"heal-egress-{self._digest()}-{window}"
            return self._find(name) or self._make(name, (window + 2) * WINDOW_S)

    def alone(self, purpose: str) -> Egress:
        """The same with a proxy of its own, which nobody else uses, so that it can be removed."""
        return Egress(self._engine, self._owner, self._allowed, purpose, self._clock)

    def remove(self, gate: Gate) -> None:
        self._engine.remove_container(gate.container)
        remove_network(self._engine, gate.network)

    def gateway(self, gate: Gate) -> str:
        """The address on the clients' network that is the host's, where the engine gives it one."""
        with translated():
            config = self._engine.client().networks.get(gate.network).attrs["IPAM"]["Config"][0]
        return str(config.get("Gateway") or next(ipaddress.ip_network(config["Subnet"]).hosts()))

    def refused(self, gate: Gate, ended: Ended) -> tuple[str, ...]:
        """One line for each host that the proxy refused to the container that ended; at most twenty."""
        if ended.address is None or ended.started is None:
            return ()
        try:
            with translated():
                log = self._engine.client().containers.get(gate.container).logs(since=int(ended.started))
        except Missing:
            return ()
        return refusals(bytes(log), ended.address, ended.started)

    def _digest(self) -> str:
        parts = (self._owner, self._purpose, _SOURCE, json.dumps(asdict(self._allowed), sort_keys=True))
        return hashlib.sha256("\0".join(parts).encode()).hexdigest()[:16]

    def _find(self, name: str) -> Gate | None:
        try:
            with translated():
                attrs = self._engine.client().containers.get(name).attrs or {}
        except Missing:
            return None
        network = attrs["Config"]["Labels"].get("heal.network", "")
        address = attrs["NetworkSettings"]["Networks"].get(network, {}).get("IPAddress")
        if attrs["State"]["Running"] and address:
            return Gate(str(attrs["Id"]), network, str(address))
        self._engine.remove_container(str(attrs["Id"]))  # the engine was started anew, or it died
        if network:
            remove_network(self._engine, network)
        return None

    def _make(self, name: str, deadline: float) -> Gate:
        labels = policy.Labels(self._owner, uuid.uuid4().hex, "proxy", name, deadline)
        network = f"{name}-{labels.run[:12]}"
        _create_network(self._engine, network, labels.as_dict())
        container, kept = "", False
        try:
            container = self._start(network, labels)
            self._await_ready(container)
            kept = self._take(container, name)
        finally:
            if not kept:
                if container:
                    self._engine.remove_container(container)
                remove_network(self._engine, network)
        gate = self._find(name)
        if gate is None:
            raise SandboxError("the egress proxy was removed while it was being made")
        return gate

    def _start(self, network: str, labels: policy.Labels) -> str:
        """Start a proxy between the engine's bridge and the network; the id of its container."""
        image = self._image()
        with translated():
            client = self._engine.client()
            inside = client.networks.get(network)
            subnet = inside.attrs["IPAM"]["Config"][0]["Subnet"]
            rules = Rules(self._allowed.hosts, self._allowed.plain, self._allowed.private, subnet)
            settings = policy.proxy_container(image, ["-I", "-c", _SOURCE, json.dumps(asdict(rules))], labels)
            settings["labels"] = {**settings["labels"], "heal.network": network}
            container = client.containers.create(**settings, name=f"{network}-new")
        try:
            with translated():
                inside.connect(container)
                container.start()
        except SandboxError:
            self._engine.remove_container(str(container.id))
            raise
        return str(container.id)

    def _take(self, container: str, name: str) -> bool:
        """Give the ready proxy its name; False when another worker's has it."""
        try:
            with translated():
                self._engine.client().containers.get(container).rename(name)
        except InUse:
            return False
        return True

    def _await_ready(self, container: str) -> None:
        limit = time.monotonic() + _READY_S
        with translated():
            proxy = self._engine.client().containers.get(container)
            while b'"ready"' not in (log := bytes(proxy.logs(tail=20))):
                proxy.reload()
                if proxy.status != "running" or time.monotonic() > limit:
                    last = log.decode(errors="replace").strip().rpartition("\n")[2]
                    raise SandboxError(f"the egress proxy does not start: {last or proxy.status}")
                time.sleep(0.03)

    def _image(self) -> str:
        for image in (resolve("python"), resolve("debian")):
            if self._engine.has_image(image):
                return image
        raise ImageMissing("the egress proxy needs one of the sandbox's own images")


def refusals(log: bytes, client: str, since: float) -> tuple[str, ...]:
    """What the proxy's log says it refused to this client from this moment on, each host once, in order."""
    lines: dict[str, None] = {}
    for raw in log.splitlines():
        try:
            entry = json.loads(raw)
        except ValueError:
            continue
        if not isinstance(entry, dict) or entry.get("verdict") != "refused" or not entry.get("host"):
            continue
        if entry.get("client") == client and entry.get("at", 0) >= since - 0.01:
            lines[f"the egress proxy refused: {entry['host']} ({entry.get('reason')})"] = None
    told = tuple(lines)[:_TOLD]
    return told if len(lines) <= _TOLD else (*told, f"the egress proxy refused {len(lines) - _TOLD} more")


def _create_network(engine: Engine, name: str, labels: Mapping[str, str]) -> None:
    """An internal network on which the host itself has no address, as far as the engine can.

    Engines since 27 can isolate the gateway, older ones can leave its address away; without either, what the host
    serves on every address is reachable through the gateway, and `doctor` says so.
    """
    version = str(engine.version().get("Version", "0")).partition(".")[0]
    modern = version.isdigit() and int(version) >= _FIRST_ISOLATED
    ways: list[dict[str, str]] = [_ISOLATED, _NO_GATEWAY, {}] if modern else [_NO_GATEWAY, {}]
    for options in ways:
        try:
            with translated():
                engine.client().networks.create(
                    name, driver="bridge", internal=True, options=options, labels=dict(labels)
                )
        except EngineDown:
            raise
        except SandboxError:
            if not options:
                raise
        else:
            return


def networks(engine: Engine, label: str) -> dict[str, Mapping[str, str]]:
    """Names and labels of every network with the label."""
    with translated():
        found: Iterable[Any] = engine.client().networks.list(filters={"label": label})
        return {str(network.name): (network.attrs or {}).get("Labels") or {} for network in found}


def remove_network(engine: Engine, name: str) -> bool:
    """Remove a network; False when a container is still on it."""
    try:
        with translated():
            engine.client().networks.get(name).remove()
    except Missing:
        return True
    except EngineDown:
        raise
    except SandboxError:
        return False
    return True
