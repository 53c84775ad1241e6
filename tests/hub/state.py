"""What the double remembers: people, Apps, repositories, pull requests, checks, runs, deliveries.

Values only, with one counter for ids and one clock that tests can move; rules and rendering live elsewhere.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from tests.hub.gitstore import GitStore

Json = dict[str, Any]
ACTIONS_APP_ID = 15368
ZERO_SHA = "0" * 40


@dataclass
class User:
    """A person, an organization or an App's bot."""

    id: int
    login: str
    kind: str = "User"
    email: str = ""


@dataclass
class App:
    """A GitHub App with its key, its webhook and what it may do at most."""

    id: int
    slug: str
    name: str
    client_id: str
    owner: User
    bot: User
    public_pem: str
    secret: str
    permissions: dict[str, str]
    events: list[str]
    hook_id: int
    hook_url: str = ""
    created: str = ""
    client_secret: str = ""


@dataclass
class Installation:
    """An App on an account; `repo_ids` is None when it covers all repositories of the account."""

    id: int
    app: App
    account: User
    permissions: dict[str, str]
    events: list[str]
    repo_ids: set[int] | None = None
    created: str = ""
    suspended: str | None = None
    suspended_by: User | None = None


@dataclass
class Token:
    """An installation access token, perhaps narrowed to repositories and permissions."""

    text: str
    installation: Installation
    permissions: dict[str, str]
    repo_ids: set[int] | None
    expires: datetime
    revoked: bool = False
    serial: int = 0
    """What requests are recorded under: the text is nobody's business."""


@dataclass
class UserToken:
    """What an App has on behalf of a person that logged in with it; `code` and `challenge` until it is fetched."""

    text: str
    user: User
    app: App
    expires: datetime
    code: str = ""
    back: str = ""
    challenge: str = ""
    revoked: bool = False


@dataclass
class Comment:
    """A comment on an issue or pull request, or (with `path`) on a line of a pull request."""

    id: int
    number: int
    user: User
    body: str
    created: str
    updated: str
    app: App | None = None
    reactions: list[Json] = field(default_factory=list)
    path: str = ""
    line: int | None = None
    side: str = "RIGHT"
    start_line: int | None = None
    start_side: str | None = None
    commit_id: str = ""
    diff_hunk: str = ""
    review_id: int | None = None
    reply_to: int | None = None
    resolved_by: User | None = None
    """Who resolved the thread that this comment opened."""
    minimized: str | None = None
    edits: list[Json] = field(default_factory=list)


@dataclass
class Review:
    """A submitted review."""

    id: int
    number: int
    user: User
    body: str
    state: str
    commit_id: str
    submitted: str


@dataclass
class Issue:
    """An issue, or the issue half of a pull request (same number)."""

    id: int
    number: int
    title: str
    body: str | None
    user: User
    created: str
    updated: str
    state: str = "open"
    closed: str | None = None
    closed_by: User | None = None
    labels: list[str] = field(default_factory=list)
    reactions: list[Json] = field(default_factory=list)
    app: App | None = None
    assignees: list[User] = field(default_factory=list)


@dataclass
class Pull:
    """The pull request half of an issue."""

    id: int
    issue: Issue
    head_repo: Repo
    head_ref: str
    head_sha: str
    base_ref: str
    base_sha: str
    draft: bool = False
    unknown: int = 0
    """How often the API says that it is still being worked out whether it can be merged."""
    merged: str | None = None
    merged_by: User | None = None
    merge_sha: str | None = None
    reviewers: list[User] = field(default_factory=list)

    @property
    def number(self) -> int:
        return self.issue.number

    @property
    def node_id(self) -> str:
        return f"PR_kwDO{self.id}"


@dataclass
class Suite:
    """A check suite: the check runs of one App on one commit."""

    id: int
    app_id: int
    sha: str
    branch: str | None
    created: str
    updated: str


@dataclass
class CheckRun:
    """A check run. For Actions its id is the job's id."""

    id: int
    app_id: int
    suite: Suite
    name: str
    sha: str
    status: str
    conclusion: str | None
    started: str | None
    completed: str | None
    external_id: str = ""
    details_url: str = ""
    output: Json = field(default_factory=dict)
    annotations: list[Json] = field(default_factory=list)
    actions: list[Json] = field(default_factory=list)


@dataclass
class Job:
    """A job of a workflow run with its log; `log` is None until there is one."""

    id: int
    run_id: int
    name: str
    status: str
    conclusion: str | None
    created: str
    started: str
    completed: str | None
    steps: list[Json] = field(default_factory=list)
    log: str | None = None
    attempt: int = 1
    labels: list[str] = field(default_factory=lambda: ["ubuntu-latest"])


@dataclass
class WorkflowRun:
    """One run of a workflow file on a commit."""

    id: int
    workflow: Json
    suite: Suite
    sha: str
    branch: str
    event: str
    number: int
    actor: User
    created: str
    updated: str
    head_repo: Repo
    status: str = "queued"
    conclusion: str | None = None
    attempt: int = 1
    title: str = ""


@dataclass
class Repo:
    """A repository: its bare git directory and everything that hangs on it."""

    id: int
    name: str
    owner: User
    git: GitStore
    created: str
    default_branch: str = "main"
    private: bool = False
    archived: bool = False
    issues_on: bool = True
    gone: bool = False
    ci: str = "off"
    parent: Repo | None = None
    last_number: int = 0
    pushed: str = ""
    permissions: dict[str, str] = field(default_factory=dict)
    labels: dict[str, Json] = field(default_factory=dict)
    issues: dict[int, Issue] = field(default_factory=dict)
    pulls: dict[int, Pull] = field(default_factory=dict)
    comments: dict[int, Comment] = field(default_factory=dict)
    review_comments: dict[int, Comment] = field(default_factory=dict)
    reviews: dict[int, Review] = field(default_factory=dict)
    suites: dict[int, Suite] = field(default_factory=dict)
    checks: dict[int, CheckRun] = field(default_factory=dict)
    workflows: dict[str, Json] = field(default_factory=dict)
    runs: dict[int, WorkflowRun] = field(default_factory=dict)
    jobs: dict[int, Job] = field(default_factory=dict)
    statuses: list[Json] = field(default_factory=list)
    verified: set[str] = field(default_factory=set)
    gone_commits: set[str] = field(default_factory=set)
    rules: list[Json] = field(default_factory=list)
    """Rules with the branches they are for (`branches`, a glob)."""
    unsigned: bool = False
    """GitHub signs no commit made by the Git Data API here."""

    @property
    def full_name(self) -> str:
        return f"{self.owner.login}/{self.name}"


@dataclass
class Delivery:
    """One attempt to send an event to an App's webhook."""

    id: int
    guid: str
    app: App
    event: str
    action: str | None
    payload: Json
    installation_id: int | None
    repository_id: int | None
    delivered: str
    redelivery: bool = False
    status: str = "pending"
    status_code: int = 0
    duration: float = 0.0
    request_headers: dict[str, str] = field(default_factory=dict)
    response_headers: dict[str, str] = field(default_factory=dict)
    response_body: str = ""


@dataclass
class World:
    """Everything. Guarded by `lock`: handlers run one at a time."""

    data: Path
    url: str
    ci_image: str = ""
    lock: threading.RLock = field(default_factory=threading.RLock)
    next_id: int = 1000
    clock_offset: timedelta = timedelta()
    clock_error: timedelta = timedelta()
    """By how much the double and whoever asks it disagree about the time."""
    users: dict[str, User] = field(default_factory=dict)
    apps: dict[int, App] = field(default_factory=dict)
    installations: dict[int, Installation] = field(default_factory=dict)
    tokens: dict[str, Token] = field(default_factory=dict)
    user_tokens: dict[str, UserToken] = field(default_factory=dict)
    browser: User | None = None
    """Who is logged in at GitHub in the browser that comes to authorize an App."""
    repos: dict[int, Repo] = field(default_factory=dict)
    deliveries: list[Delivery] = field(default_factory=list)
    requests: list[Json] = field(default_factory=list)
    faults: list[Json] = field(default_factory=list)
    moved: dict[str, int] = field(default_factory=dict)
    """Names that repositories had before, in lower case."""
    violations: list[Json] = field(default_factory=list)

    @property
    def api(self) -> str:
        return f"{self.url}/api/v3"

    def id(self) -> int:
        with self.lock:
            self.next_id += 1
            return self.next_id

    def now(self) -> datetime:
        return self.wall() + self.clock_offset

    def wall(self) -> datetime:
        """The time without what tests moved on: signatures carry the caller's, which did not move."""
        return datetime.now(UTC) + self.clock_error

    def stamp(self) -> str:
        return self.now().strftime("%Y-%m-%dT%H:%M:%SZ")

    def user(self, login: str, kind: str = "User") -> User:
        """The user with this login, made when it does not exist yet."""
        known = self.users.get(login.lower())
        if known is None:
            number = self.id()
            known = User(number, login, kind, f"{number}+{login}@users.noreply.github.com")
            self.users[login.lower()] = known
        return known

    def repo(self, full_name: str) -> Repo | None:
        """By its present name. Of one that is gone, another may have taken the name."""
        found = [r for r in self.repos.values() if r.full_name.lower() == full_name.lower()]
        return min(found, key=lambda repo: repo.gone, default=None)

    def former(self, full_name: str) -> Repo | None:
        """The repository that had the name before and is still there."""
        repo = self.repos.get(self.moved.get(full_name.lower(), 0))
        return None if repo is None or repo.gone else repo

    def by_email(self, email: str) -> User | None:
        return next((u for u in self.users.values() if u.email == email), None)

    def installations_of(self, repo: Repo) -> Iterator[Installation]:
        """The installations that can see a repository."""
        for one in self.installations.values():
            covered = one.repo_ids is None or repo.id in one.repo_ids
            if one.account is repo.owner and covered and not one.suspended:
                yield one
