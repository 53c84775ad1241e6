"""A story of a review: code is suggested, something is asked, the attempt is rejected; each is answered in place."""

from __future__ import annotations

from typing import Any

import pytest
from sqlalchemy import select

from tests.story.scenes import RED, WRONG
from tests.story.theatre import Theatre
from workers.store.database import open_engine
from workers.store.models import Lesson

pytestmark = [pytest.mark.story, pytest.mark.engine, pytest.mark.redis]

Json = dict[str, Any]
REVIEWER = "ada"


def replies_to(theatre: Theatre, repo: str, comment: Json) -> list[str]:
    """What was answered in a thread."""
    found = theatre.hub.repo(repo)["review_comments"]
    return [one["body"] for one in found if one.get("in_reply_to_id") == comment["id"]]


def test_a_review_is_answered_where_it_stands(theatre: Theatre, repo: str) -> None:
    """Suggested code becomes a second commit that is proven again, its thread is closed; a question gets an answer and
    no commit; "wrong approach" ends the attempt, and is remembered."""
    hub, engine = theatre.hub, open_engine(theatre.worker_env["HEAL_DATABASE_URL"])
    info = hub.create_repo(repo, files=RED)
    hub.create_user(REVIEWER)
    hub.set_permission(repo, REVIEWER, "write")
    hub.finish_ci(repo)
    pull = theatre.wait_for_pull(repo)
    theatre.wait_for_state(repo, "parked")
    hub.finish_ci(repo, branch=pull["head"]["ref"], conclusion="success")
    theatre.wait_for_run(repo, 30)

    at = WRONG.splitlines().index("    if quantity > 10:") + 1
    code = "```suggestion\n    if not quantity < 10:\n```"
    said = [
        {"path": "shop.py", "line": at, "body": code},
        {"path": "shop.py", "line": at + 1, "body": "How do you know that this works?"},
    ]
    hub.review(repo, REVIEWER, pull["number"], "REQUEST_CHANGES", "", said)
    theatre.wait(lambda: {} if len(theatre.runs_of(repo)) > 1 else None, 30, "a run for the review")
    theatre.wait_for_state(repo, "parked", 90)
    branch = hub.repo(repo)["branches"][pull["head"]["ref"]]
    hub.finish_ci(repo, branch=pull["head"]["ref"], conclusion="success")
    second = theatre.wait_for_run(repo, 60, at_least=2)
    assert second["outcome"] == "FIXED"
    state = hub.repo(repo)
    assert [parent["sha"] for parent in state["commits"][branch]["parents"]] == [pull["head"]["sha"]]
    (now,) = theatre.pulls(repo)
    assert [file["filename"] for file in now["files"]] == ["shop.py"]
    assert "+    if not quantity < 10:" in now["files"][0]["patch"]
    assert now["body"] != pull["body"]
    assert f"heal:run={second['id']}" in now["body"]
    suggested, asked = (one for one in state["review_comments"] if not one.get("in_reply_to_id"))
    (done,), (answer,) = replies_to(theatre, repo, suggested), replies_to(theatre, repo, asked)
    assert done.startswith(f"Applied as you suggested in {branch[:7]}, and all of it verified again")
    assert answer.startswith("I ran `python -m pytest -q`: red before (2 failed, 2 passed), green with the change")
    assert [one["isResolved"] for one in state["threads"]] == [True, False]
    assert [[r["content"] for r in one["reacted"]] for one in (suggested, asked)] == [["eyes"], ["eyes"]]
    assert "Revised after a review" in [check["output"]["title"] for check in theatre.checks(repo)]

    hub.reply(repo, REVIEWER, asked["id"], "Why was it wrong?")
    third = theatre.wait_for_run(repo, 30, at_least=3)
    assert third["outcome"] == "NO_FIX_FOUND"
    assert "wants nothing changed" in third["detail"]
    assert hub.repo(repo)["branches"][pull["head"]["ref"]] == branch
    assert len(replies_to(theatre, repo, asked)) == 3

    hub.review(repo, REVIEWER, pull["number"], "REQUEST_CHANGES", "Wrong approach.")
    theatre.wait(lambda: {} if theatre.pulls(repo)[0]["state"] == "closed" else None, 30, "the end of the attempt")
    theatre.wait(lambda: {} if set(hub.repo(repo)["branches"]) == {"main"} else None, 10, "the branch's end")
    assert [one["body"].split(".")[0] for one in theatre.said(repo)][-1] == "Thank you for the clear word"
    with engine.connect() as connection:
        lessons = connection.execute(select(Lesson.words, Lesson.accepted).where(Lesson.repo_id == info.id)).all()
    assert [tuple(one) for one in lessons] == [("Wrong approach.", False)]
    engine.dispose()
