"""The repository's own settings, `.github/heal.yml` on the default branch: what may be written there and what it means."""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel, ConfigDict, Field


class _Section(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Triggers(_Section):
    """Which red jobs start a run by themselves. Globs; empty means all."""

    workflows: tuple[str, ...] = ()
    branches: tuple[str, ...] = ()


class EnvironmentSection(_Section):
    """How to make the environment, where the workflow does not say it well enough."""

    image: str | None = None
    setup: tuple[str, ...] | None = None
    env: dict[str, str] = Field(default_factory=dict)
    timeout: int = Field(default=600, ge=10, le=3600, description="seconds for one command")


class Verify(_Section):
    """What proves a fix."""

    command: str | None = None
    repeat: int = Field(default=2, ge=1, le=10)


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

    attempts: int = Field(default=4, ge=1, le=20)
    runs_per_day: int = Field(default=20, ge=1, le=1000)
    usd_per_run: float = Field(default=1.0, ge=0, le=50)


class RepoConfig(_Section):
    """The whole file. Zero configuration works: every key has a default."""

    version: Literal[1] = 1
    mode: Literal["off", "observe", "propose"] = "propose"
    triggers: Triggers = Triggers()
    environment: EnvironmentSection = EnvironmentSection()
    verify: Verify = Verify()
    policy: Policy = Policy()
    pr: PullRequest = PullRequest()
    limits: RunLimits = RunLimits()
    instructions: str = Field(default="", max_length=2000)
