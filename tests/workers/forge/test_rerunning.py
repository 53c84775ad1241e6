"""One more run of the failed jobs: with a token of its own, once for a workflow run, and never after somebody's own."""

from __future__ import annotations

from dataclasses import replace

import pytest

from tests.hub.process import PERMISSIONS
from tests.workers.forge.scene import REPO, Scene
from workers.domain import Rerun
from workers.errors import Retryable


def asked(scene: Scene) -> int:
    return len(scene.asked("POST", "/rerun-failed-jobs"))


def test_the_failed_jobs_are_run_once_more(scene: Scene) -> None:
    """The token for it may write actions of the one repository, and nothing else; the next attempt is under way."""
    assert scene.forge().rerun(scene.case) is Rerun.ASKED
    minted = [one["body"] for one in scene.asked("POST", "/access_tokens")]
    (token,) = (body for body in minted if "write" in body["permissions"].values())
    assert token["permissions"] == {"metadata": "read", "actions": "write"}
    assert token["repository_ids"] == [scene.info.id]
    assert scene.forge().rerun(scene.case) is Rerun.AGAIN
    assert asked(scene) == 1


def test_an_answer_that_was_lost_is_found_again(scene: Scene) -> None:
    """GitHub's attempt number says that it worked, so the next visit asks for nothing."""
    scene.hub.fail_requests("/rerun-failed-jobs$", method="POST", after=True)
    with pytest.raises(Retryable):
        scene.forge().rerun(scene.case)
    assert scene.forge().rerun(scene.case) is Rerun.AGAIN
    assert asked(scene) == 1


def test_a_second_attempt_is_never_followed_by_ours(scene: Scene) -> None:
    """Whoever ran it again: a failure that comes back is told, not run a third time."""
    assert scene.forge().rerun(replace(scene.case, attempt=2)) is Rerun.AGAIN
    assert asked(scene) == 0


def test_without_a_workflow_run_there_is_nothing_to_run_again(scene: Scene) -> None:
    """Another CI than Actions."""
    assert scene.forge().rerun(replace(scene.case, actions_run_id=0)) is Rerun.NONE


def test_an_installation_that_grants_less_is_no_trouble(scene: Scene) -> None:
    """Who has not accepted the permission yet is told so instead of losing the run's end."""
    keys = scene.hub.create_app("least", account="octo", permissions={**PERMISSIONS, "actions": "read"})
    case = replace(scene.case, installation_id=keys.installation_id)
    forge = scene.forge(case, app_id=keys.app_id, private_key=keys.private_key)
    assert forge.rerun(case) is Rerun.REFUSED


def test_a_workflow_run_that_github_runs_no_more_is_left_alone(scene: Scene) -> None:
    """It has no failed job any more: GitHub refuses, and the run's end says so."""
    green = scene.hub.finish_ci(REPO, log="", job="test", conclusion="success")
    assert scene.forge().rerun(replace(scene.case, actions_run_id=green.run_id)) is Rerun.REFUSED
