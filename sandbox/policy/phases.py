"""The containers of the two phases: set-up installs with network and as root, the check has neither.

The check phase has no network, no capability, no writable root and no user but 1000; the set-up phase, which has to
install packages, is root with five capabilities on an internal network whose only way out is the egress proxy with its
allow-list (`sandbox.egress`).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from sandbox.policy.container import (
    HELPER_LIMITS,
    NO_NETWORK,
    OPEN,
    SCRATCH,
    SCRATCH_BYTES,
    SETUP_CAPABILITIES,
    SETUP_FILE_BYTES,
    USER,
    WORKSPACE,
    Labels,
    basis,
    network_settings,
    shared_memory,
    tmpfs,
    ulimits,
    volume_mount,
)
from sandbox.spec import Limits

PREPARED = f"{SCRATCH}/tree"
"""Where a check that works on top of a prepared tree has that tree itself, read-only: so the engine knows its user."""
IDLE_S = 600.0
"""How long a check container waits for its command before it ends by itself."""
_KEPT = "heal-kept-"
_SYSTEM = ("/usr/", "/opt/", "/etc/", "/bin/", "/sbin/", "/lib/", "/lib64/", "/srv/", "/home/", "/var/lib/postgresql/")
_ENGINE_INIT = "/usr/sbin/docker-init"  # the engine's own mount point, in every container with `init`
_CHECK_FILE_BYTES = 2 << 30


def check_container(
    image: str,
    volume: str,
    env: Mapping[str, str],
    limits: Limits,
    labels: Labels,
    runtime: str | None = None,
    workspace: tuple[Mapping[str, Any], ...] = (),
    idle_s: float = IDLE_S,
    network: str = NO_NETWORK,
    kept: bool = False,
) -> dict[str, Any]:
    """Settings (keyword arguments of docker's `containers.create`) for one untrusted command.

    `workspace` are the mounts that make its work tree; without any it is a tmpfs. `network` is NO_NETWORK, or that of
    a pause container (`beside`), which has none either. A container that has waited `idle_s`
    seconds for its files or its command ends by itself, also should the worker that made it have died. With `kept` its
    name tells every worker that it waits for files, until it is renamed.
    """
    scratch = {
        "/tmp": tmpfs(limits.tmp, 1777),  # noqa: S108 - a path in the container
        SCRATCH: tmpfs(SCRATCH_BYTES, 755, USER),
        **shared_memory(),
    }
    if not workspace:
        scratch[WORKSPACE] = tmpfs(limits.workspace, 755, USER)
    return {
        **basis(image, env, limits, labels, runtime),
        "entrypoint": [*_reading_shell(runtime), "/opt/heal/heal-init", f"{idle_s:g}"],
        "init": False,  # ours is the first process, which nothing inside can kill or stop; it reaps what is left
        **network_settings(network),
        "user": f"{USER}:{USER}",
        "read_only": True,
        "mounts": [volume_mount(volume, read_only=True), *workspace],
        "tmpfs": scratch,
        "ulimits": ulimits(_CHECK_FILE_BYTES, limits.pids),
        **({"name": f"{_KEPT}{labels.run}"} if kept else {}),
    }


def is_kept(names: Iterable[str] | None) -> bool:
    """Whether these names, as the engine lists them, are those of a container that still waits for its files."""
    return any(name.startswith(f"/{_KEPT}") for name in names or ())


def used_name(labels: Mapping[str, str]) -> str:
    """The name of a kept container from the moment that it gets its files."""
    return f"heal-check-{labels['heal.run']}"


def workspace_mounts(workspace: str, prepared: str) -> tuple[Mapping[str, Any], ...]:
    """The mounts of a check that works in the volume `workspace`, which lies on top of the volume `prepared`."""
    return (
        volume_mount(workspace, read_only=False, target=WORKSPACE),
        volume_mount(prepared, read_only=True, target=PREPARED),
    )


def _reading_shell(runtime: str | None) -> tuple[str, ...]:
    """gVisor starts only what it may read, and the shell that keeps others out of our first process may not be: there
    the system's does, and the runtime's own kernel is what the command is kept by."""
    return ("/bin/sh",) if runtime and ("runsc" in runtime or "gvisor" in runtime) else ()


def setup_container(
    image: str, volume: str, limits: Limits, labels: Labels, runtime: str | None = None, network: str = OPEN
) -> dict[str, Any]:
    """Settings for the phase that installs: root with five capabilities, network, writable root and /env.

    `network` is the egress proxy's, or NO_NETWORK, or OPEN, from which everything the host reaches can be reached.
    Its environment variables travel with the steps, because a container's own would end up in an image made of it.
    """
    return {
        **basis(image, {}, limits, labels, runtime),
        # Ends by itself a little after the worker would have ended it, should the worker have died.
        "entrypoint": [
            "/opt/heal/heal-setup",
            f"{max(0.0, limits.wall_s) + 90:g}",
            str(limits.disk),
            str(limits.disk_left),
        ],
        "init": False,  # as in a check
        **network_settings(network),
        "user": "0:0",
        "read_only": False,
        "cap_add": list(SETUP_CAPABILITIES),
        "mounts": [volume_mount(volume, read_only=False)],
        "tmpfs": {
            "/tmp": tmpfs(max(limits.tmp, 1 << 30), 1777),  # noqa: S108 - a path in the container
            WORKSPACE: tmpfs(max(limits.workspace, 2 << 30), 755),
            SCRATCH: tmpfs(SCRATCH_BYTES, 755),
            **shared_memory(),
        },
        "ulimits": ulimits(SETUP_FILE_BYTES, limits.pids),
    }


def adopt_container(
    image: str, command: list[str], limits: Limits, labels: Labels, runtime: str | None = None, network: str = OPEN
) -> dict[str, Any]:  # fmt: skip
    """Settings for adding our files, and the tools they need, to an image of others: as set-up, without a volume."""
    settings = setup_container(image, "", limits, labels, runtime, network)
    return {**settings, "entrypoint": command, "init": True, "mounts": []}


def probe_container(
    image: str, command: list[str], network: str, labels: Labels, runtime: str | None = None
) -> dict[str, Any]:
    """Settings for a look at the set-up network from inside, with less rights than set-up has."""
    settings = check_container(image, "", {}, HELPER_LIMITS, labels, runtime)
    return {**settings, "mounts": [], "entrypoint": command, **network_settings(network)}


def installed_system_files(added: Iterable[str]) -> bool:
    """Whether set-up put files outside /env that the check needs: packages from apt, tools in /usr/local or /opt.

    `added` are the absolute paths that are new in the set-up container's root file system.
    """
    return any(path.startswith(_SYSTEM) and "/__pycache__" not in path for path in added if path != _ENGINE_INIT)
