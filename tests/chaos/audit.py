"""What is counted at the end, from outside: the double's repositories, the database, processes, engine and disk."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sandbox import reaper
from sandbox.engine import Engine
from sandbox.usage import ROLE
from tests.chaos.ground import RESUMES_WITHIN, Ground
from workers.domain import Outcome
from workers.git.mirror import LOCK
from workers.store.lease import MOST_CLAIMS

RED = frozenset({"failure", "timed_out"})
KEPT = (*reaper.KEPT, "marker", ROLE)
OVER = frozenset({"routed", "ignored"})


@dataclass(frozen=True)
class Audit:
    """Counts. `lost`, `twice` and `left` name each thing that should not be; they are empty when all is well."""

    accepted: int
    """Deliveries that GitHub was told are stored."""
    due: int
    """Red workflow runs: one run each."""
    outcomes: Mapping[str, int]
    claims: int
    retries: int
    ended: int
    """Workers that ended without having been killed."""
    astray: Sequence[str]
    """Runs that ended otherwise than the story ends, though nothing is wrong with their commits. One is given up where
    the suite killed its worker time and again at one stage."""
    lost: Sequence[str]
    twice: Sequence[str]
    left: Sequence[str]
    resumed: Sequence[float]
    """Seconds from the death of a process to the next claim of the run it worked on, where nothing else was away."""
    within: float
    """Seconds that those may be."""

    @property
    def wrong(self) -> list[str]:
        """Everything that should not be."""
        late = [f"a run waited {gap:.0f} s after its worker was killed" for gap in self.resumed if gap > self.within]
        ended = [f"{self.ended} workers ended by themselves"] if self.ended else []
        return [*self.lost, *self.astray, *self.twice, *self.left, *late, *ended]


def audit(ground: Ground) -> Audit:
    """Count while receiver, workers and double are still there; `leftovers` looks once they have stopped."""
    state = ground.hub.call("state")["repos"]
    runs = ground.rows("SELECT id, repo, head_sha, state, outcome, detail FROM run")
    accepted = _accepted(ground)
    due = {
        (repo, run["head_sha"]) for repo, held in state.items() for run in held["workflow_runs"]
        if run["conclusion"] in RED
    }  # fmt: skip
    found = Counter((run.repo, run.head_sha) for run in runs)
    lost = [
        *_unrouted(ground, accepted),
        *(f"no run for {repo} {sha[:7]}" for repo, sha in sorted(due - found.keys())),
        *(f"run {run.id} is {run.state}" for run in runs if run.state != "done"),
        *_unseen(ground, state, runs),
    ]
    known = {run.id for run in runs}
    killed = Counter(death.run for death in ground.deaths)
    poison = {run for run, times in killed.items() if times >= MOST_CLAIMS - 1}  # its first claim may have slept
    twice = [
        *(f"{what}: of no run" for what in _effects(ground, state) if what.split()[-1].rpartition("-")[2] not in known),
        *(f"{count} runs for {repo} {sha[:7]}" for (repo, sha), count in found.items() if count > 1),
        *(f"{what}: {count} times" for what, count in _effects(ground, state).items() if count > 1),
        *_checkpoints(ground),
    ]
    kinds = Counter(row[0] for row in ground.rows("SELECT kind FROM event WHERE kind IN ('claimed', 'retry', 'crash')"))
    return Audit(
        accepted=len(accepted),
        due=len(due),
        outcomes=Counter(str(run.outcome) for run in runs),
        claims=kinds["claimed"],
        retries=kinds["retry"] + kinds["crash"],
        ended=ground.ended,
        astray=[
            f"run {run.id} ended as {run.outcome}: {run.detail}"
            for run in runs
            if run.outcome not in (None, Outcome.FIXED) and not (run.outcome == Outcome.CRASHED and run.id in poison)
        ],
        lost=lost,
        twice=twice,
        left=(),
        resumed=_resumed(ground),
        within=RESUMES_WITHIN * ground.patience,
    )


def _accepted(ground: Ground) -> set[str]:
    return {str(one["guid"]) for one in ground.hub.deliveries() if one["status_code"] == 202}


def _unrouted(ground: Ground, accepted: set[str]) -> list[str]:
    kept = {row.guid: row.state for row in ground.rows("SELECT guid, state FROM delivery")}
    wrong = {guid: kept.get(guid, "not stored") for guid in accepted if kept.get(guid) not in OVER}
    return [f"accepted delivery {guid} is {what}" for guid, what in wrong.items()]


def _effects(ground: Ground, state: Mapping[str, Any]) -> Counter[str]:
    """Everything that a run shows on GitHub, by the run's id."""
    shown: Counter[str] = Counter()
    for held in state.values():
        shown.update(f"pull request of {one['head']['ref']}" for one in held["pulls"])
        shown.update(f"branch {name}" for name in held["branches"] if name.startswith("heal/"))
        shown.update(f"check run of {one['external_id']}" for one in held["check_runs"] if one["name"] == "heal")
        ours = [one["number"] for one in held["comments"] if one["user"]["login"] == ground.app.bot]
        numbers = {one["number"]: one["head"]["ref"] for one in held["pulls"]}
        shown.update(f"comment of {numbers.get(number, number)}" for number in ours)
    return shown


def _unseen(ground: Ground, state: Mapping[str, Any], runs: Sequence[Any]) -> list[str]:
    """What a run that ended well did not show, or left open."""
    shown = _effects(ground, state)
    fixed = [run.id for run in runs if run.outcome == Outcome.FIXED.value]
    wanted = [
        what for run in fixed for branch in [f"heal/replay-{run}"]
        for what in (f"pull request of {branch}", f"branch {branch}", f"comment of {branch}", f"check run of {run}")
    ]  # fmt: skip
    open_checks = [
        f"check run of {one['external_id']} is {one['status']}" for held in state.values()
        for one in held["check_runs"] if one["name"] == "heal" and one["status"] != "completed"
    ]  # fmt: skip
    return [*(f"no {what}" for what in wanted if not shown[what]), *open_checks]


def _checkpoints(ground: Ground) -> list[str]:
    """A stage that was finished and recorded is not worked on again."""
    rows = ground.rows("SELECT run_id, title, data FROM event WHERE kind = 'stage'")
    done = Counter((row.run_id, row.title) for row in rows if json.loads(row.data).get("state") == "finished")
    return [f"stage {stage} of {run}: finished {count} times" for (run, stage), count in done.items() if count > 1]


def _resumed(ground: Ground) -> list[float]:
    claims: dict[str, list[float]] = {}
    for row in ground.rows("SELECT run_id, at FROM event WHERE kind = 'claimed' ORDER BY at"):
        claims.setdefault(row.run_id, []).append(float(row.at))
    gaps = []
    for death in ground.deaths:
        again = next((at for at in claims.get(death.run, ()) if at > death.at), None)
        if again is not None and not any(start < again and end > death.at for start, end in ground.outages):
            gaps.append(again - death.at)
    return sorted(gaps)


def leftovers(ground: Ground, engine: Engine | None, installation: str) -> list[str]:
    """What has stayed behind, after everything has been stopped: processes, containers, volumes, temporary files."""
    left = [f"process {pid}" for pid in ground.processes()]
    left += [f"file {path}" for path in sorted((ground.folder / "tmp").iterdir())]
    locks = [path for path in (ground.state_dir / "mirrors").rglob("*.lock") if path.name != LOCK]
    left += [f"in the mirrors: {path}" for path in sorted(locks)]
    if engine is not None:
        label = f"heal.owner={installation}"
        left += [
            f"container {name}"
            for name, marks in engine.containers(label).items()
            if reaper.abandoned(marks, installation, 0)
        ]
        left += [f"volume {one.name}" for one in engine.volumes(label) if one.labels["heal.role"] not in KEPT]
    return left


def shortly(values: Sequence[float]) -> str:
    """Number, middle and largest of some seconds."""
    if not values:
        return "none"
    return f"{len(values)}, median {values[len(values) // 2]:.1f} s, longest {values[-1]:.1f} s"
