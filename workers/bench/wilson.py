"""Wilson's interval for a share: honest with few cases and near 0 or 1, where the usual one is not."""

from __future__ import annotations

import math

_Z = 1.96


def interval(hits: float, cases: int) -> tuple[float, float]:
    """The 95 % interval of the true share, given `hits` of `cases`; (0, 1) without cases."""
    if not cases:
        return 0.0, 1.0
    share, square = hits / cases, _Z * _Z / cases
    middle = (share + square / 2) / (1 + square)
    half = _Z * math.sqrt(share * (1 - share) / cases + square / 4 / cases) / (1 + square)
    return max(0.0, middle - half), min(1.0, middle + half)
