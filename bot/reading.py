"""Which delivery becomes which event: one reader per event and action of GitHub's that means something to us."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping

from bot.events import (
    CheckRunCompleted,
    CommentCreated,
    Event,
    InstallationChanged,
    InstallationRepositoriesChanged,
    Ping,
    PullRequestChanged,
    Pushed,
    Repo,
    RepositoryChanged,
    ReviewSubmitted,
    Scope,
    StatusReported,
    Unhandled,
    WorkflowRunCompleted,
)
from bot.payload import LARGEST_ID, LONGEST_TEXT, LONGEST_URL, Json, clean, dig, items, load, moment, number, text

_ACTIONS_JOB = re.compile(r"/actions/runs/(\d{1,19})(?:/attempts/\d+)?(?:/jobs?/(\d{1,19}))?(?:[/?#]|$)")


def parse(event: str, body: bytes) -> Event:
    """The event of a delivery: `event` is the X-GitHub-Event header. Raises only `UnreadableEvent`."""
    payload = load(body)
    action = text(payload, "action")
    reader = _READERS.get((event, action)) or _READERS.get((event, ANY_ACTION))
    return reader(payload) if reader else Unhandled(event=clean(event), action=action)


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
    )


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


def _pull_request_changed(payload: Json) -> Event:
    pull = dig(payload, "pull_request")
    return PullRequestChanged(
        scope=_scope(payload),
        action=text(payload, "action"),
        number=number(pull, "number") or number(payload, "number"),
        head_sha=text(pull, "head", "sha"),
        branch=text(pull, "head", "ref"),
        head_repo_id=number(pull, "head", "repo", "id"),
        base_branch=text(pull, "base", "ref"),
        merged=dig(pull, "merged") is True,
        before=text(payload, "before"),
        at=moment(pull, "closed_at") or moment(pull, "updated_at"),
    )


def _comment(payload: Json) -> Event:
    return CommentCreated(
        scope=_scope(payload),
        number=number(payload, "issue", "number"),
        on_pull_request=isinstance(dig(payload, "issue", "pull_request"), dict),
        comment_id=number(payload, "comment", "id"),
        body=text(payload, "comment", "body", longest=LONGEST_TEXT),
    )


def _review(payload: Json) -> Event:
    return ReviewSubmitted(
        scope=_scope(payload),
        number=number(payload, "pull_request", "number"),
        review_id=number(payload, "review", "id"),
        state=text(payload, "review", "state").lower(),
        body=text(payload, "review", "body", longest=LONGEST_TEXT),
    )


def _installation(payload: Json) -> Event:
    return InstallationChanged(
        scope=_scope(payload),
        action=text(payload, "action"),
        account=text(payload, "installation", "account", "login"),
    )


def _installation_repositories(payload: Json) -> Event:
    return InstallationRepositoriesChanged(
        scope=_scope(payload),
        action=text(payload, "action"),
    )


def _repository(payload: Json) -> Event:
    return RepositoryChanged(scope=_scope(payload), action=text(payload, "action"))


def _status(payload: Json) -> Event:
    return StatusReported(
        scope=_scope(payload),
        sha=text(payload, "sha"),
        state=text(payload, "state"),
        context=text(payload, "context"),
    )


def _push(payload: Json) -> Event:
    return Pushed(
        scope=_scope(payload),
        ref=text(payload, "ref"),
        after=text(payload, "after"),
        deleted=dig(payload, "deleted") is True,
        before=text(payload, "before"),
        at=moment(payload, "repository", "pushed_at"),
    )


ANY_ACTION = "*"

_READERS: Mapping[tuple[str, str], Callable[[Json], Event]] = {
    ("check_run", "completed"): _check_run,
    ("workflow_run", "completed"): _workflow_run,
    ("pull_request", "opened"): _pull_request_changed,
    ("pull_request", "synchronize"): _pull_request_changed,
    ("pull_request", "reopened"): _pull_request_changed,
    ("pull_request", "ready_for_review"): _pull_request_changed,
    ("pull_request", "closed"): _pull_request_changed,
    ("issue_comment", "created"): _comment,
    ("pull_request_review", "submitted"): _review,
    ("installation", ANY_ACTION): _installation,
    ("installation_repositories", ANY_ACTION): _installation_repositories,
    ("repository", ANY_ACTION): _repository,
    ("status", ANY_ACTION): _status,
    ("push", ANY_ACTION): _push,
    ("ping", ANY_ACTION): lambda _: Ping(),
}

HANDLED_EVENTS = frozenset(event for event, _ in _READERS)
"""The X-GitHub-Event values that mean something to us; `app.yml` subscribes to no others."""

UNAVOIDABLE_EVENTS = frozenset({
    "check_suite",
    "github_app_authorization",
    "installation_target",
    "pull_request_review_comment",
    "pull_request_review_thread",
    "workflow_job",
})  # fmt: skip
"""GitHub sends these to every App or along with the ones above: stored, then ignored with the reason."""

KNOWN_EVENTS = HANDLED_EVENTS | UNAVOIDABLE_EVENTS
"""The receiver stores these and answers 204 to all others."""
