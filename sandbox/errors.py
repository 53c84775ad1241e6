"""What the sandbox raises: only for what *we* lack. What untrusted code does comes back as a Result.

SandboxError
 +-- EngineDown      no engine answers: retry later
 +-- EngineBusy      no room for another container: retry later
 +-- EngineFull      the engine's disk is full: retry after something was removed
 +-- ImageMissing    the image must be built first
 |    +-- PullFailed     the registry does not give the image, and why
 |    +-- ServiceMissing  no image can be had for a service of the job, and nothing of ours stands in for it
 +-- RuntimeUnknown  the engine has no such container runtime
 +-- ServiceFailed   a service of the job did not become ready, with its log
 +-- SetupFailed     a set-up step of the repository failed, with its log
 |    +-- NetworkDenied  it asked for a host that set-up may not reach
 +-- NoSession       a working copy that lasts cannot be made of these files
 +-- Cancelled       the caller's cancel event ended a set-up
"""

from __future__ import annotations


class SandboxError(Exception):
    """Root of the tree. `repair` is the command that mends it, when there is one."""

    repair: str = ""

    def __init__(self, message: str, repair: str = "") -> None:
        super().__init__(message)
        self.repair = repair or type(self).repair


class EngineDown(SandboxError):  # noqa: N818 - states, not "errors", read better where they are raised
    repair = "deploy/bootstrap services"


class EngineBusy(SandboxError):  # noqa: N818
    pass


class EngineFull(SandboxError):  # noqa: N818
    repair = "heal sandbox prune"


class ImageMissing(SandboxError):  # noqa: N818
    repair = "heal images build"


class PullFailed(ImageMissing):
    """The registry's own words for why it does not give an image."""

    repair = ""


class ServiceMissing(ImageMissing):
    """A service of the job cannot run here, whoever asks again: its image cannot be had, or it must not be given."""

    repair = ""


class RuntimeUnknown(SandboxError):  # noqa: N818
    pass


class SetupFailed(SandboxError):  # noqa: N818
    """The repository's own set-up failed: its problem, told with its log.

    `reason` says why where no exit code of a step does: a limit of set-up as a whole was reached.
    """

    def __init__(self, step: str, exit_code: int | None, log: str, reason: str = "") -> None:
        why = f"set-up failed: {reason}" if reason else f"set-up step '{step}' failed with exit code {exit_code}"
        super().__init__(why)
        self.step = step
        self.exit_code = exit_code
        self.log = log


class NetworkDenied(SetupFailed):
    """A set-up step failed after the egress proxy refused it these hosts."""

    def __init__(self, step: str, exit_code: int | None, log: str, hosts: tuple[str, ...]) -> None:
        super().__init__(step, exit_code, log)
        self.hosts = hosts
        self.args = (f"{self.args[0]}; it asked for {', '.join(hosts)}, which set-up may not reach",)


class ServiceFailed(SandboxError):  # noqa: N818
    """A service container of the job ended, or did not become ready in its time: told with its log."""

    def __init__(self, service: str, reason: str, log: str) -> None:
        super().__init__(f"service '{service}' {reason}")
        self.service = service
        self.log = log


class NoSession(SandboxError):  # noqa: N818
    """There is no room beside the files for what keeps track of them, or the changes do not fit onto them."""


class Cancelled(SandboxError):  # noqa: N818
    """The caller's cancel event was set while an environment was being made; nothing of it was kept."""
