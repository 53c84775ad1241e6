"""What people, time and bad luck do to a run while it works: it ends as it should, or goes on where it stopped."""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
from docker.errors import APIError

from sandbox import policy
from sandbox.engine import Engine
from sandbox.reaper import remove_all
from tests.installation import NAME
from tests.story.scenes import CONFIG, PATH, RED, STEPS, running
from tests.story.theatre import OWNER, Theatre

pytestmark = [pytest.mark.story, pytest.mark.engine, pytest.mark.redis]

SLOW = {PATH: running("sleep 45; exit 1")}
"""A check that leaves time for something to happen meanwhile."""


def sleeping(engine: Engine) -> dict[str, Any]:
    """This installation's containers in which the slow check is at work."""
    found = engine.client().containers.list(filters={"label": f"heal.owner={NAME}"}, ignore_removed=True)
    return {str(one.id): one.name for one in found if _sleeps(one)}


def _sleeps(container: Any) -> bool:
    try:
        return "sleep 45" in str(container.top()["Processes"])
    except APIError:
        return False  # it ended meanwhile


@pytest.mark.fault(26)
def test_push_while_running(theatre: Theatre, repo: str) -> None:
    """A push to the red branch ends the run within 5 s, in the middle of a command, and says so on the old commit."""
    engine = Engine()
    old = theatre.hub.create_repo(repo, files=SLOW).sha
    theatre.hub.finish_ci(repo)
    theatre.wait(lambda: sleeping(engine) or None, 60, "the slow check at work")
    new = theatre.hub.push(repo, {"a.txt": "1\n"})
    theatre.wait(lambda: None if sleeping(engine) else {"gone": True}, 5, "the end of the container")
    engine.close()
    run = theatre.wait_for_run(repo, 20)
    assert run["outcome"] == "HEAD_MOVED"
    assert new[:7] in run["detail"]
    checks = theatre.checks(repo)
    assert [(c["head_sha"], c["conclusion"], c["output"]["title"]) for c in checks] == [
        (old, "neutral", "Superseded by a newer commit")
    ]


@pytest.mark.fault(52)
def test_pull_request_closed_while_running(theatre: Theatre, repo: str) -> None:
    """Closing the red pull request ends its run without a word in it, here while the check runs for its base."""
    theatre.hub.create_repo(repo, files={**SLOW, PATH: running("true")})
    theatre.hub.push(repo, SLOW, branch="change")
    pull = theatre.hub.open_pull(repo, "octocat", "change")
    theatre.hub.finish_ci(repo, branch="change", event="pull_request")
    theatre.wait_for_stage(repo, "base")
    theatre.hub.close_pull(repo, "octocat", pull["number"])
    run = theatre.wait_for_run(repo, 20)
    assert run["outcome"] == "CANCELLED"
    assert f"#{pull['number']} was closed" in run["detail"]
    assert [check["output"]["title"] for check in theatre.checks(repo)] == ["Cancelled"]
    assert theatre.said(repo) == []


@pytest.mark.fault(54)
def test_worker_killed_after_reproduce(theatre: Theatre, repo: str) -> None:
    """A worker that dies is replaced: the run goes on after its last checkpoint and proposes exactly one fix."""
    theatre.hub.create_repo(repo, files=RED)
    theatre.hub.finish_ci(repo, steps=STEPS)
    theatre.wait_for_stage(repo, "reproduce", "finished")
    theatre.kill_worker()
    theatre.start_worker()
    pull = theatre.wait_for_pull(repo)
    theatre.wait_for_state(repo, "parked")
    theatre.hub.finish_ci(repo, branch=pull["head"]["ref"], conclusion="success")
    run = theatre.wait_for_run(repo, 30)
    assert run["outcome"] == "FIXED"
    events = theatre.run(run["id"])["events"]
    assert len([e for e in events if (e["title"], e["data"].get("state")) == ("reproduce", "finished")]) == 1
    assert len({e["data"]["owner"] for e in events if e["kind"] == "claimed"}) >= 2
    assert len(theatre.pulls(repo)) == 1
    assert len(theatre.checks(repo)) == 1
    assert len(theatre.said(repo)) == 1


@pytest.mark.fault(59)
def test_poison(theatre: Theatre, repo: str) -> None:
    """A run that kills its worker three times at the same stage is given up, and people learn it without details."""
    theatre.hub.create_repo(repo, files=SLOW)
    theatre.hub.finish_ci(repo)
    for n in range(3):
        theatre.wait_for_claims(repo, n + 1)
        theatre.wait_for_stage(repo, "reproduce")
        theatre.kill_worker()
        theatre.start_worker()
    run = theatre.wait_for_run(repo, 60)
    assert run["outcome"] == "CRASHED"
    assert "3 times" in run["detail"]
    check = theatre.wait_for_check(repo, "Internal error")
    assert run["id"] in check["output"]["summary"]
    assert len(theatre.checks(repo)) == 1


def test_an_answer_nobody_expects(theatre: Theatre, repo: str) -> None:
    """An answer of GitHub's that is none, again and again, ends the run as our failure, without a traceback; it is told
    once GitHub answers again."""
    theatre.hub.create_repo(repo, files=RED)
    theatre.hub.fail_requests("/installation/repositories", status=200, times=100, message="surprise")
    theatre.hub.finish_ci(repo)
    assert theatre.wait_for_run(repo, 60)["outcome"] == "CRASHED"
    theatre.hub.clear_faults()
    check = theatre.wait_for_check(repo, "Internal error", 60)
    assert "KeyError" not in str(check["output"])
    assert theatre.pulls(repo) == []


@pytest.mark.fault(47, 49, 52)
def test_github_in_trouble(theatre: Theatre, repo: str) -> None:
    """Rate limits while the fix is published pass: one branch, one pull request. One that people merge without waiting
    for CI is fixed."""
    theatre.hub.create_repo(repo, files=RED)
    theatre.hub.limit_requests("/git/refs$", retry_after=1)
    theatre.hub.limit_requests("/pulls$", retry_after=1)
    theatre.hub.finish_ci(repo, steps=STEPS)
    pull = theatre.wait_for_pull(repo)
    theatre.wait_for_state(repo, "parked")
    theatre.hub.merge_pull(repo, "octocat", pull["number"])
    assert theatre.wait_for_run(repo, 30)["outcome"] == "FIXED"
    assert len(theatre.pulls(repo)) == 1


def test_runs_per_day(theatre: Theatre, repo: str) -> None:
    """`limits.runs_per_day` is counted per repository; what is over it is refused before anything is cloned."""
    theatre.hub.create_repo(repo, files={PATH: running("frobnicate"), CONFIG: "limits:\n  runs_per_day: 2\n"})
    for n in (1, 2):
        theatre.hub.finish_ci(repo)
        assert theatre.wait_for_run(repo, at_least=n)["outcome"] == "NOT_REPRODUCED"
    theatre.hub.finish_ci(repo)
    run = theatre.wait_for_run(repo, at_least=3)
    assert run["outcome"] == "OVER_BUDGET"
    assert "limits.runs_per_day" in run["detail"]
    assert "checkout" not in [stage["stage"] for stage in theatre.run(run["id"])["stages"]]
    newest = max(theatre.checks(repo), key=lambda check: int(check["id"]))
    assert newest["output"]["title"] == "Budget spent"


def test_a_worker_keeps_one_container_and_takes_it_along(tmp_path: Path) -> None:
    """After a red build one container waits for the next commit, whose run takes it and leaves another; a worker that
    is stopped leaves none."""
    installation, repo, engine = f"tests-{uuid.uuid4().hex[:12]}", f"{OWNER}/twice", Engine()

    def kept(before: Mapping[str, Any] | None = None) -> dict[str, Any] | None:
        found = engine.client().api.containers(filters={"label": f"heal.owner={installation}"})
        now = {one["Id"]: one for one in found if policy.is_kept(one["Names"])}
        return now if now and now.keys().isdisjoint(before or ()) else None

    with Theatre(tmp_path, tmp_path / "state", {"HEAL_INSTALLATION": installation}) as theatre:
        theatre.hub.create_repo(repo, files={PATH: running("exit 1")})
        theatre.hub.finish_ci(repo)
        theatre.wait_for_run(repo)
        first = theatre.wait(kept, 30, "a container that stays behind")
        theatre.hub.push(repo, {"a.txt": "1\n"})
        theatre.hub.finish_ci(repo)
        theatre.wait_for_run(repo, at_least=2)
        second = theatre.wait(lambda: kept(first), 30, "another one")
        assert (len(first), len(second)) == (1, 1)
        theatre.worker.stop()
        assert not engine.containers(f"heal.owner={installation}")
    remove_all(engine, installation)
    engine.close()
