"""The containers in which our own code, or none, works for the others: the egress proxy and what moves files."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sandbox.policy.container import (
    HELPER_LIMITS,
    NO_NETWORK,
    OPEN,
    SETUP_FILE_BYTES,
    USER,
    Labels,
    basis,
    network_settings,
    tmpfs,
    ulimits,
    volume_mount,
)
from sandbox.spec import Limits

LOADED, UPPERS = "/tree", "/uppers"
"""Where a loader fills a prepared tree; where a keeper has the upper layers, by number."""
VOLUMES = "/volumes"
_KEEPER_LIMITS = Limits(memory=64 << 20, cpus=1.0, pids=64, tmp=1 << 20)


def overlay_options(lower: str, upper: str) -> dict[str, str]:
    """Options of a volume that shows the folder `lower` and writes to what a keeper has at the path `upper`.

    Renaming a folder works as on any file system (`redirect_dir`); its marks are attributes only root can set.
    """
    parts = f"lowerdir={lower},upperdir={upper}/upper,workdir={upper}/work,redirect_dir=on,nosuid,nodev"
    return {"type": "overlay", "device": "overlay", "o": parts}


def upper_options(size: int) -> dict[str, str]:
    """Options of a volume in memory that takes what one check writes: limits on bytes and on files, kept by the kernel.

    Its folder may be written by anybody, as its only user is the keeper, whose user an engine may map to another.
    """
    return {"type": "tmpfs", "device": "tmpfs", "o": f"size={size},nr_inodes=500k,mode=1777,nosuid,nodev"}


def loader_container(
    image: str, volume: str, prepared: str, limits: Limits, labels: Labels, runtime: str | None = None
) -> dict[str, Any]:
    """Settings for what fills a prepared tree: as a check's, but root until the new volume belongs to the user."""
    return {
        **basis(image, {}, limits, labels, runtime),
        "entrypoint": ["timeout", "-s", "KILL", f"{limits.wall_s + 90:g}", "/opt/heal/heal-load"],
        **network_settings(NO_NETWORK),
        "user": "0:0",
        "read_only": True,
        "cap_add": ["CHOWN", "SETGID", "SETUID"],
        "mounts": [volume_mount(volume, read_only=True), volume_mount(prepared, read_only=False, target=LOADED)],
        "tmpfs": {"/tmp": tmpfs(limits.tmp, 1777)},  # noqa: S108 - a path in the container
        "ulimits": ulimits(SETUP_FILE_BYTES, limits.pids),
    }


def trial_container(image: str, mounts: tuple[Mapping[str, Any], ...], labels: Labels) -> dict[str, Any]:
    """Settings for the container that only shows whether the engine can mount something."""
    return {**keeper_container(image, (), 0, labels), "entrypoint": ["true"], "mounts": list(mounts)}


def keeper_container(image: str, uppers: tuple[str, ...], seconds: float, labels: Labels) -> dict[str, Any]:
    """Settings for the idle container that keeps these volumes mounted, for so long, and runs nothing of others."""
    mounts = [volume_mount(upper, read_only=False, target=f"{UPPERS}/{number}") for number, upper in enumerate(uppers)]
    return {
        **basis(image, {}, _KEEPER_LIMITS, labels, None),
        "entrypoint": ["sleep", f"{seconds:.0f}"],
        **network_settings(NO_NETWORK),
        "user": f"{USER}:{USER}",
        "read_only": True,
        "stdin_open": False,
        "mounts": mounts,
        "ulimits": ulimits(0, _KEEPER_LIMITS.pids),
    }


def filling_container(image: str, volume: str, labels: Labels) -> dict[str, Any]:
    """Settings for a container that is never started: creating it puts the image's own /env into an empty volume.

    An image of others may name no command, without which the engine creates none.
    """
    common = basis(image, {}, HELPER_LIMITS, labels, None)
    return {
        **common,
        "entrypoint": ["true"],
        **network_settings(NO_NETWORK),
        "mounts": [volume_mount(volume, read_only=False)],
    }


def lending_container(image: str, volumes: str, arguments: list[str], labels: Labels) -> dict[str, Any]:
    """Settings for moving a package cache into an environment's volume and back: our own code in our own image.

    It is the one container that sees a path of the engine's machine, the folder of all volumes: only where both are
    one mount can a folder be moved instead of copied. It runs nothing of anybody else's, follows no link of theirs
    (`sandbox.images.lend`), and has no network.
    """
    folder = {"Type": "bind", "Source": volumes, "Target": VOLUMES, "BindOptions": {"NonRecursive": True}}
    return {
        **basis(image, {}, HELPER_LIMITS, labels, None),
        "entrypoint": ["/opt/heal/python", *arguments],
        **network_settings(NO_NETWORK),
        "user": "0:0",
        "read_only": True,
        "cap_add": ["DAC_OVERRIDE"],  # set-up may have changed the owner of /env
        "mounts": [folder],
        "ulimits": ulimits(0, HELPER_LIMITS.pids),
    }


def proxy_container(image: str, arguments: list[str], labels: Labels) -> dict[str, Any]:
    """Settings for the egress proxy: on the engine's bridge, before it also joins the network of its clients."""
    return {
        **basis(image, {}, HELPER_LIMITS, labels, None),
        "entrypoint": ["/opt/heal/python", *arguments],
        "network_mode": OPEN,
        "user": f"{USER}:{USER}",
        "read_only": True,
        "stdin_open": False,
        "sysctls": {"net.ipv4.ip_forward": "0"},  # it answers requests and routes nothing
        "ulimits": ulimits(0, HELPER_LIMITS.pids),
        "log_config": {"type": "json-file", "config": {"max-size": "4m", "max-file": "2"}},
    }
