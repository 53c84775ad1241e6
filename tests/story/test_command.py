"""A person drives a heal by comments: who may, what is said, and which commit is meant."""

from __future__ import annotations

from typing import Any

import pytest

from tests.story.scenes import CONFIG, RED, RIGHT, STEPS
from tests.story.theatre import Theatre

pytestmark = [pytest.mark.story, pytest.mark.engine, pytest.mark.redis]


def test_a_person_asks_for_a_heal(theatre: Theatre, repo: str) -> None:
    """Events start nothing here, `/heal` does: seen at once, one comment that follows the run, done.

    A stranger gets a reaction alone, and a comment from before the newest commit does not mean that commit.
    """
    hub = theatre.hub
    only_main = 'triggers:\n  branches: ["main"]\n'
    hub.create_repo(repo, files={**RED, "shop.py": RIGHT, CONFIG: only_main})
    for user, role in (("mona", "write"), ("eve", "read")):
        hub.set_permission(repo, user, role)
    hub.push(repo, {"shop.py": RED["shop.py"]}, branch="change")
    number = hub.open_pull(repo, "octocat", "change")["number"]
    hub.finish_ci(repo, branch="change", event="pull_request", steps=STEPS)
    assert theatre.wait_for_run(repo)["outcome"] == "DISABLED"
    hub.advance(5)  # GitHub tells times in whole seconds: which of two within one came first, nobody knows

    assert answered(theatre, repo, hub.comment(repo, "eve", number, "/heal")) == ["eyes", "-1"]
    assert theatre.said(repo) == []

    asked = hub.comment(repo, "mona", number, '/heal fix hint="look at the comparison"')
    assert answered(theatre, repo, asked) == ["eyes", "rocket"]
    theatre.wait_for_state(repo, "parked", 120)
    fix = theatre.wait_for_pull(repo)
    (sticky,) = theatre.said(repo)
    assert sticky["issue_url"].endswith(f"/{number}")
    assert f"#{fix['number']}" in sticky["body"]
    hub.finish_ci(repo, branch=fix["head"]["ref"], conclusion="success")
    run = theatre.wait_for_run(repo, 60, at_least=2)
    assert (run["outcome"], run["pull_request"]) == ("FIXED", number)
    assert len(theatre.said(repo)) == 1
    assert len(theatre.checks(repo)) == 1

    hub.push(repo, {"shop.py": "raise SystemExit\n"}, branch="change")
    hub.finish_ci(repo, branch="change", event="pull_request", steps=STEPS)
    theatre.wait_until_routed()
    hub.advance(-60)
    early = hub.comment(repo, "mona", number, "/heal")
    assert answered(theatre, repo, early) == ["eyes", "confused"]
    # The fix is made anew for the pushed commit at the same time, and its comment may come after the reply.
    assert [one for one in theatre.said(repo) if "may have come after your comment" in one["body"]]
    hub.advance(60)


def answered(theatre: Theatre, repo: str, comment: dict[str, Any]) -> list[str]:
    """The reactions to a comment, once there are two."""

    def two() -> dict[str, Any] | None:
        found = next(one for one in theatre.hub.repo(repo)["comments"] if one["id"] == comment["id"])
        return found if len(found["reacted"]) >= 2 else None

    return [one["content"] for one in theatre.wait(two, 30, "an answer")["reacted"]]
