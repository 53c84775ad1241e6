"""A fix for a pull request of somebody else's reaches them as heal.yml says; a fork's code is not even run."""

from __future__ import annotations

from typing import Any

import pytest

from tests.story.scenes import CONFIG, RED, RIGHT, STEPS
from tests.story.theatre import Theatre

pytestmark = [pytest.mark.story, pytest.mark.engine, pytest.mark.redis]

MENDED = "    if quantity >= 10:"


def red_pull(theatre: Theatre, repo: str, publish: str) -> dict[str, Any]:
    """A pull request that breaks what was right, in a repository with this setting."""
    theatre.hub.create_repo(repo, files={**RED, "shop.py": RIGHT, CONFIG: f"publish: {publish}\n"})
    theatre.hub.finish_ci(repo, conclusion="success")
    theatre.hub.push(repo, {"shop.py": RED["shop.py"]}, branch="change")
    pull = theatre.hub.open_pull(repo, "octocat", "change")
    theatre.hub.finish_ci(repo, branch="change", event="pull_request", steps=STEPS)
    return pull


def test_suggested_and_pushed(theatre: Theatre, repo: str) -> None:
    """By setting: one review whose suggestion is the proven line, or one signed commit on their branch. Either way one
    comment, no branch and no pull request of ours."""
    red_pull(theatre, repo, "suggest")
    pushed = f"{repo}-pushed"
    theirs = red_pull(theatre, pushed, "push")
    assert theatre.wait_for_run(repo)["outcome"] == "FIXED"
    state = theatre.hub.repo(repo)
    (review,) = state["reviews"]
    (suggestion,) = state["review_comments"]
    assert (review["user"]["login"], review["state"]) == (theatre.app.bot, "COMMENTED")
    assert "Made by Heal, a bot" in review["body"]
    assert suggestion["body"] == f"```suggestion\n{MENDED}\n```"
    assert (suggestion["path"], suggestion["line"]) == ("shop.py", 2)
    assert review["html_url"] in theatre.said(repo)[0]["body"]

    theatre.wait_for_state(pushed, "parked")
    theatre.hub.finish_ci(pushed, branch="change", event="pull_request", conclusion="success")
    assert theatre.wait_for_run(pushed)["outcome"] == "FIXED"
    state = theatre.hub.repo(pushed)
    commit = state["commits"][state["branches"]["change"]]
    assert commit["verification"]["verified"]
    assert [parent["sha"] for parent in commit["parents"]] == [theirs["head"]["sha"]]
    assert state["pulls"][0]["files"] == []  # the fix took back what the pull request had broken
    assert commit["sha"] in theatre.said(pushed)[0]["body"]
    for name in (repo, pushed):
        assert theatre.pulls(name) == []
        assert len(theatre.said(name)) == 1
        assert set(theatre.hub.repo(name)["branches"]) == {"main", "change"}


@pytest.mark.fault(16)
def test_code_of_a_fork_waits_for_a_word(theatre: Theatre, repo: str) -> None:
    """Nothing of it is run or said, but in a check run on its head: the command that would let Heal run it."""
    theatre.hub.create_repo(repo, files={**RED, "shop.py": RIGHT})
    fork = f"mallory/{repo.partition('/')[2]}"
    theatre.hub.create_repo(fork, fork_of=repo)
    sha = theatre.hub.push(fork, {"shop.py": RED["shop.py"]}, branch="change", user="mallory", new_from="main")
    theatre.hub.open_pull(repo, "mallory", "mallory:change")
    theatre.hub.finish_ci(repo, branch="change", sha=sha, event="pull_request", head_repo=fork, steps=STEPS)
    run = theatre.wait_for_run(repo)
    assert run["outcome"] == "REFUSED_BY_POLICY"
    (check,) = theatre.checks(repo)
    assert (check["head_sha"], check["conclusion"]) == (sha, "neutral")
    assert f"`/heal {sha[:7]}`" in check["output"]["summary"]
    assert theatre.said(repo) == []
    assert {stage["stage"] for stage in theatre.run(run["id"])["stages"]} == set()
