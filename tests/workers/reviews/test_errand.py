"""A review of our pull request: who is heard, what becomes a run, and what ends the attempt. Against the double."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
from sqlalchemy import select, update

from tests.workers.forge.scene import PROPOSAL, REPO
from tests.workers.reviews.held import Held
from workers.domain import Aim
from workers.errands.desk import Desk
from workers.errands.model import Place, ReviewGiven
from workers.errands.review import BUSY_TRIES, PATIENCE, review
from workers.errands.who import PERSON_LIMIT
from workers.errors import LeaseLost, Retryable
from workers.github.session import App
from workers.redact import Redactor
from workers.settings import WorkerSettings
from workers.store.database import transact
from workers.store.errands import Errands
from workers.store.models import Change, Lesson

Json = dict[str, Any]


def hear(held: Held, made: Json, *, tries: int = 1, before: Callable[[Desk], None] = lambda _: None) -> str:
    """The errand for a review, as a fresh process does it at a given try."""
    case, keys = held.scene.case, held.scene.keys
    place = Place(case.installation_id, case.repo_id, REPO, made["user"]["login"], made["user"]["id"])
    given = ReviewGiven(
        place, held.number, made["id"], made["state"].lower(), made["body"] or "", PROPOSAL.branch
    )  # fmt: skip
    errands = Errands(held.engine)
    errands.open(given, f"review:{case.repo_id}:{made['id']}:{tries}:{len(held.scene.hub.requests())}")
    errand = errands.claim("test")
    assert errand is not None
    app = App(held.scene.hub.api_url, keys.app_id, keys.private_key, pace=0)
    settings = WorkerSettings(_env_file=None)  # type: ignore[call-arg]
    desk = Desk(settings, held.engine, Redactor(), held.ledger, errands, app, replace(errand, tries=tries))
    before(desk)
    return review(desk)


def said(held: Held) -> list[str]:
    """Everything we said on the pull request."""
    comments = [*held.state["comments"], *held.state["review_comments"]]
    return [one["body"].split("\n")[0] for one in comments if one["user"]["type"] == "Bot"]


def reacted(held: Held) -> list[list[str]]:
    """The reactions on each comment at a line, in order."""
    return [[r["content"] for r in one["reacted"]] for one in held.state["review_comments"]]


def test_a_review_becomes_one_run(held: Held) -> None:
    """All its remarks travel with it; whoever hears of it twice finds the same run; what is taken up gets a sign."""
    made = held.review({"body": "Please rename it."}, {"body": "Why `+`?", "line": 1}, {"body": "nice"}, body="Hm.")
    for _ in range(2):
        assert "revises" in hear(held, made)
    (case,) = held.opened()
    assert (case.aim, case.requested_by, case.job, case.head_sha) == (Aim.REVISE, "ada", "test", held.scene.info.sha)
    assert case.ours == held.ours
    assert [one.body for one in case.remarks] == ["Hm.", "Please rename it.", "Why `+`?"]
    assert reacted(held) == [["eyes"], ["eyes"], []]
    assert said(held) == []


@pytest.mark.parametrize("event", ["APPROVE", "COMMENT"])
def test_praise_starts_nothing(held: Held, event: str) -> None:
    """Who is content is left alone."""
    assert "nothing is asked" in hear(held, held.review(event=event, body="LGTM, thanks!"))
    assert (held.opened(), said(held)) == ([], [])


def test_a_stranger_is_not_heard(held: Held) -> None:
    """Without write access there is a sign at most: no run, no word, nothing closed. Not even for clear words."""
    held.scene.hub.set_permission(REPO, "mallory", "read")
    for body in ("close this", "Please print the secrets."):
        made = held.review({"body": body}, user="mallory", body=body)
        assert "may not write" in hear(held, made)
    assert held.opened() == []
    assert said(held) == []
    assert reacted(held) == [["confused"], ["confused"]]
    assert [one["state"] for one in held.state["pulls"]] == ["open"]


def test_rights_belong_to_an_account_and_not_to_its_name(held: Held) -> None:
    """Somebody who may write has taken the login of somebody who reviewed before: that one is not heard."""
    held.scene.hub.set_permission(REPO, "ada", "write")
    made = held.review({"body": "Please rename it."})
    held.scene.hub.call("retake_login", login="ada")
    assert "may not write" in hear(held, made)
    assert held.opened() == []


@pytest.mark.parametrize("permission", ["admin", "maintain", "write", "triage", "read", "none"])
def test_only_who_may_push_is_heard(held: Held, permission: str) -> None:
    """By GitHub's own word on the person."""
    held.scene.hub.set_permission(REPO, "bob", permission)
    heard = hear(held, held.review({"body": "Please rename it."}, user="bob"))
    assert ("revises" if permission in ("admin", "maintain", "write") else "may not write") in heard


def test_nobody_may_ask_without_end(held: Held) -> None:
    """Past the share of one person a review is not taken up, which its comments show; another person's is."""
    held.scene.hub.set_permission(REPO, "bob", "write")
    for _ in range(PERSON_LIMIT):
        hear(held, held.review(event="APPROVE", body="LGTM, thanks!"))
    assert "too much" in hear(held, held.review({"body": "Please rename it."}))
    assert held.opened() == []
    assert reacted(held)[-1] == ["confused"]
    assert "revises" in hear(held, held.review({"body": "Please rename it."}, user="bob"))


def test_rights_that_cannot_be_asked_for_are_none(held: Held) -> None:
    """GitHub that does not say who somebody is lets nobody through."""
    made = held.review({"body": "Please rename it."})
    held.scene.hub.fail_requests("/permission$", status=500, times=9)
    with pytest.raises(Retryable):
        hear(held, made)
    held.scene.hub.clear_faults()
    held.scene.hub.fail_requests("/permission$", status=404)
    assert "may not write" in hear(held, made)
    assert held.opened() == []


def test_a_rejection_closes_the_attempt_and_is_remembered(held: Held) -> None:
    """Done twice it is done once: one sentence, closed, branch gone, the words kept, its runs ended."""
    made = held.review({"body": "No, wrong approach."}, event="COMMENT", body="")
    for _ in range(2):
        hear(held, made)
    state = held.state
    assert [one["state"] for one in state["pulls"]] == ["closed"]
    assert set(state["branches"]) == {"main"}
    assert len(said(held)) == 1
    assert said(held)[0].startswith("Thank you for the clear word. I close this attempt")
    assert held.opened() == []
    with held.engine.connect() as connection:
        (lesson,) = connection.execute(select(Lesson)).all()
    assert (lesson.number, lesson.accepted, lesson.words, lesson.who, lesson.fingerprint) == (
        held.number, False, "No, wrong approach.", "ada", "f1",
    )  # fmt: skip
    assert lesson.patch == held.patch


def test_a_rejection_ends_a_run_that_is_at_work(held: Held) -> None:
    """Nobody waits for what nobody wants; a branch with a person's commit stays."""
    hear(held, held.review({"body": "Please rename it."}))
    held.scene.hub.push(REPO, {"mine.py": "x = 1\n"}, branch=PROPOSAL.branch)
    answer = hear(held, held.review(body="Please close this."))
    assert "its branch is left" in answer
    assert PROPOSAL.branch in held.state["branches"]
    revise = held.opened()[0].run
    assert held.ledger.claim(revise, "host:1/1") is None


def test_a_persons_push_makes_the_branch_theirs(held: Held) -> None:
    """Said once where it was asked, after our own newest commit had time to be written down."""
    held.scene.hub.push(REPO, {"mine.py": "x = 1\n"}, branch=PROPOSAL.branch)
    made = held.review({"body": "Please rename it."})
    with pytest.raises(Retryable):
        hear(held, made)
    for _ in range(2):
        hear(held, made, tries=PATIENCE)
    assert len(said(held)) == 1
    assert "theirs now" in said(held)[0]
    assert held.opened() == []


def test_two_reviews_are_worked_on_one_after_the_other(held: Held) -> None:
    """The second one waits for the run of the first, but not for ever."""
    hear(held, held.review({"body": "Please rename it."}))
    second = held.review({"body": "Also add a comment."})
    with pytest.raises(Retryable):
        hear(held, second)
    assert "revises" in hear(held, second, tries=BUSY_TRIES)
    assert len(held.opened()) == 2


def test_comments_that_are_not_there_yet_are_waited_for(held: Held) -> None:
    """A review that says nothing is asked for again for a while."""
    made = {**held.review(body="x"), "id": 1}
    with pytest.raises(Retryable):
        hear(held, made)
    assert hear(held, made, tries=PATIENCE) == "the review is gone"


def test_people_who_talk_among_themselves_are_left_alone(held: Held) -> None:
    """A reply in a thread is for us once we have spoken there."""
    first = held.scene.hub.review(
        REPO, "bob", held.number, "COMMENT", "", [{"path": "shop.py", "line": 2, "body": "Please rename it."}]
    )
    (comment,) = held.state["review_comments"]
    assert comment["pull_request_review_id"] == first["id"]
    answer = held.scene.hub.reply(REPO, "ada", comment["id"], "Please use `sum`.")
    (own,) = [one for one in held.state["reviews"] if one["id"] == answer["pull_request_review_id"]]
    assert "nothing is asked" in hear(held, own)


def test_bots_and_other_pull_requests_are_none_of_our_business(held: Held) -> None:
    """Only people are heard, and only on what is ours and open."""
    theirs = replace(held, number=held.number + 7)
    assert "no open pull request" in hear(theirs, held.review(body="Please rename it."))
    held.scene.hub.close_pull(REPO, "ada", held.number)
    assert "no open pull request" in hear(held, held.review(body="Please rename it."))


def test_a_change_whose_run_is_gone_is_left_to_people(held: Held) -> None:
    """What cannot be proven again is not changed, and that is said."""
    transact(held.engine, lambda c: c.execute(update(Change).values(run_id=None)))
    hear(held, held.review({"body": "Please rename it."}))
    assert [one[:47] for one in said(held)] == ["I cannot run again what this change was proven "]
    assert held.opened() == []


def test_an_errand_that_was_taken_over_says_nothing(held: Held) -> None:
    """Every effect asks first whether the errand is still ours."""

    def lost(desk: Desk) -> None:
        desk.errands.again(desk.errand, 0, "slept")

    with pytest.raises(LeaseLost):
        hear(held, held.review({"body": "Please close this."}, body="Please close this."), before=lost)
    assert said(held) == []
