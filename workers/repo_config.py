"""The repository's own settings, `.github/heal.yml` on the default branch: what may stand there and what it means."""

from __future__ import annotations

import difflib
import re
from typing import Annotated, Literal

import annotated_types
from pydantic import AfterValidator, BaseModel, ConfigDict, Field, ValidationError
from pydantic_core import ErrorDetails

from workers import strict_yaml
from workers.strict_yaml import Path

_HOST = re.compile(r"(?:\*\.)?(?:[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?\.){1,8}[a-z](?:[a-z0-9-]{0,61}[a-z0-9])?")


class _Section(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


def _host(text: str) -> str:
    """A host name in lower case, or one with `*.` in front for all below it. Addresses and single words are none."""
    host = text.lower()
    if len(host) > 253 or not _HOST.fullmatch(host):
        raise ValueError("a host name such as api.example.org or *.example.org")
    return host


HostName = Annotated[str, AfterValidator(_host)]


class Triggers(_Section):
    """Which red jobs start a run by themselves: globs over workflow file names and branches; empty means all."""

    workflows: tuple[str, ...] = ()
    branches: tuple[str, ...] = ()


class EnvironmentSection(_Section):
    """How to make the environment, where the workflow does not say it well enough."""

    image: str | None = None
    setup: tuple[str, ...] | None = None
    env: dict[str, str] = Field(default_factory=dict)
    timeout: int = Field(default=600, ge=10, le=3600, description="seconds for one command")
    memory: int = Field(default=2, ge=1, le=16, description="GiB of memory for one command")
    network: tuple[HostName, ...] = Field(
        default=(), max_length=20, description="hosts that the check may reach, if the operator grants them too"
    )


class Verify(_Section):
    """What proves a fix."""

    command: str | None = None
    repeat: int = Field(default=2, ge=1, le=10)


class Flaky(_Section):
    """How a failure is told from chance."""

    reruns: int = Field(default=5, ge=1, le=20, description="runs of the failing command on the unchanged commit")
    rerun: bool = Field(default=False, description="have GitHub run the failed jobs of a flaky failure once more")


class Policy(_Section):
    """What a patch may change."""

    max_files: int = Field(default=5, ge=1, le=100)
    max_lines: int = Field(default=120, ge=1, le=5000)
    protected_paths: tuple[str, ...] = (".github/**", "LICENSE", "**/migrations/**")
    allow_test_edits: bool = False


class PullRequest(_Section):
    """How the pull request looks."""

    draft: Literal["auto", "always", "never"] = "auto"
    labels: tuple[str, ...] = ("heal",)


class RunLimits(_Section):
    """Ceilings of one run and one day."""

    attempts: int = Field(default=8, ge=1, le=20)
    heals_per_failure: int = Field(
        default=2,
        ge=1,
        le=100,
        description="runs within seven days that work on the same failure of the same pull request or branch",
    )
    runs_per_day: int = Field(default=20, ge=1, le=1000)
    usd_per_run: float = Field(default=1.0, ge=0, le=50)
    bisect: int = Field(default=300, ge=0, le=3600, description="seconds for finding the commit that broke it; 0: none")


class Infrastructure(_Section):
    """What may be done when CI broke, and not the code."""

    rerun: bool = Field(default=False, description="have GitHub run the failed jobs once more")


class RepoConfig(_Section):
    """The whole file. Zero configuration works: every key has a default."""

    version: Literal[1] = 1
    mode: Literal["off", "observe", "propose"] = "propose"
    publish: Literal["stacked", "push", "suggest"] = Field(
        default="stacked",
        description="how a fix reaches a pull request of this repository: a pull request onto its branch, a commit on "
        "it, or one review with suggestions",
    )
    fork_runs: Literal["never", "on_command", "always"] = Field(
        default="on_command", description="whether code of a fork is run: only after `/heal <sha>` by default"
    )
    triggers: Triggers = Triggers()
    environment: EnvironmentSection = EnvironmentSection()
    verify: Verify = Verify()
    flaky: Flaky = Flaky()
    policy: Policy = Policy()
    pr: PullRequest = PullRequest()
    limits: RunLimits = RunLimits()
    infrastructure: Infrastructure = Infrastructure()
    instructions: str = Field(default="", max_length=2000)

    def may_rerun(self, *, flaky: bool) -> bool:
        """Failed jobs may be run once more, when the failure was `flaky` or else when CI broke; `mode: observe` wants
        nothing done."""
        return self.mode == "propose" and (self.flaky.rerun if flaky else self.infrastructure.rerun)


MAX_BYTES = 64 * 1024
_MAX_ALIASES = 20
PATH = ".github/heal.yml"


class ConfigError(Exception):
    """The file is refused. `problems` are sentences for people, each with its place, all of them at once."""

    def __init__(self, problems: list[str]) -> None:
        super().__init__("\n".join(problems))
        self.problems = problems


def parse(text: str) -> RepoConfig:
    """Read the file; an empty one means all defaults. Raises `ConfigError`."""
    try:
        document = strict_yaml.load(text.removeprefix("\ufeff"), max_bytes=MAX_BYTES, max_aliases=_MAX_ALIASES)
    except strict_yaml.YamlProblem as problem:
        raise ConfigError([f"{PATH}:{problem.line}:{problem.column} {problem.message}"]) from problem
    value = {} if document.value is None else document.value
    if not isinstance(value, dict):
        raise ConfigError([f"{PATH}:1:1 expected keys and values, got {_shown(value)}"])
    try:
        return RepoConfig.model_validate(value)
    except ValidationError as error:
        raise ConfigError(_problems(error.errors(), document)) from error


def _problems(found: list[ErrorDetails], document: strict_yaml.Document) -> list[str]:
    return [_problem(details, document) for details in sorted(found, key=lambda d: document.place(d["loc"]))]


def _problem(details: ErrorDetails, document: strict_yaml.Document) -> str:
    line, column = document.place(details["loc"])
    name = ".".join(map(str, details["loc"]))
    return f"{PATH}:{line}:{column} {name} - {_reason(details)}"


def _reason(details: ErrorDetails) -> str:
    if details["type"] == "extra_forbidden":
        return _unknown_key(details["loc"])
    context = details.get("ctx", {})
    got = f", got {_shown(details['input'])}"
    if details["type"] == "literal_error":
        return f"expected {context.get('expected')}{got}"
    if bounds := _bounds(details["loc"]):
        return f"expected a number {bounds}{got}"
    if details["type"] in ("model_type", "dict_type"):
        return f"expected keys and values{got}"
    message = details["msg"].removeprefix("Input should be ").removeprefix("Value error, ")
    return f"expected {message}{got}"


def _unknown_key(location: Path) -> str:
    section: type[BaseModel] = RepoConfig
    for name in location[:-1]:
        section = _section(section, str(name)) or section
    allowed = sorted(section.model_fields)
    key = str(location[-1])
    near = difflib.get_close_matches(key, allowed, n=3)
    near.sort(key=lambda name: sorted(name) != sorted(key))  # swapped letters are the likeliest slip
    hint = f' Did you mean "{near[0]}"?' if near else ""
    return f"unknown key.{hint} Allowed: {', '.join(allowed)}"


def _bounds(location: Path) -> str:
    """The whole range of a number, not only the end that was crossed."""
    section: type[BaseModel] | None = RepoConfig
    for key in location[:-1]:
        section = _section(section, str(key)) if section else None
    field = section.model_fields.get(str(location[-1])) if section and location else None
    bounds = (
        [rule for rule in field.metadata if isinstance(rule, annotated_types.Ge | annotated_types.Le)] if field else []
    )
    low = next((rule.ge for rule in bounds if isinstance(rule, annotated_types.Ge)), None)
    high = next((rule.le for rule in bounds if isinstance(rule, annotated_types.Le)), None)
    return f"between {low} and {high}" if low is not None and high is not None else ""


def _section(section: type[BaseModel], key: str) -> type[BaseModel] | None:
    field = section.model_fields.get(key)
    kind = field.annotation if field else None
    return kind if isinstance(kind, type) and issubclass(kind, BaseModel) else None


def _shown(value: object) -> str:
    text = (
        f'"{value}"'
        if isinstance(value, str)
        else type(value).__name__
        if isinstance(value, dict | list)
        else str(value)
    )
    return text if len(text) <= 80 else text[:77] + "..."
