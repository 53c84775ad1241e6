"""What a workflow file says, as values: jobs, their steps, what they are called with. Nothing is evaluated yet."""

from __future__ import annotations

import posixpath
from collections.abc import Mapping
from dataclasses import dataclass, field

from workers.services import Written


class WorkflowError(Exception):
    """The file is no workflow; the message is one sentence for people."""


def own_path(uses: str) -> str | None:
    """The path in the repository that a `uses:` names (`./path` in the workspace, `$/path` in the workflow's commit);
    None for what lies elsewhere."""
    if not uses.startswith(("./", "$/")):
        return None
    return posixpath.normpath(uses[2:].partition("@")[0].lstrip("/"))


@dataclass(frozen=True)
class Step:
    """One step as written. `run` or `uses` is set."""

    name: str = ""
    id: str = ""
    run: str | None = None
    uses: str | None = None
    inputs: Mapping[str, str] = field(default_factory=dict)
    shell: str | None = None
    workdir: str | None = None
    env: Mapping[str, str] = field(default_factory=dict)
    condition: str = ""
    continue_on_error: bool | str = False
    """As a text it is an expression."""
    timeout_minutes: float | None = None

    @property
    def title(self) -> str:
        """The name GitHub shows for it."""
        first = (self.run or "").strip().split("\n")[0]
        return self.name or f"Run {self.uses or first}"


@dataclass(frozen=True)
class Input:
    """One input of a reusable workflow or an action: its default value and its type (`string` when not said)."""

    default: object = None
    kind: str = "string"


@dataclass(frozen=True)
class Job:
    """One job as written."""

    key: str
    name: str
    runs_on: str
    """The labels of its runner, joined by commas."""
    steps: tuple[Step, ...]
    env: Mapping[str, str] = field(default_factory=dict)
    shell: str | None = None
    workdir: str | None = None
    matrix: object = None
    """As the file has it: `workers.workflow.matrix` spreads it. None for a job without one."""
    strategy: Mapping[str, object] = field(default_factory=dict)
    needs: tuple[str, ...] = ()
    outputs: Mapping[str, str] = field(default_factory=dict)
    container: str | None = None
    container_env: Mapping[str, str] = field(default_factory=dict)
    container_options: str = ""
    private_container: bool = False
    services: tuple[Written, ...] = ()
    computed_services: bool = False
    """The services are one expression: which they are is known at run time only."""
    uses: str | None = None
    inputs: Mapping[str, object] = field(default_factory=dict)
    """What a reusable workflow is called with."""
    permissions: Mapping[str, str] = field(default_factory=dict)
    condition: str = ""
    timeout_minutes: float | None = None


@dataclass(frozen=True)
class Workflow:
    """A parsed file."""

    name: str
    triggers: tuple[str, ...]
    env: Mapping[str, str]
    jobs: tuple[Job, ...]
    inputs: Mapping[str, Input] = field(default_factory=dict)
    """What it takes when another workflow calls it."""

    def job(self, key: str) -> Job | None:
        """The job with this key."""
        return next((job for job in self.jobs if job.key == key), None)
