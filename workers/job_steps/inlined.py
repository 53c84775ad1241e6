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
from workers.workflow import Composite, Step, WorkflowError, own_path, parse_action

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
    """One step in its place. `scope` is what stands before its id where it is an action's; `inside` is the title of the
    job's own step that it is part of, `gates` are the conditions of the actions it lies in. With a `problem` it is no
    step to run but says why not.
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
    return tuple(_Inliner().placed(bound.job.steps, Placed(Step(), bound), ())[0][:_MAX_STEPS])


@dataclass
class _Inliner:
    """Walks steps and the actions they call. `left` counts all of them down: an action may call others many times."""

    left: int = _MAX_STEPS

    def placed(self, steps: tuple[Step, ...], around: Placed, chain: tuple[str, ...]) -> tuple[list[Placed], Bound]:
        """The steps of one scope. A composite action's outputs are known to the steps after it."""
        found: list[Placed] = []
        bound = around.bound
        for at, step in enumerate(steps):
            self.left -= 1
            here = replace(around, step=step, bound=bound)
            folder = own_path(step.uses or "")
            if folder is None or self.left < 0:
                found.append(here)
                continue
            inner, bound = self.action(here, folder, at, chain)
            found += inner
        return found, bound

    def action(self, here: Placed, folder: str, at: int, chain: tuple[str, ...]) -> tuple[list[Placed], Bound]:
        """The steps of an action of the repository, or one place that says why it has none."""
        if folder in chain:
            why = f"the action {folder} calls itself by way of {' and '.join(chain)}"
            return [replace(here, problem=why, wrong=True)], here.bound
        if len(chain) >= MAX_LEVELS:
            why = f"its actions are nested deeper than {MAX_LEVELS} levels"
            return [replace(here, problem=why, wrong=True)], here.bound
        try:
            action = _read(folder, here.bound)
        except WorkflowError as error:
            why = f"its action in {folder} cannot be read: {error}".rstrip(".")
            return [replace(here, problem=why)], here.bound
        if action.using != "composite":
            what = "in a container" if action.using == "docker" else f"by {action.using}"
            why = f"it is a program of the repository that runs {what}, which is not run here"
            return [replace(here, problem=why)], here.bound
        found, after = self.placed(action.steps, _inside(here, at, folder, action), (*chain, folder))
        return found, _with_outputs(here, action, after)


def _read(folder: str, bound: Bound) -> Composite:
    """The action file, also where the workflow puts its checkout into a folder of the workspace."""
    folders = [
        folder,
        *(folder.removeprefix(f"{path}/") for path in _checkouts(bound) if folder.startswith(f"{path}/")),
    ]
    for place in folders:
        for name in ("action.yml", "action.yaml"):
            content = bound.tree.read(posixpath.normpath(posixpath.join(place, name)))
            if content is not None:
                return parse_action(content.decode(errors="replace"))
    raise WorkflowError("there is no action.yml")


def _checkouts(bound: Bound) -> list[str]:
    paths = [
        bound.render(step.inputs["path"]).text
        for step in bound.job.steps
        if (step.uses or "").startswith("actions/checkout@") and "path" in step.inputs
    ]
    return [posixpath.normpath(path) for path in paths if path]


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
    return Placed(step, replace(caller, contexts=contexts), scope, here.inside or step.title, gates, tolerated)


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
