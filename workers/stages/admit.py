"""May we, should we, is it still the head? Decides before anything is cloned, run or spent."""

from __future__ import annotations

from collections.abc import Callable
from fnmatch import fnmatchcase
from pathlib import PurePosixPath

from workers.domain import Case, Outcome
from workers.errors import Stop
from workers.messages.markup import quote
from workers.ports import Admission, Forge
from workers.repo_config import Triggers


def admit(case: Case, forge: Forge, runs_today: Callable[[], int]) -> Admission:
    """Ask the forge what it knows and refuse what must not be healed. Raises `Stop` with the rule that refused.

    `runs_today` counts the repository's runs that were admitted within the last 24 hours; asked last, and only here.
    """
    admission = forge.admission(case)
    if admission.archived:
        raise Stop(Outcome.DISABLED, "The repository is archived.")
    if admission.config.mode == "off":
        raise Stop(Outcome.DISABLED, "`mode: off` in `.github/heal.yml` on the default branch.")
    _wanted(case, admission.config.triggers)
    if admission.own_branch:
        raise Stop(Outcome.DUPLICATE, f"{quote(case.branch)} is a branch of Heal's own; its CI is watched, not healed.")
    if admission.fork:
        raise Stop(
            Outcome.REFUSED_BY_POLICY,
            "The pull request comes from a fork. This version never runs a fork's code.",
        )
    if not admission.head_is_current:
        raise Stop(Outcome.HEAD_MOVED, f"{quote(case.branch)} has moved on from `{case.head_sha[:7]}`.")
    limit = admission.config.limits.runs_per_day
    if runs_today() >= limit:
        raise Stop(
            Outcome.OVER_BUDGET,
            f"This repository had {limit} run{'s' if limit > 1 else ''} within 24 hours, "
            "which is its `limits.runs_per_day`.",
        )
    return admission


def _wanted(case: Case, triggers: Triggers) -> None:
    """The repository may name the workflows and branches that start runs; a person who asks is not held to it."""
    if case.requested_by:
        return
    file = PurePosixPath(case.workflow_path).name
    for key, globs, name in (("workflows", triggers.workflows, file), ("branches", triggers.branches, case.branch)):
        if globs and name and not any(fnmatchcase(name, glob) for glob in globs):
            raise Stop(Outcome.DISABLED, f"`triggers.{key}` in `.github/heal.yml` does not name {quote(name)}.")
