"""A worker with a scripted story: the name of the job says what happens. Tests run it as a process."""

from __future__ import annotations

import os
import signal
import time

from sandbox.engine import Engine
from tests.remains import left_behind
from workers.attend import Told
from workers.domain import Case, JobReport, Outcome, Report
from workers.settings import WorkerSettings
from workers.store.lease import Lease
from workers.tasks import run_worker


def story(case: Case, lease: Lease) -> Report:
    if lease.recall("checkout", 0, JobReport) is None:
        lease.record("checkout", 0, JobReport(case.job), 0.0)
    if case.job == "slow" and lease.fence == 1:
        time.sleep(60)
    if case.job == "contained":
        left_behind(Engine(), os.environ["HEAL_INSTALLATION"], time.time() + 3600)
        time.sleep(60)
    if case.job == "killed" and lease.fence == 1:
        os.kill(os.getpid(), signal.SIGKILL)
    return Report(case, Outcome.FIXED, f"by fence {lease.fence}")


def tell(settings: WorkerSettings) -> Told:
    return story


if __name__ == "__main__":
    run_worker(1, tell)
