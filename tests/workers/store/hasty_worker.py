"""The stub worker where ten minutes without its broker are over in a second: only Celery's pauses between two tries to
reach it run on a faster clock, whose time is written down."""

from __future__ import annotations

import os
import time
from pathlib import Path

from kombu.utils import functional

from tests.workers.store.stub_worker import tell
from workers.tasks import run_worker

HASTE = 600
"""Seconds of a pause that pass in one."""
CLOCK = "TEST_CLOCK"
"""Names the file that holds how many seconds were waited for the broker so far."""


def main() -> None:
    """Be that worker until SIGTERM."""
    waited = 0.0

    def pause(seconds: float) -> None:
        nonlocal waited
        waited += seconds
        clock = Path(os.environ[CLOCK])
        later = clock.with_suffix(".new")
        later.write_text(f"{waited}\n")
        later.replace(clock)  # it is read meanwhile, and never half written
        time.sleep(seconds / HASTE)

    vars(functional)["sleep"] = pause
    run_worker(1, tell)


if __name__ == "__main__":
    main()
