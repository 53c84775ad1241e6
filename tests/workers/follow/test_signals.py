"""What CI says of our commit, from check runs and from the statuses of older systems."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from tests.workers.follow.stage import BRANCH, REPO, Stage
from workers.domain import How, Published, Sha
from workers.github import App, GitHubForge
from workers.github.signals import gathered
from workers.ports import CI, Checks, Light

OWN = 7


def run(name: str, conclusion: str | None, app: int = 1) -> dict[str, Any]:
    status = "completed" if conclusion else "in_progress"
    return {"name": name, "status": status, "conclusion": conclusion, "html_url": f"u/{name}", "app": {"id": app}}


def status(context: str, state: str) -> dict[str, Any]:
    return {"context": context, "state": state, "target_url": None}


@pytest.mark.parametrize(
    ("runs", "statuses", "lights"),
    [
        ([run("test", "success"), run("heal", "neutral", OWN)], [], {"test": Light.GREEN}),
        ([run("test", "skipped"), run("lint", None)], [], {"lint": Light.UNKNOWN, "test": Light.GREEN}),
        ([run("test", "timed_out")], [status("ci", "success")], {"ci": Light.GREEN, "test": Light.RED}),
        ([], [status("ci", "error"), status("old", "failure")], {"ci": Light.RED, "old": Light.RED}),
        ([], [status("ci", "pending"), status("x", "nonsense")], {"ci": Light.UNKNOWN, "x": Light.UNKNOWN}),
        ([run("test", "success"), run("test", "failure"), run("test", None)], [], {"test": Light.RED}),
        ([run("test", "success"), run("test", None)], [status("test", "success")], {"test": Light.UNKNOWN}),
        ([{**run("test", "failure"), "app": None}], [], {"test": Light.RED}),
    ],
)
def test_each_name_has_one_light(
    runs: list[dict[str, Any]], statuses: list[dict[str, Any]], lights: dict[str, Light]
) -> None:
    """The worst of those with one name; our own check run says nothing."""
    heard = gathered(runs, statuses, OWN)
    assert {one.signal.name: one.signal.light for one in heard} == lights
    assert [one.signal.name for one in heard] == sorted(lights)


def asked(stage: Stage, published: Published) -> Checks:
    with stage.forge(stage.case) as forge:
        return forge.ci(stage.case, published)


def test_red_jobs_come_with_their_case_and_with_what_the_target_says(stage: Stage) -> None:
    """The job as an event would have opened a run for it, on our commit; another commit of the branch ends it all."""
    _, line = stage.proposed()
    done = Published(line.number, "", BRANCH, line.commit, 1.0, target="main", onto=line.onto)
    assert asked(stage, done).state is CI.NONE
    stage.hub.finish_ci(REPO, branch="main", job="docs")
    stage.hub.finish_ci(REPO, branch=BRANCH, job="test", conclusion="success")
    lint = stage.hub.finish_ci(REPO, branch=BRANCH, job="lint")
    stage.hub.finish_ci(REPO, branch=BRANCH, job="docs")
    found = asked(stage, done)
    assert found.state is CI.RED
    assert [(one.name, one.light, one.below) for one in found.signals] == [
        ("docs", Light.RED, Light.RED), ("lint", Light.RED, Light.UNKNOWN), ("test", Light.GREEN, Light.RED)
    ]  # fmt: skip
    job = found.signals[1].job
    assert job is not None
    assert (job.head_sha, job.branch, job.job, job.actions_run_id) == (line.commit, BRANCH, "lint", lint.run_id)
    assert found.signals[2].job is None
    with stage.forge(stage.case) as forge:
        assert forge.job(job).name == "lint"
        assert forge.job(stage.case).name == "test"
    stage.hub.push(REPO, {"more.py": "x = 1\n"}, branch=BRANCH)
    assert asked(stage, done).state is CI.LEFT
    assert asked(stage, replace(done, how=How.PUSH)).state is CI.MOVED


def test_without_a_branch_below_the_commit_before_is_compared(stage: Stage) -> None:
    """A fix that was pushed onto theirs: what was red before our commit is not ours."""
    _, line = stage.proposed()
    pushed = Published(line.number, "", BRANCH, line.commit, 1.0, How.PUSH, BRANCH, onto=Sha(stage.info.sha))
    stage.hub.finish_ci(REPO, branch=BRANCH, job="test")
    (test,) = asked(stage, pushed).red
    assert test.below is Light.RED


def test_an_installation_without_statuses_has_check_runs(stage: Stage) -> None:
    """The permission is newer than the installation and nobody has accepted it: that is no trouble."""
    granted = {"metadata": "read", "contents": "write", "pull_requests": "write", "issues": "write", "checks": "write",
               "actions": "write"}  # fmt: skip
    keys = stage.hub.create_app("heal-older", account="octo", permissions=granted)
    older = App(stage.hub.api_url, keys.app_id, keys.private_key, pace=0)
    _, line = stage.proposed()
    stage.hub.finish_ci(REPO, branch=BRANCH, job="test", conclusion="success")
    case = replace(stage.case, installation_id=keys.installation_id)
    with GitHubForge(older, stage.mirrors, case) as forge:
        done = Published(line.number, "", BRANCH, line.commit, 1.0, target="main")
        assert forge.ci(case, done).state is CI.GREEN
