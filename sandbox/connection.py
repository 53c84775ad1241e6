"""How an engine is reached: by its socket, or by TCP, where certificates are given with TLS on both sides."""

from __future__ import annotations

import socket
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import docker
from docker.tls import TLSConfig
from docker.transport import UnixHTTPAdapter

from sandbox.engine_errors import translated
from sandbox.errors import EngineDown, SandboxError

_PORT, _KNOCK_S = 2375, 10
_OLDEST_API = "1.41"
_CONNECTIONS = 32


def connect(host: str, certificates: Path | None, timeout_s: int) -> docker.DockerClient:
    """A client that speaks the engine's own version of the API. Raises EngineDown.

    `certificates` is a folder with ca.pem, cert.pem and key.pem. No variable that is meant for requests (a proxy,
    another authority) leads the connection elsewhere.
    """
    _knock(host)
    try:
        with translated():
            tls = _tls(certificates) if certificates and host.startswith("tcp://") else None
            asking = _client(host, tls, timeout_s, _OLDEST_API)
            try:
                version = str(asking.api.version(api_version=False)["ApiVersion"])
            finally:
                asking.close()
            return _client(host, tls, timeout_s, version)
    except EngineDown:
        raise
    except SandboxError as error:  # it answers, and will not talk to us
        raise EngineDown(f"the engine at {host} turns us away: {error}") from error


def _client(host: str, tls: TLSConfig | None, timeout_s: int, version: str) -> docker.DockerClient:
    made = docker.DockerClient(
        base_url=host, timeout=timeout_s, max_pool_size=_CONNECTIONS, version=version, tls=tls or False
    )
    made.api.trust_env = False
    if host.startswith("unix://"):
        made.api.mount(made.api.base_url, _OnePool(host.removeprefix("unix://"), timeout_s, max_pool_size=_CONNECTIONS))
    return made


class _OnePool(UnixHTTPAdapter):
    """One pool of connections for everything that is asked.

    The SDK's own keeps one for each address, container ids and all, and closes the oldest of 25 under the thread that
    is about to use it ("Pool is closed").
    """

    def get_connection(self, url: str | bytes, proxies: Any = None) -> Any:  # noqa: ARG002 - the one for all of them
        return super().get_connection("engine", proxies)


def _tls(certificates: Path) -> TLSConfig:
    """Raises a DockerException where a file is missing."""
    mine = (str(certificates / "cert.pem"), str(certificates / "key.pem"))
    return TLSConfig(client_cert=mine, ca_cert=str(certificates / "ca.pem"), verify=True)


def _knock(host: str) -> None:
    """Raise EngineDown when nobody listens there: the SDK would say it too, in five lines, and leaks a descriptor."""
    address = urlsplit(host)
    try:
        if address.scheme == "unix":
            with socket.socket(socket.AF_UNIX) as door:
                door.connect(host.removeprefix("unix://"))
        elif address.scheme == "tcp" and address.hostname:
            socket.create_connection((address.hostname, address.port or _PORT), timeout=_KNOCK_S).close()
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or str(error)
        raise EngineDown(f"no container engine answers at {host} ({reason})") from error
