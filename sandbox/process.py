"""Which process made an object on the engine, as a label, and whether that process is gone.

A process id alone says nothing on an engine that several hosts and containers share: the label also holds the host's
boot, the process namespace and the process's start, and only who shares the first two may judge the rest.
"""

from __future__ import annotations

import functools
import hashlib
import os
from pathlib import Path

_PROC = Path("/proc")
_STATE, _START = 0, 19  # fields 3 and 22 of /proc/<pid>/stat, counted from behind the command's name
_DEAD = ("Z", "X")


def this_process() -> str:
    """`<place>:<pid>:<start>`; empty where there is no /proc to tell it from."""
    return _label(os.getpid())


def gone(label: str) -> bool:
    """Whether the process of a label has ended for certain: never of one that ran in another place."""
    place, _, rest = label.partition(":")
    pid, _, start = rest.partition(":")
    if not place or place != _place() or not pid.isdigit():
        return False
    fields = _fields(int(pid))
    return fields is None or fields[_START] != start or fields[_STATE] in _DEAD


@functools.lru_cache(maxsize=1)
def _label(pid: int) -> str:
    fields, place = _fields(pid), _place()
    return f"{place}:{pid}:{fields[_START]}" if fields and place else ""


@functools.cache
def _place() -> str:
    try:
        boot = (_PROC / "sys/kernel/random/boot_id").read_text()
        namespace = str((_PROC / "self/ns/pid").readlink())
    except OSError:
        return ""
    return hashlib.sha256(f"{boot}{namespace}".encode()).hexdigest()[:16]


def _fields(pid: int) -> list[str] | None:
    try:
        return (_PROC / str(pid) / "stat").read_text().rpartition(")")[2].split()
    except OSError:
        return None
