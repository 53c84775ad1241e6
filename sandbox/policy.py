"""Every setting of the containers that run untrusted code, as values from pure functions: review this one file.

The check phase has no network, no capability, no writable root and no user but 1000; the set-up phase, which has to
install packages, is root with five capabilities on an internal network whose only way out is the egress proxy with its
allow-list (`sandbox.egress`). The proxy runs our own code, without capabilities, as the same user.

Neither phase gets a secret, a host path, a device, a port, or the engine's socket: files come and go as a stream.
Both make only the system calls of `sandbox.seccomp`, in namespaces of their own.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

from sandbox import languages, seccomp
from sandbox.process import this_process
from sandbox.spec import Limits, Service
from sandbox.truststore import PASSWORD

USER = 1000
WORKSPACE = "/ws"
SCRATCH = "/heal"
ENVIRONMENT = "/env"
PREPARED = f"{SCRATCH}/tree"
"""Where a check that works on top of a prepared tree has that tree itself, read-only: so the engine knows its user."""
LOADED, UPPERS = "/tree", "/uppers"
"""Where a loader fills a prepared tree; where a keeper has the upper layers, by number."""
VOLUMES = "/volumes"
OPEN, NO_NETWORK = "bridge", "none"
CA_FILE = f"{SCRATCH}/ca.crt"
JAVA_CA_FILE = f"{SCRATCH}/ca.jks"

MEMORY_LABEL = "heal.memory"
"""On every container: its memory limit in bytes, so that other workers count it without asking for each."""
IDLE_S = 600.0
"""How long a check container waits for its command before it ends by itself."""

SETUP_CAPABILITIES = ("CHOWN", "DAC_OVERRIDE", "FOWNER", "SETGID", "SETUID")
"""What apt needs to drop to its own user and dpkg to set owners; without them "Method http has died"."""

_OPTIONS = ("MAVEN_OPTS", "GRADLE_OPTS", "JAVA_TOOL_OPTIONS")
_SYSTEM = ("/usr/", "/opt/", "/etc/", "/bin/", "/sbin/", "/lib/", "/lib64/", "/srv/", "/home/", "/var/lib/postgresql/")
_ENGINE_INIT = "/usr/sbin/docker-init"  # the engine's own mount point, in every container with `init`
_SCRATCH_BYTES = 256 << 20
_SHARED_MEMORY_BYTES = 256 << 20  # browsers need more than the engine's 64 MiB; counted in the memory limit
_BOMBED_NEIGHBOURS = 16
_EXPENDABLE = 500  # when the whole host runs out of memory, a sandbox dies before the worker and the engine
_SETUP_FILE_BYTES = 4 << 30
_CHECK_FILE_BYTES = 2 << 30
_SECCOMP = f"seccomp={seccomp.profile()}"
_KEEPER_LIMITS = Limits(memory=64 << 20, cpus=1.0, pids=64, tmp=1 << 20)
_SERVICE_FILE_BYTES = 1 << 30
_BESIDE, _PAUSE = "container:", "heal-job"
_SHORT_LOG = {"type": "json-file", "config": {"max-size": "1m", "max-file": "1"}}
_PAUSE_LIMITS = Limits(wall_s=60, memory=1280 << 20, cpus=1.0, pids=64, workspace=1 << 20, tmp=1 << 20)
_PROXY_LIMITS = Limits(wall_s=60, memory=192 << 20, cpus=1.0, pids=64, workspace=1 << 20, tmp=1 << 20)


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
) -> dict[str, Any]:
    """Settings (keyword arguments of docker's `containers.create`) for one untrusted command.

    `workspace` are the mounts that make its work tree; without any it is a tmpfs. `network` is NO_NETWORK, or that of
    a pause container (`beside`), which has none either. A container that has waited `idle_s`
    seconds for its command ends by itself, should the worker that made it have died.
    """
    scratch = {
        "/tmp": _tmpfs(limits.tmp, 1777),  # noqa: S108 - a path in the container
        SCRATCH: _tmpfs(_SCRATCH_BYTES, 755, USER),
        **_shared_memory(),
    }
    if not workspace:
        scratch[WORKSPACE] = _tmpfs(limits.workspace, 755, USER)
    return {
        **_common(image, env, limits, labels, runtime),
        "entrypoint": [*_reading_shell(runtime), "/opt/heal/heal-init", f"{idle_s:g}"],
        "init": False,  # ours is the first process, which nothing inside can kill or stop; it reaps what is left
        **_on(network),
        "user": f"{USER}:{USER}",
        "read_only": True,
        "mounts": [_volume(volume, read_only=True), *workspace],
        "tmpfs": scratch,
        "ulimits": _ulimits(_CHECK_FILE_BYTES, limits.pids),
    }


def workspace_mounts(workspace: str, prepared: str) -> tuple[Mapping[str, Any], ...]:
    """The mounts of a check that works in the volume `workspace`, which lies on top of the volume `prepared`."""
    return (
        _volume(workspace, read_only=False, target=WORKSPACE),
        _volume(prepared, read_only=True, target=PREPARED),
    )


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
        **_common(image, {}, limits, labels, runtime),
        "entrypoint": ["timeout", "-s", "KILL", f"{limits.wall_s + 90:g}", "/opt/heal/heal-load"],
        **_on(NO_NETWORK),
        "user": "0:0",
        "read_only": True,
        "cap_add": ["CHOWN", "SETGID", "SETUID"],
        "mounts": [_volume(volume, read_only=True), _volume(prepared, read_only=False, target=LOADED)],
        "tmpfs": {"/tmp": _tmpfs(limits.tmp, 1777)},  # noqa: S108 - a path in the container
        "ulimits": _ulimits(_SETUP_FILE_BYTES, limits.pids),
    }


def trial_container(image: str, mounts: tuple[Mapping[str, Any], ...], labels: Labels) -> dict[str, Any]:
    """Settings for the container that only shows whether the engine can mount something."""
    return {**keeper_container(image, (), 0, labels), "entrypoint": ["true"], "mounts": list(mounts)}


def keeper_container(image: str, uppers: tuple[str, ...], seconds: float, labels: Labels) -> dict[str, Any]:
    """Settings for the idle container that keeps these volumes mounted, for so long, and runs nothing of others."""
    mounts = [_volume(upper, read_only=False, target=f"{UPPERS}/{number}") for number, upper in enumerate(uppers)]
    return {
        **_common(image, {}, _KEEPER_LIMITS, labels, None),
        "entrypoint": ["sleep", f"{seconds:.0f}"],
        **_on(NO_NETWORK),
        "user": f"{USER}:{USER}",
        "read_only": True,
        "stdin_open": False,
        "mounts": mounts,
        "ulimits": _ulimits(0, _KEEPER_LIMITS.pids),
    }


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
        **_common(image, {}, limits, labels, runtime),
        # Ends by itself a little after the worker would have ended it, should the worker have died.
        "entrypoint": [
            "/opt/heal/heal-setup",
            f"{max(0.0, limits.wall_s) + 90:g}",
            str(limits.disk),
            str(limits.disk_left),
        ],
        "init": False,  # as in a check
        **_on(network),
        "user": "0:0",
        "read_only": False,
        "cap_add": list(SETUP_CAPABILITIES),
        "mounts": [_volume(volume, read_only=False)],
        "tmpfs": {
            "/tmp": _tmpfs(max(limits.tmp, 1 << 30), 1777),  # noqa: S108 - a path in the container
            WORKSPACE: _tmpfs(max(limits.workspace, 2 << 30), 755),
            SCRATCH: _tmpfs(_SCRATCH_BYTES, 755),
            **_shared_memory(),
        },
        "ulimits": _ulimits(_SETUP_FILE_BYTES, limits.pids),
    }


def adopt_container(
    image: str, command: list[str], limits: Limits, labels: Labels, runtime: str | None = None, network: str = OPEN
) -> dict[str, Any]:  # fmt: skip
    """Settings for adding our files, and the tools they need, to an image of others: as set-up, without a volume."""
    settings = setup_container(image, "", limits, labels, runtime, network)
    return {**settings, "entrypoint": command, "init": True, "mounts": []}


def filling_container(image: str, volume: str, labels: Labels) -> dict[str, Any]:
    """Settings for a container that is never started: creating it puts the image's own /env into an empty volume.

    An image of others may name no command, without which the engine creates none.
    """
    common = _common(image, {}, _PROXY_LIMITS, labels, None)
    return {**common, "entrypoint": ["true"], **_on(NO_NETWORK), "mounts": [_volume(volume, read_only=False)]}


def lending_container(image: str, volumes: str, arguments: list[str], labels: Labels) -> dict[str, Any]:
    """Settings for moving a package cache into an environment's volume and back: our own code in our own image.

    It is the one container that sees a path of the engine's machine, the folder of all volumes: only where both are
    one mount can a folder be moved instead of copied. It runs nothing of anybody else's, follows no link of theirs
    (`sandbox.images.lend`), and has no network.
    """
    folder = {"Type": "bind", "Source": volumes, "Target": VOLUMES, "BindOptions": {"NonRecursive": True}}
    return {
        **_common(image, {}, _PROXY_LIMITS, labels, None),
        "entrypoint": ["/opt/heal/python", *arguments],
        **_on(NO_NETWORK),
        "user": "0:0",
        "read_only": True,
        "cap_add": ["DAC_OVERRIDE"],  # set-up may have changed the owner of /env
        "mounts": [folder],
        "ulimits": _ulimits(0, _PROXY_LIMITS.pids),
    }


def probe_container(
    image: str, command: list[str], network: str, labels: Labels, runtime: str | None = None
) -> dict[str, Any]:
    """Settings for a look at the set-up network from inside, with less rights than set-up has."""
    settings = check_container(image, "", {}, _PROXY_LIMITS, labels, runtime)
    return {**settings, "mounts": [], "entrypoint": command, **_on(network)}


def proxy_container(image: str, arguments: list[str], labels: Labels) -> dict[str, Any]:
    """Settings for the egress proxy: on the engine's bridge, before it also joins the network of its clients."""
    return {
        **_common(image, {}, _PROXY_LIMITS, labels, None),
        "entrypoint": ["/opt/heal/python", *arguments],
        "network_mode": OPEN,
        "user": f"{USER}:{USER}",
        "read_only": True,
        "stdin_open": False,
        "sysctls": {"net.ipv4.ip_forward": "0"},  # it answers requests and routes nothing
        "ulimits": _ulimits(0, _PROXY_LIMITS.pids),
        "log_config": {"type": "json-file", "config": {"max-size": "4m", "max-file": "2"}},
    }


def beside(pause: str) -> str:
    """The network mode of a container that joins the network of the pause container with this id."""
    return f"{_BESIDE}{pause}"


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
        **_common(image, {}, _PAUSE_LIMITS, labels, runtime),
        "entrypoint": ["/opt/heal/python", *arguments],
        "hostname": _PAUSE,
        "extra_hosts": dict.fromkeys((*names, _PAUSE), "127.0.0.1"),
        **_on(network),
        "user": "0:0" if foreign else f"{USER}:{USER}",
        "read_only": True,
        "stdin_open": False,
        "mounts": [*([_volume(volume, read_only=True)] if volume else []), *_data(data)],
        "sysctls": {"net.ipv4.ip_forward": "0", "net.ipv4.ip_unprivileged_port_start": "0"},
        "ulimits": _ulimits(_SERVICE_FILE_BYTES, _PAUSE_LIMITS.pids),
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
    scratch = {"/tmp": _tmpfs(limits.tmp, 1777)}  # noqa: S108 - inside
    settings = {
        **_common(image, service.env, limits, labels, runtime),
        "network_mode": beside(pause),
        "read_only": True,
        "stdin_open": False,
        "mounts": _data(data),
        "tmpfs": {**scratch, "/run": _tmpfs(_SCRATCH_BYTES, 755, USER)} if own else scratch,
        "ulimits": _ulimits(_SERVICE_FILE_BYTES, limits.pids),
        "log_config": _SHORT_LOG,
        "labels": labels.as_dict(),  # its memory is counted with the pause container
        **({"command": list(service.command)} if service.command else {}),
        **({"cap_add": list(SETUP_CAPABILITIES)} if root else {}),
    }
    return {name: value for name, value in settings.items() if name != "working_dir"}  # the image's own


def keeping_container(
    image: str, command: list[str], volume: str, data: Mapping[str, str], labels: Labels, runtime: str | None = None
) -> dict[str, Any]:
    """Settings for our own command that copies the services' data into the environment after set-up: no network."""
    return {
        **_common(image, {}, _PAUSE_LIMITS, labels, runtime),
        "entrypoint": command,
        "network_mode": NO_NETWORK,
        "user": "0:0",
        "read_only": True,
        "cap_add": list(SETUP_CAPABILITIES),
        "mounts": [_volume(volume, read_only=False), *_data(data)],
        "ulimits": _ulimits(_SETUP_FILE_BYTES, _PAUSE_LIMITS.pids),
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


def _on(network: str) -> dict[str, Any]:
    """Behind the proxy, and without network, no name server is asked, and none of the host's is told.

    Only neighbours have names: for any other the engine asks the container itself, in vain.
    """
    nameless = {"dns": ["127.0.0.1"], "dns_search": ["."], "dns_opt": ["timeout:1", "attempts:1"]}
    bare = network == OPEN or network.startswith(_BESIDE)  # who joins another's network has its names
    return {"network_mode": network, **({} if bare else nameless)}


def installed_system_files(added: Iterable[str]) -> bool:
    """Whether set-up put files outside /env that the check needs: packages from apt, tools in /usr/local or /opt.

    `added` are the absolute paths that are new in the set-up container's root file system.
    """
    return any(path.startswith(_SYSTEM) and "/__pycache__" not in path for path in added if path != _ENGINE_INIT)


def flags(settings: Mapping[str, Any]) -> tuple[str, ...]:
    """The settings that limit a container, one per line, for the evidence of a result."""
    named = ("network_mode", "user", "read_only", "cap_drop", "cap_add", "security_opt", "pids_limit", "mem_limit",
             "memswap_limit", "nano_cpus", "ipc_mode", "cgroupns", "tmpfs", "runtime")  # fmt: skip
    shown = {**settings, "security_opt": [_shown(option) for option in settings.get("security_opt", ())]}
    return tuple(f"{name}={shown[name]}" for name in named if name in settings)


def _shown(option: str) -> str:
    return f"seccomp={seccomp.digest()}" if option == _SECCOMP else option


def actions_environment() -> dict[str, str]:
    """What every step on GitHub's runner can rely on; no token among it."""
    return {
        "CI": "true",
        "GITHUB_ACTIONS": "true",
        "GITHUB_WORKSPACE": WORKSPACE,
        "GITHUB_ENV": f"{SCRATCH}/github/env",
        "GITHUB_PATH": f"{SCRATCH}/github/path",
        "GITHUB_OUTPUT": f"{SCRATCH}/github/output",
        "GITHUB_STEP_SUMMARY": f"{SCRATCH}/github/summary",
        "RUNNER_OS": "Linux",
        "RUNNER_ARCH": "X64",
        "RUNNER_TEMP": "/tmp/runner",  # noqa: S108 - a path in the container
        "RUNNER_TOOL_CACHE": f"{ENVIRONMENT}/tools",
        "PYTHONUSERBASE": f"{ENVIRONMENT}/home/.local",
        "PRE_COMMIT_HOME": f"{ENVIRONMENT}/home/.cache/pre-commit",
    }


def setup_environment(ca_bundle: bool, package_indexes: Mapping[str, str]) -> dict[str, str]:
    """Environment of the set-up phase: certificates where the host has its own, the host's package indexes."""
    return {
        **actions_environment(),
        **languages.setup_environment(),
        **(certificates() if ca_bundle else {}),
        **package_indexes,
        "HOME": f"{ENVIRONMENT}/home",  # what set-up leaves at home stays with the environment
    }


def certificates() -> dict[str, str]:
    """What tells the tools about the host's own certificate authorities, in the file that lies at CA_FILE."""
    names = ("SSL_CERT_FILE", "PIP_CERT", "REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE", "NODE_EXTRA_CA_CERTS",
             "GIT_SSL_CAINFO")  # fmt: skip
    return dict.fromkeys(names, CA_FILE)


def proxy_environment(url: str, services: Iterable[str] = ()) -> dict[str, str]:
    """What tells the tools about the egress proxy: pip, uv, npm, go, cargo, git, curl and apt read the first ones.

    The names of the job's `services` are asked directly.
    """
    names = ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY")
    return {
        **dict.fromkeys((*names, *(name.lower() for name in names)), url),
        **dict.fromkeys(("NO_PROXY", "no_proxy"), ",".join(("localhost", "127.0.0.1", "::1", *services))),
        "NODE_USE_ENV_PROXY": "1",  # node's own fetch, since 24
    }


def java_environment(ca_bundle: bool, proxy_url: str | None) -> dict[str, str]:
    """The same for Java, which reads none of these: every virtual machine of the set-up phase takes these options."""
    options = [f"-Duser.home={ENVIRONMENT}/home"]  # it asks the user database, not $HOME
    if ca_bundle:
        options += [f"-Djavax.net.ssl.trustStore={JAVA_CA_FILE}", f"-Djavax.net.ssl.trustStorePassword={PASSWORD}"]
    if proxy_url is not None:
        address = urlsplit(proxy_url)
        for scheme in ("http", "https"):
            options += [f"-D{scheme}.proxyHost={address.hostname}", f"-D{scheme}.proxyPort={address.port}"]
        options.append("-Daether.connector.http.useSystemProperties=true")
    return {"JAVA_TOOL_OPTIONS": " ".join(options)}


def joined(ours: Mapping[str, str], theirs: Mapping[str, str], only_theirs: bool = False) -> dict[str, str]:
    """A job's variables over ours; of those that hold a list of options ours are kept behind the job's own.

    `only_theirs` leaves out what the job does not set.
    """
    glued = {
        name: f"{value} {ours[name]}" if name in _OPTIONS and ours.get(name) else value
        for name, value in theirs.items()
    }
    return glued if only_theirs else {**ours, **glued}


def check_environment() -> dict[str, str]:
    """Environment of the check phase, without the reporters' part; what differs from run to run comes with the run."""
    return {
        **actions_environment(),
        **languages.check_environment(),
        "HOME": "/tmp/home",  # noqa: S108 - a path in the container
    }


def _common(image: str, env: Mapping[str, str], limits: Limits, labels: Labels, runtime: str | None) -> dict[str, Any]:
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


def _volume(name: str, *, read_only: bool, target: str = ENVIRONMENT) -> dict[str, Any]:
    """A mount in the API's own form. Never `volumes=`: a later commit would bake it into the image.

    Only a new environment is filled with what the image has at that place.
    """
    mount = {"Type": "volume", "Source": name, "Target": target, "ReadOnly": read_only}
    return mount if target == ENVIRONMENT else {**mount, "VolumeOptions": {"NoCopy": True}}


def _tmpfs(size: int, mode: int, owner: int = 0) -> str:
    """`exec` because a program built in a scratch directory must run; limits on bytes and on files."""
    return f"rw,exec,nosuid,nodev,size={size},nr_inodes=500k,mode={mode},uid={owner},gid={owner}"


def _shared_memory() -> dict[str, str]:
    return {"/dev/shm": f"rw,noexec,nosuid,nodev,size={_SHARED_MEMORY_BYTES},nr_inodes=20k,mode=1777"}  # noqa: S108


def _ulimits(file_bytes: int, pids: int) -> list[dict[str, Any]]:
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
