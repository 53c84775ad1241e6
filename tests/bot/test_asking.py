"""What people ask for becomes an errand for the workers, once; bots, quotes and strangers' branches become nothing."""

from __future__ import annotations

from typing import Any

import pytest

from bot.decisions import Ignore, Send
from tests.bot.deliveries import SHA
from tests.bot.test_triage import MONA, NEW, only
from workers.domain import Sha
from workers.errands.model import ButtonPressed, CommandGiven, LabelSet, ReviewGiven

COMMENT, LINE, REVIEW = "issue_comment.created", "pull_request_review_comment.created", "pull_request_review.submitted"
ACTION, AGAIN, SUITE, LABEL = (
    "check_run.requested_action",
    "check_run.rerequested",
    "check_suite.rerequested",
    "pull_request.labeled",
)
MADE = 1_795_255_200.0  # 2026-11-21T10:00:00Z
BRANCH = "heal/calc-unit-1a2b3c4d"
A_BOT = {"login": "other[bot]", "id": 8, "type": "Bot"}


def test_command() -> None:
    """A comment with a command is sent as it was written, with GitHub's time, once per comment."""
    given = CommandGiven(MONA, 3, True, 41, "/heal fix", MADE)
    assert only(COMMENT) == Send(given, "command:7001:41")
    on_issue = only(COMMENT, issue={"number": 8}, comment__body="It broke.\n\n/heal")
    assert (on_issue.payload.number, on_issue.payload.on_pull_request) == (8, False)


def test_command_at_a_line() -> None:
    """The same at a line of a diff, on anybody's pull request."""
    sent = only(LINE, comment__body="/heal explain", pull_request__head__ref="topic")
    given = CommandGiven(MONA, 9, True, 901, "/heal explain", MADE, review_comment=True)
    assert sent == Send(given, "command:7001:line:901")


@pytest.mark.parametrize(("identifier", "name"), [("retry", ACTION), ("rerequested", AGAIN)])
def test_button(identifier: str, name: str) -> None:
    """A button of our check run, and GitHub's own: every press asks anew."""
    pressed = ButtonPressed(MONA, 9002, "01run", Sha(SHA), identifier)
    assert only(name) == Send(pressed, f"button:7001:9002:{identifier}", each=True)


def test_all_checks_again() -> None:
    """Re-running all checks of a commit is a press on ours; the check run is told by the commit."""
    assert only(SUITE).payload == ButtonPressed(MONA, 0, "", Sha(SHA), "rerequested")


def test_label() -> None:
    """The label `heal` asks each time it is set."""
    assert only(LABEL) == Send(LabelSet(MONA, 3, "heal", Sha(NEW)), "label:7001:3", each=True)


def test_review() -> None:
    """A review of our pull request is sent whole; its comments wait for it under the same key."""
    review, line = only(REVIEW), only(LINE)
    assert review.payload == ReviewGiven(MONA, 9, 801, "changes_requested", "Keep the name.", BRANCH)
    assert line.payload == ReviewGiven(MONA, 9, 801, "commented", "", BRANCH, comment_id=901)
    assert review.key == line.key == "review:7001:801"
    assert (review.fuller, review.after) == (True, 0.0)
    assert (line.fuller, line.after > 5) == (False, True)
    assert only(REVIEW, review__state="APPROVED", review__body=None).payload.state == "approved"


def test_comment_without_a_review() -> None:
    """A comment that names no review is one of its own."""
    assert only(LINE, comment__pull_request_review_id=None).key == "review:7001:line:901"


@pytest.mark.parametrize(
    ("name", "changes", "reason"),
    [
        (COMMENT, {"comment__body": "thanks"}, "no command"),
        (COMMENT, {"comment__body": None}, "no command"),
        (COMMENT, {"comment__body": "> /heal fix"}, "no command"),
        (COMMENT, {"comment__body": "```\n/heal fix\n```"}, "no command"),
        (COMMENT, {"sender": A_BOT}, "by a bot"),
        (COMMENT, {"comment__user": A_BOT}, "by a bot"),
        (COMMENT, {"action": "edited"}, "nothing to do"),
        (COMMENT, {"action": "deleted"}, "nothing to do"),
        (COMMENT, {"installation": None}, "no installation"),
        (COMMENT, {"comment__id": None}, "no number or id"),
        (LINE, {"comment__user": A_BOT}, "by a bot"),
        (LINE, {"pull_request__head__ref": "topic"}, "not ours"),
        (LINE, {"pull_request__head__repo": {"id": 9}}, "not ours"),
        (REVIEW, {"sender": A_BOT}, "by a bot"),
        (REVIEW, {"pull_request__head__ref": "topic"}, "not ours"),
        (REVIEW, {"pull_request__head__repo": None}, "not ours"),
        (REVIEW, {"review__id": None}, "no id"),
        (REVIEW, {"action": "dismissed"}, "nothing to do"),
        (ACTION, {"check_run__app": {"id": 1, "slug": "x"}}, "another App"),
        (ACTION, {"sender": A_BOT}, "by a bot"),
        (ACTION, {"check_run__head_sha": None}, "no head commit"),
        (SUITE, {"action": "completed"}, "nothing to do"),
        (LABEL, {"label__name": "bug"}, "asks for nothing"),
        (LABEL, {"label": None}, "asks for nothing"),
        (LABEL, {"sender": A_BOT}, "by a bot"),
        (LABEL, {"action": "unlabeled"}, "nothing to do"),
    ],
)
def test_asks_for_nothing(name: str, changes: dict[str, Any], reason: str) -> None:
    """What nobody asked for, or what a bot did, says why it came to nothing."""
    decision = only(name, **changes)
    assert isinstance(decision, Ignore)
    assert reason in decision.reason
