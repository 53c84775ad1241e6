"""Which delivery becomes which event: one reader per event and action of GitHub's that means something to us."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping

from bot.events import (
    AccountRenamed,
    CheckAsked,
    CheckRunCompleted,
    CommentCreated,
    Event,
    InstallationChanged,
    InstallationRepositoriesChanged,
    Ping,
    PullRequest,
    PullRequestChanged,
    PullRequestLabeled,
    PullRequestRetargeted,
    Pushed,
    Repo,
    RepositoryChanged,
    ReviewCommentCreated,
    ReviewSubmitted,
    Scope,
    StatusReported,
    Unhandled,
    WorkflowRunCompleted,
)
from bot.payload import LARGEST_ID, LONGEST_TEXT, LONGEST_URL, Json, clean, items, load, moment, number, text
from workers.tables import dig

MOST_COMMITS = 2000
"""A push names at most 2,048 commits; one that names so many may have more."""
MOST_REPOS = 2000
"""So many repositories of one event are kept."""

_ACTIONS_JOB = re.compile(r"/actions/runs/(\d{1,19})(?:/attempts/\d+)?(?:/jobs?/(\d{1,19}))?(?:[/?#]|$)")


def parse(event: str, body: bytes) -> Event:
    """The event of a delivery: `event` is the X-GitHub-Event header. Raises only `UnreadableEvent`."""
    payload = load(body)
    action = text(payload, "action")
    reader = _READERS.get((event, action)) or _READERS.get((event, ANY_ACTION))
    return reader(payload) if reader else Unhandled(event=clean(event), action=action, scope=_scope(payload))


def _repo(value: object) -> Repo:
    return Repo(
        id=number(value, "id"), full_name=text(value, "full_name"), default_branch=text(value, "default_branch")
    )


def _scope(payload: Json) -> Scope:
    return Scope(
        installation_id=number(payload, "installation", "id"),
        repo=_repo(dig(payload, "repository")),
        sender=text(payload, "sender", "login"),
        sender_is_bot=text(payload, "sender", "type") == "Bot",
        sender_id=number(payload, "sender", "id"),
    )


def _repos(payload: Json, key: str) -> tuple[Repo, ...]:
    return tuple(repo for repo in map(_repo, items(payload, key)[:MOST_REPOS]) if repo.id)


def _by_bot(payload: Json, what: str) -> bool:
    return "Bot" in {text(payload, "sender", "type"), text(payload, what, "user", "type")}


def _pull_request(holder: object, repo: Repo) -> int | None:
    """The open pull request into this repository: the list may name one into another repository too."""
    for item in items(holder, "pull_requests"):
        base = number(item, "base", "repo", "id")
        if base in {0, repo.id} and number(item, "number"):
            return number(item, "number")
    return None


def _actions_run(check_run: object) -> int:
    for key in ("details_url", "html_url"):
        match = _ACTIONS_JOB.search(text(check_run, key, longest=LONGEST_URL))
        if match and int(match[1]) <= LARGEST_ID:
            return int(match[1])
    return 0


def _check_run(payload: Json) -> Event:
    scope, check = _scope(payload), dig(payload, "check_run")
    return CheckRunCompleted(
        scope=scope,
        id=number(check, "id"),
        name=text(check, "name"),
        conclusion=text(check, "conclusion"),
        head_sha=text(check, "head_sha"),
        branch=text(check, "check_suite", "head_branch"),
        app_id=number(check, "app", "id"),
        app_slug=text(check, "app", "slug"),
        external_id=text(check, "external_id"),
        actions_run_id=_actions_run(check),
        pull_request=_pull_request(check, scope.repo),
    )


def _workflow_run(payload: Json) -> Event:
    scope, run = _scope(payload), dig(payload, "workflow_run")
    return WorkflowRunCompleted(
        scope=scope,
        id=number(run, "id"),
        attempt=number(run, "run_attempt") or 1,
        name=text(run, "name"),
        path=text(run, "path"),
        trigger=text(run, "event"),
        conclusion=text(run, "conclusion"),
        head_sha=text(run, "head_sha"),
        branch=text(run, "head_branch"),
        head_repo_id=number(run, "head_repository", "id"),
        pull_request=_pull_request(run, scope.repo),
    )


def _check_asked(payload: Json) -> Event:
    """A check run, or with "check_suite" all of a commit."""
    holder = "check_run" if "check_run" in payload else "check_suite"
    check = dig(payload, holder)
    return CheckAsked(
        scope=_scope(payload),
        check_run_id=number(check, "id") if holder == "check_run" else 0,
        external_id=text(check, "external_id"),
        head_sha=text(check, "head_sha"),
        app_id=number(check, "app", "id"),
        app_slug=text(check, "app", "slug"),
        identifier=text(payload, "requested_action", "identifier") or text(payload, "action"),
    )


def _pull(payload: Json) -> PullRequest:
    pull = dig(payload, "pull_request")
    closed = moment(pull, "closed_at") if text(payload, "action") == "closed" else 0.0
    return PullRequest(
        number=number(pull, "number") or number(payload, "number"),
        head_sha=text(pull, "head", "sha"),
        branch=text(pull, "head", "ref"),
        head_repo_id=number(pull, "head", "repo", "id"),
        merged=dig(pull, "merged") is True,
        at=closed or moment(pull, "updated_at") or moment(pull, "created_at"),
    )


def _pull_request_changed(payload: Json) -> Event:
    return PullRequestChanged(
        scope=_scope(payload), action=text(payload, "action"), pull=_pull(payload), before=text(payload, "before")
    )


def _pull_request_edited(payload: Json) -> Event:
    base_was = text(payload, "changes", "base", "ref", "from")
    if not base_was:
        return Unhandled("pull_request", "edited", _scope(payload))
    return PullRequestRetargeted(scope=_scope(payload), pull=_pull(payload), base_was=base_was)


def _pull_request_labeled(payload: Json) -> Event:
    return PullRequestLabeled(scope=_scope(payload), pull=_pull(payload), label=text(payload, "label", "name"))


def _comment(payload: Json) -> Event:
    return CommentCreated(
        scope=_scope(payload),
        number=number(payload, "issue", "number"),
        on_pull_request=isinstance(dig(payload, "issue", "pull_request"), dict),
        comment_id=number(payload, "comment", "id"),
        body=text(payload, "comment", "body", longest=LONGEST_TEXT),
        at=moment(payload, "comment", "created_at"),
        by_bot=_by_bot(payload, "comment"),
    )


def _review(payload: Json) -> Event:
    return ReviewSubmitted(
        scope=_scope(payload),
        pull=_pull(payload),
        review_id=number(payload, "review", "id"),
        state=text(payload, "review", "state").lower(),
        body=text(payload, "review", "body", longest=LONGEST_TEXT),
        by_bot=_by_bot(payload, "review"),
    )


def _review_comment(payload: Json) -> Event:
    return ReviewCommentCreated(
        scope=_scope(payload),
        pull=_pull(payload),
        comment_id=number(payload, "comment", "id"),
        review_id=number(payload, "comment", "pull_request_review_id"),
        body=text(payload, "comment", "body", longest=LONGEST_TEXT),
        at=moment(payload, "comment", "created_at"),
        by_bot=_by_bot(payload, "comment"),
    )


def _installation(payload: Json) -> Event:
    installation = dig(payload, "installation")
    return InstallationChanged(
        scope=_scope(payload),
        action=text(payload, "action"),
        account=text(installation, "account", "login"),
        account_id=number(installation, "account", "id"),
        repos=_repos(payload, "repositories"),
        at=moment(installation, "updated_at") or moment(installation, "created_at"),
    )


def _installation_repositories(payload: Json) -> Event:
    return InstallationRepositoriesChanged(
        scope=_scope(payload),
        account=text(payload, "installation", "account", "login"),
        account_id=number(payload, "installation", "account", "id"),
        added=_repos(payload, "repositories_added"),
        removed=_repos(payload, "repositories_removed"),
        at=moment(payload, "installation", "updated_at"),
    )


def _account_renamed(payload: Json) -> Event:
    return AccountRenamed(
        scope=_scope(payload),
        account_id=number(payload, "account", "id"),
        account=text(payload, "account", "login"),
        was=text(payload, "changes", "login", "from"),
    )


def _repository(payload: Json) -> Event:
    return RepositoryChanged(
        scope=_scope(payload), action=text(payload, "action"), at=moment(payload, "repository", "updated_at")
    )


def _status(payload: Json) -> Event:
    sha = text(payload, "sha")
    heads = (text(one, "name") for one in items(payload, "branches") if text(one, "commit", "sha") == sha)
    return StatusReported(
        scope=_scope(payload),
        sha=sha,
        state=text(payload, "state"),
        context=text(payload, "context"),
        heads=tuple(name for name in heads if name),
    )


def _push(payload: Json) -> Event:
    return Pushed(
        scope=_scope(payload),
        ref=text(payload, "ref"),
        after=text(payload, "after"),
        deleted=dig(payload, "deleted") is True,
        before=text(payload, "before"),
        at=moment(payload, "repository", "pushed_at"),
        paths=_touched(payload),
    )


def _touched(payload: Json) -> frozenset[str] | None:
    """The files of a plain push. One that made the branch or went back also brings or takes what it does not name."""
    commits = items(payload, "commits")
    plain = dig(payload, "created") is False and dig(payload, "forced") is False
    if not plain or not 0 < len(commits) < MOST_COMMITS:
        return None
    kinds = ("added", "modified", "removed")
    if not all(isinstance(dig(commit, kind), list) for commit in commits for kind in kinds):
        return None
    return frozenset(
        clean(path) for commit in commits for kind in kinds for path in items(commit, kind) if isinstance(path, str)
    )


ANY_ACTION = "*"

_READERS: Mapping[tuple[str, str], Callable[[Json], Event]] = {
    ("check_run", "completed"): _check_run,
    ("check_run", "rerequested"): _check_asked,
    ("check_run", "requested_action"): _check_asked,
    ("check_suite", "rerequested"): _check_asked,
    ("workflow_run", "completed"): _workflow_run,
    ("pull_request", "opened"): _pull_request_changed,
    ("pull_request", "synchronize"): _pull_request_changed,
    ("pull_request", "reopened"): _pull_request_changed,
    ("pull_request", "ready_for_review"): _pull_request_changed,
    ("pull_request", "closed"): _pull_request_changed,
    ("pull_request", "edited"): _pull_request_edited,
    ("pull_request", "labeled"): _pull_request_labeled,
    ("issue_comment", "created"): _comment,
    ("pull_request_review", "submitted"): _review,
    ("pull_request_review_comment", "created"): _review_comment,
    ("installation", ANY_ACTION): _installation,
    ("installation_repositories", ANY_ACTION): _installation_repositories,
    ("installation_target", "renamed"): _account_renamed,
    ("repository", ANY_ACTION): _repository,
    ("status", ANY_ACTION): _status,
    ("push", ANY_ACTION): _push,
    ("ping", ANY_ACTION): lambda _: Ping(),
}

HANDLED_EVENTS = frozenset(event for event, _ in _READERS)
"""The X-GitHub-Event values that mean something to us; `app.yml` subscribes to no others."""

UNAVOIDABLE_EVENTS = frozenset({
    "github_app_authorization",
    "pull_request_review_thread",
    "workflow_job",
})  # fmt: skip
"""GitHub sends these to every App or along with the ones above: stored, then ignored with the reason."""

KNOWN_EVENTS = HANDLED_EVENTS | UNAVOIDABLE_EVENTS
"""The receiver stores these and answers 204 to all others."""
