"""What the engine's host adds to the walls around a container, as findings: filters, user namespaces, known holes.

None of it is needed to run, so what is missing is a warning; only an engine without seccomp cannot run our containers.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sandbox import seccomp
from sandbox.advisories import weakness
from sandbox.spec import Finding

_OWN_KERNEL = ("runsc", "kata")


def examine(version: Mapping[str, Any], info: Mapping[str, Any], runtime: str | None) -> list[Finding]:
    """Findings from what the engine says of itself: its `version` and `info` answers."""
    options = {str(option).partition(",")[0].removeprefix("name=") for option in info.get("SecurityOptions") or ()}
    name = runtime or str(info.get("DefaultRuntime") or "runc")
    return [*_weaknesses(version), _seccomp(options, name), _modules(options, name), _users(options, name)]


def own_kernel(runtime: str) -> bool:
    """The runtime brings a kernel of its own, on which filters of the host's have no effect."""
    return any(name in runtime for name in _OWN_KERNEL)


def _weaknesses(version: Mapping[str, Any]) -> list[Finding]:
    found = []
    for part in version.get("Components") or ():
        program = str(part.get("Name")).lower()
        package = str((part.get("Details") or {}).get("GitCommit") or "")  # Debian's engine names its packages there
        if problem := weakness(program, str(part.get("Version")), package):
            found.append(Finding(program, True, problem, f"upgrade {program}", warning=True))
    return found


def _seccomp(options: set[str], runtime: str) -> Finding:
    if own_kernel(runtime):
        return Finding("system calls", True, f"{runtime} answers them itself and takes no profile of ours")
    if "seccomp" in options:
        return Finding("system calls", True, f"under our seccomp profile {seccomp.digest()}")
    detail = "the engine has no seccomp: it refuses to start our containers"
    return Finding("system calls", False, detail, "use a kernel and an engine with seccomp")


def _modules(options: set[str], runtime: str) -> Finding:
    named = options & {"apparmor", "selinux"}
    if named or own_kernel(runtime):
        return Finding("kernel modules", True, ", ".join(sorted(named)) or f"{runtime} has a kernel of its own")
    detail = "neither AppArmor nor SELinux: one wall less around a container"
    return Finding("kernel modules", True, detail, "enable AppArmor on the engine's host", warning=True)


def _users(options: set[str], runtime: str) -> Finding:
    if "rootless" in options:
        return Finding("users", True, "the engine is rootless: no process of a container is root on its host")
    if "userns" in options:
        return Finding("users", True, "remapped: root in a container is nobody on the engine's host")
    if own_kernel(runtime):
        return Finding("users", True, f"root in a container is root of {runtime} only")
    detail = "set-up's root is the root user of the engine's host, held by capabilities and namespaces alone"
    return Finding("users", True, detail, "set userns-remap for the engine, or run it rootless", warning=True)
