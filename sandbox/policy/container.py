"""What every container of ours has, whoever's code runs in it: no capability, no new privileges, limits on everything.

`basis` is where each of them begins; the others of this package add to it, and what they add is all there is to see.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from sandbox import seccomp
from sandbox.process import this_process
from sandbox.spec import Limits

USER = 1000
WORKSPACE = "/ws"
SCRATCH = "/heal"
ENVIRONMENT = "/env"
OPEN, NO_NETWORK = "bridge", "none"
MEMORY_LABEL = "heal.memory"
"""On every container: its memory limit in bytes, so that other workers count it without asking for each."""
SETUP_CAPABILITIES = ("CHOWN", "DAC_OVERRIDE", "FOWNER", "SETGID", "SETUID")
"""What apt needs to drop to its own user and dpkg to set owners; without them "Method http has died"."""
_EXPENDABLE = 500  # when the whole host runs out of memory, a sandbox dies before the worker and the engine
_SECCOMP = f"seccomp={seccomp.profile()}"
SCRATCH_BYTES = 256 << 20
_SHARED_MEMORY_BYTES = 256 << 20  # browsers need more than the engine's 64 MiB; counted in the memory limit
_BOMBED_NEIGHBOURS = 16
SETUP_FILE_BYTES = 4 << 30
HELPER_LIMITS = Limits(wall_s=60, memory=192 << 20, cpus=1.0, pids=64, workspace=1 << 20, tmp=1 << 20)
BESIDE = "container:"


@dataclass(frozen=True)
class Labels:
    """What marks a container or volume as ours, so that the reaper finds it when its worker has died.

    `owner` is the installation, or `installation/session` for what one session alone uses.
    """

    owner: str
    run: str
    role: str
    key: str
    deadline: float
    process: str = field(default_factory=this_process)

    def as_dict(self) -> dict[str, str]:
        return {
            "heal.owner": self.owner,
            "heal.run": self.run,
            "heal.role": self.role,
            "heal.key": self.key,
            "heal.deadline": str(int(self.deadline)),
            "heal.process": self.process,
        }


def basis(image: str, env: Mapping[str, str], limits: Limits, labels: Labels, runtime: str | None) -> dict[str, Any]:
    """Settings (keyword arguments of docker's `containers.create`) that no container of ours goes without."""
    settings: dict[str, Any] = {
        "image": image,
        "environment": dict(env),
        "working_dir": "/",
        "stdin_open": True,
        "tty": False,
        "init": True,
        "healthcheck": {"test": ["NONE"]},  # an image of others may bring one
        "cap_drop": ["ALL"],
        "security_opt": ["no-new-privileges", _SECCOMP],  # an engine that has no seccomp refuses to start it
        "ipc_mode": "private",
        "cgroupns": "private",
        "oom_score_adj": _EXPENDABLE,
        "pids_limit": limits.pids,
        "mem_limit": limits.memory,
        "memswap_limit": limits.memory,
        "nano_cpus": int(limits.cpus * 1_000_000_000),
        "log_config": {"type": "none", "config": {}},
        "labels": {**labels.as_dict(), MEMORY_LABEL: str(limits.memory)},
    }
    return settings if runtime is None else {**settings, "runtime": runtime}


def volume_mount(name: str, *, read_only: bool, target: str = ENVIRONMENT) -> dict[str, Any]:
    """A mount in the API's own form. Never `volumes=`: a later commit would bake it into the image.

    Only a new environment is filled with what the image has at that place.
    """
    mount = {"Type": "volume", "Source": name, "Target": target, "ReadOnly": read_only}
    return mount if target == ENVIRONMENT else {**mount, "VolumeOptions": {"NoCopy": True}}


def tmpfs(size: int, mode: int, owner: int = 0) -> str:
    """`exec` because a program built in a scratch directory must run; limits on bytes and on files."""
    return f"rw,exec,nosuid,nodev,size={size},nr_inodes=500k,mode={mode},uid={owner},gid={owner}"


def shared_memory() -> dict[str, str]:
    """The place in memory that processes share; no program is run from there."""
    return {"/dev/shm": f"rw,noexec,nosuid,nodev,size={_SHARED_MEMORY_BYTES},nr_inodes=20k,mode=1777"}  # noqa: S108


def ulimits(file_bytes: int, pids: int) -> list[dict[str, Any]]:
    """Limits of each process.

    The kernel counts processes per user over all containers of the engine, whose users are the same: a limit near
    `pids` would let one fork bomb starve its neighbours. Theirs is the control group's; this one, sixteen times as
    high, is what remains of it on an engine without control groups.
    """
    processes = _BOMBED_NEIGHBOURS * pids
    return [
        {"Name": "nproc", "Soft": processes, "Hard": processes},
        {"Name": "nofile", "Soft": 16384, "Hard": 16384},
        {"Name": "core", "Soft": 0, "Hard": 0},
        {"Name": "fsize", "Soft": file_bytes, "Hard": file_bytes},
    ]


def network_settings(network: str) -> dict[str, Any]:
    """Settings for a container on this network.

    Behind the proxy, and without network, no name server is asked, and none of the host's is told. Only neighbours
    have names: for any other the engine asks the container itself, in vain.
    """
    nameless = {"dns": ["127.0.0.1"], "dns_search": ["."], "dns_opt": ["timeout:1", "attempts:1"]}
    bare = network == OPEN or network.startswith(BESIDE)  # who joins another's network has its names
    return {"network_mode": network, **({} if bare else nameless)}


def flags(settings: Mapping[str, Any]) -> tuple[str, ...]:
    """The settings that limit a container, one per line, for the evidence of a result."""
    named = ("network_mode", "user", "read_only", "cap_drop", "cap_add", "security_opt", "pids_limit", "mem_limit",
             "memswap_limit", "nano_cpus", "ipc_mode", "cgroupns", "tmpfs", "runtime")  # fmt: skip
    shown = {**settings, "security_opt": [_shown(option) for option in settings.get("security_opt", ())]}
    return tuple(f"{name}={shown[name]}" for name in named if name in settings)


def _shown(option: str) -> str:
    return f"seccomp={seccomp.digest()}" if option == _SECCOMP else option
