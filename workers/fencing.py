"""How long the answer "still yours" holds: the fence is asked in the database, the effect happens elsewhere, later.

A process may be stopped between the two, for longer than its lease.
"""

from __future__ import annotations

import math
from collections.abc import Callable

Guard = Callable[[], float]
"""Asks whether an effect is still ours to make, and raises when it is not. Returns until when, on the clock of
`time.monotonic`, the effect may begin."""

BEGUN_WITHIN = 1 / 3
"""The part of a lease in which a write that was allowed has to begin: the rest is for what is on its way by then."""


def begun_by(asked: float, lease_seconds: float) -> float:
    """Until when a write may begin. `asked` is the time before the database was asked: the lease begins later."""
    return asked + lease_seconds * BEGUN_WITHIN


def unfenced() -> float:
    """The guard where nobody else could have the work: a command line, a token."""
    return math.inf
