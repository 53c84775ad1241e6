"""The name of a run: short enough for a URL and a branch, and in the order runs were opened. Knows nothing of runs."""

from __future__ import annotations

import os
import time

from workers.domain import RunId

_ALPHABET = "0123456789abcdefghjkmnpqrstvwxyz"


def new_run_id() -> RunId:
    """26 characters: milliseconds since 1970, then 80 random bits. Later ids sort later."""
    number = (time.time_ns() // 1_000_000 << 80) | int.from_bytes(os.urandom(10), "big")
    return RunId("".join(_ALPHABET[(number >> shift) & 31] for shift in range(125, -1, -5)))
