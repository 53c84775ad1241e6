"""Every setting of the containers that the sandbox makes, as values from pure functions: review this one folder.

`phases` has the containers that run a repository's own code, and `services` the programs beside it; `helpers` has those
that run ours; `container` is what all of them begin with, and `variables` their environment variables.

No phase gets a secret, a host path, a device, a port, or the engine's socket: files come and go as a stream. All make
only the system calls of `sandbox.seccomp`, in namespaces of their own.
"""

from sandbox.policy.container import (
    ENVIRONMENT,
    MEMORY_LABEL,
    NO_NETWORK,
    OPEN,
    SCRATCH,
    SETUP_CAPABILITIES,
    USER,
    WORKSPACE,
    Labels,
    flags,
)
from sandbox.policy.helpers import (
    UPPERS,
    filling_container,
    keeper_container,
    lending_container,
    loader_container,
    overlay_options,
    proxy_container,
    trial_container,
    upper_options,
)
from sandbox.policy.phases import (
    IDLE_S,
    adopt_container,
    check_container,
    installed_system_files,
    is_kept,
    probe_container,
    setup_container,
    used_name,
    workspace_mounts,
)
from sandbox.policy.services import (
    beside,
    keeping_container,
    pause_container,
    service_container,
    service_volume,
)
from sandbox.policy.variables import (
    APT_FILE,
    APT_SETTINGS,
    CA_FILE,
    JAVA_CA_FILE,
    certificates,
    check_environment,
    java_environment,
    joined,
    proxy_environment,
    setup_environment,
)

__all__ = [
    "APT_FILE",
    "APT_SETTINGS",
    "CA_FILE",
    "ENVIRONMENT",
    "IDLE_S",
    "JAVA_CA_FILE",
    "MEMORY_LABEL",
    "NO_NETWORK",
    "OPEN",
    "SCRATCH",
    "SETUP_CAPABILITIES",
    "UPPERS",
    "USER",
    "WORKSPACE",
    "Labels",
    "adopt_container",
    "beside",
    "certificates",
    "check_container",
    "check_environment",
    "filling_container",
    "flags",
    "installed_system_files",
    "is_kept",
    "java_environment",
    "joined",
    "keeper_container",
    "keeping_container",
    "lending_container",
    "loader_container",
    "overlay_options",
    "pause_container",
    "probe_container",
    "proxy_container",
    "proxy_environment",
    "service_container",
    "service_volume",
    "setup_container",
    "setup_environment",
    "trial_container",
    "upper_options",
    "used_name",
    "workspace_mounts",
]
