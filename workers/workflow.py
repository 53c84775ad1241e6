"""A GitHub workflow file as typed jobs and steps, its matrix spread out and its job names as the check runs show them.

Only the file's own text is known here: what an expression needs beyond it stays unresolved and is said so.
"""

from __future__ import annotations

import itertools
import shlex
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from workers import strict_yaml
from workers.expressions import Rendered, Unresolved, as_text, evaluate, render, truthy
from workers.services import Written

__all__ = [
    "Job",
    "Rendered",
    "Step",
    "Unresolved",
    "Workflow",
    "WorkflowError",
    "evaluate",
    "parse",
    "render",
    "truthy",
]

MAX_BYTES = 512 * 1024
_MAX_ALIASES = 200
_MAX_CELLS = 256


class WorkflowError(Exception):
    """The file is no workflow; the message is one sentence for people."""


@dataclass(frozen=True)
class Step:
    """One step as written, expressions and all. `run` or `uses` is set."""

    name: str = ""
    id: str = ""
    run: str | None = None
    uses: str | None = None
    inputs: Mapping[str, str] = field(default_factory=dict)
    shell: str | None = None
    workdir: str | None = None
    env: Mapping[str, str] = field(default_factory=dict)
    condition: str = ""
    continue_on_error: bool = False
    timeout_minutes: float | None = None

    @property
    def title(self) -> str:
        """The name GitHub shows for it."""
        first = (self.run or "").strip().split("\n")[0]
        return self.name or f"Run {self.uses or first}"


@dataclass(frozen=True)
class Job:
    """One job as written. `matrix` is every combination, empty when there is none or it is computed at run time."""

    key: str
    name: str
    runs_on: str
    steps: tuple[Step, ...]
    env: Mapping[str, str] = field(default_factory=dict)
    shell: str | None = None
    workdir: str | None = None
    matrix: tuple[Mapping[str, object], ...] = ()
    dynamic_matrix: bool = False
    container: str | None = None
    container_env: Mapping[str, str] = field(default_factory=dict)
    container_options: str = ""
    private_container: bool = False
    services: tuple[Written, ...] = ()
    computed_services: bool = False
    """The services are one expression: which they are is known at run time only."""
    uses: str | None = None
    permissions: Mapping[str, str] = field(default_factory=dict)
    condition: str = ""

    def cells(self) -> tuple[Mapping[str, object], ...]:
        """The matrix combinations; one empty one for a job without a matrix."""
        return self.matrix or ({},)

    def shown_name(self, cell: Mapping[str, object]) -> str:
        """The name of the check run for one combination."""
        written = self.name or self.key
        if cell and "${{" not in written:
            values = ", ".join(as_text(value) for value in _leaves(cell))
            return f"{written} ({values})"
        return render(written, {"matrix": cell}).text


@dataclass(frozen=True)
class Workflow:
    """A parsed file."""

    name: str
    triggers: tuple[str, ...]
    env: Mapping[str, str]
    jobs: tuple[Job, ...]

    def find(self, name: str) -> tuple[Job, Mapping[str, object]] | None:
        """The job and the matrix combination whose check run has this name (or "caller / name"), or that key."""
        wanted = {" ".join(name.split()), " ".join(name.split(" / ")[-1].split())}
        pairs = [(job, cell) for job in self.jobs for cell in job.cells()]
        for job, cell in pairs:
            if " ".join(job.shown_name(cell).split()) in wanted:
                return job, cell
        for job, cell in pairs:
            bare = (job.name or job.key).split("${{")[0].strip()
            if job.key in wanted or (job.dynamic_matrix and bare and name.startswith(bare)):
                return job, cell
        return None


def parse(text: str) -> Workflow:
    """Read a workflow file. Raises `WorkflowError`."""
    try:
        document = strict_yaml.load(text.removeprefix("\ufeff"), max_bytes=MAX_BYTES, max_aliases=_MAX_ALIASES)
    except strict_yaml.YamlProblem as problem:
        raise WorkflowError(
            f"The workflow file is not valid YAML: line {problem.line}, column {problem.column}: {problem.message}."
        ) from problem
    root = document.value
    if not isinstance(root, dict):
        raise WorkflowError("The workflow file holds no mapping, so it has no jobs.")
    jobs = root.get("jobs")
    if not isinstance(jobs, dict) or not jobs:
        raise WorkflowError("The workflow file has no jobs.")
    defaults = _section(_section(root, "defaults"), "run")
    return Workflow(
        name=_word(root.get("name")),
        triggers=_triggers(root.get("on")),
        env=_words(root.get("env")),
        jobs=tuple(_job(key, job, defaults) for key, job in jobs.items() if isinstance(job, dict)),
    )


def _job(key: str, raw: Mapping[str, object], defaults: Mapping[str, object]) -> Job:
    run = {**defaults, **_section(_section(raw, "defaults"), "run")}
    steps = raw.get("steps")
    container = raw.get("container")
    matrix = _section(raw, "strategy").get("matrix")
    cells = _cells(matrix)
    return Job(
        key=key,
        name=_word(raw.get("name")),
        runs_on=_runs_on(raw.get("runs-on")),
        steps=tuple(_step(step) for step in steps if isinstance(step, dict)) if isinstance(steps, list) else (),
        env=_words(raw.get("env")),
        shell=_optional(run.get("shell")),
        workdir=_optional(run.get("working-directory")),
        matrix=cells,
        dynamic_matrix=matrix is not None and not cells,
        container=_optional(container.get("image") if isinstance(container, dict) else container),
        container_env=_words(_section(raw, "container").get("env")),
        container_options=_word(_section(raw, "container").get("options")),
        private_container="credentials" in _section(raw, "container"),
        services=tuple(_service(name, one) for name, one in _section(raw, "services").items()),
        computed_services=isinstance(raw.get("services"), str),
        uses=_optional(raw.get("uses")),
        permissions=_words(raw.get("permissions")),
        condition=_word(raw.get("if")),
    )


def _service(name: str, value: object) -> Written:
    raw = value if isinstance(value, dict) else {"image": value}
    ports, command = raw.get("ports"), raw.get("command")
    return Written(
        name=name,
        image=_word(raw.get("image")),
        env=_words(raw.get("env")),
        ports=tuple(as_text(port) for port in ports) if isinstance(ports, list) else (),
        options=_word(raw.get("options")),
        command=shlex.join(map(as_text, command)) if isinstance(command, list) else _word(command),
        private="credentials" in raw,
        refused=tuple(key for key in ("volumes", "entrypoint") if raw.get(key)),
    )


def _step(raw: Mapping[str, object]) -> Step:
    minutes = raw.get("timeout-minutes")
    return Step(
        name=_word(raw.get("name")),
        id=_word(raw.get("id")),
        run=_optional(raw.get("run")),
        uses=_optional(raw.get("uses")),
        inputs=_words(raw.get("with")),
        shell=_optional(raw.get("shell")),
        workdir=_optional(raw.get("working-directory")),
        env=_words(raw.get("env")),
        condition=_word(raw.get("if")),
        continue_on_error=raw.get("continue-on-error") is True,
        timeout_minutes=float(minutes) if isinstance(minutes, int | float) else None,
    )


def _cells(matrix: object) -> tuple[Mapping[str, object], ...]:
    """GitHub's order: the product of the lists, minus `exclude`, then each `include` joined or added."""
    if not isinstance(matrix, dict):
        return ()
    axes = {key: value for key, value in matrix.items() if key not in ("include", "exclude")}
    includes, excludes = matrix.get("include", []), matrix.get("exclude", [])
    if not all(isinstance(value, list) for value in (*axes.values(), includes, excludes)):
        return ()
    product: list[dict[str, object]] = []
    for values in itertools.islice(itertools.product(*axes.values()), _MAX_CELLS * 4):
        cell = dict(zip(axes, values, strict=True))
        if cell and not any(_matches(cell, rule) for rule in excludes):
            product.append(cell)
    return tuple(_include(product, includes, frozenset(axes))[:_MAX_CELLS])


def _include(product: list[dict[str, object]], includes: list[object], axes: frozenset[str]) -> list[dict[str, object]]:
    originals = [dict(cell) for cell in product]
    added: list[dict[str, object]] = []
    for entry in includes:
        if not isinstance(entry, dict):
            continue
        fixed = {key: value for key, value in entry.items() if key in axes}
        hits = [cell for cell, original in zip(product, originals, strict=True) if _matches(original, fixed)]
        for cell in hits:
            cell.update(entry)
        if not hits:
            added.append(dict(entry))
    return product + added


def _matches(cell: Mapping[str, object], rule: object) -> bool:
    return isinstance(rule, dict) and all(key in cell and cell[key] == value for key, value in rule.items())


def _leaves(value: object) -> Iterator[object]:
    if isinstance(value, dict):
        for item in value.values():
            yield from _leaves(item)
    elif isinstance(value, list):
        for item in value:
            yield from _leaves(item)
    else:
        yield value


def _triggers(on: object) -> tuple[str, ...]:
    if isinstance(on, str):
        return (on,)
    return tuple(str(name) for name in on) if isinstance(on, list | dict) else ()


def _runs_on(value: object) -> str:
    if isinstance(value, dict):
        value = value.get("labels", "")
    return ", ".join(map(as_text, value)) if isinstance(value, list) else _word(value)


def _section(raw: Mapping[str, object], key: str) -> Mapping[str, object]:
    value = raw.get(key)
    return value if isinstance(value, dict) else {}


def _word(value: object) -> str:
    return as_text(value)


def _optional(value: object) -> str | None:
    return None if value is None else as_text(value)


def _words(value: object) -> Mapping[str, str]:
    return {key: as_text(item) for key, item in value.items()} if isinstance(value, dict) else {}
