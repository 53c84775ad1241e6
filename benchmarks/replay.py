"""A thousand mixed deliveries, a tenth of them twice and all out of order, through a whole installation.

People and CI act on the double of GitHub, whose deliveries are recorded; then they are sent again in another order to
the real receiver, with its dispatcher, ledger, errands and workers as processes. How many runs, errands, pull requests
and comments have to come out is counted while acting, by the rules of the documentation and not by the product's code.
"""

from __future__ import annotations

import argparse
import json
import random
import sqlite3
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import httpx

from benchmarks.replay_worker import SLOTS
from bot.webhook import signed_headers
from tests.hub.process import Hub
from tests.hub.receiver import Received, receiving
from tests.processes import Process
from tests.story.theatre import OWNER, Theatre
from workers.bench.machine import describe

DELIVERIES = 1_000
SEED = 6
SENDERS = 8
WINDOW = 40.0
"""How far a delivery may be from its place."""
TWICE = 0.1
REPOS = 4
EVENTS = (
    "check_run", "workflow_run", "workflow_job", "status", "issue_comment", "issues", "pull_request",
    "pull_request_review", "pull_request_review_comment", "push", "repository",
)  # fmt: skip
UNKNOWN = ("star", "fork", "watch", "gollum", "milestone", "deployment")
SIGNED = ("content-type", "user-agent", "accept")

Act = Callable[["Script"], None]


@dataclass
class Script:
    """Acts on the double, and counts what must follow."""

    hub: Hub
    rng: random.Random
    installation_id: int
    repos: int = REPOS
    names: list[str] = field(default_factory=list)
    due: Counter[str] = field(default_factory=Counter)
    topics: int = 0
    pulls: list[tuple[str, int]] = field(default_factory=list)

    def begin(self) -> None:
        """Repositories, each with a pull request that people talk on."""
        for n in range(self.repos):
            name = f"{OWNER}/replay-{n}"
            self.hub.create_repo(name, files={"a.txt": "a\n", ".github/workflows/ci.yml": "name: CI\non: push\n"})
            self.hub.push(name, {"talk.txt": "x\n"}, branch="talk", new_from="main")
            self.pulls.append((name, int(self.hub.open_pull(name, "ada", "talk")["number"])))
            self.names.append(name)

    def act(self) -> None:
        """One thing that somebody does."""
        acts, weights = zip(*ACTS, strict=True)
        self.rng.choices(acts, weights)[0](self)

    def topic(self) -> tuple[str, str]:
        """A repository and a new branch of it with a commit of its own."""
        self.topics += 1
        name, branch = self.rng.choice(self.names), f"topic-{self.topics}"
        self.hub.push(name, {f"{branch}.txt": "x\n"}, branch=branch, new_from="main")
        return name, branch

    def red(self) -> None:
        """One workflow run with red and green jobs: one run, however many events tell of it."""
        name, branch = self.topic()
        conclusion = self.rng.choice(["failure", "failure", "timed_out"])
        self.hub.finish_ci(name, branch=branch, conclusion=conclusion, beside=["lint", "docs"][: self.rng.randrange(3)])
        self.due["runs"] += 1

    def not_red(self) -> None:
        """Green, cancelled and waiting workflow runs start nothing."""
        name, branch = self.topic()
        self.hub.finish_ci(name, branch=branch, conclusion=self.rng.choice(["success", "cancelled", "action_required"]))

    def other_check(self) -> None:
        """A check run of another App: a run of its own when it is red."""
        name, branch = self.topic()
        conclusion = self.rng.choice(["failure", "success", "neutral"])
        self.hub.finish_check(name, "style", app="other-ci", branch=branch, conclusion=conclusion)
        self.due["runs"] += conclusion == "failure"

    def status(self) -> None:
        """A commit status, told as pending first: a run of its own when it ends red, told so twice or not."""
        name, branch = self.topic()
        state = self.rng.choice(["failure", "error", "success"])
        for told in ("pending", state, *([state] if self.rng.random() < 0.3 else [])):
            self.hub.status(name, told, "ci/old", branch=branch)
        self.due["runs"] += state != "success"

    def push(self) -> None:
        """The default branch moves on; nobody waits for it."""
        self.hub.push(self.rng.choice(self.names), {"b.txt": f"{self.rng.random()}\n"})

    def pull_request(self) -> None:
        """A pull request comes, changes and goes."""
        name, branch = self.topic()
        number = int(self.hub.open_pull(name, "ada", branch)["number"])
        self.hub.edit_pull(name, "ada", number, title="Another title")
        if self.rng.random() < 0.5:
            self.hub.close_pull(name, "ada", number)

    def label(self) -> None:
        """A label that asks for nothing."""
        name, number = self.rng.choice(self.pulls)
        self.hub.label(name, "ada", number, self.rng.choice(["bug", "later"]))

    def comment(self) -> None:
        """A comment: only a command at the start of a line, outside of quotes and code, is one. Who gives it is
        nobody here, so that it comes to an errand and at most an answer."""
        name, number = self.rng.choice(self.pulls)
        body, asks, answers = self.rng.choice(COMMENTS)
        self.hub.comment(name, f"stranger-{self.rng.randrange(1_000_000)}", number, body)
        self.due["commands"] += asks
        self.due["answers"] += answers

    def review(self) -> None:
        """A review of somebody else's pull request."""
        name, number = self.rng.choice(self.pulls)
        lines = [{"path": "talk.txt", "line": 1, "body": "why?"}] if self.rng.random() < 0.5 else []
        self.hub.review(name, "bob", number, "COMMENT", "looks odd", lines)

    def installation(self) -> None:
        """The installation says again what it is."""
        self.hub.announce(self.installation_id)


COMMENTS = (
    ("Looks good to me.", 0, 0),
    ("I would not use `/heal` here.", 0, 0),
    ("> /heal\n\nwhat is that?", 0, 0),
    ("```\n/heal fix\n```", 0, 0),
    ("/heal", 1, 0),
    ("Please:\n/heal fix", 1, 0),
    ("/heal explain", 1, 1),
)
"""What strangers write, how many commands that is, and how many of them are answered: asking is open to who can read,
the rest takes write access and gets a reaction."""

ACTS: Sequence[tuple[Act, int]] = (
    (Script.red, 6),
    (Script.not_red, 3),
    (Script.other_check, 4),
    (Script.status, 4),
    (Script.push, 3),
    (Script.pull_request, 3),
    (Script.label, 3),
    (Script.comment, 14),
    (Script.review, 4),
    (Script.installation, 1),
)


@dataclass(frozen=True)
class Replay:
    """What was sent and what came of it. `wrong` names each count that is not as it had to be."""

    machine: str
    seed: int
    sent: int
    deliveries: int
    kinds: Mapping[str, int]
    due: Mapping[str, int]
    found: Mapping[str, int]
    seconds: float
    wrong: tuple[str, ...]


@dataclass
class Stage(Theatre):
    """The installation with a worker that heals nothing, so many runs at a time."""

    slots: int = SLOTS

    def start_worker(self, **more: str) -> None:
        command = [sys.executable, "-m", "benchmarks.replay_worker", str(self.slots)]
        self.worker = Process("worker", command, self.folder, {**self.worker_env, **more})
        self._running.append(self.worker)

    @property
    def receiver_pid(self) -> int:
        """The receiver's process."""
        return next(one.pid for one in self._running if one.name == "receiver")

    def count(self, query: str) -> int:
        """The number that a query over the installation's database gives."""
        with closing(sqlite3.connect(self.folder / "heal.db", timeout=30)) as database:
            return int(database.execute(query).fetchone()[0])


def measure(deliveries: int = DELIVERIES, seed: int = SEED, seconds: float = 900) -> Replay:
    """Act, record, send, wait until nothing is left to do, count."""
    rng = random.Random(seed)  # noqa: S311 - a script, not a secret
    with tempfile.TemporaryDirectory(prefix="replay-") as folder, Stage(Path(folder), Path(folder) / "state") as stage:
        hub, app = stage.hub, stage.app
        hub.call("set_events", app_id=app.app_id, events=list(EVENTS))
        script = Script(hub, rng, app.installation_id)
        recorded = record(stage, script, lambda got: len(got) >= deliveries)
        strangers = deliveries // 50
        recorded += [_unknown(rng, app.webhook_secret, n) for n in range(strangers)]
        order = _disorder(recorded, rng)
        started = time.monotonic()
        with ThreadPoolExecutor(SENDERS) as pool, httpx.Client(base_url=stage.url, trust_env=False) as client:
            answers = list(pool.map(lambda one: send(client, one), order))
        _settle(stage, seconds)
        spent = time.monotonic() - started
        unknown = sum(one.event in UNKNOWN for one in order)
        due = {
            "accepted": len(order) - unknown,
            "dropped as unknown": unknown,
            "deliveries kept": len(recorded) - strangers,
            "runs": script.due["runs"],
            "command errands": script.due["commands"],
            "pull requests": script.due["runs"],
            "comments": script.due["runs"] + script.due["answers"],
            "check runs": script.due["runs"],
        }
        found = _found(stage, script.names, Counter(answers))
    kinds = Counter(one.name for one in recorded)
    wrong = tuple(f"{name}: {found[name]}, not {due[name]}" for name in due if found[name] != due[name])
    return Replay(
        describe(), seed, len(order), len(recorded), dict(kinds.most_common()), due, found, round(spent, 1), wrong
    )


def record(
    stage: Stage, script: Script, enough: Callable[[Sequence[Received]], bool], act: Act = Script.act
) -> list[Received]:
    """Act until enough was delivered: not to the receiver, which gets it later. What a sender that missed the answer
    sent twice is kept once."""
    with receiving() as recorder:
        stage.hub.set_webhook(stage.app.app_id, recorder.url)
        script.begin()
        while not enough(_once(recorder.got)):
            act(script)
            stage.hub.settle(60)
        stage.hub.set_webhook(stage.app.app_id, "")
        return _once(recorder.got)


def _once(got: Sequence[Received]) -> list[Received]:
    return list({one.headers["x-github-delivery"]: one for one in got}.values())


def _unknown(rng: random.Random, secret: str, n: int) -> Received:
    """An event that nobody asked for, and of which nothing is known."""
    body = json.dumps({"action": rng.choice(["created", "deleted"]), "n": n}).encode()
    headers = signed_headers(secret, rng.choice(UNKNOWN), body, f"unknown-{n}")
    return Received({name.lower(): value for name, value in headers.items()}, body)


def _disorder(recorded: Sequence[Received], rng: random.Random) -> list[Received]:
    """Each some way from its place, and a tenth of them a second time."""
    placed = [(at + rng.uniform(0, WINDOW), one) for at, one in enumerate(recorded)]
    placed += [(at + rng.uniform(0, WINDOW), one) for at, one in placed if rng.random() < TWICE]
    return [one for _, one in sorted(placed, key=lambda pair: pair[0])]


def send(client: httpx.Client, one: Received) -> int:
    """Deliver again what was recorded; gives the status of the answer."""
    headers = {name: value for name, value in one.headers.items() if name in SIGNED or name.startswith("x-")}
    return client.post("/webhook", content=one.body, headers=headers, timeout=30).status_code


def _settle(stage: Stage, seconds: float) -> None:
    """Until every delivery is routed, every run is over and every errand is done or given up."""
    left = (
        "SELECT (SELECT count(*) FROM delivery WHERE state = 'new') + (SELECT count(*) FROM run WHERE state <> 'done')"
        " + (SELECT count(*) FROM errand WHERE kind NOT IN ('recover', 'forget', 'settle')"
        " AND (state = 'running' OR (state = 'queued' AND tries = 0)))"
    )
    deadline = time.monotonic() + seconds
    while stage.count(left):
        if time.monotonic() > deadline:
            raise TimeoutError(f"{stage.count(left)} things are not done\n{stage.logs()}")
        time.sleep(0.5)


def _found(stage: Stage, names: Sequence[str], answers: Counter[int]) -> dict[str, int]:
    ours: Counter[str] = Counter()
    for name in names:
        ours["pull requests"] += len(stage.pulls(name))
        ours["comments"] += len(stage.said(name))
        checks: Sequence[Any] = stage.checks(name)
        ours["check runs"] += sum(check["status"] == "completed" for check in checks)
    return {
        "accepted": answers[202],
        "dropped as unknown": answers[204],
        "deliveries kept": stage.count("SELECT count(*) FROM delivery"),
        "runs": stage.count("SELECT count(*) FROM run"),
        "command errands": stage.count("SELECT count(*) FROM errand WHERE kind = 'command'"),
        **{name: ours[name] for name in ("pull requests", "comments", "check runs")},
    }


def table(replay: Replay) -> str:
    """The figures as Markdown."""
    rows = [f"| {name} | {replay.due[name]} | {replay.found[name]} |" for name in replay.due]
    kinds = ", ".join(f"{name} {count}" for name, count in replay.kinds.items())
    return "\n".join(
        [
            f"{replay.deliveries} deliveries, sent {replay.sent} times in another order (seed {replay.seed}), on "
            f"{replay.machine}. Runs are told to GitHub and not healed. Until nothing was left to do: "
            f"{replay.seconds} s.",
            "",
            "| | due | found |",
            "| --- | --- | --- |",
            *rows,
            "",
            f"Kinds: {kinds}.",
        ]
    )


def main() -> None:
    """Measure, print, keep, and fail when a count is not as it had to be."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.replay", description=__doc__)
    parser.add_argument("--deliveries", type=int, default=DELIVERIES)
    parser.add_argument("--seed", type=int, default=SEED)
    parser.add_argument("--keep", action="store_true", help="write the figures into RESULTS.md")
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    replay = measure(options.deliveries, options.seed)
    print(json.dumps(asdict(replay), indent=2) if options.json else table(replay))
    if replay.wrong:
        sys.exit("\n".join(replay.wrong))
    if options.keep:
        from benchmarks.results import keep

        keep("Replayed deliveries", table(replay))


if __name__ == "__main__":
    main()
