"""What the forge finds out: admission, the failed job and its log, the tree; with read permissions alone."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import datetime

import pytest

from tests.workers.forge.scene import FILES, LOG, REPO, STARTED, WORKFLOW, Scene
from tests.workers.forge.scripted import Reply, scripted
from workers import logs
from workers.domain import Outcome, Sha
from workers.errors import Retryable, Stop


def test_admission_of_a_red_branch(scene: Scene) -> None:
    """A red default branch is its own target, current, and configured by defaults."""
    found = scene.forge().admission(scene.case)
    assert (found.default_branch, found.target, found.head_is_current) == ("main", "main", True)
    assert (found.own_branch, found.archived, found.fork, found.pull_request) == (False, False, False, None)
    assert found.config.mode == "propose"


def test_only_read_permissions_for_one_repository_are_asked_for(scene: Scene) -> None:
    """Until something is told or published, one token exists: read-only and narrowed to the repository."""
    forge = scene.forge()
    forge.admission(scene.case)
    forge.job(scene.case)
    forge.tree(scene.case)
    minted, shared = scene.asked("POST", "/access_tokens")
    assert minted["body"]["repository_ids"] == [scene.info.id]
    assert set(minted["body"]["permissions"].values()) == {"read"}
    assert (shared["body"]["repositories"], shared["status"]) == ([".github"], 422)  # there is no such repository


def test_config_comes_from_the_default_branch_only(scene: Scene) -> None:
    """A heal.yml on the red branch changes nothing; the one on the default branch counts."""
    sha = scene.hub.push(REPO, {".github/heal.yml": 'version: 1\nmode: "off"\n'}, branch="topic", new_from="main")
    case = replace(scene.case, branch="topic", head_sha=Sha(sha))
    assert scene.forge(case).admission(case).config.mode == "propose"
    scene.hub.push(REPO, {".github/heal.yml": "version: 1\nmode: observe\n"})
    assert scene.forge(case).admission(case).config.mode == "observe"


def test_moved_head_and_deleted_branch_are_not_current(scene: Scene) -> None:
    """A newer commit, or no branch at all, means the head moved."""
    scene.hub.push(REPO, {"more.py": "x = 1\n"})
    assert not scene.forge().admission(scene.case).head_is_current
    gone = replace(scene.case, branch="gone")
    assert not scene.forge(gone).admission(gone).head_is_current


@pytest.mark.fault(14)
def test_renamed_and_archived(scene: Scene) -> None:
    """An archived repository is seen as such; the old name in the case does not matter."""
    scene.hub.set_repo(REPO, archived=True)
    case = replace(scene.case, repo="octo/former-name")
    assert scene.forge(case).admission(case).archived


def test_pull_request_of_the_same_repository(scene: Scene) -> None:
    """A branch that is the head of an open pull request is healed on that branch, and the number is found."""
    sha = scene.hub.push(REPO, {"topic.py": "x = 1\n"}, branch="topic", new_from="main")
    number = scene.hub.open_pull(REPO, "octocat", "topic")["number"]
    case = replace(scene.case, branch="topic", head_sha=Sha(sha), job="lint")
    found = scene.forge(case).admission(case)
    assert (found.target, found.pull_request, found.fork, found.head_is_current) == ("topic", number, False, True)


def test_fork_and_closed_pull_requests(scene: Scene) -> None:
    """A pull request from a fork is told apart even when the event did not; a closed one cancels the run."""
    scene.hub.create_repo("mallory/shop", fork_of=REPO)
    sha = scene.hub.push("mallory/shop", {"evil.py": "x = 1\n"}, branch="main", user="mallory")
    number = scene.hub.open_pull(REPO, "mallory", "mallory:main")["number"]
    case = replace(scene.case, branch="patch-1", head_sha=Sha(sha), pull_request=number)
    assert scene.forge(case).admission(case).fork
    scene.hub.close_pull(REPO, "mallory", number)
    with pytest.raises(Stop) as stopped:
        scene.forge(case).admission(case)
    assert stopped.value.outcome is Outcome.CANCELLED


def test_own_branches_are_known(scene: Scene) -> None:
    """A red branch of ours is marked, so that it is never healed recursively."""
    sha = scene.hub.push(REPO, {"a.py": "x = 1\n"}, branch="heal/x", new_from="main")
    case = replace(scene.case, branch="heal/x", head_sha=Sha(sha))
    assert scene.forge(case).admission(case).own_branch


def test_job_with_log_steps_and_workflow(scene: Scene) -> None:
    """The failed job comes with its log, its steps and the path of its workflow file."""
    job = scene.forge().job(scene.case)
    assert (job.name, job.log, job.workflow_path) == ("test", logs.parse(LOG), ".github/workflows/ci.yml")
    assert ("Test", "failure") in job.steps
    assert job.url
    assert job.others == ()
    assert datetime.fromisoformat(job.started_at).tzinfo is not None


@pytest.mark.fault(50)
def test_missing_log_is_asked_for_again_then_given_up(scene: Scene) -> None:
    """A log that is 404 for a moment is found; one that never comes leaves an empty log, not an error."""
    scene.hub.fail_requests("/logs$", status=404, times=2)
    assert scene.forge().job(scene.case).log == logs.parse(LOG)
    scene.hub.fail_requests("/logs$", status=404, times=10)
    assert scene.forge().job(scene.case).log == logs.JobLog()


def test_no_failed_job_any_more(scene: Scene) -> None:
    """A run whose jobs are green by now has nothing to reproduce."""
    green = scene.hub.finish_ci(REPO, conclusion="success", log="fine")
    case = replace(scene.case, actions_run_id=green.run_id, job_id=0)
    with pytest.raises(Stop) as stopped:
        scene.forge(case).job(case)
    assert stopped.value.outcome is Outcome.NOT_REPRODUCED


def test_check_run_of_another_ci(scene: Scene) -> None:
    """Without an Actions run the check run's own words are the log."""
    case = replace(scene.case, actions_run_id=0)
    assert scene.forge(case).job(case).name == "test"
    nothing = replace(case, job_id=0)
    assert scene.forge(nothing).job(nothing).log == logs.JobLog()


def test_tree_is_the_pinned_commit(scene: Scene) -> None:
    """The tree is the commit of the case, though the branch moved on; a second look needs no network."""
    scene.hub.push(REPO, {"shop.py": "new\n"})
    tree = scene.forge().tree(scene.case)
    assert tree.read("shop.py") == str(FILES["shop.py"]).encode()
    assert tree.read(".github/workflows/ci.yml") == WORKFLOW.encode()
    before = len([one for one in scene.hub.requests() if ".git/" in one["path"]])
    scene.forge().tree(scene.case).tar()
    assert len([one for one in scene.hub.requests() if ".git/" in one["path"]]) == before


def test_tokens_are_revoked_and_nowhere_on_disk(scene: Scene) -> None:
    """After close no token works any more, and no file of the mirror ever held one."""
    forge = scene.forge()
    forge.tree(scene.case)
    forge.tell(scene.case, STARTED)
    tokens = [forge._session.token(purpose) for purpose in forge._session._tokens]
    forge.close()
    assert len(tokens) == 2
    assert len(scene.asked("DELETE", "/installation/token")) == 2
    for path in scene.mirrors.rglob("*"):
        if path.is_file():
            assert not any(token.encode() in path.read_bytes() for token in tokens)
    assert all(token not in scene.redactor(f"x {token} y") for token in tokens)


@pytest.mark.fault(14)
def test_repository_that_is_gone(scene: Scene) -> None:
    """A deleted repository ends the run as DISABLED at the first call."""
    scene.hub.set_repo(REPO, gone=True)
    with pytest.raises(Stop) as stopped:
        scene.forge().admission(scene.case)
    assert stopped.value.outcome is Outcome.DISABLED


@pytest.mark.fault(75)
def test_unknown_installation_and_wrong_key(scene: Scene) -> None:
    """An installation that is gone, or an App id that does not fit the key, is DISABLED with what to check."""
    case = replace(scene.case, installation_id=1)
    with pytest.raises(Stop, match="installation"):
        scene.forge(case).admission(case)
    with pytest.raises(Stop, match="HEAL_APP_ID"):
        scene.forge(app_id=1).admission(scene.case)


@pytest.mark.fault(60, 75)
@pytest.mark.parametrize(
    "said",
    [
        "'Expiration time' claim ('exp') is too far in the future",
        "'Expiration time' claim ('exp') must be a numeric value in the future",
        "'Issued at' claim ('iat') must be an Integer representing the time that the assertion was issued",
    ],
)
def test_a_wrong_clock_is_told_as_such_and_passes(scene: Scene, said: str) -> None:
    """GitHub takes no signature of a machine whose clock is minutes off: no run ends for that, and the key is not
    blamed."""
    refusing = scripted(Reply(401, json.dumps({"message": said}).encode()))
    with refusing as github, pytest.raises(Retryable, match="clock of this machine") as told:
        scene.forge(api_url=github.url).admission(scene.case)
    assert told.value.blame == "clock"


def test_missing_permission_is_told(scene: Scene) -> None:
    """An App that was not granted what is needed says so instead of failing later."""
    weak = scene.hub.create_app("weak", permissions={"metadata": "read", "contents": "read"})
    case = replace(scene.case, installation_id=weak.installation_id)
    with pytest.raises(Stop, match="not grant") as stopped:
        scene.forge(case, app_id=weak.app_id, private_key=weak.private_key).admission(case)
    assert stopped.value.outcome is Outcome.DISABLED


@pytest.mark.fault(46)
def test_an_expired_token_is_followed_by_a_new_one(scene: Scene) -> None:
    """A token that dies in the middle is met by another one, within the same visit."""
    forge = scene.forge()
    forge.admission(scene.case)
    scene.hub.expire_tokens()
    assert forge.job(scene.case).log == logs.parse(LOG)


def test_rate_limit_parks_the_run(scene: Scene) -> None:
    """GitHub's secondary limit parks the run for as long as GitHub asks."""
    scene.hub.limit_requests("/installation/repositories", retry_after=33)
    with pytest.raises(Retryable) as parked:
        scene.forge().admission(scene.case)
    assert parked.value.after == 33
