"""The steps of a job as its workflow file writes them, for when there is no log that shows what ran."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import replace

from sandbox.spec import Fidelity, Step
from workers.job_steps import inlined, limits
from workers.job_steps.bound import Bound
from workers.job_steps.collected import Collected, JobSteps, unsupported
from workers.job_steps.inlined import Placed
from workers.job_steps.ready import shown, written
from workers.scripts import only_installs

_FOR_LATER = re.compile(r"\bGITHUB_(?:OUTPUT|ENV|PATH)\b")
"""A step that writes there prepares others."""


def from_file(bound: Bound, conclusions: Sequence[tuple[str, str]]) -> JobSteps:
    """The steps in order. `conclusions` are (name, conclusion) from the job API, may be empty.

    Without a failing step the check is the first step that does more than install; the later ones follow.
    """
    told = {name: {end for other, end in conclusions if other == name} for name, _ in conclusions}
    ends = {name: end for name, (end, *others) in told.items() if not others}  # two steps may have one name
    placed = [ran for one in inlined.inline(bound) if (ran := _ran(one, ends)) is not None]
    red = next((at for name, end in conclusions if end == "failure" for at in _places(placed, name)), None)
    collected = Collected(fidelity=Fidelity.CLOSE, notes=["read from the workflow file, without a log", *bound.notes])
    collected.notes += [f"unknown here: {what}" for what in bound.unknown]
    if note := limits.machine_note(bound):
        collected.approximate(note)
    check, at = _failed(placed, bound, collected, red) if red is not None else _first(placed, bound, collected)
    after = later_steps(placed[at + 1 :], bound, collected) if check else ()
    minutes = (placed[at].step.timeout_minutes if check else None) or bound.job.timeout_minutes
    return collected.finished(check, after, bound, bound.env, minutes)


def later_steps(placed: Sequence[Placed], bound: Bound, collected: Collected) -> tuple[Step, ...]:
    """The steps after the failing one that prove something."""
    found = (written(one, bound, collected, later=True)[0] for one in placed)
    return tuple(step for step in found if step is not None)


def _ran(placed: Placed, ends: Mapping[str, str]) -> Placed | None:
    """The step without its conditions where the job API says that it ran, None where it was skipped."""
    end, around = ends.get(shown(placed), ""), ends.get(placed.inside, "") if placed.inside else ""
    if "skipped" in (end, around):
        return None
    if end in ("success", "failure"):
        placed = replace(placed, step=replace(placed.step, condition=""))
    return replace(placed, gates=()) if around in ("success", "failure") else placed


def _places(placed: Sequence[Placed], name: str) -> Sequence[int]:
    """Where the step with this name stands; the job API gives the steps of an action as one, under its title."""
    own = [at for at, one in enumerate(placed) if shown(one) == name]
    inner = [at for at, one in enumerate(placed) if one.inside == name]
    return [*own, *(at for at in inner if not only_installs(placed[at].step.run or "")), *reversed(inner)]


def _failed(placed: Sequence[Placed], bound: Bound, collected: Collected, red: int) -> tuple[Step, int]:
    """The step that failed, and its place; those before it are collected. Raises `Stop(UNSUPPORTED)`."""
    for one in placed[:red]:
        found, _ = written(one, bound, collected, later=False)
        collected.steps += [found] if found else []
    check, secrets = written(placed[red], bound, collected, later=False)
    if check is None:
        why = collected.skipped[-1].reason if collected.skipped else "it would not run"
        raise unsupported(f"The step that failed, '{shown(placed[red])}', cannot be run in the sandbox: {why}.")
    if secrets:
        limits.refuse_secret(check.name, secrets)
    return check, red


def _first(placed: Sequence[Placed], bound: Bound, collected: Collected) -> tuple[Step | None, int]:
    """The first step that does more than install or tell others something, and its place."""
    for at, one in enumerate(placed):
        found, secrets = written(one, bound, collected, later=False)
        if found is None:
            continue
        if only_installs(found.script) or _FOR_LATER.search(found.script):
            collected.steps.append(found)
        elif not secrets:
            return found, at
        else:
            collected.skip(found.name, f"its command has {', '.join(secrets)}, which is empty here", weakens=True)
    return None, len(placed)
