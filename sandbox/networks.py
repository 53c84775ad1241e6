"""Small internal networks on the engine, one for each set-up or check that may ask the egress proxy.

Each has a subnet of its own out of `POOL`: the engine's own pools are used up after about thirty networks. Which
subnets are free only the engine knows, and it gives each one once, so a taken one is answered with another try.
"""

from __future__ import annotations

import ipaddress
import secrets
from collections.abc import Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sandbox.engine import Engine
from sandbox.engine_errors import Missing, translated
from sandbox.errors import EngineBusy, EngineDown, SandboxError

POOL = ipaddress.IPv4Network("198.18.0.0/15")
"""Addresses for measurements in laboratories (RFC 2544): no public host, and hardly an office, has one of them."""
PREFIX = 28
_TRIES = 64
_ISOLATED = {"com.docker.network.bridge.gateway_mode_ipv4": "isolated"}
_NO_GATEWAY = {"com.docker.network.bridge.inhibit_ipv4": "true"}
_FIRST_ISOLATED = 27


@dataclass(frozen=True)
class Network:
    """A network that exists: its name and subnet, the address that would be the host's, the one kept for the proxy."""

    name: str
    subnet: str
    gateway: str
    proxy: str


def create(engine: Engine, name: str, labels: Mapping[str, str], pool: ipaddress.IPv4Network = POOL) -> Network:
    """An internal network on which the host itself has no address, as far as the engine can.

    Engines since 27 can isolate the gateway, older ones can leave its address away; without either, what the host
    serves on every address is reachable through the gateway, and `doctor` says so. Raises EngineBusy when no subnet
    of the pool was free in 64 tries.
    """
    version = str(engine.version().get("Version", "0")).partition(".")[0]
    modern = version.isdigit() and int(version) >= _FIRST_ISOLATED
    ways: list[dict[str, str]] = [_ISOLATED, _NO_GATEWAY, {}] if modern else [_NO_GATEWAY, {}]
    for _ in range(_TRIES):
        start = pool.network_address + (secrets.randbelow(pool.num_addresses) & -(1 << 32 - PREFIX))
        subnet = ipaddress.IPv4Network((start, PREFIX))
        try:
            engine.create_network(name, str(subnet), str(subnet[1]), ways[0], labels)
        except EngineDown:
            raise
        except SandboxError as error:
            if "overlap" in str(error).lower():
                continue
            if len(ways) == 1:
                raise
            ways = ways[1:]  # this engine does not know the option
        else:
            return Network(name, str(subnet), str(subnet[1]), str(subnet[2]))
    raise EngineBusy(f"no free subnet for a network was found in {pool}")


def connect(engine: Engine, network: Network, container: str) -> float:
    """Let the proxy in, under the address that is kept for it; returns when the network was made, in seconds since
    1970 on the engine's clock."""
    with translated():
        found = engine.client().networks.get(network.name)
        found.connect(container, ipv4_address=network.proxy)
        return datetime.fromisoformat(str((found.attrs or {})["Created"])).timestamp()


def labelled(engine: Engine, label: str) -> dict[str, Mapping[str, str]]:
    """Names and labels of every network with the label."""
    with translated():
        found: Iterable[Any] = engine.client().networks.list(filters={"label": label})
        return {str(network.name): (network.attrs or {}).get("Labels") or {} for network in found}


def remove(engine: Engine, name: str) -> bool:
    """Remove a network that no client is on any more, the proxy's end of it too; False when the engine refuses."""
    try:
        with translated():
            network = engine.client().networks.get(name)
            for container in (network.attrs or {}).get("Containers") or {}:
                with suppress(Missing), translated():  # it may have left, or be gone, since
                    network.disconnect(container, force=True)
            network.remove()
    except Missing:
        return True
    except EngineDown:
        raise
    except SandboxError:
        return False
    return True
