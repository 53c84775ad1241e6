"""The repository's own settings, `.github/heal.yml` on the default branch: what may stand there and what it means."""

from __future__ import annotations

from workers.repo_config.model import (
    EnvironmentSection,
    Flaky,
    Infrastructure,
    Models,
    Notify,
    Paths,
    Policy,
    PullRequest,
    RepoConfig,
    RunLimits,
    ServiceSection,
    Triggers,
    Verify,
)
from workers.repo_config.problems import Problem
from workers.repo_config.reading import PATH, ConfigError, parse

__all__ = [
    "PATH",
    "ConfigError",
    "EnvironmentSection",
    "Flaky",
    "Infrastructure",
    "Models",
    "Notify",
    "Paths",
    "Policy",
    "Problem",
    "PullRequest",
    "RepoConfig",
    "RunLimits",
    "ServiceSection",
    "Triggers",
    "Verify",
    "parse",
]
