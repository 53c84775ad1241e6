"""From the red event to the pull request: where the seconds of one healed build go, stage by stage.

Told twice. On a whole installation (receiver, Redis, worker) for what its users wait for; then in this process with a
clock around the sandbox, because only what is neither a test run nor a container's start is ours to make faster.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import tempfile
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any

from sandbox.spec import Environment, Finding, Limits, Plan, Result, Sandbox, Step, Tree
from tests.hub.process import AppKeys, Hub
from tests.story.theatre import CI_IMAGE, EVENTS, OWNER, PERMISSIONS, SAMPLES, Theatre
from workers.bench.machine import describe
from workers.domain import Case, Outcome, RunId, Sha, StageName
from workers.errors import Park
from workers.fixers import fixers
from workers.github import App, GitHubForge
from workers.pipeline import Parts, drive
from workers.settings import WorkerSettings
from workers.store.memory import MemoryJournal
from workers.wiring import make_sandbox

SAMPLE = "wrong-operator"
STAGES = tuple(stage.value for stage in StageName if stage is not StageName.FOLLOW)
CI_SECONDS = 240.0


class Clock:
    """Adds up the seconds in which at least one call into the sandbox is under way."""

    def __init__(self) -> None:
        self.seconds = 0.0
        self._guard = threading.Lock()
        self._active = 0
        self._since = 0.0

    @contextmanager
    def running(self) -> Iterator[None]:
        """Counts until left; calls side by side count once."""
        with self._guard:
            self._since = self._since if self._active else time.perf_counter()
            self._active += 1
        try:
            yield
        finally:
            with self._guard:
                self._active -= 1
                self.seconds += 0.0 if self._active else time.perf_counter() - self._since


class TimedEnvironment:
    """An environment whose runs are on the clock."""

    def __init__(self, inner: Environment, clock: Clock) -> None:
        self.inner, self.clock = inner, clock
        self.key, self.image, self.notes = inner.key, inner.image, inner.notes

    def run(
        self,
        step: Step,
        tree: Tree,
        patch: bytes | None = None,
        limits: Limits = Limits(),  # noqa: B008 - frozen
        inputs: Mapping[str, bytes] | None = None,
        cancel: threading.Event | None = None,
    ) -> Result:
        """Run on the clock."""
        with self.clock.running():
            return self.inner.run(step, tree, patch, limits, inputs, cancel)

    def warm(self, tree: Tree, count: int, limits: Limits = Limits()) -> None:  # noqa: B008 - frozen
        """The inner one's."""
        self.inner.warm(tree, count, limits)


@dataclass(frozen=True)
class TimedSandbox:
    """A sandbox whose work is on the clock."""

    inner: Sandbox
    clock: Clock

    def prepare(self, plan: Plan, tree: Tree, cancel: threading.Event | None = None) -> TimedEnvironment:
        """Prepare on the clock."""
        with self.clock.running():
            return TimedEnvironment(self.inner.prepare(plan, tree, cancel), self.clock)

    def doctor(self) -> list[Finding]:
        """The inner one's."""
        return self.inner.doctor()


@dataclass(frozen=True)
class Round:
    """Seconds of one story, from the delivery (or the start of the pipeline) to the open pull request.

    `queue` is from the delivery's sending to the claim, `sandbox` per stage what its calls into the sandbox took; both
    are known on one of the two stages only. `between` is what lies between the pipeline's stages.
    """

    stages: dict[str, float]
    total: float
    queue: float = 0.0
    sandbox: dict[str, float] = field(default_factory=dict)
    between: float = 0.0

    @property
    def ours(self) -> float:
        """What is neither a test run nor the making or starting of a container."""
        return self.total - sum(self.sandbox.values())


@dataclass(frozen=True)
class Figures:
    """The rounds of one benchmark, the warm-ups left out."""

    machine: str
    installation: tuple[Round, ...]
    pipeline: tuple[Round, ...]


def measure(rounds: int, say: Callable[[str], None] = lambda _: None) -> Figures:
    """Tell the story `rounds` times each way; the first of each is the warm-up."""
    machine = describe()
    with tempfile.TemporaryDirectory(prefix="heal-bench-", ignore_cleanup_errors=True) as folder:
        state = Path(os.environ.get("HEAL_STATE_DIR", Path(folder) / "state")) / "bench"
        installation, pipeline = [], []
        with Theatre(Path(folder) / "theatre", state) as theatre:
            for n in range(rounds):
                installation.append(_on_installation(theatre, n))
                say(f"installation, round {n}: {installation[-1].total:.2f} s")
        with Hub(ci_image=CI_IMAGE) as hub:
            app = hub.create_app("heal-bench", account=OWNER, permissions=PERMISSIONS, events=EVENTS)
            for n in range(rounds):
                pipeline.append(_in_process(hub, app, state, n))
                say(f"pipeline, round {n}: {pipeline[-1].total:.2f} s, ours {pipeline[-1].ours:.2f} s")
    return Figures(machine, tuple(installation[1:]), tuple(pipeline[1:]))


def _on_installation(theatre: Theatre, n: int) -> Round:
    repo = f"{OWNER}/bench-{n}"
    theatre.hub.create_repo(repo, folder=SAMPLES / SAMPLE, ci="real", run_first=True)
    ended_run = theatre.wait_for_run(repo, CI_SECONDS)
    if ended_run["outcome"] != Outcome.FIXED:
        raise SystemExit(f"the sample was not healed: {ended_run['outcome']} {ended_run['detail']}")
    pull = theatre.wait_for_pull(repo, CI_SECONDS)
    theatre.hub.wait_ci(repo, pull["head"]["sha"], CI_SECONDS)  # nothing of this round may run beside the next
    run = theatre.run(ended_run["id"])
    events = run["events"]
    opened, claimed = _moment(events, "opened"), _moment(events, "claimed")
    published = next(e for e in run["stages"] if e["stage"] == StageName.PUBLISH)["finished_at"]
    ended = datetime.fromisoformat(published)
    stages = {stage: sum(s["seconds"] for s in run["stages"] if s["stage"] == stage) for stage in STAGES}
    return Round(
        stages=stages,
        total=(ended - opened).total_seconds(),
        queue=(claimed - opened).total_seconds(),
        between=(ended - claimed).total_seconds() - sum(stages.values()),
    )


def _moment(events: Sequence[Mapping[str, Any]], kind: str) -> datetime:
    return datetime.fromisoformat(next(event["at"] for event in events if event["kind"] == kind))


class TimingJournal(MemoryJournal):
    """Notes at the end of each stage what the sandbox took in it, and when the pull request was open."""

    def __init__(self, clock: Clock) -> None:
        super().__init__()
        self.sandbox: dict[str, float] = {}
        self.opened_at = 0.0
        self._clock = clock
        self._counted = 0.0

    def record(self, stage: str, n: int, value: object, seconds: float) -> None:
        """Keep the value and the figures."""
        super().record(stage, n, value, seconds)
        if stage not in STAGES:
            return
        self.sandbox[stage] = self.sandbox.get(stage, 0.0) + self._clock.seconds - self._counted
        self._counted = self._clock.seconds
        if stage == StageName.PUBLISH:
            self.opened_at = time.perf_counter()


def _in_process(hub: Hub, keys: AppKeys, state: Path, n: int) -> Round:
    repo = f"{OWNER}/pipeline-{n}"
    made = hub.create_repo(repo, folder=SAMPLES / SAMPLE, ci="real", run_first=True)
    hub.wait_ci(repo, made.sha, CI_SECONDS)
    hub.set_repo(repo, ci="off")  # nothing may run beside the clock
    held = hub.repo(repo)
    case = Case(
        run=RunId(f"bench{n}"),
        repo=repo,
        repo_id=made.id,
        installation_id=keys.installation_id,
        head_sha=Sha(made.sha),
        branch="main",
        job=held["jobs"][-1]["name"],
        job_id=held["jobs"][-1]["id"],
        actions_run_id=held["workflow_runs"][-1]["id"],
        workflow_path=held["workflow_runs"][-1]["path"],
    )
    settings = WorkerSettings(state_dir=state)
    clock = Clock()
    journal = TimingJournal(clock)
    app = App(hub.api_url, keys.app_id, keys.private_key, pace=0.0)
    with GitHubForge(app, state / "mirrors", case, guard=journal.guard) as forge:
        sandbox = TimedSandbox(make_sandbox(settings, f"{settings.installation}/bench-{n}"), clock)
        parts = Parts(forge, sandbox, fixers("offline"), journal, journal.cancelled, patience=0.0)
        started = time.perf_counter()
        try:
            report = drive(case, parts)
        except Park:
            report = None
    if not journal.opened_at or (report is not None and report.outcome is not Outcome.FIXED):
        raise SystemExit(f"the sample was not healed: {report and (report.outcome, report.detail)}")
    stages = {stage: journal.seconds().get(stage, 0.0) for stage in STAGES}
    total = journal.opened_at - started
    unnamed = clock.seconds - sum(journal.sandbox.values())  # sandbox work outside every stage
    return Round(stages, total, 0.0, {**journal.sandbox, "between": unnamed}, total - sum(stages.values()))


def table(found: Figures) -> str:
    """The figures as Markdown."""
    users, ours = found.installation, found.pipeline
    lines = [
        f"Red event to pull request, sample `{SAMPLE}`, {len(users)} rounds after a warm-up, on {found.machine}",
        "",
        "| part | s, median | min | max | of it in the sandbox | ours |",
        "| --- | --- | --- | --- | --- | --- |",
        _line("delivery to claim", [one.queue for one in users], []),
    ]
    for stage in STAGES:
        seconds = [one.stages[stage] for one in users]
        ours_there = [one.stages[stage] - one.sandbox.get(stage, 0.0) for one in ours]
        lines.append(_line(stage, seconds, [one.sandbox.get(stage, 0.0) for one in ours], ours_there))
    inside = [one.sandbox.get("between", 0.0) for one in ours]
    lines.append(_line("between stages", [one.between for one in users], inside, [one.between for one in ours]))
    lines.append(_line("**total**", [one.total for one in users], [sum(one.sandbox.values()) for one in ours],
                       [one.ours for one in ours]))  # fmt: skip
    queue = statistics.median(one.queue for one in users)
    rest = statistics.median(one.ours for one in ours)
    lines += ["", f"Ours in sum: {queue:.2f} s until the claim + {rest:.2f} s of pipeline = {queue + rest:.2f} s"]
    return "\n".join(lines)


def _line(name: str, seconds: Sequence[float], sandbox: Sequence[float], ours: Sequence[float] = ()) -> str:
    middle = [f"{statistics.median(values):.2f}" if values else "" for values in (sandbox, ours)]
    figures = (statistics.median(seconds), min(seconds), max(seconds))
    return " | ".join((f"| {name}", *(f"{one:.2f}" for one in figures), *middle)) + " |"


def main() -> None:
    """Print the table, or JSON."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=5, help="the first is the warm-up")
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    if options.rounds < 2:
        parser.error("at least 2 rounds: the first one is the warm-up")
    found = measure(options.rounds, lambda text: None if options.json else print(f"  {text}", flush=True))
    print(json.dumps(asdict(found), indent=2) if options.json else table(found))


if __name__ == "__main__":
    main()
