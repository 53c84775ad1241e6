"""What the operator of an installation allows at most, whatever a repository or an organisation asks for.

A bound can only tighten: a number is a ceiling, a word the most that may be done, a list is added to what is protected.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Literal

from pydantic import Field

from workers.errors import UsageError
from workers.repo_config.kinds import Gibibytes, Globs, Number, Seconds, Switch, Whole
from workers.repo_config.model import ForkRuns, Mode, Publish, Section
from workers.repo_config.reading import MAX_BYTES, ConfigError, read
from workers.tables import dig

_ORDER: Mapping[str, Sequence[str]] = {
    "mode": ("off", "observe", "propose"),
    "publish": ("suggest", "stacked", "push"),
    "fork_runs": ("never", "on_command", "always"),
    "models.propose": ("none", "default"),
}
"""Words from the least to the most that may be done."""


class EnvironmentBounds(Section):
    """Ceilings of one command."""

    timeout: Seconds | None = Field(default=None, description="Longest time for one command.")
    cpus: Number | None = Field(default=None, ge=0.5, le=2, description="Most cores for one command.")
    memory: Gibibytes | None = Field(default=None, description="Most memory for one command.")


class RerunBound(Section):
    """Whether repositories may have failed jobs run again by GitHub."""

    rerun: Switch | None = Field(default=None, description="`false`: no failed jobs are run again.")


class PolicyBounds(Section):
    """What no patch may do."""

    max_files: Whole | None = Field(default=None, ge=1, le=100, description="Most files of one patch.")
    max_lines: Whole | None = Field(default=None, ge=1, le=5000, description="Most lines of one patch.")
    protected_paths: Globs | None = Field(default=None, description="Protected in every repository, beside its own.")
    allow_test_edits: Switch | None = Field(default=None, description="`false`: no patch changes tests.")
    allow_dependency_changes: Switch | None = Field(
        default=None, description="`false`: no patch changes what lists dependencies."
    )


class PullRequestBounds(Section):
    """Ceilings of what is open at a time."""

    max_open: Whole | None = Field(default=None, ge=1, le=100, description="Most open pull requests of a repository.")


class LimitBounds(Section):
    """Ceilings of one run and one day."""

    attempts: Whole | None = Field(default=None, ge=1, le=20, description="Most candidate patches of one run.")
    rounds: Whole | None = Field(default=None, ge=0, le=10, description="Most further runs when CI is red on a fix.")
    heals_per_failure: Whole | None = Field(
        default=None, ge=1, le=100, description="Most runs within 7 days for one failure of one branch."
    )
    runs_per_day: Whole | None = Field(default=None, ge=1, le=1000, description="Most runs within 24 hours.")
    usd_per_run: Number | None = Field(default=None, ge=0, le=50, description="Most US dollars of one run.")
    usd_per_day: Number | None = Field(default=None, ge=0, le=1000, description="Most US dollars within 24 hours.")
    tokens_per_day: Whole | None = Field(
        default=None, ge=0, le=1_000_000_000, description="Most tokens of the model within 24 hours."
    )
    sandbox_seconds_per_run: Whole | None = Field(
        default=None, ge=0, le=10_000_000, description="Most seconds of the sandbox of one run."
    )
    sandbox_seconds_per_day: Whole | None = Field(
        default=None, ge=0, le=1_000_000_000, description="Most seconds of the sandbox within 24 hours."
    )
    candidates_per_run: Whole | None = Field(
        default=None, ge=0, le=1_000_000_000, description="Most candidate patches that run in the sandbox in one run."
    )
    candidates_per_day: Whole | None = Field(
        default=None, ge=0, le=1_000_000_000, description="Most candidate patches that run within 24 hours."
    )
    bisect: Whole | None = Field(default=None, ge=0, le=3600, description="Most seconds of a search for the commit.")


class ModelBounds(Section):
    """What a model may be asked for."""

    propose: Literal["default", "none"] | None = Field(
        default=None, description="`none`: no repository's code is sent to a model."
    )
    agent: Switch | None = Field(default=None, description="`false`: no model runs commands in the sandbox.")


class Bounds(Section):
    """The whole of `HEAL_POLICY_FILE`. What is not there bounds nothing."""

    version: Literal[1] = Field(default=1, description="Of this file's format.")
    require_config: Switch = Field(
        default=False, description="Whether a repository without a `.github/heal.yml` of its own is left alone."
    )
    mode: Mode | None = Field(default=None, description="The most that is done; less than `push` forbids pushing.")
    publish: Publish | None = Field(
        default=None, description="The most direct way to a pull request: suggest, stacked or push."
    )
    fork_runs: ForkRuns | None = Field(default=None, description="The most that is done for forks.")
    environment: EnvironmentBounds = EnvironmentBounds()
    flaky: RerunBound = RerunBound()
    infrastructure: RerunBound = RerunBound()
    policy: PolicyBounds = PolicyBounds()
    pr: PullRequestBounds = PullRequestBounds()
    limits: LimitBounds = LimitBounds()
    models: ModelBounds = ModelBounds()

    def of(self, key: str) -> object:
        """The bound on a key (`limits.attempts`) once `mode: push` is taken apart; None where there is none."""
        if key == "publish" and self.publish is None and self.mode not in (None, "push"):
            return "stacked"
        bound = dig(self.model_dump(), *key.split("."))
        return "propose" if (key, bound) == ("mode", "push") else bound


def tightened(key: str, value: object, bound: object) -> object:
    """The value within the bound."""
    if isinstance(bound, bool):
        return value and bound
    if isinstance(bound, tuple) and isinstance(value, tuple):
        return tuple(dict.fromkeys((*value, *bound)))
    if isinstance(bound, int | float) and isinstance(value, int | float):
        return min(value, bound)
    order = _ORDER[key]
    return min(str(value), str(bound), key=order.index)


class Rules(Section):
    """What the operator decided: the bounds, and which repositories take part at all (patterns; none: all)."""

    bounds: Bounds = Bounds()
    repositories: tuple[str, ...] = ()

    def serves(self, full_name: str) -> bool:
        """The repository (`owner/name`) takes part."""
        name = full_name.lower()
        return not self.repositories or any(fnmatchcase(name, glob.lower()) for glob in self.repositories)


def rules(policy_file: Path | None, repositories: tuple[str, ...]) -> Rules:
    """The operator's decisions, from the settings. Raises `UsageError` for a policy that cannot be used: it is never
    taken as none."""
    if policy_file is None:
        return Rules(repositories=repositories)
    try:
        with policy_file.open("rb") as file:
            text = file.read(MAX_BYTES + 1).decode(errors="replace")
        bounds = read(text, Bounds, str(policy_file))
    except OSError as error:
        raise UsageError(f"HEAL_POLICY_FILE: {error}") from error
    except ConfigError as error:
        raise UsageError(f"HEAL_POLICY_FILE: {error}") from error
    return Rules(bounds=bounds, repositories=repositories)
