"""What GitHub tells us, as our own small values. Field meanings: GitHub's webhook reference.

A field that was missing, null or of the wrong type is 0, "" or None here; `triage` decides what that means.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Repo:
    """A repository as events name it. `id` stays when `full_name` changes; 0 means that the event named none."""

    id: int
    full_name: str
    default_branch: str = ""


@dataclass(frozen=True)
class Scope:
    """Where an event happened and who caused it. `sender` is a login, `sender_is_bot` GitHub's word for it."""

    installation_id: int
    repo: Repo
    sender: str = ""
    sender_is_bot: bool = False


@dataclass(frozen=True)
class CheckRunCompleted:
    """One job or outside check ended. For GitHub Actions `id` is also the job's id."""

    scope: Scope
    id: int
    name: str
    conclusion: str
    head_sha: str
    branch: str
    app_id: int
    app_slug: str
    external_id: str
    actions_run_id: int
    pull_request: int | None


@dataclass(frozen=True)
class WorkflowRunCompleted:
    """One attempt of an Actions workflow ended. `head_repo_id` differs from the scope's for a fork."""

    scope: Scope
    id: int
    attempt: int
    name: str
    path: str
    trigger: str
    conclusion: str
    head_sha: str
    branch: str
    head_repo_id: int
    pull_request: int | None


@dataclass(frozen=True)
class PullRequestChanged:
    """opened, reopened, synchronize, ready_for_review or closed. `head_repo_id` is 0 when the fork is gone.

    `before` is the head that a synchronize replaced, `at` when it happened: seconds since 1970, 0 when not told.
    """

    scope: Scope
    action: str
    number: int
    head_sha: str
    branch: str
    head_repo_id: int
    base_branch: str
    merged: bool
    before: str = ""
    at: float = 0.0


@dataclass(frozen=True)
class CommentCreated:
    """A new comment on an issue or, with `on_pull_request`, on a pull request. Carries no head SHA."""

    scope: Scope
    number: int
    on_pull_request: bool
    comment_id: int
    body: str


@dataclass(frozen=True)
class ReviewSubmitted:
    """A review of a pull request. `state` is lower case: approved, changes_requested, commented."""

    scope: Scope
    number: int
    review_id: int
    state: str
    body: str


@dataclass(frozen=True)
class InstallationChanged:
    """created, deleted, suspend, unsuspend or new_permissions_accepted, for the whole installation."""

    scope: Scope
    action: str
    account: str


@dataclass(frozen=True)
class InstallationRepositoriesChanged:
    """Repositories were added to the installation or taken from it."""

    scope: Scope
    action: str


@dataclass(frozen=True)
class RepositoryChanged:
    """renamed, transferred, archived, privatized and so on."""

    scope: Scope
    action: str


@dataclass(frozen=True)
class StatusReported:
    """A commit status of an old-style CI."""

    scope: Scope
    sha: str
    state: str
    context: str


@dataclass(frozen=True)
class Pushed:
    """A branch or tag moved, possibly backwards. `ref` is the full name, `after` all zeros when it was deleted.

    `before` is the head it replaced, all zeros when it is new; `at` when it moved: seconds since 1970, 0 when not told.
    """

    scope: Scope
    ref: str
    after: str
    deleted: bool
    before: str = ""
    at: float = 0.0


@dataclass(frozen=True)
class Ping:
    """The hook was set up."""


@dataclass(frozen=True)
class Unhandled:
    """An event or action that asks nothing of us."""

    event: str
    action: str


Event = (
    CheckRunCompleted
    | WorkflowRunCompleted
    | PullRequestChanged
    | CommentCreated
    | ReviewSubmitted
    | InstallationChanged
    | InstallationRepositoriesChanged
    | RepositoryChanged
    | StatusReported
    | Pushed
    | Ping
    | Unhandled
)
