"""The way out: an allow-list proxy on the engine's edge, and a network of its own for each of the proxy's clients.

A proxy is found by its name, which it gets only when it is ready; the engine gives a name once, so of several workers
that make one at the same time the first wins and the others throw theirs away. It serves for a window of twelve hours
and lives one more, so no client outlives the proxy it was given, and the reaper needs no other rule than the deadline.

It joins the network of each client and nothing else does: clients never meet, and the proxy routes nothing.
"""

from __future__ import annotations

import hashlib
import ipaddress
import json
import threading
import time
import uuid
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass, replace
from pathlib import Path

from sandbox import networks, policy
from sandbox.engine import Engine
from sandbox.engine_errors import InUse, Missing, translated
from sandbox.errors import ImageMissing, SandboxError
from sandbox.forks import fresh_after_fork
from sandbox.hosts import BY_HTTP
from sandbox.images.build import resolve
from sandbox.images.egress import PORT, Rules

WINDOW_S = 12 * 3600
_READY_S = 30
_TOLD = 20
_BY_RULE = 403
_SOURCE = (Path(__file__).parent / "images" / "egress.py").read_text()


@dataclass(frozen=True)
class Gate:
    """One client's way out: the proxy's container, the network on which it answers that client alone, and since when
    (seconds since 1970 on the engine's clock)."""

    proxy: str
    network: networks.Network
    since: float

    @property
    def url(self) -> str:
        return f"http://{self.network.proxy}:{PORT}"


@dataclass(frozen=True)
class Allowed:
    """What the proxy lets through; see `sandbox.images.egress.Rules`."""

    hosts: tuple[str, ...]
    private: tuple[str, ...] = ()
    plain: tuple[str, ...] = BY_HTTP


@dataclass(frozen=True)
class Refusal:
    """A host that the proxy refused, why, and when on the engine's clock. `denied` says that it was by its rules."""

    host: str
    reason: str
    at: float
    denied: bool

    def __str__(self) -> str:
        return f"the egress proxy refused: {self.host} ({self.reason})"


class Egress:
    """The proxy of one owner and one allow-list on one engine, made when it is first needed."""

    def __init__(
        self,
        engine: Engine,
        owner: str,
        allowed: Allowed,
        purpose: str = "",
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._engine, self._owner, self._allowed, self._purpose, self._clock = engine, owner, allowed, purpose, clock
        self.after_fork()
        fresh_after_fork(self)

    def after_fork(self) -> None:
        """In a forked process: the parent's threads are not in it."""
        self._making = threading.Lock()
        self._aside = ThreadPoolExecutor(4, "heal-egress")

    def start(self) -> None:
        """Make the proxy aside, because a client is likely to come. Returns at once, never raises."""
        self._later(self.proxy)

    def close(self) -> None:
        """Wait for what goes on aside."""
        self._aside.shutdown()

    def proxy(self) -> str:
        """The container of the proxy, made now unless it runs. Raises EngineDown, ImageMissing, SandboxError."""
        with self._making:
            window = int(self._clock() // WINDOW_S)
            name = f"heal-egress-{self._digest()}-{window}"
            return self._find(name) or self._make(name, (window + 2) * WINDOW_S)

    def open(self, labels: policy.Labels) -> Gate:
        """A new network with nothing on it but the proxy. `labels` are its client's: it goes when that one goes."""
        marked = replace(labels, role="network").as_dict()
        made = self._aside.submit(networks.create, self._engine, f"heal-net-{uuid.uuid4().hex}", marked)
        try:
            proxy = self.proxy()
        except BaseException:
            networks.remove(self._engine, made.result().name)
            raise
        network = made.result()
        try:
            since = networks.connect(self._engine, network, proxy)
        except BaseException:
            networks.remove(self._engine, network.name)
            raise
        return Gate(proxy, network, since)

    def shut(self, gate: Gate) -> None:
        """Remove the network, whose client has to be gone, aside: what is left of it the reaper takes."""
        self._later(networks.remove, self._engine, gate.network.name)

    @contextmanager
    def opened(self, labels: policy.Labels) -> Iterator[Gate]:
        gate = self.open(labels)
        try:
            yield gate
        finally:
            self.shut(gate)

    @contextmanager
    def alone(self, purpose: str) -> Iterator[Egress]:
        """The same with a proxy of its own, which nobody else uses and which is gone afterwards."""
        other = Egress(self._engine, self._owner, self._allowed, purpose, self._clock)
        try:
            yield other
        finally:
            other.close()
            for container, labels in self._engine.containers(f"heal.owner={self._owner}").items():
                if labels.get("heal.key", "").startswith(f"heal-egress-{other._digest()}-"):
                    self._engine.remove_container(container)

    def refused(self, gate: Gate) -> tuple[Refusal, ...]:
        """The hosts that the proxy refused to the client of this gate up to now; each once."""
        try:
            with translated():
                log = self._engine.client().containers.get(gate.proxy).logs(since=int(gate.since))
        except Missing:
            return ()
        return refusals(bytes(log), gate.network.subnet, gate.since)

    def _later(self, act: Callable[..., object], *arguments: object) -> None:
        """Do it aside, or now when this was closed meanwhile."""

        def quietly() -> None:
            with suppress(SandboxError):
                act(*arguments)

        try:
            self._aside.submit(quietly)
        except RuntimeError:
            quietly()

    def _digest(self) -> str:
        parts = (self._owner, self._purpose, _SOURCE, json.dumps(asdict(self._allowed), sort_keys=True))
        return hashlib.sha256("\0".join(parts).encode()).hexdigest()[:16]

    def _find(self, name: str) -> str | None:
        try:
            with translated():
                attrs = self._engine.client().containers.get(name).attrs or {}
        except Missing:
            return None
        if attrs["State"]["Running"]:
            return str(attrs["Id"])
        self._engine.remove_container(str(attrs["Id"]))  # the engine was started anew, or it died
        return None

    def _make(self, name: str, deadline: float) -> str:
        labels = policy.Labels(self._owner, uuid.uuid4().hex, "proxy", name, deadline)
        rules = Rules(
            self._allowed.hosts, self._allowed.plain, self._allowed.private, str(networks.POOL), networks.PREFIX
        )
        settings = policy.proxy_container(self._image(), ["-I", "-c", _SOURCE, json.dumps(asdict(rules))], labels)
        with translated():
            container = self._engine.client().containers.create(**settings, name=f"{name}-{labels.run[:12]}")
        kept = False
        try:
            with translated():
                container.start()
            self._await_ready(str(container.id))
            kept = self._take(str(container.id), name)
        finally:
            if not kept:
                self._engine.remove_container(str(container.id))
        found = self._find(name)
        if found is None:
            raise SandboxError("the egress proxy was removed while it was being made")
        return found

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


def refusals(log: bytes, clients: str, since: float) -> tuple[Refusal, ...]:
    """What the proxy's log says it refused to this network's client from this moment on, each host once, in order."""
    network = ipaddress.ip_network(clients)
    found: dict[tuple[str, str], Refusal] = {}
    for raw in log.splitlines():
        try:
            entry = json.loads(raw)
        except ValueError:
            continue
        if not isinstance(entry, dict) or entry.get("verdict") != "refused" or not entry.get("host"):
            continue
        if entry.get("at", 0) < since - 0.01 or ipaddress.ip_address(entry["client"]) not in network:
            continue
        refusal = Refusal(entry["host"], entry.get("reason", ""), entry["at"], entry.get("status") == _BY_RULE)
        found[(refusal.host, refusal.reason)] = refusal  # the last time counts: it is nearest to what failed then
    return tuple(found.values())


def told(refused: Sequence[Refusal]) -> tuple[str, ...]:
    """A line for each, at most twenty and one that counts the rest."""
    lines = tuple(map(str, refused[:_TOLD]))
    return lines if len(refused) <= _TOLD else (*lines, f"the egress proxy refused {len(refused) - _TOLD} more")
