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
    sender_id: int = 0


NOWHERE = Scope(0, Repo(0, ""))


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
class CheckAsked:
    """Somebody wants a check again, or pressed one of its buttons. GitHub tells only the App that made the check.

    `identifier` is the button's, or "rerequested". `check_run_id` is 0 when all checks of a commit are wanted again.
    """

    scope: Scope
    check_run_id: int
    external_id: str
    head_sha: str
    app_id: int
    app_slug: str
    identifier: str


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
class PullRequest:
    """A pull request as an event shows it. `head_repo_id` is 0 when the fork is gone; `at` is when the event happened:
    seconds since 1970, 0 when not told."""

    number: int
    head_sha: str
    branch: str
    head_repo_id: int
    merged: bool
    at: float = 0.0


@dataclass(frozen=True)
class PullRequestChanged:
    """opened, reopened, synchronize, ready_for_review, closed. `before` is the head that a synchronize replaced."""

    scope: Scope
    action: str
    pull: PullRequest
    before: str = ""


@dataclass(frozen=True)
class PullRequestRetargeted:
    """The branch that a pull request goes to was changed; `base_was` is the one before."""

    scope: Scope
    pull: PullRequest
    base_was: str


@dataclass(frozen=True)
class PullRequestLabeled:
    """A label was put on a pull request."""

    scope: Scope
    pull: PullRequest
    label: str


@dataclass(frozen=True)
class CommentCreated:
    """A new comment on an issue or, with `on_pull_request`, on a pull request. Carries no head SHA.

    `at` is when it was made: seconds since 1970, 0 when not told.
    """

    scope: Scope
    number: int
    on_pull_request: bool
    comment_id: int
    body: str
    at: float
    by_bot: bool = False


@dataclass(frozen=True)
class ReviewSubmitted:
    """A review of a pull request. `state` is lower case: approved, changes_requested, commented."""

    scope: Scope
    pull: PullRequest
    review_id: int
    state: str
    body: str
    by_bot: bool = False


@dataclass(frozen=True)
class ReviewCommentCreated:
    """A new comment at a line of a diff, alone or as part of the review `review_id`; `at` as for `CommentCreated`."""

    scope: Scope
    pull: PullRequest
    comment_id: int
    review_id: int
    body: str
    at: float
    by_bot: bool = False


@dataclass(frozen=True)
class InstallationChanged:
    """created, deleted, suspend, unsuspend or new_permissions_accepted, for the whole installation.

    `repos` are those that the event names; `at` is when the installation last changed, 0 when not told.
    """

    scope: Scope
    action: str
    account: str
    account_id: int
    repos: tuple[Repo, ...]
    at: float


@dataclass(frozen=True)
class InstallationRepositoriesChanged:
    """Repositories were added to the installation or taken from it; `at` as for `InstallationChanged`."""

    scope: Scope
    account: str
    account_id: int
    added: tuple[Repo, ...]
    removed: tuple[Repo, ...]
    at: float


@dataclass(frozen=True)
class AccountRenamed:
    """The account of an installation has another login; `was` is the one before."""

    scope: Scope
    account_id: int
    account: str
    was: str


@dataclass(frozen=True)
class RepositoryChanged:
    """renamed, transferred, archived, unarchived, deleted, privatized and so on; `at` as for `InstallationChanged`."""

    scope: Scope
    action: str
    at: float


@dataclass(frozen=True)
class StatusReported:
    """A commit status of an old-style CI. `heads` are the branches whose newest commit it is about."""

    scope: Scope
    sha: str
    state: str
    context: str
    heads: tuple[str, ...]


@dataclass(frozen=True)
class Pushed:
    """A branch or tag moved, possibly backwards. `ref` is the full name, `after` all zeros when it was deleted.

    `before` is the head it replaced, all zeros when it is new; `at` when it moved: seconds since 1970, 0 when not told.
    `paths` are the files that its commits touch, None when the event does not name them all.
    """

    scope: Scope
    ref: str
    after: str
    deleted: bool
    before: str = ""
    at: float = 0.0
    paths: frozenset[str] | None = None


@dataclass(frozen=True)
class Ping:
    """The hook was set up."""

    scope: Scope = NOWHERE


@dataclass(frozen=True)
class Unhandled:
    """An event or action that asks nothing of us."""

    event: str
    action: str
    scope: Scope = NOWHERE


Event = (
    CheckRunCompleted
    | CheckAsked
    | WorkflowRunCompleted
    | PullRequestChanged
    | PullRequestRetargeted
    | PullRequestLabeled
    | CommentCreated
    | ReviewSubmitted
    | ReviewCommentCreated
    | InstallationChanged
    | InstallationRepositoriesChanged
    | AccountRenamed
    | RepositoryChanged
    | StatusReported
    | Pushed
    | Ping
    | Unhandled
)
