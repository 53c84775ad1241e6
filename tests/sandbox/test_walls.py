"""Warnings about the engine's host: by version, by what the engine says of itself, never as a failure."""

from __future__ import annotations

from typing import Any

import pytest

from sandbox import walls
from sandbox.advisories import parsed, weakness
from sandbox.spec import Finding


@pytest.mark.parametrize(
    ("program", "version", "weak"),
    [
        ("runc", "1.1.5+ds1", True), ("runc", "1.1.15", True), ("runc", "1.2.7", True), ("runc", "1.2.8", False),
        ("runc", "1.3.2", True), ("runc", "1.3.3", False), ("runc", "1.4.1", False), ("runc", "2.0.0", False),
        ("containerd", "v1.6.20~ds1", True), ("containerd", "1.7.29", False), ("containerd", "v2.1.4", True),
        ("git", "2.39.5", True), ("git", "1:2.39.5-0+deb12u3", True), ("git", "2.50.0", True), ("git", "2.50.1", False),
        ("git", "2.51", False), ("git", "unknown", False), ("crun", "0.1", False),
    ],
)  # fmt: skip
def test_known_weaknesses(program: str, version: str, weak: bool) -> None:
    """Each branch is held to its own first good version; what is unreadable or unknown is not accused."""
    told = weakness(program, version)
    assert (told is not None) == weak
    if told is not None:
        assert version in told
        assert "CVE-20" in told
        assert "unless its distribution patched it" in told


def test_a_patched_package_is_not_accused() -> None:
    """Where Debian's patch level is known to have the fix, its old version is no weakness; a lower level is."""
    assert weakness("git", "2.39.5", "1:2.39.5-0+deb12u3") is None
    assert weakness("git", "2.39.5", "1:2.39.5-0+deb12u2") is not None
    assert weakness("containerd", "1.6.20~ds1", "1.6.20~ds1-1+deb12u10") is None


def test_versions() -> None:
    """Epochs, a leading v and patch levels of distributions do not disturb; missing numbers are 0."""
    assert parsed("1:2.39.5-0+deb12u3") == (2, 39, 5)
    assert parsed("v1.7") == (1, 7, 0)
    assert parsed("git version") is None


def findings(options: list[str], runtime: str | None = None, runc: str = "1.3.3") -> dict[str, Finding]:
    version: dict[str, Any] = {"Components": [{"Name": "runc", "Version": runc, "Details": {"GitCommit": "g-1"}}]}
    found = walls.examine(version, {"SecurityOptions": options, "DefaultRuntime": "runc"}, runtime)
    return {finding.what: finding for finding in found}


def test_a_walled_host_has_no_warning() -> None:
    """Seccomp, AppArmor and remapped users, and a runc with its fixes: nothing to say."""
    found = findings(["name=seccomp,profile=default", "name=apparmor", "name=userns"])
    assert found.keys() == {"system calls", "kernel modules", "users"}
    assert all(finding.ok and not finding.warning for finding in found.values())


def test_what_is_missing_is_a_warning_with_its_repair() -> None:
    """A host without AppArmor and with the host's own root works; an engine without seccomp does not."""
    found = findings(["name=cgroupns"], runc="1.1.5")
    assert [name for name, finding in found.items() if finding.warning] == ["runc", "kernel modules", "users"]
    assert [name for name, finding in found.items() if not finding.ok] == ["system calls"]
    assert all(finding.repair for finding in found.values())
    assert "1.1.5 (g-1)" in found["runc"].detail


@pytest.mark.parametrize("runtime", ["runsc", "kata-runtime"])
def test_a_runtime_with_its_own_kernel_needs_no_walls(runtime: str) -> None:
    """gVisor and Kata take no profile, and what the host's kernel offers matters less."""
    found = findings([], runtime)
    assert all(finding.ok and not finding.warning for finding in found.values())
    assert "no profile" in found["system calls"].detail


def test_rootless_is_said() -> None:
    """A rootless engine is better than a remapped one, and is named."""
    assert "rootless" in findings(["name=rootless", "name=seccomp"])["users"].detail
