"""Which combination of a matrix it was: the names GitHub gives to combinations, and what name and log tell of one."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

from workers import logs
from workers.expressions import Contexts, Partial, as_text, render
from workers.job_steps.bound import Bound
from workers.job_steps.holes import captures
from workers.workflow import Job, Step
from workers.workflow.matrix import Cell, Spread, leaves

_MATRIX = re.compile(r"matrix\.([A-Za-z_][\w-]*)")
_MAX_STEPS = 500
_BRACKETS = re.compile(r"(.*) \((.*)\)")


def shown_name(job: Job, cell: Cell, contexts: Contexts, spread: Spread) -> str:
    """The name of the check run for one combination; expressions that are not known here stay in it."""
    written = job.name or job.key
    if cell and "${{" not in written:
        return f"{written} ({', '.join(as_text(value) for value in leaves(cell))})"
    values = Partial() if spread.unknown else cell
    return render(written, {**contexts, "matrix": values}).text


def from_name(job: Job, name: str, spread: Spread, wanted: str, tail: str) -> Mapping[str, object] | None:
    """What a check run's name says of a combination whose matrix is computed at run time; None when it is not this
    job's. `name` is the job's as far as it is known, `wanted` the check run's, and `tail` what follows its last slash.
    """
    for text in dict.fromkeys((wanted, tail)):
        if "${{" in name:
            found = captures(" ".join(name.split()), text)
            if found is not None and any(_MATRIX.search(hole) for hole in found):
                return {match[1]: value for hole, value in found.items() if (match := _MATRIX.fullmatch(hole))}
        elif (brackets := _BRACKETS.fullmatch(text)) and brackets[1] == " ".join(name.split()):
            return _in_brackets(job, spread, brackets[2])
        elif text == name:
            return {}
    return None


def with_log(bound: Bound, told: Mapping[str, object], steps: Sequence[logs.LogStep]) -> dict[str, object]:
    """What is told of the combination, and what the log shows in places where the file has nothing but `matrix.x`."""
    cell = dict(told)
    for template, text in _pairs(bound.job.steps, steps):
        for hole, value in (captures(template, text) or {}).items():
            if match := _MATRIX.fullmatch(hole):
                cell.setdefault(match[1], value)
    return cell


def agreement(bound: Bound, steps: Sequence[logs.LogStep]) -> int:
    """How many values in the log are what this combination gives, less those that are not."""
    score = 0
    for template, text in _pairs(bound.job.steps, steps):
        rendered = bound.render(template)
        if not rendered.unresolved and not rendered.later:
            score += 1 if rendered.text == text else -1
    return score


def _in_brackets(job: Job, spread: Spread, text: str) -> Mapping[str, object]:
    """The values behind the job's name, by the names of its lists, or by the one name that the job uses."""
    values = text.split(", ")
    names = spread.axes if len(spread.axes) == len(values) else ()
    if not names and len(used := _used(job)) == len(values) == 1:
        names = used
    return dict(zip(names, values, strict=True)) if names else {}


def _used(job: Job) -> tuple[str, ...]:
    texts = [job.runs_on, job.container or "", *job.env.values()]
    for step in job.steps:
        texts += [step.run or "", step.condition, *step.inputs.values(), *step.env.values()]
    return tuple(dict.fromkeys(name for text in texts for name in _MATRIX.findall(text)))


def _pairs(written: Sequence[Step], logged: Sequence[logs.LogStep]) -> list[tuple[str, str]]:
    """(template, text) of what speaks of the matrix, in steps that are surely the same: by action, in order."""
    pairs: list[tuple[str, str]] = []
    rest = list(written)
    for step in logged[:_MAX_STEPS]:
        at = next((at for at, one in enumerate(rest) if _same(one, step)), None)
        if at is None:
            continue
        one, rest = rest[at], rest[at + 1 :]
        sides = ((one.inputs, step.inputs), (one.env, step.env), ({"run": one.run or ""}, {"run": step.script or ""}))
        pairs += [
            (template.strip(), there[name].strip())
            for here, there in sides
            for name, template in here.items()
            if "matrix." in template and name in there
        ]
    return pairs


def _same(one: Step, step: logs.LogStep) -> bool:
    if step.uses is not None:
        return one.uses == step.uses
    return one.run is not None and captures(one.run.strip(), (step.script or "").strip()) is not None
