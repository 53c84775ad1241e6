"""The containers of a job's service containers, and of the one that holds their network."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from sandbox.policy.container import (
    BESIDE,
    MEMORY_LABEL,
    NO_NETWORK,
    SCRATCH_BYTES,
    SETUP_CAPABILITIES,
    SETUP_FILE_BYTES,
    USER,
    Labels,
    basis,
    network_settings,
    tmpfs,
    ulimits,
    volume_mount,
)
from sandbox.policy.helpers import upper_options
from sandbox.spec import Limits, Service

_PAUSE = "heal-job"
_SERVICE_FILE_BYTES = 1 << 30
_SHORT_LOG = {"type": "json-file", "config": {"max-size": "1m", "max-file": "1"}}
_PAUSE_LIMITS = Limits(wall_s=60, memory=1280 << 20, cpus=1.0, pids=64, workspace=1 << 20, tmp=1 << 20)


def beside(pause: str) -> str:
    """The network mode of a container that joins the network of the pause container with this id."""
    return f"{BESIDE}{pause}"


def pause_container(
    image: str,
    arguments: list[str],
    names: Iterable[str],
    volume: str | None,
    data: Mapping[str, str],
    labels: Labels,
    *,
    foreign: bool,
    counted: int,
    network: str = NO_NETWORK,
    runtime: str | None = None,
) -> dict[str, Any]:
    """Settings for the container whose network the services of a job and its command share.

    It runs our own code: as user 1000 without capabilities where all data is our own images', else as root with what
    copying other people's files takes, given up before anything listens. `data` are its volumes by mount point;
    `volume` is the environment, read-only, from which they are filled. `names` resolve to the loopback address.
    `counted` is the memory of the services, which count as one with it.
    """
    settings = {
        **basis(image, {}, _PAUSE_LIMITS, labels, runtime),
        "entrypoint": ["/opt/heal/python", *arguments],
        "hostname": _PAUSE,
        "extra_hosts": dict.fromkeys((*names, _PAUSE), "127.0.0.1"),
        **network_settings(network),
        "user": "0:0" if foreign else f"{USER}:{USER}",
        "read_only": True,
        "stdin_open": False,
        "mounts": [*([volume_mount(volume, read_only=True)] if volume else []), *_data(data)],
        "sysctls": {"net.ipv4.ip_forward": "0", "net.ipv4.ip_unprivileged_port_start": "0"},
        "ulimits": ulimits(_SERVICE_FILE_BYTES, _PAUSE_LIMITS.pids),
        "log_config": _SHORT_LOG,
        "labels": {**labels.as_dict(), MEMORY_LABEL: str(counted)},
    }
    return {**settings, "cap_add": list(SETUP_CAPABILITIES)} if foreign else settings


def service_container(
    image: str,
    service: Service,
    data: Mapping[str, str],
    limits: Limits,
    labels: Labels,
    pause: str,
    *,
    own: bool,
    root: bool,
    runtime: str | None = None,
) -> dict[str, Any]:
    """Settings for one service of a job, in the network of its pause container.

    Everything below `data` (volumes in memory by mount point) and two scratch directories can be written, nothing
    else. `own` images start as user 1000. Others that start as `root` get the capabilities that the official images'
    entry points need to own their data and become another user; the rest have none.
    """
    scratch = {"/tmp": tmpfs(limits.tmp, 1777)}  # noqa: S108 - inside
    settings = {
        **basis(image, service.env, limits, labels, runtime),
        "network_mode": beside(pause),
        "read_only": True,
        "stdin_open": False,
        "mounts": _data(data),
        "tmpfs": {**scratch, "/run": tmpfs(SCRATCH_BYTES, 755, USER)} if own else scratch,
        "ulimits": ulimits(_SERVICE_FILE_BYTES, limits.pids),
        "log_config": _SHORT_LOG,
        "labels": {**labels.as_dict(), MEMORY_LABEL: "0"},  # counted with the pause container, not as its image says
        **({"command": list(service.command)} if service.command else {}),
        **({"cap_add": list(SETUP_CAPABILITIES)} if root else {}),
    }
    return {name: value for name, value in settings.items() if name != "working_dir"}  # the image's own


def keeping_container(
    image: str, command: list[str], volume: str, data: Mapping[str, str], labels: Labels, runtime: str | None = None
) -> dict[str, Any]:
    """Settings for our own command that copies the services' data into the environment after set-up: no network."""
    return {
        **basis(image, {}, _PAUSE_LIMITS, labels, runtime),
        "entrypoint": command,
        "network_mode": NO_NETWORK,
        "user": "0:0",
        "read_only": True,
        "cap_add": list(SETUP_CAPABILITIES),
        "mounts": [volume_mount(volume, read_only=False), *_data(data)],
        "ulimits": ulimits(SETUP_FILE_BYTES, _PAUSE_LIMITS.pids),
    }


def service_volume(name: str, limits: Limits, labels: Labels) -> dict[str, Any]:
    """Settings (of docker's `volumes.create`) for what one service stores: in memory, of limited size.

    Anybody may write its folder until an image's own, or what set-up left, brings an owner: an engine may map users.
    """
    return {
        "name": name,
        "driver": "local",
        "driver_opts": upper_options(limits.workspace),
        "labels": labels.as_dict(),
    }


def _data(places: Mapping[str, str]) -> list[dict[str, Any]]:
    return [{"Type": "volume", "Source": name, "Target": place, "ReadOnly": False} for place, name in places.items()]
