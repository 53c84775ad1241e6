"""An installation on the double of GitHub whose worker is a loop in the test: everything but the containers is real."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from sqlalchemy import Engine, text

from tests.hub.process import AppKeys, Hub
from tests.workers.made import GREEN, RED, ScriptedEnvironment, ScriptedSandbox
from workers.attend import Visit, attend
from workers.domain import Attempt, Candidate, Case, Confidence, Diagnosis, Report, RunId
from workers.github import App, GitHubForge
from workers.pipeline import Parts, drive
from workers.ports import Workbench
from workers.store.database import open_engine
from workers.store.lease import Lease
from workers.store.ledger import Ledger
from workers.store.pages import Pages

WORKFLOW = """\
name: CI
on: [push, pull_request]
jobs:
  test:
    runs-on: ubuntu-latest
    steps:
      - uses: actions/checkout@v4
      - run: python -m pytest -q
"""
WRONG = "def add(a, b):\n    return a - b\n"
RIGHT = WRONG.replace("-", "+")
FILES: Mapping[str, str] = {
    ".github/workflows/ci.yml": WORKFLOW,
    ".github/heal.yml": "mode: push\npr:\n  max_open: 20\n",
    "calc.py": WRONG,
    "tests/test_calc.py": "from calc import add\n\n\ndef test_add():\n    assert add(1, 2) == 3\n",
}
_SHORT = "SELECT repo, branch, state, outcome, detail, stage, claims, tries, error FROM run"
SOON = 60.0
"""Seconds after which something should have happened, on a busy machine too."""

Hook = Callable[[str, Lease], None]


def nothing(stage: str, lease: Lease) -> None:
    """No disturbance."""


class Calculator(ScriptedEnvironment):
    """Red, and green with a patch that adds."""

    def __init__(self) -> None:
        super().__init__(lambda step, patch, n: GREEN if patch and b"return a + b" in patch else RED)


class Adder:
    """A fixer that knows this one failure."""

    name = "search"

    def applies(self, diagnosis: Diagnosis) -> bool:
        return True

    def propose(self, bench: Workbench, tried: Sequence[Attempt]) -> Candidate | None:
        if tried:
            return None
        return Candidate("search", bench.tree.diff({"calc.py": RIGHT.encode()}), "`-` became `+`.", Confidence.HIGH)


class Watched:
    """A lease that says when a stage begins, and when its answer is about to be kept. All else is the lease's own."""

    def __init__(self, lease: Lease, began: Hook, ended: Hook) -> None:
        self._lease, self._began, self._ended = lease, began, ended

    def __getattr__(self, name: str) -> Any:
        return getattr(self._lease, name)

    def event(self, kind: str, title: str, **data: object) -> None:
        self._lease.event(kind, title, **data)
        if (kind, data.get("state")) == ("stage", "started"):
            self._began(title, self._lease)

    def record(self, stage: str, n: int, value: object, seconds: float) -> None:
        self._ended(stage, self._lease)
        self._lease.record(stage, n, value, seconds)


@dataclass
class House:
    """What a test works with. `began` and `ended` are called in every stage of every run, before it and after it."""

    hub: Hub
    keys: AppKeys
    database: str
    state_dir: Path
    lease_seconds: float = 60.0
    began: Hook = nothing
    ended: Hook = nothing
    visits: list[Visit] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.engine: Engine = open_engine(self.database)
        self.ledger = Ledger(self.engine, self.lease_seconds)
        self._app = App(self.hub.api_url, self.keys.app_id, self.keys.private_key, pace=0)

    def close(self) -> None:
        """Let go of the database."""
        self.engine.dispose()

    def story(self, case: Case, lease: Lease) -> Report:
        """As `workers.wiring.drive_run`, with a scripted sandbox and fixer."""
        journal: Any = Watched(lease, self.began, self.ended)
        with GitHubForge(self._app, self.state_dir / "mirrors", case, lease.redactor, lease.guard) as forge:
            return drive(
                case,
                Parts(
                    forge=forge,
                    sandbox=ScriptedSandbox(Calculator()),
                    fixers=(Adder(),),
                    journal=journal,
                    cancelled=lease.cancelled,
                    run_url=f"http://heal.example/runs/{case.run}",
                    runs_today=lease.admitted_today,
                    heals_lately=lease.heals_lately,
                    wishes=lease.wishes,
                    poll=1.0,
                    so_far=lease.so_far,
                ),
            )

    def work(self, done: Callable[[], bool], seconds: float = SOON) -> None:
        """Visit whatever is due, as a worker does that hears every bell, until something is so."""
        until = time.monotonic() + seconds
        while not done():
            assert time.monotonic() < until, f"not in time: {self.rows(_SHORT)}"
            for run in self.ledger.turns():
                self.visits.append(attend(self.ledger, run, "house:1/1", self.story))
            time.sleep(0.05)

    def rows(self, query: str) -> list[dict[str, Any]]:
        """What the database answers."""
        with self.engine.connect() as connection:
            return [dict(row) for row in connection.execute(text(query)).mappings()]

    def runs(self, repo: str) -> list[dict[str, Any]]:
        """The runs of a repository, oldest first."""
        return [run for run in self.rows("SELECT * FROM run ORDER BY id") if run["repo"] == repo]

    def all_are(self, repo: str, state: str, count: int = 1) -> bool:
        """A repository has so many runs, each in this state."""
        states = [run["state"] for run in self.runs(repo)]
        return states == [state] * count

    def turn_green(self, repo: str) -> None:
        """The repository's CI is green on every branch of ours."""
        for pull in self.pulls(repo):
            self.hub.finish_ci(repo, branch=pull["head"]["ref"], conclusion="success")

    def heal(self, repo: str, count: int = 1) -> None:
        """Take all runs of a repository to their end; CI is green on what they proposed."""
        self.work(lambda: self.all_are(repo, "parked", count))
        self.turn_green(repo)
        self.work(lambda: self.all_are(repo, "done", count))

    def pulls(self, repo: str) -> list[dict[str, Any]]:
        """The pull requests that we opened."""
        return [pull for pull in self.hub.repo(repo)["pulls"] if pull["user"]["login"] == self.keys.bot]

    def effects(self, repo: str) -> dict[str, int]:
        """How many of each thing we made on GitHub."""
        state, ours = self.hub.repo(repo), self.keys.bot
        return {
            "pulls": len(self.pulls(repo)),
            "branches": len([name for name in state["branches"] if name.startswith("heal/")]),
            "checks": len(self.checks(repo)),
            "comments": len([comment for comment in state["comments"] if comment["user"]["login"] == ours]),
        }

    def checks(self, repo: str) -> list[dict[str, Any]]:
        """Our check runs, oldest first."""
        return [check for check in self.hub.repo(repo)["check_runs"] if check["name"] == "heal"]

    def stages(self, run: str, state: str = "finished") -> list[str]:
        """The stages that a run finished (or began), in order, as its timeline tells."""
        events = self.events(run)
        return [one["title"] for one in events if (one["kind"], one["data"].get("state")) == ("stage", state)]

    def events(self, run: str) -> list[dict[str, Any]]:
        """The timeline of a run."""
        return [
            {"kind": one.kind, "title": one.title, "data": one.data, "at": one.at}
            for one in Pages(self.engine).events(RunId(run))
        ]
