"""What the receiver's process does about its memory when it starts: most of what it takes is taken for a moment."""

from __future__ import annotations

import ctypes

LARGE_BLOCK = 2**20
_M_MMAP_THRESHOLD = -3  # malloc.h


def give_back_large_blocks() -> None:
    """Let blocks from a megabyte go back to the system as soon as they are free.

    glibc begins so, but takes the largest block that was ever freed for the new limit: after one delivery of 25 MB all
    others leave holes. Other C libraries have no such setting, and nothing happens.
    """
    mallopt = getattr(ctypes.CDLL(None), "mallopt", None)
    if mallopt is not None:
        mallopt(_M_MMAP_THRESHOLD, LARGE_BLOCK)
