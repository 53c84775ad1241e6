"""Whatever becomes of an answer, each effect on GitHub is there exactly once when the run is through.

A worker that meets trouble lets go of the run and another one walks the same way again, as `life` does here.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest

from tests.workers.forge.scene import EDITS, PROPOSAL, REPO, STARTED, Scene
from workers.domain import Case, Rerun, Sha
from workers.errors import Retryable
from workers.ports import Notice

pytestmark = pytest.mark.uncounted

ENDED = Notice("Done", "It is done.", comment="Done.", final=True)
WRITES = [
    ("POST", "/access_tokens$"),
    ("POST", "/check-runs$"),
    ("PATCH", "/check-runs/"),
    ("POST", "/issues/\\d+/comments$"),
    ("PATCH", "/issues/comments/"),
    ("POST", "/git/trees$"),
    ("POST", "/git/commits$"),
    ("POST", "/git/refs$"),
    ("POST", "/pulls$"),
    ("PATCH", "/pulls/"),
    ("POST", "/labels$"),
    ("POST", "/graphql$"),
    ("POST", "/rerun-failed-jobs$"),
]
Fault = Callable[[Scene, str, str], None]


def cut_off(scene: Scene, method: str, path: str) -> None:
    scene.hub.sever_requests(path, method=method, after=True)


def not_heard(scene: Scene, method: str, path: str) -> None:
    scene.hub.sever_requests(path, method=method, after=False)


def over(scene: Scene, method: str, path: str) -> None:
    scene.hub.expire_tokens_at(path, method=method)


def life(scene: Scene, case: Case) -> Rerun:
    """All that one run writes to GitHub, by a worker that knows nothing of an earlier one."""
    forge = scene.forge(case)
    forge.tell(case, replace(STARTED, comment="On it."))
    tree = forge.tree(case)
    done = forge.publish(case, tree, tree.diff(EDITS), replace(PROPOSAL, target="topic"))
    forge.confirm(case, done, "Green.", ready=True)
    asked = forge.rerun(case)
    forge.tell(case, ENDED, done)
    return asked


@pytest.mark.fault(53)
@pytest.mark.parametrize("fault", [cut_off, not_heard, over], ids=lambda fault: fault.__name__)
def test_every_write_happens_once(scene: Scene, fault: Fault) -> None:
    """Each write meets the fault once. In the end there are one check run, comment, commit on one branch, pull request
    and rerun, with the last words on each; an expired token costs no new try at all."""
    sha = scene.hub.push(REPO, {"topic.py": "x = 1\n"}, branch="topic", new_from="main")
    number = scene.hub.open_pull(REPO, "octocat", "topic")["number"]
    red = scene.hub.finish_ci(REPO, branch="topic", log="red")
    case = replace(scene.case, branch="topic", head_sha=Sha(sha), pull_request=number, actions_run_id=red.run_id)
    for method, path in WRITES:
        fault(scene, method, path)
    tries = tried(scene, case)
    state = scene.state
    (check,) = scene.own_checks
    assert (check["status"], check["output"]["title"]) == ("completed", "Done")
    assert [comment["body"].split("\n")[0] for comment in state["comments"]] == ["Done."]
    (pull,) = (one for one in state["pulls"] if one["head"]["ref"] == PROPOSAL.branch)
    assert (pull["body"], pull["draft"]) == ("Green.", False)
    assert {label["name"] for label in pull["labels"]} == {"heal"}
    assert set(state["branches"]) == {"main", "topic", PROPOSAL.branch}
    head = state["commits"][state["branches"][PROPOSAL.branch]]
    assert [parent["sha"] for parent in head["parents"]] == [sha]
    (run,) = (one for one in state["workflow_runs"] if one["id"] == red.run_id)
    assert run["run_attempt"] == 2
    assert tries == 1 if fault is over else tries > 5
    assert scene.hub.call("faults")["left"] == []


def tried(scene: Scene, case: Case) -> int:
    """How many workers it took."""
    for tries in range(1, 2 * len(WRITES)):
        try:
            life(scene, case)
        except Retryable as trouble:
            assert trouble.blame == "github"  # noqa: PT017 - what kind of trouble it is
        else:
            return tries
    raise AssertionError("no end of it")
