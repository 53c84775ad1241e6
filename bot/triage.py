"""What an event asks of us: one pure function from an event to decisions of a closed set.

Only facts that the delivery itself carries count here; whatever has to be asked of GitHub is `admit`'s business, or an
errand's. An event that starts nothing still gets a reason, because the inbox shows it to whoever asks why.
"""

from __future__ import annotations

from typing import assert_never

from bot import asking, moving, starting
from bot.decisions import (
    CancelInstallation,
    CancelRepositories,
    Decisions,
    Identity,
    Ignore,
    NoteInstallation,
    NoteRepos,
    RenameAccount,
    Send,
)
from bot.events import (
    AccountRenamed,
    CheckAsked,
    CheckRunCompleted,
    CommentCreated,
    Event,
    InstallationChanged,
    InstallationRepositoriesChanged,
    Ping,
    PullRequestChanged,
    PullRequestLabeled,
    PullRequestRetargeted,
    Pushed,
    RepositoryChanged,
    ReviewCommentCreated,
    ReviewSubmitted,
    StatusReported,
    Unhandled,
    WorkflowRunCompleted,
)
from workers.errands.model import Forget
from workers.store.models import InstallationState, RepoState

INSTALLATION_STATES = {
    "created": InstallationState.ACTIVE,
    "unsuspend": InstallationState.ACTIVE,
    "suspend": InstallationState.SUSPENDED,
    "deleted": InstallationState.DELETED,
}
FORGET_AFTER = 10.0
"""Seconds until what was delivered together with the news is routed, and known to be theirs."""
REPOSITORY_STATES = {
    "created": RepoState.ACTIVE,
    "transferred": RepoState.ACTIVE,
    "unarchived": RepoState.ACTIVE,
    "archived": RepoState.ARCHIVED,
    "deleted": RepoState.DELETED,
}


def decide(event: Event, own: Identity) -> Decisions:  # noqa: C901 - one line per kind of event
    """The decisions for one event, at least one."""
    match event:
        case CheckRunCompleted():
            return starting.check_run(event, own)
        case WorkflowRunCompleted():
            return starting.workflow_run(event)
        case StatusReported():
            return starting.status(event)
        case PullRequestChanged():
            return moving.pull_request(event)
        case PullRequestRetargeted():
            return moving.retargeted(event)
        case Pushed():
            return moving.push(event, own)
        case CommentCreated():
            return asking.comment(event)
        case ReviewCommentCreated():
            return asking.review_comment(event)
        case ReviewSubmitted():
            return asking.review(event)
        case CheckAsked():
            return asking.button(event, own)
        case PullRequestLabeled():
            return asking.label(event)
        case InstallationChanged() | InstallationRepositoriesChanged() | AccountRenamed() | RepositoryChanged():
            return _tenant(event)
        case Ping():
            return (Ignore("ping"),)
        case Unhandled():
            return (Ignore(f"nothing to do for {event.event} {event.action}".rstrip()),)
        case _:
            assert_never(event)


def _tenant(
    event: InstallationChanged | InstallationRepositoriesChanged | AccountRenamed | RepositoryChanged,
) -> Decisions:
    if not event.scope.installation_id:
        return (Ignore("the payload names no installation"),)
    match event:
        case InstallationChanged():
            return _installation(event)
        case InstallationRepositoriesChanged():
            return _repositories(event)
        case AccountRenamed():
            if not event.account or not event.was:
                return (Ignore("the payload does not say from what to what"),)
            return (RenameAccount(event.scope.installation_id, event.account, event.was),)
        case RepositoryChanged():
            return _repository(event)
        case _:
            assert_never(event)


def _installation(event: InstallationChanged) -> Decisions:
    id_, state = event.scope.installation_id, INSTALLATION_STATES.get(event.action)
    noted = NoteInstallation(id_, event.account, event.account_id, state, event.at)
    if state is InstallationState.DELETED:
        gone = CancelInstallation(id_, "Heal was uninstalled.")
        left = (NoteRepos(id_, event.repos, RepoState.REMOVED, event.at),) if event.repos else ()
        return (noted, *left, gone, _forget(Forget(id_)))
    if state is InstallationState.SUSPENDED:
        return (noted, CancelInstallation(id_, "Heal was suspended."))
    return (noted, NoteRepos(id_, event.repos, RepoState.ACTIVE, event.at)) if event.repos else (noted,)


def _forget(payload: Forget) -> Send:
    return Send(payload, f"forget:{payload.installation_id}", after=FORGET_AFTER, each=True)


def _repositories(event: InstallationRepositoriesChanged) -> Decisions:
    id_ = event.scope.installation_id
    noted = NoteInstallation(id_, event.account, event.account_id, None, event.at)
    added = (NoteRepos(id_, event.added, RepoState.ACTIVE, event.at),) if event.added else ()
    if not event.removed:
        return (noted, *added)
    gone = tuple(repo.id for repo in event.removed)
    return (
        noted,
        *added,
        NoteRepos(id_, event.removed, RepoState.REMOVED, event.at),
        CancelRepositories(id_, gone, "Heal is not installed on this repository any more."),
        _forget(Forget(id_, gone)),
    )


def _repository(event: RepositoryChanged) -> Decisions:
    id_, repo, state = event.scope.installation_id, event.scope.repo, REPOSITORY_STATES.get(event.action)
    if not repo.id:
        return (Ignore("the payload names no repository"),)
    noted = NoteRepos(id_, (repo,), state, event.at)
    if state is RepoState.ARCHIVED:
        return (noted, CancelRepositories(id_, (repo.id,), "The repository was archived."))
    if state is RepoState.DELETED:
        gone = CancelRepositories(id_, (repo.id,), "The repository was deleted.")
        return (noted, gone, _forget(Forget(id_, (repo.id,))))
    return (noted,)
