"""What people ask for: commands in comments, buttons, labels, reviews of our pull requests. Who may is not asked here.

Bots ask for nothing, and neither do edited comments, quotes and code.
"""

from __future__ import annotations

from bot.decisions import Decisions, Identity, Ignore, Send, missing, place
from bot.events import CheckAsked, CommentCreated, PullRequestLabeled, ReviewCommentCreated, ReviewSubmitted
from bot.moving import is_ours
from workers import commands
from workers.domain import Sha
from workers.errands.model import ButtonPressed, CommandGiven, LabelSet, ReviewGiven

LABEL = "heal"
REVIEW_WAIT = 10.0
"""Seconds a comment of a review waits for the review itself, which tells more."""


def comment(event: CommentCreated) -> Decisions:
    """A comment asks for something when it holds a command."""
    refused = _refused(event)
    if refused:
        return (Ignore(refused),)
    payload = CommandGiven(
        place(event.scope), event.number, event.on_pull_request, event.comment_id, event.body, event.at
    )
    return (Send(payload, f"command:{event.scope.repo.id}:{event.comment_id}"),)


def review_comment(event: ReviewCommentCreated) -> Decisions:
    """The same at a line of a diff; without a command it belongs to its review, when the pull request is ours."""
    refused, repo_id, number = _refused(event), event.scope.repo.id, event.pull.number
    if not refused:
        given = CommandGiven(
            place(event.scope), number, True, event.comment_id, event.body, event.at, review_comment=True
        )
        return (Send(given, f"command:{repo_id}:line:{event.comment_id}"),)
    if refused != _NO_COMMAND:
        return (Ignore(refused),)
    if not is_ours(event.scope, event.pull):
        return (Ignore("a review comment on a pull request that is not ours"),)
    said = ReviewGiven(
        place(event.scope), number, event.review_id, "commented", "", event.pull.branch, comment_id=event.comment_id
    )
    key = f"review:{repo_id}:{event.review_id}" if event.review_id else f"review:{repo_id}:line:{event.comment_id}"
    return (Send(said, key, after=REVIEW_WAIT),)


def review(event: ReviewSubmitted) -> Decisions:
    """A review is collected once; comments of it that came first are waiting for it."""
    lacking = missing(event.scope) or ("" if event.review_id and event.pull.number else "the review has no id")
    if lacking:
        return (Ignore(lacking),)
    if event.by_bot:
        return (Ignore("a review by a bot"),)
    if not is_ours(event.scope, event.pull):
        return (Ignore("a review of a pull request that is not ours"),)
    payload = ReviewGiven(
        place(event.scope), event.pull.number, event.review_id, event.state, event.body, event.pull.branch
    )
    return (Send(payload, f"review:{event.scope.repo.id}:{event.review_id}", fuller=True),)


def button(event: CheckAsked, own: Identity) -> Decisions:
    """A press on a button of ours, or GitHub's own "Re-run"."""
    lacking = missing(event.scope, event.head_sha)
    if lacking:
        return (Ignore(lacking),)
    if not own.made(event):
        return (Ignore("a check run of another App"),)
    if event.scope.sender_is_bot:
        return (Ignore("a button pressed by a bot"),)
    payload = ButtonPressed(
        place(event.scope), event.check_run_id, event.external_id, Sha(event.head_sha), event.identifier
    )
    what = event.check_run_id or event.head_sha
    return (Send(payload, f"button:{event.scope.repo.id}:{what}:{event.identifier}", each=True),)


def label(event: PullRequestLabeled) -> Decisions:
    """The label `heal` asks as `/heal` does."""
    scope, pull = event.scope, event.pull
    if event.label != LABEL:
        return (Ignore("a label that asks for nothing"),)
    lacking = missing(scope, pull.head_sha) or ("" if pull.number else "the pull request has no number")
    if lacking:
        return (Ignore(lacking),)
    if scope.sender_is_bot:
        return (Ignore("a label set by a bot"),)
    payload = LabelSet(place(scope), pull.number, event.label, Sha(pull.head_sha))
    return (Send(payload, f"label:{scope.repo.id}:{pull.number}", each=True),)


_NO_COMMAND = "no command"


def _refused(event: CommentCreated | ReviewCommentCreated) -> str:
    """Why a comment is no command; "" when it is one."""
    lacking = missing(event.scope)
    number = event.number if isinstance(event, CommentCreated) else event.pull.number
    if lacking or not number or not event.comment_id:
        return lacking or "the comment has no number or id"
    if event.by_bot:
        return "a comment by a bot"
    return "" if commands.find(event.body) else _NO_COMMAND
