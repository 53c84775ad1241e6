"""What a process that holds secrets does about itself when it starts. Knows the secrets' names, not their values."""

from __future__ import annotations

import resource
from collections.abc import Mapping

APP_KEY = frozenset({"HEAL_PRIVATE_KEY", "HEAL_PRIVATE_KEY_FILE"})
SECRETS = frozenset(
    {
        *(*APP_KEY, "OPENAI_API_KEY", "HEAL_OPENAI_API_KEY"),
        *("HEAL_WEBHOOK_SECRET", "HEAL_WEBHOOK_SECRET_PREVIOUS", "HEAL_DASHBOARD_TOKEN", "HEAL_OAUTH_CLIENT_SECRET"),
    }
)
"""Variables that a child without need of them must not inherit."""


def forbid_core_dumps() -> None:
    """A crash writes no image of this process, keys included, to a disk. Children inherit it."""
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))


def without_secrets(environment: Mapping[str, str]) -> dict[str, str]:
    """The environment for a child that needs our addresses but no key."""
    return {name: value for name, value in environment.items() if name not in SECRETS}


def with_app_key_only(environment: Mapping[str, str]) -> dict[str, str]:
    """The environment for a child that speaks to GitHub and to no model."""
    return {name: value for name, value in environment.items() if name in APP_KEY or name not in SECRETS}
