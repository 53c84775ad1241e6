"""What may be decided about a delivery: a closed set of small values that the dispatcher carries out in the database.

All of them may be carried out twice. `Identity` tells our own doings from other people's.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from bot.events import CheckAsked, CheckRunCompleted, Repo, Scope
from workers.domain import Case, Outcome
from workers.errands.model import LookAfter, Payload, Place
from workers.store.heads import Head
from workers.store.models import InstallationState, RepoState

OWN_BRANCHES = "heal/"

_SHA = re.compile(r"[0-9a-f]{40}(?:[0-9a-f]{24})?")
_REPO = re.compile(r"(?!\.+/)[A-Za-z0-9_.-]+/(?!\.+\Z)[A-Za-z0-9_.-]+")


@dataclass(frozen=True)
class Identity:
    """Who we are, to tell our own check runs and comments from others'. Empty values match nothing."""

    app_id: int = 0
    app_slug: str = ""

    def made(self, check: CheckRunCompleted | CheckAsked) -> bool:
        """The check is one of ours."""
        same_slug = bool(self.app_slug) and check.app_slug == self.app_slug
        return same_slug or (self.app_id > 0 and check.app_id == self.app_id)

    def did(self, scope: Scope) -> bool:
        """It was our own bot's doing. Where our name is not known, every bot may be us."""
        return scope.sender_is_bot and self.app_slug in {"", scope.sender.removesuffix("[bot]")}


@dataclass(frozen=True)
class Start:
    """Open a run for `case` (its `run` is still empty) unless one with `key` exists.

    `wait` holds it back until the workflow run has ended; `instead` names the key of a waiting run that this one
    replaces, when the two could not have the same key. A case without a branch is about the pull request that has its
    commit as head; when nobody has told of one, there is no run.
    """

    key: str
    case: Case
    wait: bool = False
    instead: str = ""


@dataclass(frozen=True)
class Settle:
    """CI reports no failure after all: end the waiting run with `key`, if there is one, or with `working` also one
    that has begun and has not published anything."""

    key: str
    why: str
    working: bool = False


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
class CancelFork:
    """The same for a pull request from a fork: its branch is not one of this repository's, its heads are known."""

    repo_id: int
    number: int
    keep: str
    before: str
    at: float
    outcome: Outcome
    why: str


@dataclass(frozen=True)
class CancelRepositories:
    """End every run of these repositories, as far as they belong to the installation."""

    installation_id: int
    repo_ids: tuple[int, ...]
    why: str


@dataclass(frozen=True)
class CancelInstallation:
    """End every run of an installation."""

    installation_id: int
    why: str


@dataclass(frozen=True)
class NoteHead:
    """A pull request has this head; `moved` when the event is about the new head itself."""

    repo_id: int
    number: int
    head: Head
    moved: bool


@dataclass(frozen=True)
class NoteInstallation:
    """What became of an installation. `state` is None where only its account is told."""

    id: int
    account: str
    account_id: int
    state: InstallationState | None
    at: float


@dataclass(frozen=True)
class NoteRepos:
    """What repositories are called now, and what became of them (None: nothing)."""

    installation_id: int
    repos: tuple[Repo, ...]
    state: RepoState | None
    at: float = 0.0


@dataclass(frozen=True)
class RenameAccount:
    """All repositories of an installation lie under another name."""

    installation_id: int
    account: str
    was: str


@dataclass(frozen=True)
class Send:
    """Open an errand for the workers unless one with `key` exists; it is due in `after` seconds.

    `fuller`: it takes the place of one with the same key that nobody has begun. `each`: every delivery asks anew.
    """

    payload: Payload
    key: str
    after: float = 0.0
    fuller: bool = False
    each: bool = False


@dataclass(frozen=True)
class Tend:
    """Open an errand as `Send` does, but only when an open change of ours has to do with the branch."""

    payload: LookAfter
    key: str


@dataclass(frozen=True)
class Ignore:
    """Nothing to do, and why."""

    reason: str


Decision = (
    Start
    | Settle
    | Wake
    | CancelBranch
    | CancelFork
    | CancelRepositories
    | CancelInstallation
    | NoteHead
    | NoteInstallation
    | NoteRepos
    | RenameAccount
    | Send
    | Tend
    | Ignore
)
Decisions = tuple[Decision, ...]
"""What one delivery leads to, in order; never empty."""


def place(scope: Scope) -> Place:
    """Where something happened, for an errand."""
    repo = scope.repo
    return Place(scope.installation_id, repo.id, repo.full_name, sender=scope.sender, sender_id=scope.sender_id)


def is_sha(text: str) -> bool:
    """A full commit id."""
    return _SHA.fullmatch(text) is not None


def missing(scope: Scope, head_sha: str | None = None) -> str:
    """What nothing can be done without and the payload does not say; "" when all is there."""
    if not scope.installation_id:
        return "the payload names no installation"
    if not scope.repo.id or not _REPO.fullmatch(scope.repo.full_name):
        return "the payload names no repository"
    if head_sha is not None and not is_sha(head_sha):
        return "the payload names no head commit"
    return ""
