"""Looks at the engine as a sandbox needs it, and says for each finding which command mends it.

Limits are not believed but tried: a probe container has to show that it is as small as it should be.
"""

from __future__ import annotations

import json
import shutil
import time
import uuid
from pathlib import Path

from sandbox import policy, walls
from sandbox.egress import Egress
from sandbox.engine import Engine
from sandbox.errors import EngineDown, SandboxError
from sandbox.images.build import resolve
from sandbox.images.services import SERVICES
from sandbox.languages import CORE, KEYS
from sandbox.spec import Finding, Limits
from sandbox.stream import Caps

_NEEDED_BYTES = 5 << 30
_API = (1, 41)
_PROBE_LIMITS = Limits(wall_s=20, memory=64 << 20, cpus=1.0, pids=64, workspace=8 << 20, tmp=8 << 20)
_PROBE = """
cat /sys/fs/cgroup/memory.max /sys/fs/cgroup/memory/memory.limit_in_bytes 2>/dev/null
cat /sys/fs/cgroup/pids.max /sys/fs/cgroup/pids/pids.max 2>/dev/null
grep -E '^(CapBnd|NoNewPrivs|Seccomp):' /proc/self/status; id -u; ls /sys/class/net | tr '\\n' ' '; echo
"""
_KNOCK = """
import json, socket, sys
proxy, gateway, host = sys.argv[1:]
try:
    socket.create_connection((gateway, 1), 2).close()
    answers = True
except ConnectionRefusedError:
    answers = True
except OSError:
    answers = False
with socket.create_connection((proxy, 3128), 5) as asked:
    asked.settimeout(20)
    asked.sendall(f"CONNECT {host}:443 HTTP/1.1\\r\\n\\r\\n".encode())
    first = asked.recv(4096).decode()
print(json.dumps({"gateway": answers, "status": first.split(" ")[1], "why": first.strip().rpartition("\\n")[2]}))
"""
_ASKED = "pypi.org"
_EXPECTED = (str(_PROBE_LIMITS.memory), str(_PROBE_LIMITS.pids), "CapBnd:\t0000000000000000", "NoNewPrivs:\t1",
             str(policy.USER), "lo")  # fmt: skip

_FILTERED = "Seccomp:\t2"


def examine(
    engine: Engine, owner: str, runtimes: tuple[str | None, ...], state_dir: Path, egress: Egress | None = None
) -> list[Finding]:
    """All findings; stops early when no engine answers, because nothing else can be known then."""
    try:
        version, info = engine.version(), engine.info()
    except EngineDown as error:
        return [Finding("container engine", False, str(error), error.repair)]
    number = str(version.get("ApiVersion", "0.0"))
    components = ", ".join(f"{part.get('Name')} {part.get('Version')}" for part in version.get("Components", ()))
    recent = tuple(int(part) for part in number.split(".")) >= _API
    findings = [
        Finding("container engine", recent, f"{engine.host}, API {number}: {components}", "" if recent else "upgrade"),
        Finding("cgroups", True, f"version {info.get('CgroupVersion', '1')}, driver {info.get('CgroupDriver')}"),
        *(
            _runtime(runtime, info.get("Runtimes") or {}, str(info.get("DefaultRuntime")))
            for runtime in _asked(runtimes)
        ),
        *walls.examine(version, info, runtimes[0]),
        *(_image(engine, language) for language in KEYS),
        _service_images(engine),
        _disk(state_dir),
    ]
    if engine.has_image(resolve("debian")):
        findings.extend(_probe(engine, owner, runtime, str(info.get("DefaultRuntime"))) for runtime in _asked(runtimes))
        findings.extend(_open_network() if egress is None else _set_up_network(engine, owner, runtimes[0], egress))
    return findings


def _asked(runtimes: tuple[str | None, ...]) -> list[str | None]:
    """The runtimes that containers are started with: the engine's default when none is named, and each once."""
    first, *others = runtimes
    return [first, *(other for other in others if other not in (None, first))]


def _runtime(wanted: str | None, known: dict[str, object], default: str) -> Finding:
    if wanted is None:
        return Finding("container runtime", True, f"the engine's default: {default}")
    there = wanted in known
    detail = f"{wanted} is {'known' if there else 'not known'} to the engine"
    return Finding(
        "container runtime", there, detail, "" if there else f"register {wanted} in the engine's daemon.json"
    )


def _image(engine: Engine, language: str) -> Finding:
    reference = resolve(language)
    if engine.has_image(reference):
        return Finding(f"image {language}", True, reference)
    if language not in CORE:
        return Finding(f"image {language}", True, f"not made; jobs that need it want: heal images build {language}")
    return Finding(f"image {language}", False, f"{reference} is not there", f"heal images build {language}")


def _service_images(engine: Engine) -> Finding:
    """Never wrong: they are needed only where no registry gives the image that a workflow names."""
    there = [name for name in SERVICES if engine.has_image(resolve(name))]
    rest = [name for name in SERVICES if name not in there]
    advice = f"on demand: heal images build {' '.join(rest)}" if rest else "all of them"
    return Finding("images of services", True, f"{', '.join(there) or 'none'} built; {advice}")


def _disk(state_dir: Path) -> Finding:
    place = next(folder for folder in (state_dir.absolute(), *state_dir.absolute().parents) if folder.exists())
    free = shutil.disk_usage(place).free
    enough = free >= _NEEDED_BYTES
    return Finding("disk", enough, f"{free / (1 << 30):.1f} GiB free at {place}", "" if enough else "free some space")


def _probe(engine: Engine, owner: str, runtime: str | None, default: str) -> Finding:
    """Start a container under the check phase's settings and read the limits from inside."""
    name = uuid.uuid4().hex[:12]
    labels = policy.Labels(owner, name, "probe", name, time.time() + 60)
    settings = policy.check_container(resolve("debian"), f"heal-probe-{name}", {}, _PROBE_LIMITS, labels, runtime)
    settings = {**settings, "mounts": [], "entrypoint": ["sh", "-c", _PROBE]}
    try:
        seen = engine.run(settings, (), 30, Caps(4096, 4096, 4096, 1 << 20)).stdout.decode()
    except SandboxError as error:
        return Finding("limits", False, str(error), error.repair)
    lines = [line.strip() for line in seen.splitlines()]
    expected = _EXPECTED if walls.own_kernel(runtime or default) else (*_EXPECTED, _FILTERED)
    missing = [line for line in expected if line not in lines]
    if missing:
        return Finding("limits", False, f"a probe container does not show {missing}", "enable the engine's cgroups")
    return Finding("limits", True, "a probe container has no network, no capability, and its memory and pids limits")


def _open_network() -> list[Finding]:
    detail = "set-up is not behind the egress proxy: it reaches whatever this machine reaches"
    return [Finding("set-up network", False, detail, "leave setup_network at 'proxy'")]


def _set_up_network(engine: Engine, owner: str, runtime: str | None, egress: Egress) -> list[Finding]:
    """Look out from a container on the set-up network: at the host behind the gateway, at a package host by proxy."""
    name = uuid.uuid4().hex[:12]
    labels = policy.Labels(owner, name, "probe", name, time.time() + 60)
    try:
        with egress.alone(name) as own, own.opened(labels) as gate:  # looking must leave nothing behind
            command = ["/opt/heal/python", "-I", "-c", _KNOCK, gate.network.proxy, gate.network.gateway, _ASKED]
            settings = policy.probe_container(resolve("debian"), command, gate.network.name, labels, runtime)
            seen = json.loads(engine.run(settings, (), 40, Caps(4096, 4096, 4096, 1 << 20)).stdout)
    except SandboxError as error:
        return [Finding("set-up network", False, str(error), error.repair)]
    except ValueError:
        return [Finding("set-up network", False, "a probe container does not reach the egress proxy")]
    return [_gateway(bool(seen["gateway"])), _package_host(str(seen["status"]), str(seen["why"]))]


def _gateway(answers: bool) -> Finding:
    if answers:
        detail = "set-up code reaches what this machine serves on all addresses, through the network's gateway"
        return Finding("set-up network", False, detail, "upgrade the engine, or drop br-* to INPUT in the firewall")
    return Finding("set-up network", True, "behind the egress proxy; the host does not answer on the gateway's address")


def _package_host(status: str, why: str) -> Finding:
    if status == "200":
        return Finding("package hosts", True, f"{_ASKED} answers through the egress proxy")
    private = "not public" in why
    repair = "add it to HEAL_SETUP_HOSTS, if that address is right" if private else ""
    return Finding("package hosts", False, f"{_ASKED}: {why}", repair)
