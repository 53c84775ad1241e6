"""What a check may reach: the hosts that its repository asks for, as far as the operator grants them.

A host that untrusted code may reach is a way out for whatever that code can read, and its answers make a result that
nobody can repeat: so without both words there is no network at all.
"""

from __future__ import annotations

import threading
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from sandbox import policy
from sandbox.egress import Allowed, Egress, Gate, Refusal
from sandbox.engine import Engine
from sandbox.images.egress import listed

_ONLINE = {
    "GOPROXY": "https://proxy.golang.org,direct", "CARGO_NET_OFFLINE": "false", "COREPACK_ENABLE_NETWORK": "1",
}  # fmt: skip
"""Takes back what tells the tools of a check that there is no network (`sandbox.languages`)."""


@dataclass(frozen=True)
class WayOut:
    """An open gate of one check. Whoever has it must `shut` it when the check's containers are gone."""

    egress: Egress
    gate: Gate

    @property
    def network(self) -> str:
        return self.gate.network.name

    def refused(self) -> tuple[Refusal, ...]:
        return self.egress.refused(self.gate)

    def shut(self) -> None:
        self.egress.shut(self.gate)


@dataclass(frozen=True)
class Grant:
    """What the checks of one plan may reach, and what it asks for in vain. Without hosts there is no network."""

    hosts: tuple[str, ...] = ()
    withheld: tuple[str, ...] = ()
    egress: Egress | None = None
    authorities: bytes = b""

    def open(self, labels: policy.Labels) -> WayOut | None:
        """A network of its own for one check, with nothing on it but the proxy. Raises as `Egress.open`."""
        return None if self.egress is None else WayOut(self.egress, self.egress.open(labels))

    def environment(self, way_out: WayOut | None, services: Sequence[str]) -> dict[str, str]:
        if way_out is None:
            return {}
        certificates = policy.certificates() if self.authorities else {}
        return {**policy.proxy_environment(way_out.gate.url, services), **certificates, **_ONLINE}

    def notes(self) -> tuple[str, ...]:
        if not self.withheld:
            return ()
        return (f"HEAL_CHECK_HOSTS of this installation does not grant the check {', '.join(self.withheld)}",)


class Grants:
    """The proxies of one sandbox's checks, one for each list of hosts; made when a plan first asks for them."""

    def __init__(self, engine: Engine, owner: str, allowed: tuple[str, ...], ca_bundle: Path | None) -> None:
        self._engine, self._owner, self._ca_bundle = engine, owner, ca_bundle
        self._allowed = tuple(host.lower().rstrip(".") for host in allowed)
        self._guard = threading.Lock()
        self._made: dict[tuple[str, ...], Egress] = {}

    def of(self, asked: tuple[str, ...]) -> Grant:
        """What a plan that asks for these hosts gets. Its proxy is started aside."""
        hosts = tuple(sorted(host for host in set(asked) if within(host, self._allowed)))
        withheld = tuple(sorted(set(asked) - set(hosts)))
        if not hosts:
            return Grant(withheld=withheld)
        # An inner address is accepted for names that the operator wrote out, as in the set-up phase.
        inner = tuple(host for host in hosts if host in self._allowed and not host.startswith("*."))
        with self._guard:
            egress = self._made.get(hosts)
            if egress is None:
                egress = self._made[hosts] = Egress(self._engine, self._owner, Allowed(hosts, inner, plain=hosts))
        egress.start()
        return Grant(hosts, withheld, egress, self._ca_bundle.read_bytes() if self._ca_bundle else b"")

    def close(self) -> None:
        for egress in self._made.values():
            egress.close()


def within(host: str, allowed: tuple[str, ...]) -> bool:
    """Whether the operator's list covers a host, or every host that a `*.suffix` stands for."""
    return host in allowed or listed(host.removeprefix("*"), tuple(name for name in allowed if name.startswith("*.")))
