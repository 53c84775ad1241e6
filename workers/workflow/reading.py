"""Reads workflow and action files that strangers wrote: what has the wrong type is left out, never guessed.

YAML anchors work as in every YAML, and so do merge keys (`<<`).
"""

from __future__ import annotations

import shlex
from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from workers import strict_yaml
from workers.expressions import as_text
from workers.services import Written
from workers.workflow.model import Input, Job, Step, Workflow, WorkflowError

MAX_BYTES = 512 * 1024
_MAX_ALIASES = 200
_MERGE = "<<"
Raw = Mapping[str, object]


@dataclass(frozen=True)
class Composite:
    """An action file of the repository. `steps` is empty unless it is a composite one; `using` says what it runs by."""

    using: str
    steps: tuple[Step, ...] = ()
    inputs: Mapping[str, Input] = field(default_factory=dict)
    outputs: Mapping[str, str] = field(default_factory=dict)


def parse(text: str) -> Workflow:
    """Read a workflow file. Raises `WorkflowError`."""
    root = _load(text, "workflow file")
    if not isinstance(root, dict):
        raise WorkflowError("The workflow file holds no mapping, so it has no jobs.")
    jobs = root.get("jobs")
    if not isinstance(jobs, dict) or not jobs:
        raise WorkflowError("The workflow file has no jobs.")
    on = root.get("on")
    return Workflow(
        name=as_text(root.get("name")),
        triggers=_triggers(on),
        env=_words(root.get("env")),
        jobs=tuple(_job(key, job, root) for key, job in jobs.items() if isinstance(job, dict)),
        inputs=_inputs(_section(on, "workflow_call").get("inputs")),
    )


def parse_action(text: str) -> Composite:
    """Read an `action.yml`. Raises `WorkflowError`."""
    raw = _load(text, "action file")
    runs = _section(raw, "runs")
    using = as_text(runs.get("using"))
    if not using:
        raise WorkflowError("The action file does not say what the action runs by.")
    outputs = _section(raw, "outputs")
    return Composite(
        using=using,
        steps=_steps(runs.get("steps")) if using == "composite" else (),
        inputs=_inputs(_section(raw, "inputs")),
        outputs={name: as_text(_section(outputs, name).get("value")) for name in outputs},
    )


def _load(text: str, what: str) -> object:
    try:
        document = strict_yaml.load(text.removeprefix("\ufeff"), max_bytes=MAX_BYTES, max_aliases=_MAX_ALIASES)
    except strict_yaml.YamlProblem as problem:
        raise WorkflowError(
            f"The {what} is not valid YAML: line {problem.line}, column {problem.column}: {problem.message}."
        ) from problem
    return _merged(document.value)


def _merged(value: object) -> object:
    """The value with merge keys followed: what a mapping says itself wins, then the first of several merged ones."""
    if isinstance(value, list):
        return [_merged(item) for item in value]
    if not isinstance(value, dict):
        return value
    own = {key: _merged(item) for key, item in value.items() if key != _MERGE}
    if _MERGE not in value:
        return own
    merged = _merged(value[_MERGE])
    taken: dict[str, object] = {}
    for other in merged if isinstance(merged, list) else [merged]:
        taken = {**other, **taken} if isinstance(other, dict) else taken
    return {**taken, **own}


def _job(key: str, raw: Raw, root: Raw) -> Job:
    run = {**_section(_section(root, "defaults"), "run"), **_section(_section(raw, "defaults"), "run")}
    permissions = raw.get("permissions", root.get("permissions"))
    return replace(
        _surroundings(key, raw),
        name=as_text(raw.get("name")),
        steps=_steps(raw.get("steps")),
        env=_words(raw.get("env")),
        shell=_optional(run.get("shell")),
        workdir=_optional(run.get("working-directory")),
        uses=_optional(raw.get("uses")),
        inputs=_section(raw, "with"),
        needs=_list(raw.get("needs")),
        outputs=_words(raw.get("outputs")),
        permissions=_words(permissions) if isinstance(permissions, dict) else {"": as_text(permissions)},
        condition=as_text(raw.get("if")),
        timeout_minutes=_minutes(raw.get("timeout-minutes")),
    )


def _surroundings(key: str, raw: Raw) -> Job:
    """The job without its steps: where it runs, how often, and with what beside it."""
    container = raw.get("container")
    described = _section(raw, "container")
    strategy = _section(raw, "strategy")
    return Job(
        key=key,
        name="",
        runs_on=_runs_on(raw.get("runs-on")),
        steps=(),
        matrix=strategy.get("matrix"),
        strategy=strategy,
        container=_optional(described.get("image") if isinstance(container, dict) else container),
        container_env=_words(described.get("env")),
        container_options=as_text(described.get("options")),
        private_container="credentials" in described,
        services=tuple(_service(name, one) for name, one in _section(raw, "services").items()),
        computed_services=isinstance(raw.get("services"), str),
    )


def _service(name: str, value: object) -> Written:
    raw = value if isinstance(value, dict) else {"image": value}
    ports, command = raw.get("ports"), raw.get("command")
    return Written(
        name=name,
        image=as_text(raw.get("image")),
        env=_words(raw.get("env")),
        ports=tuple(as_text(port) for port in ports) if isinstance(ports, list) else (),
        options=as_text(raw.get("options")),
        command=shlex.join(map(as_text, command)) if isinstance(command, list) else as_text(command),
        private="credentials" in raw,
        refused=tuple(key for key in ("volumes", "entrypoint") if raw.get(key)),
    )


def _steps(raw: object) -> tuple[Step, ...]:
    return tuple(_step(step) for step in raw if isinstance(step, dict)) if isinstance(raw, list) else ()


def _step(raw: Raw) -> Step:
    goes_on = raw.get("continue-on-error")
    return Step(
        name=as_text(raw.get("name")),
        id=as_text(raw.get("id")),
        run=_optional(raw.get("run")),
        uses=_optional(raw.get("uses")),
        inputs=_words(raw.get("with")),
        shell=_optional(raw.get("shell")),
        workdir=_optional(raw.get("working-directory")),
        env=_words(raw.get("env")),
        condition=as_text(raw.get("if")),
        continue_on_error=goes_on if isinstance(goes_on, bool | str) else False,
        timeout_minutes=_minutes(raw.get("timeout-minutes")),
    )


def _inputs(raw: object) -> Mapping[str, Input]:
    if not isinstance(raw, dict):
        return {}
    described = {name: _section(raw, name) for name in raw}
    return {name: Input(one.get("default"), as_text(one.get("type")) or "string") for name, one in described.items()}


def _triggers(on: object) -> tuple[str, ...]:
    if isinstance(on, str):
        return (on,)
    return tuple(map(as_text, on)) if isinstance(on, list | dict) else ()


def _runs_on(value: object) -> str:
    if isinstance(value, dict):
        value = value.get("labels", value.get("group"))
    return ", ".join(map(as_text, value)) if isinstance(value, list) else as_text(value)


def _minutes(value: object) -> float | None:
    return float(value) if isinstance(value, int | float) and not isinstance(value, bool) else None


def _section(raw: object, key: str) -> Raw:
    value = raw.get(key) if isinstance(raw, dict) else None
    return value if isinstance(value, dict) else {}


def _list(value: object) -> tuple[str, ...]:
    return tuple(map(as_text, value)) if isinstance(value, list) else (as_text(value),) if value else ()


def _optional(value: object) -> str | None:
    return None if value is None else as_text(value)


def _words(value: object) -> Mapping[str, str]:
    return {key: as_text(item) for key, item in value.items()} if isinstance(value, dict) else {}
