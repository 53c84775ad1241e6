"""What the sandbox raises: only for what *we* lack. What untrusted code does comes back as a Result.

SandboxError
 +-- EngineDown      no engine answers: retry later
 +-- EngineBusy      no room for another container: retry later
 +-- ImageMissing    the image must be built first
 +-- RuntimeUnknown  the engine has no such container runtime
 +-- SetupFailed     a set-up step of the repository failed, with its log
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


class ImageMissing(SandboxError):  # noqa: N818
    repair = "heal images build"


class RuntimeUnknown(SandboxError):  # noqa: N818
    pass


class SetupFailed(SandboxError):  # noqa: N818
    """A set-up step of the repository's own recipe failed: the repository's problem, told with its log."""

    def __init__(self, step: str, exit_code: int | None, log: str) -> None:
        super().__init__(f"set-up step '{step}' failed with exit code {exit_code}")
        self.step = step
        self.exit_code = exit_code
        self.log = log


class Cancelled(SandboxError):  # noqa: N818
    """The caller's cancel event was set while an environment was being made; nothing of it was kept."""
