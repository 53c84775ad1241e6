"""How long something may go on: by the processor time it takes, which a busy machine does not shorten, and by the clock
only where that stands still or runs far ahead."""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from pathlib import Path

TIMES = 2
"""How many times as long it may take on the clock: as much again for a machine that is busy, or for tests that wait."""
_TICK_S = 1 / os.sysconf("SC_CLK_TCK")


class Allowance:
    """So many seconds of so many processors from now on, by what `spent` tells, and `TIMES` as many on the clock."""

    def __init__(
        self,
        seconds: float,
        processors: int = 1,
        spent: Callable[[], float] = time.process_time,
        now: Callable[[], float] = time.monotonic,
    ) -> None:
        self.processors, self.spent, self.now = processors, spent, now
        self.cpu_end, self.clock_end = spent() + seconds * processors, now() + seconds * TIMES

    @property
    def over(self) -> bool:
        return self.now() > self.clock_end or self.spent() > self.cpu_end

    @property
    def left_s(self) -> float:
        """Seconds that are left, by the clock that is further on."""
        by_work = (self.cpu_end - self.spent()) / self.processors
        return max(0.0, min(by_work, (self.clock_end - self.now()) / TIMES))


def used(pid: int) -> float:
    """Seconds of processor time of a process and of those it has waited for; none when it is gone."""
    try:
        fields = Path(f"/proc/{pid}/stat").read_bytes().rpartition(b")")[2].split()
    except OSError:
        return 0.0
    return sum(map(int, fields[11:15])) * _TICK_S
