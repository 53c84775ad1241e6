"""Reads what a process says to its end, or ends the process: what a repository holds decides neither how long a
worker is busy nor how much of its memory is filled.
"""

from __future__ import annotations

import os
import selectors
import signal
import subprocess
import time
from contextlib import suppress
from dataclasses import dataclass
from enum import Enum
from typing import IO

_PIECE = 1 << 16
_MOST_ERRORS = 1 << 16
"""Bytes of a process' complaints that are kept; what follows is read and dropped, so that it never waits for us."""


class Limit(Enum):
    """What a process was ended for."""

    TIME = "Timeout"
    OUTPUT = "Too much output"


@dataclass(frozen=True)
class Said:
    """The exit status, the output, the complaints, and the limit that ended the process, if one did."""

    status: int
    out: bytes
    err: bytes
    over: Limit | None = None


def read(process: subprocess.Popen[bytes] | None, most: int, seconds: float) -> Said:
    """All that a process says within `seconds`, at most `most` bytes of output. The process has to lead a group of
    its own, which ends with it, and its output and complaints have to be pipes."""
    if process is None or process.stdout is None or process.stderr is None:
        raise ValueError("there is nothing to read")
    with process:
        out, err = process.stdout, process.stderr
        said, over = _drained({out: most, err: _MOST_ERRORS}, out, time.monotonic() + seconds)
        if over is not None:
            with suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
        status = process.wait()
    return Said(status, bytes(said[out]), bytes(said[err]), over)


def _drained(
    limits: dict[IO[bytes], int], out: IO[bytes], deadline: float
) -> tuple[dict[IO[bytes], bytearray], Limit | None]:
    said = {stream: bytearray() for stream in limits}
    with selectors.DefaultSelector() as selector:
        for stream in limits:
            selector.register(stream, selectors.EVENT_READ)
        while selector.get_map():
            left = deadline - time.monotonic()
            ready = selector.select(left) if left > 0 else []
            if not ready:
                return said, Limit.TIME
            for key, _ in ready:
                stream = next(one for one in limits if one is key.fileobj)
                piece = os.read(key.fd, _PIECE)
                if not piece:
                    selector.unregister(stream)
                said[stream] += piece[: max(0, limits[stream] - len(said[stream]))]
                if stream is out and len(piece) and len(said[stream]) >= limits[stream]:
                    return said, Limit.OUTPUT
    return said, None
