"""A job's steps with the repository's own composite actions in their place, each step with what its expressions see.

Actions that are programs of their own (node, docker) are never run; their places say so.
"""

from __future__ import annotations

import posixpath
from collections.abc import Mapping
from dataclasses import dataclass, replace

from sandbox.policy import WORKSPACE
from workers.expressions import Later, Partial, Secret, Unknown, as_text
from workers.job_steps.bound import Bound
from workers.job_steps.outputs import steps_context
from workers.workflow import Composite, Step, WorkflowError, parse_action

MAX_LEVELS = 10
_MAX_STEPS = 500


@dataclass(frozen=True)
class Gate:
    """The condition of an action that holds for all of its steps, and what it is judged by."""

    title: str
    condition: str
    bound: Bound


@dataclass(frozen=True)
class Placed:
    """One step in its place. `scope` is what stands before its id where it is an action's; `inside` is that action's
    title, as `gates` are the conditions of those it lies in. With a `problem` it is no step to run but says why not.
    """

    step: Step
    bound: Bound
    scope: str = ""
    inside: str = ""
    gates: tuple[Gate, ...] = ()
    tolerated: bool = False
    """An action that it lies in may fail."""
    problem: str = ""
    wrong: bool = False
    """The problem is the repository's: GitHub could not run the job either."""


def inline(bound: Bound) -> tuple[Placed, ...]:
    """The steps of the job in order."""
    return tuple(_placed(bound.job.steps, Placed(Step(), bound), ())[0][:_MAX_STEPS])


def _placed(steps: tuple[Step, ...], around: Placed, chain: tuple[str, ...]) -> tuple[list[Placed], Bound]:
    """The steps of one scope. A composite action's outputs are known to the steps after it."""
    found: list[Placed] = []
    bound = around.bound
    for at, step in enumerate(steps):
        here = replace(around, step=step, bound=bound)
        if not step.uses or not step.uses.startswith("./") or len(found) > _MAX_STEPS:
            found.append(here)
            continue
        inner, bound = _action(here, at, chain)
        found += inner
    return found, bound


def _action(here: Placed, at: int, chain: tuple[str, ...]) -> tuple[list[Placed], Bound]:
    folder = posixpath.normpath((here.step.uses or "").partition("@")[0])
    if folder in chain:
        why = f"the action {folder} calls itself by way of {' and '.join(chain)}"
        return [replace(here, problem=why, wrong=True)], here.bound
    if len(chain) >= MAX_LEVELS:
        return [
            replace(here, problem=f"its actions are nested deeper than {MAX_LEVELS} levels", wrong=True)
        ], here.bound
    try:
        action = _read(folder, here.bound)
    except WorkflowError as error:
        return [replace(here, problem=f"its action in {folder} cannot be read: {error}".rstrip("."))], here.bound
    if action.using != "composite":
        what = "in a container" if action.using == "docker" else f"by {action.using}"
        return [
            replace(here, problem=f"it is a program of the repository that runs {what}, which is not run here")
        ], here.bound
    inner = _inside(here, at, folder, action)
    found, after = _placed(action.steps, inner, (*chain, folder))
    return found, _with_outputs(here, action, after)


def _read(folder: str, bound: Bound) -> Composite:
    for name in ("action.yml", "action.yaml"):
        content = bound.tree.read(posixpath.normpath(posixpath.join(folder, name)))
        if content is not None:
            return parse_action(content.decode(errors="replace"))
    raise WorkflowError("there is no action.yml")


def _inside(here: Placed, at: int, folder: str, action: Composite) -> Placed:
    """What the steps of the action see: its inputs, its own steps' outputs, and the calling step's variables."""
    step, scope = here.step, f"{here.scope}{here.step.id or at}/"
    caller, _ = here.bound.with_env(step.env)
    given = {name.lower(): value for name, value in step.inputs.items()}
    inputs: dict[str, object] = {}
    for name, one in action.inputs.items():
        told = caller if name.lower() in given else replace(caller, contexts={**caller.contexts, "inputs": {}})
        inputs[name] = _value(given.get(name.lower(), as_text(one.default)), told)
    github = caller.contexts["github"]
    seen = Partial({**github, "action_path": f"{WORKSPACE}/{folder}"}) if isinstance(github, Mapping) else Partial()
    contexts = {**caller.contexts, "inputs": inputs, "github": seen}
    contexts["steps"] = steps_context(action.steps, contexts, scope)
    gates = (*here.gates, *([Gate(step.title, step.condition, caller)] if step.condition else ()))
    tolerated = here.tolerated or step.continue_on_error is True
    return Placed(step, replace(caller, contexts=contexts), scope, step.title, gates, tolerated)


def _with_outputs(here: Placed, action: Composite, after: Bound) -> Bound:
    """The scope of the calling step, which now knows what the action puts out."""
    bound, identity = here.bound, here.step.id
    steps = bound.contexts.get("steps")
    if not identity or not isinstance(steps, Mapping):
        return bound
    outputs = {name: _value(value, after) for name, value in action.outputs.items()}
    known = {**steps, identity: Partial({"outcome": "success", "conclusion": "success", "outputs": outputs})}
    return replace(bound, contexts={**bound.contexts, "steps": Partial(known)})


def _value(written: str, bound: Bound) -> object:
    """The text with its expressions replaced; a mark where only GitHub, or a step while the job runs, knows it."""
    rendered = bound.render(written)
    if rendered.unresolved:
        return Unknown(rendered.unresolved[0])
    if rendered.later:
        later = Later(rendered.later[0])
        return later if rendered.text == later.token else Unknown(later.path)
    return Secret(rendered.secrets[0]) if rendered.secrets and not rendered.text else rendered.text
