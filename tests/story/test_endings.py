"""One story per ending without a fix: what started, what people read, and that nothing was changed."""

from __future__ import annotations

from typing import Any

import pytest

from tests.story.conftest import Play
from tests.story.scenes import CONFIG, GREEN, PATH, PUZZLE, RED, running
from tests.story.theatre import SAMPLES, Theatre

pytestmark = [pytest.mark.story, pytest.mark.engine, pytest.mark.redis]


def told(theatre: Theatre, repo: str) -> dict[str, Any]:
    """The one check run `heal`, which never blocks a merge and never shows a traceback; and no pull request."""
    checks = theatre.checks(repo)
    assert len(checks) == 1
    assert (checks[0]["status"], checks[0]["conclusion"]) == ("completed", "neutral")
    assert theatre.pulls(repo) == []
    everything = f"{checks[0]['output']} {theatre.said(repo)}"
    assert "Traceback (most recent call last)" not in checks[0]["output"]["summary"]
    assert "workers/" not in everything
    output: dict[str, Any] = checks[0]["output"]
    return output


def test_no_fix_found(theatre: Theatre, repo: str, play: Play) -> None:
    """A failure nobody has an idea for is told with its place, and nothing is proposed."""
    assert play(PUZZLE)["outcome"] == "NO_FIX_FOUND"
    output = told(theatre, repo)
    assert output["title"] == "Reproduced, no fix found"
    assert "2 tests fail" in output["summary"]
    assert "python -m unittest" in output["text"]


def test_green_here(theatre: Theatre, repo: str, play: Play) -> None:
    """A job that is red there and green here is told as not reproduced."""
    assert play(GREEN)["outcome"] == "NOT_REPRODUCED"
    output = told(theatre, repo)
    assert output["title"] == "Not reproduced"
    assert "green here in 6 of 6 runs" in output["summary"]


def test_unknown_command(theatre: Theatre, repo: str, play: Play) -> None:
    """A command the sandbox does not have is named."""
    assert play({**RED, PATH: running("frobnicate --all")})["outcome"] == "NOT_REPRODUCED"
    assert "not found in the sandbox" in told(theatre, repo)["summary"]


def test_workflow_is_not_yaml(theatre: Theatre, repo: str, play: Play) -> None:
    """A workflow file that cannot be read ends the run with its place."""
    run = play({"build.sh": "exit 1\n", PATH: "jobs: [\n  test: {\n"})
    assert run["outcome"] == "UNSUPPORTED"
    assert "not valid YAML: line 3" in told(theatre, repo)["summary"]


@pytest.mark.fault(24)
def test_commit_is_gone(theatre: Theatre, repo: str) -> None:
    """A commit that GitHub no longer has ends the run with a sentence."""
    theatre.hub.create_repo(repo, files=RED)
    old = theatre.hub.push(repo, {"a.txt": "1\n"})
    theatre.hub.set_repo(repo, gone_commit=old)
    theatre.hub.finish_ci(repo)
    run = theatre.wait_for_run(repo)
    assert run["outcome"] == "HEAD_MOVED"
    assert "gone" in run["detail"]


def test_repository_cannot_be_cloned(theatre: Theatre, repo: str, play: Play) -> None:
    """A repository that git may not read ends the run with a sentence, although the API still answers."""
    theatre.hub.fail_requests(rf"/{repo}\.git/info/refs", status=403, times=5, message="Repository access blocked")
    run = play(RED)
    assert run["outcome"] == "DISABLED"
    assert "no longer allowed to read it" in told(theatre, repo)["summary"]


@pytest.mark.fault(14)
def test_repository_is_gone(theatre: Theatre, repo: str) -> None:
    """A repository that vanished before the worker looked ends the run without a word to anybody."""
    theatre.hub.create_repo(repo, files=RED)
    theatre.kill_worker()
    theatre.hub.finish_ci(repo)
    theatre.hub.settle()
    theatre.hub.set_repo(repo, gone=True)
    theatre.start_worker()
    run = theatre.wait_for_run(repo)
    assert run["outcome"] == "DISABLED"
    assert run["detail"]


def test_flaky(theatre: Theatre, repo: str) -> None:
    """A failure that comes and goes on the same commit is never patched."""
    theatre.hub.create_repo(repo, folder=SAMPLES / "flaky-order")
    theatre.hub.finish_ci(repo, log=(SAMPLES / "flaky-order.log").read_text())
    assert theatre.wait_for_run(repo)["outcome"] == "FLAKY"
    output = told(theatre, repo)
    assert output["title"] == "Flaky, not broken by this commit"
    assert "test_the_first_label_is_shown" in output["summary"]


def test_unsupported(theatre: Theatre, repo: str, play: Play) -> None:
    """A job that needs Windows is not guessed at."""
    assert play({**RED, PATH: running("python -m unittest", runs_on="windows-latest")})["outcome"] == "UNSUPPORTED"
    output = told(theatre, repo)
    assert output["title"] == "This job cannot be run here"
    assert "windows-latest" in output["summary"]


def test_infrastructure(theatre: Theatre, repo: str, play: Play) -> None:
    """A job that broke on the network is not the code's fault; where heal.yml says so, it is run once more."""
    log = (
        "2026-11-21T05:01:58.5107770Z Current runner version: '2.329.0'\n"
        "2026-11-21T05:01:59.5107770Z ##[group]Run python -m unittest\n"
        "2026-11-21T05:01:59.5107770Z ##[endgroup]\n"
        "2026-11-21T05:02:59.5107770Z Could not resolve host: pypi.org\n"
        "2026-11-21T05:02:59.5107770Z ##[error]Process completed with exit code 1.\n"
    )
    config = {CONFIG: "infrastructure:\n  rerun: true\n"}
    assert play({**GREEN, **config}, log=log)["outcome"] == "INFRASTRUCTURE"
    output = told(theatre, repo)
    assert output["title"] == "Infrastructure, not the code"
    assert "Could not resolve host" in output["summary"]
    assert "I asked GitHub to run the failed jobs once more" in output["summary"]


def test_observe(theatre: Theatre, repo: str, play: Play) -> None:
    """`mode: observe` tells the failure and proposes nothing."""
    assert play({**PUZZLE, CONFIG: "mode: observe\n"})["outcome"] == "REFUSED_BY_POLICY"
    output = told(theatre, repo)
    assert output["title"] == "Not allowed by policy"
    assert "test_names.py" in output["text"]


def test_mode_off(theatre: Theatre, repo: str, play: Play) -> None:
    """`mode: off` ends the run before anything is cloned, and nothing of it is seen on GitHub."""
    run = play({**RED, CONFIG: "mode: off\n"})
    assert run["outcome"] == "DISABLED"
    assert theatre.checks(repo) == []
    assert "checkout" not in [stage["stage"] for stage in theatre.run(run["id"])["stages"]]


@pytest.mark.fault(14)
def test_archived(theatre: Theatre, repo: str) -> None:
    """An archived repository is left alone."""
    theatre.hub.create_repo(repo, files=RED)
    theatre.hub.set_repo(repo, archived=True)
    theatre.hub.finish_ci(repo)
    run = theatre.wait_for_run(repo)
    assert run["outcome"] == "DISABLED"
    assert "archived" in run["detail"]


@pytest.mark.fault(18)
def test_stale_commit(theatre: Theatre, repo: str) -> None:
    """A red commit that is not the head any more is not worked on."""
    old = theatre.hub.create_repo(repo, files=RED).sha
    theatre.hub.push(repo, {"a.txt": "1\n"})
    theatre.hub.finish_ci(repo, sha=old)
    assert theatre.wait_for_run(repo)["outcome"] == "HEAD_MOVED"
    assert told(theatre, repo)["title"] == "Superseded by a newer commit"


@pytest.mark.fault(16)
def test_fork(theatre: Theatre, repo: str) -> None:
    """The code of a fork is not run for an event: the check run alone says how it can be, and nobody is written to."""
    fork = f"mallory/{repo.split('/')[1]}"
    theatre.hub.create_repo(repo, files=GREEN)
    theatre.hub.create_repo(fork, fork_of=repo)
    sha = theatre.hub.push(fork, {"shop.py": RED["shop.py"]}, branch="change", user="mallory")
    theatre.hub.open_pull(repo, "mallory", "mallory:change")
    theatre.hub.finish_ci(repo, sha=sha, branch="change", event="pull_request", head_repo=fork)
    run = theatre.wait_for_run(repo)
    assert run["outcome"] == "REFUSED_BY_POLICY"
    assert f"`/heal {sha[:7]}`" in told(theatre, repo)["summary"]
    assert theatre.said(repo) == []
