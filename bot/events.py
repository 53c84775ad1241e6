"""What GitHub tells us, as our own small values: the raw JSON of a delivery dies here.

Lenient on purpose: a field that is missing, null or of the wrong type becomes 0, "" or None and `triage` decides what
that means; 26 of 91 recorded deliveries do not fit a strict model. Field meanings: GitHub's webhook reference.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass

LONGEST_NAME = 255
LONGEST_URL = 2000
LONGEST_TEXT = 70_000
LARGEST_ID = 2**63 - 1

_ACTIONS_JOB = re.compile(r"/actions/runs/(\d{1,19})(?:/attempts/\d+)?(?:/jobs?/(\d{1,19}))?(?:[/?#]|$)")
_UNSTORABLE = re.compile("[\x00\ud800-\udfff]")  # PostgreSQL text holds no NUL, UTF-8 no lone surrogates


class UnreadableEvent(Exception):  # noqa: N818 - a verdict on the input, with its reason
    """The body is not a JSON object; `reason` says what it is instead."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


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
    """opened, reopened, synchronize, ready_for_review or closed. `head_repo_id` is 0 when the fork is gone."""

    scope: Scope
    action: str
    number: int
    head_sha: str
    branch: str
    head_repo_id: int
    base_branch: str
    merged: bool


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
    """A branch or tag moved. `ref` is the full name, `after` all zeros when it was deleted."""

    scope: Scope
    ref: str
    after: str
    deleted: bool


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

Json = Mapping[str, object]


def parse(event: str, body: bytes) -> Event:
    """The event of a delivery: `event` is the X-GitHub-Event header. Raises only `UnreadableEvent`."""
    payload = _load(body)
    action = _text(payload, "action")
    reader = _READERS.get((event, action)) or _READERS.get((event, ANY_ACTION))
    return reader(payload) if reader else Unhandled(event=_clean(event, LONGEST_NAME), action=action)


def _load(body: bytes) -> Json:
    try:
        payload = json.loads(body.decode("utf-8"), parse_constant=_refuse_constant)
    except UnicodeDecodeError as error:
        raise UnreadableEvent("the body is not UTF-8") from error
    except ValueError as error:
        raise UnreadableEvent(f"the body is not JSON: {str(error)[:120]}") from error
    except RecursionError as error:
        raise UnreadableEvent("the body is nested too deeply") from error
    if not isinstance(payload, dict):
        raise UnreadableEvent(f"the body is a JSON {type(payload).__name__}, not an object")
    return payload


def _refuse_constant(name: str) -> object:
    raise ValueError(f"{name} is not JSON")


def _dig(value: object, *keys: str) -> object:
    for key in keys:
        if not isinstance(value, dict):
            return None
        value = value.get(key)
    return value


def _clean(text: str, longest: int) -> str:
    return _UNSTORABLE.sub("\N{REPLACEMENT CHARACTER}", text[:longest])


def _text(value: object, *keys: str, longest: int = LONGEST_NAME) -> str:
    found = _dig(value, *keys)
    return _clean(found, longest) if isinstance(found, str) else ""


def _number(value: object, *keys: str) -> int:
    found = _dig(value, *keys)
    if isinstance(found, str) and re.fullmatch(r"[0-9]{1,19}", found):
        found = int(found)
    return found if type(found) is int and 0 < found <= LARGEST_ID else 0


def _items(value: object, *keys: str) -> list[object]:
    found = _dig(value, *keys)
    return found if isinstance(found, list) else []


def _repo(value: object) -> Repo:
    return Repo(
        id=_number(value, "id"), full_name=_text(value, "full_name"), default_branch=_text(value, "default_branch")
    )


def _scope(payload: Json) -> Scope:
    return Scope(
        installation_id=_number(payload, "installation", "id"),
        repo=_repo(_dig(payload, "repository")),
        sender=_text(payload, "sender", "login"),
        sender_is_bot=_text(payload, "sender", "type") == "Bot",
    )


def _pull_request(holder: object, repo: Repo) -> int | None:
    """The open pull request into this repository: the list may name one into another repository too."""
    for item in _items(holder, "pull_requests"):
        base = _number(item, "base", "repo", "id")
        if base in {0, repo.id} and _number(item, "number"):
            return _number(item, "number")
    return None


def _actions_run(check_run: object) -> int:
    for key in ("details_url", "html_url"):
        match = _ACTIONS_JOB.search(_text(check_run, key, longest=LONGEST_URL))
        if match and int(match[1]) <= LARGEST_ID:
            return int(match[1])
    return 0


def _check_run(payload: Json) -> Event:
    scope, check = _scope(payload), _dig(payload, "check_run")
    return CheckRunCompleted(
        scope=scope,
        id=_number(check, "id"),
        name=_text(check, "name"),
        conclusion=_text(check, "conclusion"),
        head_sha=_text(check, "head_sha"),
        branch=_text(check, "check_suite", "head_branch"),
        app_id=_number(check, "app", "id"),
        app_slug=_text(check, "app", "slug"),
        external_id=_text(check, "external_id"),
        actions_run_id=_actions_run(check),
        pull_request=_pull_request(check, scope.repo),
    )


def _workflow_run(payload: Json) -> Event:
    scope, run = _scope(payload), _dig(payload, "workflow_run")
    return WorkflowRunCompleted(
        scope=scope,
        id=_number(run, "id"),
        attempt=_number(run, "run_attempt") or 1,
        name=_text(run, "name"),
        path=_text(run, "path"),
        trigger=_text(run, "event"),
        conclusion=_text(run, "conclusion"),
        head_sha=_text(run, "head_sha"),
        branch=_text(run, "head_branch"),
        head_repo_id=_number(run, "head_repository", "id"),
        pull_request=_pull_request(run, scope.repo),
    )


def _pull_request_changed(payload: Json) -> Event:
    pull = _dig(payload, "pull_request")
    return PullRequestChanged(
        scope=_scope(payload),
        action=_text(payload, "action"),
        number=_number(pull, "number") or _number(payload, "number"),
        head_sha=_text(pull, "head", "sha"),
        branch=_text(pull, "head", "ref"),
        head_repo_id=_number(pull, "head", "repo", "id"),
        base_branch=_text(pull, "base", "ref"),
        merged=_dig(pull, "merged") is True,
    )


def _comment(payload: Json) -> Event:
    return CommentCreated(
        scope=_scope(payload),
        number=_number(payload, "issue", "number"),
        on_pull_request=isinstance(_dig(payload, "issue", "pull_request"), dict),
        comment_id=_number(payload, "comment", "id"),
        body=_text(payload, "comment", "body", longest=LONGEST_TEXT),
    )


def _review(payload: Json) -> Event:
    return ReviewSubmitted(
        scope=_scope(payload),
        number=_number(payload, "pull_request", "number"),
        review_id=_number(payload, "review", "id"),
        state=_text(payload, "review", "state").lower(),
        body=_text(payload, "review", "body", longest=LONGEST_TEXT),
    )


def _installation(payload: Json) -> Event:
    return InstallationChanged(
        scope=_scope(payload),
        action=_text(payload, "action"),
        account=_text(payload, "installation", "account", "login"),
    )


def _installation_repositories(payload: Json) -> Event:
    return InstallationRepositoriesChanged(
        scope=_scope(payload),
        action=_text(payload, "action"),
    )


def _repository(payload: Json) -> Event:
    return RepositoryChanged(scope=_scope(payload), action=_text(payload, "action"))


def _status(payload: Json) -> Event:
    return StatusReported(
        scope=_scope(payload),
        sha=_text(payload, "sha"),
        state=_text(payload, "state"),
        context=_text(payload, "context"),
    )


def _push(payload: Json) -> Event:
    return Pushed(
        scope=_scope(payload),
        ref=_text(payload, "ref"),
        after=_text(payload, "after"),
        deleted=_dig(payload, "deleted") is True,
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
