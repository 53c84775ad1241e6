"""What may stand in `.github/heal.yml` and what each key means; every key has a default and is used somewhere.

The same classes are the file, one layer of it, and what counts in the end (see `layers`).
"""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, GetJsonSchemaHandler, StringConstraints, model_validator
from pydantic_core import CoreSchema

from workers.repo_config.kinds import (
    AutoText,
    Gibibytes,
    Globs,
    HostName,
    Names,
    Number,
    Seconds,
    Switch,
    Text,
    Whole,
)

Mode = Literal["off", "observe", "propose", "push"]
Publish = Literal["stacked", "push", "suggest"]
ForkRuns = Literal["never", "on_command", "always"]


class Section(BaseModel):
    """Keys that belong together. Unknown ones are refused."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class Triggers(Section):
    """Which red jobs start a run by themselves. Patterns; empty means all. A person who asks is not held to them."""

    workflows: Globs = Field(
        default=(),
        examples=[["ci.yml"]],
        description="Workflow files, such as `ci.yml`; checks and statuses of other CI by their name, such as `ci/*`.",
    )
    exclude_workflows: Globs = Field(
        default=(),
        examples=[["deploy-*"]],
        description="Workflow files, and checks and statuses of other CI, that never start a run.",
    )
    branches: Globs = Field(
        default=(), examples=[["main", "release/*"]], description="Branches, such as `main` or `release/*`."
    )
    pull_requests: Literal["all", "same-repo", "none"] = Field(
        default="all",
        description="Which pull requests start runs: all (for forks see `fork_runs`), those of this repository, none.",
    )
    commands: Switch = Field(default=True, description="Whether `/heal` comments, buttons and labels start runs.")


class ServiceSection(Section):
    """A service container, as under `services` of a workflow; `name: image` is short for `name: {image: image}`."""

    image: Text = Field(examples=["postgres:16"], description="The image, such as `postgres:16`.")
    env: dict[str, str] = Field(default={}, description="Its environment variables.")
    ports: tuple[Annotated[Whole, Field(ge=1, le=65_535)], ...] = Field(
        default=(), max_length=20, description="Its ports. None: what the image is known for."
    )

    @model_validator(mode="before")
    @classmethod
    def _short(cls, value: object) -> object:
        return {"image": value} if isinstance(value, str) else value

    @classmethod
    def __get_pydantic_json_schema__(cls, core: CoreSchema, handler: GetJsonSchemaHandler) -> dict[str, Any]:
        return {"anyOf": [{"type": "string", "minLength": 1, "maxLength": 4000}, handler(core)]}


ServiceName = Annotated[str, StringConstraints(pattern=r"^[A-Za-z_][A-Za-z0-9_-]{0,62}$")]


class EnvironmentSection(Section):
    """How to make the environment, where the workflow does not say it well enough."""

    image: AutoText = Field(
        default=None, examples=["auto"], description="Image of the job: `python`, `node`, ... or a full reference."
    )
    setup: Annotated[tuple[Text, ...], Field(max_length=50)] | None = Field(
        default=None,
        examples=[["pip install -e .[test]"]],
        description="Commands that install what the check needs, instead of the job's own steps.",
    )
    services: dict[ServiceName, ServiceSection] = Field(
        default={},
        max_length=10,
        examples=[{"postgres": "postgres:16"}],
        description="Service containers, beside the job's own; same name: instead.",
    )
    env: dict[str, str] = Field(
        default={}, examples=[{"TZ": "UTC"}], description="Environment variables. Never a secret."
    )
    network: tuple[HostName, ...] = Field(
        default=(),
        max_length=20,
        examples=[["api.example.org"]],
        description="Hosts that the check may reach, if the operator grants them too.",
    )
    timeout: Seconds = Field(
        default=600, examples=["10m"], description="Time for one command: seconds, or such as `90s`, `30m`."
    )
    cpus: Number = Field(default=2.0, ge=0.5, le=2, description="Cores that one command may use.")
    memory: Gibibytes = Field(
        default=2.0, examples=["2g"], description="Memory for one command: GiB, or such as `4g`, `1536m`."
    )


class Verify(Section):
    """What proves a fix."""

    command: AutoText = Field(
        default=None, examples=["auto"], description="The command that has to turn green, instead of the job's."
    )
    full_job: Switch = Field(
        default=True,
        description="Whether the job's later steps have to be green too; if not, the pull request says so.",
    )
    repeat: Whole = Field(default=2, ge=1, le=10, description="How often the green check is run once more.")


class Flaky(Section):
    """How a failure is told from chance."""

    reruns: Whole = Field(default=5, ge=1, le=20, description="Runs of the failing command on the unchanged commit.")
    rerun: Switch = Field(default=False, description="Have GitHub run the failed jobs of a flaky failure once more.")


class Policy(Section):
    """What a patch may change."""

    max_files: Whole = Field(default=5, ge=1, le=100, description="Files that one patch may change.")
    max_lines: Whole = Field(default=120, ge=1, le=5000, description="Lines that one patch may add and remove.")
    protected_paths: Globs = Field(
        default=(".github/**", "LICENSE", "**/migrations/**"), description="Files that no patch may change."
    )
    allow_test_edits: Switch = Field(default=False, description="Whether a patch may change tests.")
    allow_dependency_changes: Switch = Field(
        default=True, description="Whether a patch may change what lists dependencies; locks only by their tool."
    )


class PullRequest(Section):
    """How a pull request looks."""

    draft: Literal["auto", "always", "never"] = Field(
        default="auto", description="Draft: until the repository's own CI is green, always, or never."
    )
    labels: Names = Field(default=("heal",), description="Labels it gets.")
    reviewers: Names = Field(
        default=(), examples=[["octocat"]], description="Logins (or `org/team`) that are asked to review it."
    )
    assignees: Names = Field(default=(), examples=[["octocat"]], description="Logins it is assigned to.")
    commit_style: Literal["auto", "conventional", "plain"] = Field(
        default="auto", description="Title and commit message: after the repository's habit, or always so."
    )
    signoff: Switch = Field(default=False, description="Whether commits end with `Signed-off-by`.")
    max_open: Whole = Field(default=3, ge=1, le=100, description="Pull requests of Heal that may be open at a time.")


class RunLimits(Section):
    """Ceilings of one run and one day."""

    attempts: Whole = Field(default=8, ge=1, le=20, description="Candidate patches that one run tries in the sandbox.")
    rounds: Whole = Field(
        default=2, ge=0, le=10, description="Further runs when CI is red on the fix with a failure of its own."
    )
    heals_per_failure: Whole = Field(
        default=2, ge=1, le=100, description="Runs within 7 days for one failure of one branch or pull request."
    )
    runs_per_day: Whole = Field(default=20, ge=1, le=1000, description="Runs within 24 hours.")
    usd_per_run: Number = Field(default=1.0, ge=0, le=50, description="US dollars for the model in one run.")
    usd_per_day: Number = Field(default=10.0, ge=0, le=1000, description="US dollars for the model within 24 hours.")
    tokens_per_day: Whole = Field(
        default=10_000_000,
        ge=0,
        le=1_000_000_000,
        description="Tokens of the model within 24 hours, also of one whose price is not known.",
    )
    sandbox_seconds_per_run: Whole = Field(
        default=100_000,
        ge=0,
        le=10_000_000,
        description="Seconds of commands in the sandbox, set-ups included, in one run.",
    )
    sandbox_seconds_per_day: Whole = Field(
        default=10_000_000, ge=0, le=1_000_000_000, description="The same within 24 hours."
    )
    candidates_per_run: Whole = Field(
        default=1_000_000,
        ge=0,
        le=1_000_000_000,
        description="Candidate patches that run in the sandbox in one run, those included that the search tries.",
    )
    candidates_per_day: Whole = Field(
        default=100_000_000, ge=0, le=1_000_000_000, description="The same within 24 hours."
    )
    bisect: Whole = Field(
        default=300, ge=0, le=3600, description="Seconds for finding the commit that broke it; 0: none."
    )


class Infrastructure(Section):
    """What may be done when CI broke, and not the code."""

    rerun: Switch = Field(default=False, description="Have GitHub run the failed jobs once more.")


class Notify(Section):
    """How much is said."""

    comment: Literal["on-result", "always", "never"] = Field(
        default="on-result", description="The one comment: when there is a result, from the start, or never."
    )
    check: Switch = Field(default=True, description="Whether there is a check run `heal` on the red commit.")


class Models(Section):
    """What a model is asked for."""

    propose: Literal["default", "none"] = Field(
        default="default", description="Fixes: the installation's model, or none: no code of it is sent to a model."
    )
    agent: Switch = Field(
        default=True,
        description="Whether a model may run commands in the sandbox, without network, where one answer does not do.",
    )


class Paths(Section):
    """Parts of the repository that Heal leaves alone."""

    ignore: Globs = Field(
        default=(), examples=[["vendor/**"]], description="Files that no patch may change and no model is shown."
    )


def _pushes(schema: dict[str, Any]) -> None:
    """`mode: push` is short for a mode and a way; the long form beside it must say the same."""
    schema["if"] = {"properties": {"mode": {"const": "push"}}, "required": ["mode"]}
    schema["then"] = {"properties": {"publish": {"const": "push"}}}


class RepoConfig(Section):
    """The whole file. Zero configuration works: every key has a default."""

    model_config = ConfigDict(json_schema_extra=_pushes)

    version: Literal[1] = Field(default=1, description="Of this file's format.")
    mode: Mode = Field(
        default="propose",
        description="off; observe: diagnose and tell; propose: a proven fix; push: propose with `publish: push`.",
    )
    publish: Publish = Field(
        default="stacked",
        description="How a fix reaches a pull request of this repository: a pull request onto its branch, a commit on "
        "it, or one review with suggestions.",
    )
    fork_runs: ForkRuns = Field(
        default="on_command", description="Whether code of a fork is run: by default only after `/heal <sha>`."
    )
    triggers: Triggers = Field(default=Triggers(), description=Triggers.__doc__)
    environment: EnvironmentSection = Field(default=EnvironmentSection(), description=EnvironmentSection.__doc__)
    verify: Verify = Field(default=Verify(), description=Verify.__doc__)
    flaky: Flaky = Field(default=Flaky(), description=Flaky.__doc__)
    policy: Policy = Field(default=Policy(), description=Policy.__doc__)
    pr: PullRequest = Field(default=PullRequest(), description=PullRequest.__doc__)
    limits: RunLimits = Field(default=RunLimits(), description=RunLimits.__doc__)
    infrastructure: Infrastructure = Field(default=Infrastructure(), description=Infrastructure.__doc__)
    notify: Notify = Field(default=Notify(), description=Notify.__doc__)
    models: Models = Field(default=Models(), description=Models.__doc__)
    paths: Paths = Field(default=Paths(), description=Paths.__doc__)
    instructions: str = Field(
        default="",
        max_length=2000,
        examples=["Keep Python 3.9 compatible."],
        description="What a model has to know of this repository, in plain words.",
    )

    @model_validator(mode="after")
    def _one_way(self) -> RepoConfig:
        if self.mode == "push" and "publish" in self.model_fields_set and self.publish != "push":
            raise ValueError("`mode: push` means `publish: push`: leave one of the two out")
        return self

    def settled(self) -> RepoConfig:
        """As it is used: `mode: push` taken apart into the two things it means."""
        return self.model_copy(update={"mode": "propose", "publish": "push"}) if self.mode == "push" else self

    def may_rerun(self, *, flaky: bool) -> bool:
        """Failed jobs may be run once more, when the failure was `flaky` or else when CI broke; `mode: observe` wants
        nothing done."""
        return self.mode == "propose" and (self.flaky.rerun if flaky else self.infrastructure.rerun)
