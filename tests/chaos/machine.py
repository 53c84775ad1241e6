"""What the suite needs of the machine: whose child a process is, which variables it has, a disk that can be filled."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

PROC = Path("/proc")
DISK = 192 << 20
"""Bytes of the disk that holds everything of a small installation."""


def having(variable: str) -> list[int]:
    """The processes that have this `NAME=value` in their environment."""
    found = []
    for entry in PROC.iterdir():
        if entry.name.isdigit():
            with suppress(OSError):
                if variable.encode() in (entry / "environ").read_bytes().split(b"\0"):
                    found.append(int(entry.name))
    return found


def children(pid: int) -> list[int]:
    """The processes that it started and that are still its children."""
    try:
        return [int(child) for child in (PROC / str(pid) / "task" / str(pid) / "children").read_text().split()]
    except OSError:
        return []


def command(pid: int) -> list[str]:
    """Its command line; empty once it has ended."""
    try:
        return (PROC / str(pid) / "cmdline").read_bytes().decode(errors="replace").split("\0")
    except OSError:
        return []


@contextmanager
def small_disk(folder: Path, size: int = DISK) -> Iterator[Path]:
    """A disk of its own at the folder, that can be filled. Mounting takes root."""
    folder.mkdir(parents=True, exist_ok=True)
    subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={size}", "heal-chaos", str(folder)], check=True)
    try:
        yield folder
    finally:
        subprocess.run(["umount", "--lazy", str(folder)], check=True)
