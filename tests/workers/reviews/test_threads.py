"""What is read of a review, and what is said in its threads: once, in the right place, with narrow tokens."""

from __future__ import annotations

from dataclasses import replace

import pytest

from tests.workers.forge.scene import PROPOSAL, REPO
from tests.workers.reviews.held import Held
from workers.domain import Aim, Remark
from workers.errors import Retryable
from workers.github.reviews import Reading, Threads
from workers.ports import Reply


def remarks(held: Held, review: int) -> tuple[Remark, ...]:
    """The remarks of a review, as they are read."""
    session = held.session()
    found = Reading(session).review(held.number, review)
    session.close()
    assert found is not None
    return found.remarks


def say(held: Held, *replies: Reply) -> None:
    """One try of a fresh worker."""
    session = held.session()
    try:
        Threads(session, held.number).say(replies)
    finally:
        session.close()


def test_a_review_is_read_with_its_comments(held: Held) -> None:
    """Its own text and each comment are remarks, with the lines they stand on and the threads they belong to."""
    code = {"body": "```suggestion\nx\n```", "start_line": 1}
    made = held.review({"body": "why?"}, code, {"body": "old", "side": "LEFT"}, body="See below.")
    own, first, second, removed = remarks(held, made["id"])
    assert (own.author, own.body, own.comment_id) == ("ada", "See below.", 0)
    assert (first.path, first.line, first.start_line, first.thread) == ("shop.py", 2, None, first.comment_id)
    assert (second.line, second.start_line) == (2, 1)
    assert (removed.line, removed.body) == (None, "old")


def test_a_reply_in_a_thread_is_a_review_of_its_own(held: Held) -> None:
    """It belongs to the thread's first comment, because replies go there alone."""
    first = remarks(held, held.review({"body": "why?"})["id"])[0]
    answer = held.scene.hub.reply(REPO, "ada", first.comment_id, "still: why?")
    (only,) = remarks(held, answer["pull_request_review_id"])
    assert (only.comment_id, only.thread) == (answer["id"], first.comment_id)
    assert Reading(held.session()).review(held.number, 1) is None


@pytest.mark.parametrize("after", [True, False], ids=["answer lost", "not done"])
def test_everything_is_said_once(held: Held, after: bool) -> None:
    """An answer that got lost is found again by its marker; the thread that is solved is closed, the other is not."""
    own, first, second = remarks(held, held.review({"body": "rename"}, {"body": "why?", "line": 1}, body="Hm.")["id"])
    replies = (Reply(own, "To all."), Reply(first, "Done.", solved=True), Reply(second, "Because."))
    held.scene.hub.fail_requests("/replies$", method="POST", after=after)
    with pytest.raises(Retryable):
        say(held, *replies)
    for _ in range(2):
        say(held, *replies)
    assert [[one["body"].split("\n")[0] for one in held.in_thread(r.comment_id)] for r in (first, second)] == [
        ["Done."], ["Because."],
    ]  # fmt: skip
    assert [one["body"].split("\n")[0] for one in held.state["comments"]] == ["To all."]
    assert [one["isResolved"] for one in held.state["threads"]] == [True, False]
    assert len([one for one in held.scene.asked("POST", "/graphql") if "mutation" in one["body"]["query"]]) == 1


def test_replies_go_to_the_first_comment_of_a_thread(held: Held) -> None:
    """GitHub takes no reply to a reply; a person's marker is not taken for ours."""
    first = remarks(held, held.review({"body": "why?"})["id"])[0]
    later = held.scene.hub.reply(REPO, "ada", first.comment_id, "why not?")
    held.scene.hub.reply(REPO, "ada", first.comment_id, f"<!-- heal:reply={later['id']} -->")
    (remark,) = remarks(held, later["pull_request_review_id"])
    say(held, Reply(remark, "Because."))
    assert [one["body"].split("\n")[0] for one in held.in_thread(first.comment_id)][-1] == "Because."
    session = held.session()
    assert Reading(session).spoken_in(held.number) == {first.comment_id}
    session.close()


def test_a_thread_that_github_does_not_let_us_close_is_answered(held: Held) -> None:
    """To close a thread is worth less than to have answered in it."""
    first = remarks(held, held.review({"body": "rename"})["id"])[0]
    session = held.session()
    threads = Threads(session, held.number)
    held.scene.hub.fail_requests("/access_tokens$", method="POST", status=422, message="contents: not granted")
    threads.say([Reply(first, "Done.", solved=True)])
    session.close()
    assert len(held.in_thread(first.comment_id)) == 1
    assert [one["isResolved"] for one in held.state["threads"]] == [False]


def test_talking_needs_no_right_to_the_code(held: Held) -> None:
    """Replies and reactions are sent with a token that may not write contents."""
    found = remarks(held, held.review({"body": "why?"})["id"])
    before = len(held.scene.asked("POST", "/access_tokens"))
    session = held.session()
    threads = Threads(session, held.number)
    for _ in range(2):
        threads.react(found)
    threads.say([Reply(found[0], "Because.")])
    session.close()
    (comment,) = [one for one in held.state["review_comments"] if one["id"] == found[0].comment_id]
    assert [one["content"] for one in comment["reacted"]] == ["eyes"]
    asked = [one["body"]["permissions"] for one in held.scene.asked("POST", "/access_tokens")[before:]]
    assert {"metadata": "read", "pull_requests": "write"} in asked
    assert all(one.get("contents") != "write" for one in asked)


def test_our_branch_is_deleted_while_it_is_ours(held: Held) -> None:
    """Not when somebody pushed to it, and never one of theirs; the pull request is closed once."""
    session = held.session()
    threads = Threads(session, held.number)
    for _ in range(2):
        threads.close()
    assert [one["state"] for one in held.state["pulls"]] == ["closed"]
    with pytest.raises(ValueError, match="heal/"):
        threads.delete_branch("main", held.scene.info.sha)
    assert not threads.delete_branch(PROPOSAL.branch, "0" * 40)
    assert threads.delete_branch(PROPOSAL.branch, held.commit)
    assert not threads.delete_branch(PROPOSAL.branch, held.commit)
    session.close()
    assert set(held.state["branches"]) == {"main"}


def test_a_run_says_its_replies_through_the_forge(held: Held) -> None:
    """On the pull request it goes on with; without one there is nothing to say."""
    first = remarks(held, held.review({"body": "why?"})["id"])[0]
    case = replace(held.scene.case, aim=Aim.REVISE, ours=held.ours)
    for one in (held.scene.case, case):
        held.scene.forge(one).reply(one, [Reply(first, "key ghp_" + "a" * 36)])
    (said,) = held.in_thread(first.comment_id)
    assert "ghp_" not in said["body"]
