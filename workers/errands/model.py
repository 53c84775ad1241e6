"""What an errand can be about: one dataclass per kind, kept as JSON. Most are made by the receiver from a delivery.

Everything in those is untrusted text and numbers from outside; nothing here was asked of GitHub yet.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from workers.domain import Sha


class Kind(StrEnum):
    """The kinds, one handler each (`workers.errands.handlers`)."""

    COMMAND = "command"
    BUTTON = "button"
    LABEL = "label"
    REVIEW = "review"
    CLOSED = "closed"
    TEND = "tend"
    CONFIG = "config"
    SETTLE = "settle"
    RECOVER = "recover"
    FORGET = "forget"
    FAREWELL = "farewell"


@dataclass(frozen=True)
class Place:
    """Where it happened: the repository by id and by its name at the time, and who caused it."""

    installation_id: int
    repo_id: int
    repo: str
    sender: str = ""
    sender_id: int = 0


@dataclass(frozen=True)
class CommandGiven:
    """A comment that holds at least one `/heal` line. `number` is the issue's or the pull request's.

    `at` is when the comment was made, by GitHub's clock, in seconds since 1970. `review_comment`: it stands at a line
    of a diff, so reactions and replies go another way.
    """

    place: Place
    number: int
    on_pull_request: bool
    comment_id: int
    body: str
    at: float
    review_comment: bool = False


@dataclass(frozen=True)
class ButtonPressed:
    """A button of our own check run (`identifier`: retry, explain, stop), or GitHub's own re-run ("rerequested").

    `check_run_id` is 0 when all our checks of a commit are wanted again: `head_sha` tells which.
    """

    place: Place
    check_run_id: int
    external_id: str
    head_sha: Sha
    identifier: str


@dataclass(frozen=True)
class LabelSet:
    """A label was put on a pull request."""

    place: Place
    number: int
    label: str
    head_sha: Sha


@dataclass(frozen=True)
class ReviewGiven:
    """A review of a pull request whose branch is one of ours, or a single comment in one of its threads.

    The inline comments are not in the event; `review_id` names the review they are asked for by. `state` is lower
    case: approved, changes_requested, commented. There is one errand per review: when its comments come long before
    the review itself does, it was made from the first of them (`comment_id`), and `state` and `body` are not the
    review's own.
    """

    place: Place
    number: int
    review_id: int
    state: str
    body: str
    branch: str
    comment_id: int = 0


@dataclass(frozen=True)
class PullClosed:
    """A pull request whose branch is one of ours was closed, merged or not."""

    place: Place
    number: int
    branch: str
    merged: bool


@dataclass(frozen=True)
class LookAfter:
    """Something happened that may concern open changes of ours: their target moved, its CI turned green, a person
    pushed to our branch, or the base of our pull request was changed.

    `branch` is the branch it happened on: a target of ours, or one of our own. `why` is "moved", "green" or "closed"
    (the pull request of the branch was) for a target, "pushed" or "retargeted" for one of our own.
    """

    place: Place
    branch: str
    head_sha: Sha
    why: str


@dataclass(frozen=True)
class ConfigTouched:
    """A pull request or a push that may touch `.github/heal.yml`. `number` is 0 for a push to the default branch."""

    place: Place
    number: int
    head_sha: Sha


@dataclass(frozen=True)
class RunWaits:
    """A run waits for the end of its workflow run, whose own event has not come: GitHub is asked."""

    place: Place
    key: str
    actions_run_id: int


@dataclass(frozen=True)
class Recover:
    """Look for deliveries that GitHub could not bring."""


@dataclass(frozen=True)
class Forget:
    """The installation is gone, or these repositories of it: what is kept of their secrets-bearing data goes too."""

    installation_id: int
    repo_ids: tuple[int, ...] = ()
    """Empty: all of the installation."""


@dataclass(frozen=True)
class EndUntold:
    """A run has ended outside its own story, and people still see it at work."""

    place: Place
    run: str


Payload = (
    CommandGiven
    | ButtonPressed
    | LabelSet
    | ReviewGiven
    | PullClosed
    | LookAfter
    | ConfigTouched
    | RunWaits
    | Recover
    | Forget
    | EndUntold
)

KINDS: dict[type[Payload], Kind] = {
    CommandGiven: Kind.COMMAND,
    ButtonPressed: Kind.BUTTON,
    LabelSet: Kind.LABEL,
    ReviewGiven: Kind.REVIEW,
    PullClosed: Kind.CLOSED,
    LookAfter: Kind.TEND,
    ConfigTouched: Kind.CONFIG,
    RunWaits: Kind.SETTLE,
    Recover: Kind.RECOVER,
    Forget: Kind.FORGET,
    EndUntold: Kind.FAREWELL,
}
PAYLOADS: dict[Kind, type[Payload]] = {kind: payload for payload, kind in KINDS.items()}
