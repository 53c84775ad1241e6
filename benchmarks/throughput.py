"""How many runs one worker gets through when nothing is healed: queue, store and what is told to GitHub.

Red workflow runs of stub repositories are recorded first and sent in one go; then the worker has them all. The double
of GitHub works on the same machine, so its own processor time is told beside.
"""

from __future__ import annotations

import json
import random
import tempfile
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import httpx

from benchmarks.replay import EVENTS, SENDERS, Script, Stage, record, send
from benchmarks.usage import command, descendants, memory_of, usage
from tests.hub.receiver import Received
from tests.story.theatre import OWNER

POLL_SECONDS = 0.2
LONGEST = 3600.0
RUNS_OF_REPO = 25
"""About as many of them end in one repository, far from the pull requests that one may have open (`pr.max_open`)."""


@dataclass(frozen=True)
class Sample:
    """Resident megabytes when so many runs were over."""

    runs: int
    receiver_mb: float
    worker_mb: float
    """The worker with its pool and the processes beside it."""
    steady_mb: float
    """The same without the pool, whose processes are replaced after 25 runs each."""


@dataclass(frozen=True)
class Throughput:
    """One worker with `slots` runs at a time."""

    slots: int
    runs: int
    seconds: float
    receiver_cpu: float
    worker_cpu: float
    hub_cpu: float
    """Seconds of processor time for all runs together."""
    requests: int
    """What was asked of GitHub."""
    samples: tuple[Sample, ...]
    wrong: str = ""
    """What did not come out as it had to."""

    @property
    def per_hour(self) -> float:
        """Runs an hour."""
        return 3600 * self.runs / self.seconds

    def growth(self, after: int = 100) -> tuple[float, float]:
        """Megabytes that receiver and worker (without its pool) grew by between the first `after` runs and the end."""
        early = next((one for one in self.samples if one.runs >= after), self.samples[-1])
        last = self.samples[-1]
        return round(last.receiver_mb - early.receiver_mb, 1), round(last.steady_mb - early.steady_mb, 1)


def measure(runs: int, slots: int, every: int = 50) -> Throughput:
    """Work through `runs` red workflow runs with `slots` at a time; memory is looked at every so many."""
    with (
        tempfile.TemporaryDirectory(prefix="load-runs-") as folder,
        Stage(Path(folder), Path(folder) / "state", slots=slots) as stage,
    ):
        red = _red(stage, runs)
        pids = stage.receiver_pid, stage.worker.pid, stage.hub.pid
        before, asked = [usage(pid).cpu_seconds for pid in pids], len(stage.hub.requests())
        started = time.monotonic()
        _send_all(stage, red)
        samples = _watch(stage, runs, every)
        seconds = time.monotonic() - started
        receiver, worker, hub = (usage(pid).cpu_seconds - was for pid, was in zip(pids, before, strict=True))
        asked = len(stage.hub.requests()) - asked
        wrong = _wrong(stage, runs)
    return Throughput(slots, runs, round(seconds, 1), receiver, worker, hub, asked, tuple(samples), wrong)


def _red(stage: Stage, runs: int) -> list[Received]:
    """The deliveries that tell of so many red workflow runs, one for each."""
    stage.hub.call("set_events", app_id=stage.app.app_id, events=list(EVENTS))
    rng = random.Random(0)  # noqa: S311 - a script, not a secret
    script = Script(stage.hub, rng, stage.app.installation_id, _repos(runs))

    def ended(got: Sequence[Received]) -> list[Received]:
        told = (one for one in got if one.name == "workflow_run.completed")
        return list({json.loads(one.body)["workflow_run"]["id"]: one for one in told}.values())

    return ended(record(stage, script, lambda got: len(ended(got)) >= runs, Script.red))


def _repos(runs: int) -> int:
    return 1 + runs // RUNS_OF_REPO


def _send_all(stage: Stage, red: Sequence[Received]) -> None:
    with ThreadPoolExecutor(SENDERS) as pool, httpx.Client(base_url=stage.url, trust_env=False) as client:
        refused = [status for status in pool.map(lambda one: send(client, one), red) if status != 202]
    assert not refused, f"{len(refused)} of {len(red)} deliveries were refused"


def _watch(stage: Stage, runs: int, every: int) -> list[Sample]:
    """Samples until all runs are over. Raises TimeoutError after an hour."""
    samples: list[Sample] = []
    deadline = time.monotonic() + LONGEST
    while True:
        done = stage.count("SELECT count(*) FROM run WHERE state = 'done'")
        if done >= runs or done >= every * (len(samples) + 1):
            samples.append(_sample(stage, done))
        if done >= runs:
            return samples
        if time.monotonic() > deadline:
            raise TimeoutError(f"{done} of {runs} runs are over\n{stage.logs()}")
        time.sleep(POLL_SECONDS)


def _sample(stage: Stage, done: int) -> Sample:
    worker = stage.worker.pid
    below = descendants(worker)
    beside = [pid for pid in below if command(pid) != command(worker)]  # the pool's processes are forks
    receiver, whole, steady = memory_of([stage.receiver_pid]), memory_of([worker, *below]), memory_of([worker, *beside])
    return Sample(done, round(receiver, 1), round(whole, 1), round(steady, 1))


def _wrong(stage: Stage, runs: int) -> str:
    """Every run is there once, and so is its pull request."""
    kept = stage.count("SELECT count(*) FROM run")
    fixed = stage.count("SELECT count(*) FROM run WHERE outcome = 'FIXED'")
    pulls = sum(len(stage.pulls(f"{OWNER}/replay-{n}")) for n in range(_repos(runs)))
    return "" if kept == fixed == pulls == runs else f"{runs} runs: {kept} kept, {fixed} fixed, {pulls} pull requests"


def table(found: Sequence[Throughput]) -> str:
    """The figures as Markdown."""
    rows = [
        "| at a time | runs | s | runs an hour | worker CPU s each | receiver CPU s each | the double's CPU s each |",
        "| --- | --- | --- | --- | --- | --- | --- |",
    ]
    for one in found:
        each = [f"{cpu / one.runs:.3f}" for cpu in (one.worker_cpu, one.receiver_cpu, one.hub_cpu)]
        rows.append(f"| {one.slots} | {one.runs} | {one.seconds} | {one.per_hour:.0f} | {' | '.join(each)} |")
    longest = max(found, key=lambda one: one.runs)
    rows += [
        "",
        f"Resident MB over {longest.runs} runs, {longest.slots} at a time:",
        "",
        "| runs over | receiver | worker, all processes | worker without its pool |",
        "| --- | --- | --- | --- |",
    ]
    rows += [f"| {one.runs} | {one.receiver_mb} | {one.worker_mb} | {one.steady_mb} |" for one in longest.samples]
    receiver, worker = longest.growth()
    rows += ["", f"Growth after the first 100 runs: receiver {receiver} MB, worker without its pool {worker} MB."]
    return "\n".join(rows)
