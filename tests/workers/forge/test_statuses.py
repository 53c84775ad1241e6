"""CI that speaks in commit statuses only: one line and a link, which is shown and never followed."""

from __future__ import annotations

from dataclasses import replace

import pytest

from tests.workers.forge.scene import REPO, Scene
from workers.domain import Aim, Case, Outcome
from workers.errors import Stop

CONTEXT = "ci/old"


@pytest.fixture
def case(scene: Scene) -> Case:
    """The case of a red status."""
    return replace(scene.case, job=CONTEXT, job_id=0, actions_run_id=0)


def report(scene: Scene, case: Case, state: str, **more: str) -> tuple[str, str, str]:
    """(name, log, link) of what a forge reads of a commit with this status, and one of another context."""
    scene.hub.call("status", repo=REPO, state="failure", context="ci/another", description="not this one")
    scene.hub.call("status", repo=REPO, state=state, context=CONTEXT, **more)
    found = scene.forge(case).job(case)
    return found.name, found.log.preamble, found.url


def test_red_status(scene: Scene, case: Case) -> None:
    """The context is the job, the description its log; nothing is fetched from where it links to."""
    link = "http://127.0.0.1:1/builds/1"
    name, log, url = report(scene, case, "failure", description="2 tests failed", target_url=link)
    assert (name, log.strip(), url) == (CONTEXT, "2 tests failed", link)


def test_status_without_words(scene: Scene, case: Case) -> None:
    """A status may say nothing; a link that is none of the web's is left out."""
    assert report(scene, case, "error", target_url="javascript:alert(1)") == (CONTEXT, "", "")


def test_green_by_now(scene: Scene, case: Case) -> None:
    """A context that turned green meanwhile has nothing to reproduce; a run about our own change goes on."""
    with pytest.raises(Stop) as stop:
        report(scene, case, "success")
    assert stop.value.outcome is Outcome.NOT_REPRODUCED
    again = replace(case, aim=Aim.REVISE)
    assert scene.forge(again).job(again).name == CONTEXT


def test_only_statuses_are_asked_for(scene: Scene, case: Case) -> None:
    """The token that reads statuses reads nothing else, and no other one may."""
    report(scene, case, "failure")
    asked = [one["body"]["permissions"] for one in scene.asked("POST", "/access_tokens")]
    assert {"metadata": "read", "statuses": "read"} in asked
    assert sum("statuses" in permissions for permissions in asked) == 1
