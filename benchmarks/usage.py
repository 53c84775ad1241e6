"""What a process and all its descendants use, read from /proc: processor time and memory.

Time of children that have ended stands with the parent that waited for them, so nothing is counted twice or lost.
"""

from __future__ import annotations

import os
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

PROC = Path("/proc")
_TICKS = os.sysconf("SC_CLK_TCK")
_PAGE = os.sysconf("SC_PAGE_SIZE")


@dataclass(frozen=True)
class Usage:
    """Of a tree of processes at one moment."""

    cpu_seconds: float
    memory_mb: float
    """Resident; what processes share is counted for each."""
    files: int
    """Open files of the first process alone, connections included."""


def usage(pid: int) -> Usage:
    """What `pid` and its descendants have used so far. Raises FileNotFoundError when it is gone."""
    below = descendants(pid)
    ticks = sum(map(int, _stat(pid)[11:15]))
    for one in below:
        with suppress(FileNotFoundError, ProcessLookupError):  # it ended in this moment, and its parent waits for it
            ticks += sum(map(int, _stat(one)[11:15]))
    files = len(list((PROC / str(pid) / "fd").iterdir()))
    return Usage(ticks / _TICKS, memory_of((pid, *below)), files)


def descendants(pid: int) -> list[int]:
    """Children and theirs, as the kernel lists them."""
    found: list[int] = []
    for tasks in (PROC / str(pid) / "task").glob("*/children"):
        try:
            children = [int(child) for child in tasks.read_text().split()]
        except (FileNotFoundError, ProcessLookupError):
            continue
        for child in children:
            found += [child, *descendants(child)]
    return found


def memory_of(pids: Iterable[int]) -> float:
    """Resident megabytes of these processes; those that have ended count nothing."""
    found = 0.0
    for pid in pids:
        with suppress(FileNotFoundError, ProcessLookupError):
            found += int(_stat(pid)[21]) * _PAGE / 2**20
    return found


def peak_of(pid: int) -> float:
    """Resident megabytes of this one process at its highest since `forget_peak`, or since its start."""
    told = (PROC / str(pid) / "status").read_text().partition("VmHWM:")[2]
    return int(told.split(maxsplit=1)[0]) / 1024


def forget_peak(pid: int) -> None:
    """Let the highest memory count from what there is now (`/proc/<pid>/clear_refs`, see proc(5))."""
    (PROC / str(pid) / "clear_refs").write_text("5")


def command(pid: int) -> bytes:
    """How it was started; empty when it has ended."""
    with suppress(FileNotFoundError, ProcessLookupError):
        return (PROC / str(pid) / "cmdline").read_bytes()
    return b""


def _stat(pid: int) -> list[str]:
    """The fields after the name, which may hold anything: state first."""
    return (PROC / str(pid) / "stat").read_text().rpartition(")")[2].split()
