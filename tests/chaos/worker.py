"""The worker of the chaos suite: real runs, leases and writes to GitHub, and a story of three checkpoints that heals
nothing. Some runs work in a container of the real engine, so that there is something to leave behind."""

from __future__ import annotations

import argparse
import time
from pathlib import Path
from typing import TYPE_CHECKING

from celery import signals

from benchmarks.replay_worker import app_of, ended, publish
from sandbox.spec import Plan, Step
from sandbox.spec import Tree as Files
from workers.attend import Told
from workers.domain import Case, JobReport, Outcome, Published, Report
from workers.git import mirrors
from workers.github import GitHubForge
from workers.ports import Notice
from workers.settings import WorkerSettings
from workers.store.lease import Lease
from workers.store.memory import MemoryJournal
from workers.tasks import run_worker

if TYPE_CHECKING:
    from sandbox.environments import DockerSandbox
    from sandbox.fleet import Fleet

WORK_SECONDS = 0.15
"""How long each of the stages takes beside what it asks of GitHub."""
CONTAINED = Step("check", "sleep 0.3")


def tell(
    case: Case, journal: Lease | MemoryJournal, forge: GitHubForge, sandbox: DockerSandbox | Fleet | None
) -> Report:
    """Show the run, work through two stages, propose one new file, and say that it is done. What was recorded is not
    done again."""
    forge.tell(case, Notice("Looking", "Looking into it."))
    if journal.recall("checkout", 0, JobReport) is None:
        time.sleep(WORK_SECONDS)
        journal.record("checkout", 0, JobReport(case.job), WORK_SECONDS)
    if journal.recall("reproduce", 0, JobReport) is None:
        _work(sandbox)
        journal.record("reproduce", 0, JobReport(case.job), WORK_SECONDS)
    published = journal.recall("publish", 0, Published)
    if published is None:
        published = publish(forge, case)
        journal.record("publish", 0, published, 0.0)
    forge.tell(case, ended(case), published)
    return Report(case, Outcome.FIXED, f"in run {case.run}", published=published)


def _work(sandbox: DockerSandbox | Fleet | None) -> None:
    if sandbox is None:
        time.sleep(WORK_SECONDS)
        return
    empty = Files("", bytes(10_240))
    assert sandbox.prepare(Plan("python", (), CONTAINED), empty).run(CONTAINED, empty).green


def folder(settings: WorkerSettings) -> Path:
    """Where the mirrors are."""
    return mirrors.folder(settings.state_dir)


def told(settings: WorkerSettings, contained: int) -> Told:
    """The story for a worker that has the ledger. Every `contained`th commit works in a container; 0 for none."""
    app, sandbox = app_of(settings), None
    if contained:
        from workers.wiring import make_sandbox  # brings all of the pipeline with it

        sandbox = make_sandbox(settings, settings.installation)
        signals.worker_process_shutdown.connect(lambda **_: sandbox.close(), weak=False)

    def story(case: Case, lease: Lease) -> Report:
        inside = sandbox if contained and int(case.head_sha[:8], 16) % contained == 0 else None
        with GitHubForge(app, folder(settings), case, lease.redactor, lease.guard) as forge:
            return tell(case, lease, forge, inside)

    return story


def options() -> argparse.Namespace:
    """What the suite asks of a worker."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--contained", type=int, default=0)
    parser.add_argument("--up", type=Path, required=True, help="file to make once the loop turns")
    return parser.parse_args()


def say_when_up(asked: argparse.Namespace) -> None:
    """Make the file once Celery's loop turns and its pool is accepted."""
    signals.worker_ready.connect(lambda **_: asked.up.touch(), weak=False)


if __name__ == "__main__":
    asked = options()
    say_when_up(asked)
    run_worker(1, lambda settings: told(settings, asked.contained))
