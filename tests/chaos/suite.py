"""One installation's part of the suite: a script of faults drawn from a seed with red builds between them, a time to
recover in, and the count."""

from __future__ import annotations

import random
import tempfile
import time
import uuid
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from contextlib import closing, suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from sandbox.engine import Engine
from sandbox.reaper import remove_all
from tests.chaos.acts import ACTS, BELLS
from tests.chaos.audit import Audit, audit, leftovers
from tests.chaos.ground import Ground, opened
from workers.errands.model import Recover
from workers.store.database import open_engine
from workers.store.errands import Errands

LONGEST_GAP = 1.5
LEAST_REPOS, RUNS_EACH = 4, 40
"""Repositories, and builds of the script for each of them: faults bring others, and one may have 100 open fixes."""
BACKLOG = 24
"""With so many runs unfinished nothing more is delivered: faults should meet runs, not a queue of bells."""
LONG: Mapping[str, int] = {
    "child": 26, "worker": 11, "machine": 3, "receiver": 8, "dispatcher": 8, "sweeper": 2, "errands": 2, "stop": 3,
    "sleep": 3, "flush": 11, "redis restart": 4, "redis full": 2, "redis frozen": 2, "redis half open": 2,
    "redis cut": 2, "lost answer": 12, "lost delivery": 3,
}  # fmt: skip
"""One half of the whole suite; two halves reach what is promised."""
SHORT: Mapping[str, Mapping[str, int]] = {
    "sqlite": {"child": 2, "worker": 1, "dispatcher": 1, "sleep": 1, "flush": 1, "redis frozen": 1,
               "redis half open": 1, "lost answer": 1, "disk full": 1},
    "postgresql": {"child": 1, "machine": 1, "receiver": 1, "flush": 1, "redis restart": 1, "redis full": 1,
                   "database restart": 1, "stop": 1},
}  # fmt: skip
"""The short form: each kind of fault once or twice, on the one or the other."""
NAIVE: Mapping[str, int] = {"child": 1, "worker": 1, "flush": 2}
OF: Mapping[str, Mapping[str, int]] = {"sqlite": {"disk full": 3}, "postgresql": {"database restart": 6}}
"""What can only be done to the one or the other."""


@dataclass(frozen=True)
class Half:
    """What is done to one installation."""

    database: str
    seed: int
    runs: int
    acts: Mapping[str, int]
    contained: int = 0
    naive: bool = False
    seconds: float = 300.0
    """Longest time to recover in."""
    gap: float = LONGEST_GAP
    patience: float = 1.0
    crew: int = 2
    """Workers."""


@dataclass(frozen=True)
class Outcome:
    """What came of it."""

    half: Half
    done: Mapping[str, int]
    audit: Audit
    seconds: float


def script(half: Half) -> list[tuple[str, int, float]]:
    """The whole script: each fault, how many builds turn red before it, and the pause before it. The seed decides."""
    rng = random.Random(half.seed)  # noqa: S311 - a script, not a secret
    acts = [name for name, count in half.acts.items() for _ in range(count)]
    rng.shuffle(acts)
    before = Counter(rng.randrange(len(acts)) for _ in range(half.runs))
    return [(name, before[n], rng.uniform(0, half.gap)) for n, name in enumerate(acts)]


def play(half: Half, say: Callable[[str], None] = lambda _: None) -> Outcome:
    """Do it all; each fault is said when it is over.

    Raises TimeoutError when a time limit is not met, AssertionError for another broken promise."""
    started = time.monotonic()
    installation = f"tests-{uuid.uuid4().hex[:12]}"
    with tempfile.TemporaryDirectory(prefix="chaos-") as scratch:
        folder = Path(scratch) / "installation"
        with opened(
            folder,
            half.database,
            naive=half.naive,
            contained=half.contained,
            patience=half.patience,
            crew=half.crew,
            installation=installation,
        ) as ground:
            ground.ready()
            ground.begin(max(LEAST_REPOS, half.runs // RUNS_EACH))
            done = _act(ground, half, say)
            say("no more faults")
            _recover(ground, half)
            counted = audit(ground)
            left = _left(ground, half, installation)
    return Outcome(half, done, replace(counted, left=left), time.monotonic() - started)


def _act(ground: Ground, half: Half, say: Callable[[str], None]) -> Mapping[str, int]:
    rng = random.Random(half.seed)  # noqa: S311
    done: Counter[str] = Counter()
    for name, builds, pause in script(half):
        ground.supervise()
        ground.until(lambda: half.naive or ground.unfinished() < BACKLOG, 120, "room for more runs")
        ground.red(builds)
        time.sleep(pause)
        started = time.monotonic()
        ACTS[name](ground, rng)
        done[name] += 1
        say(f"{name}: {time.monotonic() - started:.1f} s, {ground.unfinished()} runs unfinished")
    return done


def _recover(ground: Ground, half: Half) -> None:
    """No more faults. What GitHub could not bring is asked for now rather than in five minutes, and the pauses of what
    was tried before are cut short: how long those are is decided elsewhere."""
    ground.hub.clear_faults()
    ground.ready()
    ground.hub.settle(120)
    if half.naive:
        _idle(ground, half.seconds)
        return
    engine = open_engine(ground.database_url)
    Errands(engine).open(Recover(), f"recover:chaos-{uuid.uuid4()}")
    engine.dispose()
    ground.until(lambda: _hurried(ground) == 0, half.seconds, "everything that was asked for is over")


_OPEN = (
    "SELECT (SELECT count(*) FROM delivery WHERE state = 'new') + (SELECT count(*) FROM run WHERE state <> 'done')"
    " + (SELECT count(*) FROM errand WHERE state IN ('queued', 'running') AND kind <> 'settle'"
    " AND NOT (kind = 'recover' AND tries > 0))"
)
_SOONER = (
    "UPDATE run SET next_ring = 0, rung_at = NULL WHERE state = 'queued' AND tries > 0 AND next_ring > 0",
    "UPDATE errand SET next_at = 0 WHERE state = 'queued' AND tries > 0 AND next_at > 0",
)


def _hurried(ground: Ground) -> int:
    ground.hub.settle(120)  # what was asked for and is not out yet would be asked for once more
    for statement in _SOONER:
        ground.rows(statement)
    ground.supervise()
    time.sleep(0.5)
    if left := ground.count(_OPEN):
        return left
    for guid in _asked_in_vain(ground):
        ground.hub.redeliver(guid)
    ground.hub.settle(120)
    # first: what arrives while this is counted is open afterwards
    missing = len(_undelivered(ground, ground.hub.deliveries()))
    return missing + ground.count(_OPEN)


def _undelivered(ground: Ground, tried: Sequence[Mapping[str, Any]]) -> set[str]:
    """Deliveries that never got through. One can be stored and its answer lost, when the receiver is killed between."""
    failed = {one["guid"] for one in tried} - {one["guid"] for one in tried if one["status"] == "OK"}
    return failed - {row.guid for row in ground.rows("SELECT guid FROM delivery")} if failed else failed


def _asked_in_vain(ground: Ground) -> set[str]:
    """Those that GitHub was asked for already, and could not bring either: Heal waits an hour before it asks again, and
    an operator presses the button, as often as it takes."""
    tried = ground.hub.deliveries()
    return _undelivered(ground, tried) & {one["guid"] for one in tried if one["redelivery"]}


def _idle(ground: Ground, seconds: float) -> None:
    """Until nothing is rung for any more and nobody works: what is not over then never will be."""
    since, shown = time.monotonic(), (0, 0, 0)

    def still() -> bool:
        nonlocal since, shown
        with ground.client() as client:
            bells = int(client.llen(BELLS))
        routed = ground.count("SELECT count(*) FROM delivery WHERE state <> 'new'")
        now = (bells, len(ground.hub.requests()), routed)
        if bells or now != shown:
            since, shown = time.monotonic(), now
        return time.monotonic() - since > QUIET_SECONDS

    ground.until(still, seconds, "nothing is rung for and nobody works")


def _left(ground: Ground, half: Half, installation: str) -> Sequence[str]:
    """What is still there after everything was stopped and one more sweeper has looked: a worker's own does so twice a
    minute."""
    ground.close_down()
    with closing(Engine()) as engine, ground.sweeper():
        looked = engine if half.contained else None
        try:
            with suppress(TimeoutError):
                ground.until(lambda: not leftovers(ground, looked, installation), 30, "nothing is left behind")
            return leftovers(ground, looked, installation)
        finally:
            if half.contained:
                remove_all(engine, installation)


QUIET_SECONDS = 10.0
"""Nobody asks GitHub anything for so long only when nobody works."""
RUNS = 340
"""Builds that turn red by the script; many faults bring one or two more."""


def naive(seed: int) -> Half:
    """Some of the same faults with no ledger."""
    return Half("sqlite", seed, 10, NAIVE, naive=True, gap=1.0, patience=4.0)


def short(database: str, seed: int) -> Half:
    """The short form on one of the databases, beside other tests: limits of time are those of the whole suite."""
    contained = 4 if database == "postgresql" else 0
    return Half(database, seed, 10, SHORT[database], contained=contained, seconds=120.0, gap=0.5, patience=4.0)


def halves(seed: int, runs: int, databases: Sequence[str]) -> list[Half]:
    """The whole suite: as many runs and faults on each of the databases."""
    return [
        Half(name, seed + n, runs // len(databases), {**LONG, **OF[name]}, 8 if name == "sqlite" else 0, crew=3)
        for n, name in enumerate(databases)
    ]
