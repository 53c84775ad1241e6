"""What the person who asked for a run changes of the repository's configuration, for that run alone. Pure."""

from __future__ import annotations

from workers.domain import Case
from workers.repo_config import RepoConfig


def as_asked(config: RepoConfig, case: Case) -> RepoConfig:
    """The configuration with the image and the budget of the command.

    Who may ask for what was decided when the command was read; the operator's own ceilings stay where they are.
    """
    environment, limits = config.environment, config.limits
    if case.image:
        environment = environment.model_copy(update={"image": case.image})
    if case.budget_usd is not None:
        limits = limits.model_copy(update={"usd_per_run": case.budget_usd})
    return config.model_copy(update={"environment": environment, "limits": limits})
