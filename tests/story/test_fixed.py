"""A red check becomes a proven pull request: by search, by a tool's own repair, and what follows on the real CI."""

from __future__ import annotations

import re
from typing import Any

import pytest

from tests.story.scenes import GREEN, PYTEST, RED, RIGHT, STEPS
from tests.story.theatre import Theatre

pytestmark = [pytest.mark.story, pytest.mark.engine, pytest.mark.redis]


def proposed(theatre: Theatre, repo: str) -> dict[str, Any]:
    """The pull request, once its run waits for the repository's CI."""
    theatre.wait_for_state(repo, "parked")
    return theatre.wait_for_pull(repo)


def confirmed(theatre: Theatre, repo: str, conclusion: str = "success") -> dict[str, Any]:
    """Let the repository's CI end on the proposed branch, and give the finished run."""
    pull = proposed(theatre, repo)
    theatre.hub.finish_ci(repo, branch=pull["head"]["ref"], conclusion=conclusion)
    return theatre.wait_for_run(repo, 30)


def only_pull(theatre: Theatre, repo: str, labels: tuple[str, ...] = ("heal",)) -> dict[str, Any]:
    """The one pull request: on a branch of ours, with a signed commit and its evidence."""
    pulls = theatre.pulls(repo)
    assert len(pulls) == 1
    pull = pulls[0]
    state = theatre.hub.repo(repo)
    assert pull["head"]["ref"].startswith("heal/")
    assert state["commits"][pull["head"]["sha"]]["verification"]["verified"]
    assert [label["name"] for label in pull["labels"]] == list(labels)
    assert re.match("(Add|Change|Fix) ", pull["title"])
    body = pull["body"]
    assert re.search(r"\| the same, repeated \| ([2-5])/\1 red \| 2/2 green \|", body)
    for evidence in ("| once more without the patch |", "Confidence:"):
        assert evidence in body
    return pull


def files(pull: dict[str, Any]) -> list[str]:
    return [file["filename"] for file in pull["files"]]


def test_search_finds_the_operator(theatre: Theatre, repo: str) -> None:
    """A wrong comparison is found offline; when the repository's own CI is green, the draft is taken out of draft."""
    theatre.hub.create_repo(repo, files=RED)
    theatre.hub.finish_ci(repo, steps=STEPS)
    draft = proposed(theatre, repo)
    assert draft["draft"]
    assert "| the repository's CI | \u274c red | running |" in draft["body"]
    run = confirmed(theatre, repo)
    assert run["outcome"] == "FIXED"
    pull = only_pull(theatre, repo)
    assert (pull["draft"], pull["base"]["ref"], files(pull)) == (False, "main", ["shop.py"])
    assert "+    if quantity >= 10:" in pull["files"][0]["patch"]
    assert "| the repository's CI | \u274c red | \u2705 green: [" in pull["body"]
    checks = theatre.checks(repo)
    assert [(c["status"], c["conclusion"], c["output"]["title"]) for c in checks] == [
        ("completed", "neutral", "Fix proposed")
    ]
    assert [a["fixer"] for a in theatre.run(run["id"])["attempts"] if a["accepted"]] == ["search"]
    assert len(theatre.said(repo)) == 1


def test_autofix_first(theatre: Theatre, repo: str) -> None:
    """A linter's own repair comes before anything else."""
    theatre.sample("lint-findings", name=repo)
    theatre.hub.finish_ci(repo, steps=["Install", "Lint", "Format", "Test"], failing_step="Lint")
    assert confirmed(theatre, repo)["outcome"] == "FIXED"
    run = theatre.runs_of(repo)[0]
    assert [a["fixer"] for a in theatre.run(run["id"])["attempts"]] == ["autofix"]
    assert not only_pull(theatre, repo)["draft"]


def test_on_a_pull_request(theatre: Theatre, repo: str) -> None:
    """A red pull request gets a pull request onto its own branch, and one comment that is kept up to date."""
    theatre.hub.create_repo(repo, files={**RED, "shop.py": RIGHT})
    theatre.hub.finish_ci(repo, conclusion="success")
    theatre.hub.push(repo, {"shop.py": RED["shop.py"]}, branch="change")
    red = theatre.hub.open_pull(repo, "octocat", "change")
    theatre.hub.finish_ci(repo, branch="change", event="pull_request", steps=STEPS)
    assert confirmed(theatre, repo)["outcome"] == "FIXED"
    fix = only_pull(theatre, repo)
    assert fix["base"]["ref"] == "change"
    comments = theatre.said(repo)
    assert [comment["issue_url"].rsplit("/", 1)[1] for comment in comments] == [str(red["number"])]
    assert f"#{fix['number']}" in comments[0]["body"]


def test_ci_disagrees(theatre: Theatre, repo: str) -> None:
    """A fix on which the repository's CI is red stays a draft and says so."""
    theatre.hub.create_repo(repo, files=RED)
    theatre.hub.finish_ci(repo, steps=STEPS)
    run = confirmed(theatre, repo, "failure")
    assert run["outcome"] == "UNCONFIRMED"
    pull = only_pull(theatre, repo, ("heal", "heal: ci disagrees"))
    assert pull["draft"]
    assert "the sandbox and CI disagree" in pull["body"]
    assert [check["output"]["title"] for check in theatre.checks(repo)] == ["Fix proposed, CI disagrees"]
    assert len(theatre.runs_of(repo)) == 1


@pytest.mark.fault(50, 52)
def test_log_is_gone_and_the_base_moves(theatre: Theatre, repo: str) -> None:
    """A log that answers 404 for ever is done without: the workflow and the steps say enough. A push to the base that
    fits with the proposed fix leaves the pull request to people."""
    theatre.hub.create_repo(repo, files=RED)
    theatre.hub.finish_ci(repo, steps=STEPS, log=None)
    pull = proposed(theatre, repo)
    assert "without a log" in pull["body"]
    theatre.hub.push(repo, {"a.txt": "1\n"})
    assert confirmed(theatre, repo)["outcome"] == "FIXED"
    assert [one["state"] for one in theatre.pulls(repo)] == ["open"]


@pytest.mark.fault(19)
def test_a_matrix_is_one_run(theatre: Theatre, repo: str) -> None:
    """Several red jobs of one workflow run are one run and one pull request."""
    matrix = PYTEST.replace(
        "    steps:", "    strategy:\n      fail-fast: false\n      matrix:\n        size: [a, b]\n    steps:", 1
    )
    sha = theatre.hub.create_repo(
        repo, files={**RED, ".github/workflows/ci.yml": matrix}, ci="real", run_first=True
    ).sha
    theatre.hub.wait_ci(repo, sha)
    theatre.hub.set_repo(repo, ci="off")
    red = [job for job in theatre.hub.repo(repo)["jobs"] if job["conclusion"] == "failure"]
    assert len(red) == 2
    assert confirmed(theatre, repo)["outcome"] == "FIXED"
    assert len(theatre.runs_of(repo)) == 1
    only_pull(theatre, repo)


def test_closed_fix_is_not_opened_again(theatre: Theatre, repo: str) -> None:
    """Who closes our pull request has decided: the run ends, and the same failure proposes nothing new."""
    theatre.hub.create_repo(repo, files=RED)
    theatre.hub.finish_ci(repo, steps=STEPS)
    pull = proposed(theatre, repo)
    theatre.hub.close_pull(repo, "octocat", pull["number"])
    assert theatre.wait_for_run(repo)["outcome"] == "CANCELLED"
    theatre.hub.finish_ci(repo, steps=STEPS)
    assert theatre.wait_for_run(repo, at_least=2)["outcome"] == "DUPLICATE"
    assert [pull["state"] for pull in theatre.pulls(repo)] == ["closed"]


def test_green_starts_nothing(theatre: Theatre, repo: str) -> None:
    """A green workflow run is nobody's business."""
    theatre.hub.create_repo(repo, files=GREEN)
    theatre.hub.finish_ci(repo, conclusion="success")
    theatre.hub.settle()
    theatre.wait_until_routed()
    assert theatre.runs_of(repo) == []
    assert theatre.checks(repo) == []
