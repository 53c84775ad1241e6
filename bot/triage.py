"""What an event asks of us: one pure function from an event to a decision of a closed set.

Only facts that the delivery itself carries count here; whatever has to be asked of GitHub is `admit`'s business. An
event that starts nothing still gets a reason, because the inbox shows it to whoever asks why nothing happened.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import assert_never

from bot.events import (
    CheckRunCompleted,
    CommentCreated,
    Event,
    InstallationChanged,
    InstallationRepositoriesChanged,
    Ping,
    PullRequestChanged,
    Pushed,
    RepositoryChanged,
    ReviewSubmitted,
    Scope,
    StatusReported,
    Unhandled,
    WorkflowRunCompleted,
)
from workers import commands
from workers.domain import Case, Outcome, RunId, Sha
from workers.errands.model import Payload
from workers.run_key import actions_key, check_key, run_key

STARTING = frozenset({"failure", "timed_out"})
"""Conclusions that start a run. The others wait for a person, were wanted, or are not about the code."""

OWN_BRANCHES = "heal/"
ACTIONS = "github-actions"
GOING_AWAY = {"deleted": "Heal was uninstalled.", "suspend": "Heal was suspended."}

_SHA = re.compile(r"[0-9a-f]{40}(?:[0-9a-f]{24})?")
_REPO = re.compile(r"(?!\.+/)[A-Za-z0-9_.-]+/(?!\.+\Z)[A-Za-z0-9_.-]+")


@dataclass(frozen=True)
class Identity:
    """Who we are, to tell our own check runs and comments from others'. Empty values match nothing."""

    app_id: int = 0
    app_slug: str = ""

    def made(self, check: CheckRunCompleted) -> bool:
        """The check run is one of ours."""
        same_slug = bool(self.app_slug) and check.app_slug == self.app_slug
        return same_slug or (self.app_id > 0 and check.app_id == self.app_id)


@dataclass(frozen=True)
class Start:
    """Open a run for `case` (its `run` is still empty) unless one with `key` exists.

    `wait` holds it back until the workflow run has ended; `instead` names the key of a waiting run that this one
    replaces, when the two could not have the same key.
    """

    key: str
    case: Case
    wait: bool = False
    instead: str = ""


@dataclass(frozen=True)
class Settle:
    """The workflow run ended without a failure: end the waiting run with `key`, if there is one."""

    key: str
    why: str


@dataclass(frozen=True)
class Wake:
    """The CI on one of our own branches has news: ring the parked run that waits for it."""

    repo_id: int
    branch: str


@dataclass(frozen=True)
class CancelBranch:
    """End the runs of a branch that a change at `at` has overtaken, except those for `keep`.

    `before` is the head that the change replaced. Both are "" or 0 when the event does not say.
    """

    repo_id: int
    branch: str
    keep: str
    before: str
    at: float
    outcome: Outcome
    why: str


@dataclass(frozen=True)
class CancelInstallation:
    """End every run of an installation."""

    installation_id: int
    why: str


@dataclass(frozen=True)
class Send:
    """Open an errand for the workers unless one with `key` exists; it is due in `after` seconds."""

    payload: Payload
    key: str
    after: float = 0.0


@dataclass(frozen=True)
class Ignore:
    """Nothing to do, and why."""

    reason: str


Decision = Start | Settle | Wake | CancelBranch | CancelInstallation | Send | Ignore


def decide(event: Event, own: Identity) -> Decision:  # noqa: C901 - one line per kind of event
    """The decision for one event."""
    match event:
        case CheckRunCompleted():
            return _check_run(event, own)
        case WorkflowRunCompleted():
            return _workflow_run(event)
        case PullRequestChanged():
            return _pull_request(event)
        case Pushed():
            return _push(event)
        case CommentCreated():
            return _comment(event)
        case InstallationChanged() | InstallationRepositoriesChanged() | RepositoryChanged():
            return _tenant(event)
        case ReviewSubmitted():
            return Ignore("reviews are read by a later version")
        case StatusReported():
            return Ignore("unsupported: commit statuses carry no log to start from")
        case Ping():
            return Ignore("ping")
        case Unhandled():
            return Ignore(f"nothing to do for {event.event} {event.action}".rstrip())
        case _:
            assert_never(event)


def _check_run(event: CheckRunCompleted, own: Identity) -> Decision:
    if own.made(event):
        return Ignore("our own check run")
    if event.branch.startswith(OWN_BRANCHES):
        return Wake(repo_id=event.scope.repo.id, branch=event.branch)
    if event.conclusion not in STARTING:
        return Ignore(f"conclusion {event.conclusion or 'missing'} starts nothing")
    missing = _missing(event.scope, event.head_sha, event.branch)
    if missing:
        return Ignore(missing)
    case = Case(
        run=RunId(""),
        repo=event.scope.repo.full_name,
        repo_id=event.scope.repo.id,
        installation_id=event.scope.installation_id,
        head_sha=Sha(event.head_sha),
        branch=event.branch,
        job=event.name,
        job_id=event.id,
        actions_run_id=event.actions_run_id,
        pull_request=event.pull_request,
    )
    if event.app_slug == ACTIONS:
        if not event.actions_run_id:
            return Ignore("the check run names no workflow run")
        # The event does not carry the attempt; the workflow run's own event does, and it replaces this run.
        return Start(key=run_key(case), case=case, wait=True)
    if not event.id:
        return Ignore("the check run has no id")
    return Start(key=check_key(case.repo_id, event.id), case=case)


def _workflow_run(event: WorkflowRunCompleted) -> Decision:
    repo = event.scope.repo
    fork = event.head_repo_id != repo.id
    if event.branch.startswith(OWN_BRANCHES) and not fork:
        return Wake(repo_id=repo.id, branch=event.branch)
    if event.path.startswith("dynamic/"):
        return Ignore("a dynamic workflow has no file to reproduce from")
    waiting = actions_key(repo.id, event.id, 1)
    if event.conclusion not in STARTING:
        why = f"workflow run ended as {event.conclusion or 'unknown'}: nothing to heal"
        return Settle(key=waiting, why=why) if repo.id and event.id else Ignore(why)
    missing = _missing(event.scope, event.head_sha, event.branch) or ("" if event.id else "the run has no id")
    if missing:
        return Ignore(missing)
    case = Case(
        run=RunId(""),
        repo=repo.full_name,
        repo_id=repo.id,
        installation_id=event.scope.installation_id,
        head_sha=Sha(event.head_sha),
        branch=event.branch,
        actions_run_id=event.id,
        attempt=event.attempt,
        workflow_path=event.path.partition("@")[0],
        pull_request=event.pull_request,
        fork=fork,
    )
    key = run_key(case)
    return Start(key=key, case=case, instead="" if key == waiting else waiting)


def _missing(scope: Scope, head_sha: str, branch: str) -> str:
    """What a run cannot do without and the payload does not say; "" when all is there."""
    if not scope.installation_id:
        return "the payload names no installation"
    if not scope.repo.id or not _REPO.fullmatch(scope.repo.full_name):
        return "the payload names no repository"
    if not _SHA.fullmatch(head_sha):
        return "the payload names no head commit"
    return "" if branch else "the payload names no branch"


def _pull_request(event: PullRequestChanged) -> Decision:
    repo_id = event.scope.repo.id
    if not repo_id or not event.branch:
        return Ignore("the payload names no repository or branch")
    if event.head_repo_id != repo_id:
        return Ignore("pull request from a fork: its branch is not ours to follow")
    if event.action == "closed":
        if event.branch.startswith(OWN_BRANCHES):
            return Wake(repo_id=repo_id, branch=event.branch)
        verb = "merged" if event.merged else "closed"
        why = f"Pull request #{event.number} was {verb}."
        return CancelBranch(
            repo_id=repo_id,
            branch=event.branch,
            keep="",
            before=event.head_sha,
            at=event.at,
            outcome=Outcome.CANCELLED,
            why=why,
        )
    if event.action == "synchronize" and not event.branch.startswith(OWN_BRANCHES):
        return _moved(repo_id, event.branch, event.before, event.head_sha, event.at)
    return Ignore(f"pull request {event.action}: its checks will tell")


def _push(event: Pushed) -> Decision:
    branch, repo_id = event.ref.removeprefix("refs/heads/"), event.scope.repo.id
    if branch == event.ref or not repo_id:
        return Ignore("not a branch")
    if branch.startswith(OWN_BRANCHES):
        return Ignore("a push to one of our own branches")
    if event.deleted:
        why = f"`{branch}` was deleted."
        return CancelBranch(repo_id, branch, "", event.before, event.at, Outcome.CANCELLED, why)
    return _moved(repo_id, branch, event.before, event.after, event.at)


def _moved(repo_id: int, branch: str, before: str, head_sha: str, at: float) -> Decision:
    if not _SHA.fullmatch(head_sha):
        return Ignore("the payload names no head commit")
    why = f"`{branch}` has moved on to `{head_sha[:7]}`."
    return CancelBranch(repo_id, branch, head_sha, before, at, Outcome.HEAD_MOVED, why)


def _comment(event: CommentCreated) -> Decision:
    if event.scope.sender_is_bot:
        return Ignore("a comment by a bot")
    command = commands.find(event.body)
    if command is None:
        return Ignore("no command")
    return Ignore("commands are read by a later version")


def _tenant(event: InstallationChanged | InstallationRepositoriesChanged | RepositoryChanged) -> Decision:
    """Single repositories need no care: a run whose repository is gone or closed to us ends when GitHub says so."""
    installation_id = event.scope.installation_id
    if not installation_id:
        return Ignore("the payload names no installation")
    if isinstance(event, InstallationChanged) and event.action in GOING_AWAY:
        return CancelInstallation(installation_id=installation_id, why=GOING_AWAY[event.action])
    return Ignore(f"{event.action or 'change'}: noted, ids stay the same")
