"""May we, should we, is it still the head? Decides before anything is cloned, run or spent."""

from __future__ import annotations

from collections.abc import Callable
from fnmatch import fnmatchcase
from pathlib import PurePosixPath

from workers.domain import Aim, Case, Outcome
from workers.errors import Stop
from workers.messages.markup import quote
from workers.ports import Admission, Forge, Memory
from workers.repo_config import Notify


def admit(case: Case, forge: Forge, memory: Memory, runs_today: Callable[[], int]) -> Admission:
    """Ask the forge what it knows and refuse what must not be healed. Raises `Stop` with the rule that refused.

    `runs_today` counts the repository's runs that were admitted within the last 24 hours; asked last, and only here.
    """
    admission = forge.admission(case)
    if admission.archived:
        raise _no(admission, Outcome.DISABLED, "The repository is archived.")
    if admission.config.mode == "off":
        why = admission.note or "`mode: off` in `.github/heal.yml` on the default branch."
        raise _no(admission, Outcome.DISABLED, why, quiet=not case.requested_by)
    _wanted(case, admission)
    if case.ours is None:
        _not_our_own(case, admission, memory)
    if admission.fork:
        _foreign(case, admission)
    if not admission.head_is_current and case.aim is not Aim.REBASE:
        raise _no(admission, Outcome.HEAD_MOVED, f"{quote(case.branch)} has moved on from `{case.head_sha[:7]}`.")
    limit = admission.config.limits.runs_per_day
    if runs_today() >= limit:
        runs = f"{limit} run{'s' if limit > 1 else ''} within 24 hours"
        why = f"This repository had {runs}, which is its `limits.runs_per_day`."
        raise _no(admission, Outcome.OVER_BUDGET, why)
    return admission


def _not_our_own(case: Case, admission: Admission, memory: Memory) -> None:
    """What CI says of a fix of ours is followed by the run that made it, and only that goes on with it."""
    if admission.own_branch:
        why = f"{quote(case.branch)} is a branch of Heal's own; its CI is watched, not healed."
        raise _no(admission, Outcome.DUPLICATE, why)
    if not case.requested_by and memory.made(case.head_sha):
        why = f"`{case.head_sha[:7]}` is a commit of Heal's own; its CI is watched by the run that made it."
        raise _no(admission, Outcome.DUPLICATE, why)


def _foreign(case: Case, admission: Admission) -> None:
    """Code of a fork is run only as far as `fork_runs` goes, and only for a commit that is named.

    Nobody here asked for the fork's events, so a refusal of one is said in the check run alone.
    """
    rule, loud = admission.config.fork_runs, case.requested_by is not None
    why = ""
    if admission.pull_request is None:
        why = "No open pull request has this commit of a fork as its head."
    elif rule == "never":
        why = "Code of forks is not run here (`fork_runs: never`)."
    elif rule == "on_command" and case.trusted_sha != case.head_sha:
        why = (
            "This is code of a fork, and nobody with write access has allowed it to be run. Comment "
            f"`/heal {case.head_sha[:7]}` to let Heal run exactly this commit."
        )
    if why:
        raise _no(admission, Outcome.REFUSED_BY_POLICY, why, comment=loud)


def _wanted(case: Case, admission: Admission) -> None:
    """The repository may name what starts runs; a person who asks is held to nothing but `triggers.commands`, and what
    goes on with a fix of ours was started before."""
    triggers = admission.config.triggers
    if case.requested_by:
        if not triggers.commands:
            raise _no(admission, Outcome.DISABLED, "`triggers.commands: false` in `.github/heal.yml`.")
        return
    if case.ours is not None:
        return
    made = PurePosixPath(case.workflow_path).name if case.actions_run_id else case.job
    for key, globs, name, wanted in (
        ("workflows", triggers.workflows, made, True),
        ("exclude_workflows", triggers.exclude_workflows, made, False),
        ("branches", triggers.branches, case.branch, True),
    ):
        if globs and name and any(fnmatchcase(name, glob) for glob in globs) is not wanted:
            verb = "does not name" if wanted else "names"
            why = f"`triggers.{key}` in `.github/heal.yml` {verb} {quote(name)}."
            raise _no(admission, Outcome.DISABLED, why, quiet=True)
    kinds = {"none": admission.pull_request is not None or admission.fork, "same-repo": admission.fork, "all": False}
    if kinds[triggers.pull_requests]:
        why = f"`triggers.pull_requests: {triggers.pull_requests}` in `.github/heal.yml`."
        raise _no(admission, Outcome.DISABLED, why, quiet=True)


def _no(admission: Admission, outcome: Outcome, why: str, *, quiet: bool = False, comment: bool = True) -> Stop:
    """The refusal, told as the repository wants to be told; `quiet`: it asked for nothing, so nothing is shown, and
    without `comment` the check run alone says it."""
    notify = Notify(comment="never", check=False) if quiet else admission.config.notify
    if not comment:
        notify = notify.model_copy(update={"comment": "never"})
    return Stop(outcome, why, notify=notify.model_dump_json())
