"""The same job again: the one pull request goes on, nothing of people's is overwritten, and no branch is forced."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from tests.workers.forge.scene import PROPOSAL, REPO, Scene
from workers.domain import Case, How, Ours, Outcome, Published, RunId, Sha
from workers.errors import Retryable, Stop
from workers.ports import Proposal, Wish

FAMILY = "heal/test-1a2b3c4d"


def edits(line: str) -> dict[str, bytes | None]:
    return {"shop.py": f"def total(a, b):\n    return {line}\n".encode()}


def publish(scene: Scene, line: str, case: Case | None = None, ours: Ours | None = None, **changes: Any) -> Published:
    """One try of a fresh worker, from the free branch, or the one it goes on with, to the pull request."""
    case = case or scene.case
    forge = scene.forge(case)
    tree = forge.tree(case)
    ground = forge.ground(case, Wish(How.PULL, "main", FAMILY))
    body = PROPOSAL.body.replace("run-1", case.run)
    branch = ours.branch if ours else ground.branch
    proposal: Proposal = replace(PROPOSAL, branch=branch, closed=ground.closed, body=body, ours=ours, **changes)
    return forge.publish(case, tree, tree.diff(edits(line)), proposal)


def newer(scene: Scene) -> Case:
    """The case of the next red commit of the same branch."""
    sha = scene.hub.push(REPO, {"more.py": "x = 1\n"})
    return replace(scene.case, head_sha=Sha(sha), run=RunId("run-2"))


def going_on(scene: Scene, published: Published) -> Ours:
    assert published.pull_request is not None
    commit, onto = Sha(published.commit), scene.case.head_sha
    return Ours(published.pull_request, published.branch, commit, "main", onto, "", RunId("run-1"))


def parents(scene: Scene, sha: str) -> list[str]:
    return [parent["sha"] for parent in scene.state["commits"][sha]["parents"]]


def files(scene: Scene) -> list[str]:
    """What the only pull request changes against its base."""
    (pull,) = scene.state["pulls"]
    return [file["filename"] for file in pull["files"]]


def forced(scene: Scene) -> bool:
    return any(one["body"].get("force") for one in scene.asked("PATCH") if "/git/refs/" in one["path"])


def test_a_newer_red_commit_updates_the_pull_request(scene: Scene) -> None:
    """The new fix stands on the old commit and on the new head, so the pull request shows the fix alone."""
    first = publish(scene, "a + b")
    case = newer(scene)
    second = publish(scene, "b + a", case, title="fix: total adds at last")
    assert (second.pull_request, second.branch) == (first.pull_request, first.branch)
    assert parents(scene, second.commit) == [first.commit, case.head_sha]
    assert files(scene) == ["shop.py"]
    (pull,) = scene.state["pulls"]
    assert (pull["title"], "run-2" in pull["body"]) == ("fix: total adds at last", True)
    assert scene.state["commits"][second.commit]["verification"]["verified"]
    assert not forced(scene)


@pytest.mark.parametrize("path", ["/git/commits$", "/git/refs/heads", "/pulls/"])
@pytest.mark.parametrize("after", [True, False], ids=["answer lost", "not done"])
def test_an_update_whose_answer_was_lost_is_made_once(scene: Scene, path: str, after: bool) -> None:
    """The second try finds the commit that the first one left, and writes what was not written."""
    publish(scene, "a + b")
    case = newer(scene)
    scene.hub.fail_requests(path, method="POST" if path.endswith("commits$") else "PATCH", after=after)
    with pytest.raises(Retryable):
        publish(scene, "b + a", case)
    done = publish(scene, "b + a", case)
    (pull,) = scene.state["pulls"]
    assert pull["head"]["sha"] == done.commit
    assert "run-2" in pull["body"]
    assert len(scene.asked("PATCH", f"/git/refs/heads/{done.branch}")) == (2 if "refs" in path and not after else 1)


def test_another_fix_for_the_same_commit_goes_on_top(scene: Scene) -> None:
    """Asked to try again, the pull request gets a commit with the other fix in place of the first."""
    first = publish(scene, "a + b")
    second = publish(scene, "b + a", replace(scene.case, run=RunId("run-2")))
    assert (second.pull_request, parents(scene, second.commit)) == (first.pull_request, [first.commit])
    assert "+    return b + a" in scene.state["pulls"][0]["files"][0]["patch"]


@pytest.mark.fault(52)
@pytest.mark.parametrize("how", ["commit", "rebase"])
def test_a_branch_that_somebody_pushed_to_is_theirs(scene: Scene, how: str) -> None:
    """By a commit of theirs, or by ours put elsewhere: the branch and the pull request stay as they are."""
    first = publish(scene, "a + b")
    case = newer(scene)
    if how == "commit":
        sha = scene.hub.push(REPO, {"mine.py": "x = 1\n"}, branch=first.branch)
    else:
        sha = scene.hub.rebase(REPO, first.branch)
    with pytest.raises(Stop, match="Somebody else pushed") as stopped:
        publish(scene, "b + a", case)
    assert stopped.value.outcome is Outcome.DUPLICATE
    with pytest.raises(Stop, match="has moved on") as stopped:
        publish(scene, "b + a", case, going_on(scene, first))
    assert stopped.value.outcome is Outcome.HEAD_MOVED
    (pull,) = scene.state["pulls"]
    assert (pull["head"]["sha"], "run-1" in pull["body"]) == (sha, True)


def test_a_run_that_goes_on_with_ours_keeps_the_title(scene: Scene) -> None:
    """Its commit follows the one it was opened for; the body is made new, the title stays as people know it."""
    first = publish(scene, "a + b")
    case = replace(scene.case, head_sha=Sha(first.commit), branch=first.branch, run=RunId("run-2"))
    second = publish(scene, "b + a", case, ours=going_on(scene, first), title="fix: other words")
    assert (second.pull_request, parents(scene, second.commit)) == (first.pull_request, [first.commit])
    (pull,) = scene.state["pulls"]
    assert (pull["title"], "run-2" in pull["body"]) == (PROPOSAL.title, True)


@pytest.mark.fault(26)
def test_a_moved_base_is_merged_in(scene: Scene) -> None:
    """Verified on the new base, the fix keeps its old commit as a parent: nothing is forced, reviews stay in place."""
    first = publish(scene, "a + b")
    case = newer(scene)
    second = publish(scene, "b + a", case, ours=going_on(scene, first))
    assert parents(scene, second.commit) == [first.commit, case.head_sha]
    assert files(scene) == ["shop.py"]
    assert not forced(scene)


def test_a_pull_request_of_ours_that_is_over_gets_nothing(scene: Scene) -> None:
    """Closed by somebody: a run that was to go on with it ends."""
    first = publish(scene, "a + b")
    assert first.pull_request is not None
    scene.hub.close_pull(REPO, "octocat", first.pull_request)
    with pytest.raises(Stop, match="was closed") as stopped:
        publish(scene, "b + a", newer(scene), ours=going_on(scene, first))
    assert stopped.value.outcome is Outcome.CANCELLED
    assert scene.state["branches"][first.branch] == first.commit


def test_a_closed_pull_request_is_an_answer_to_its_fix(scene: Scene) -> None:
    """The same fix is not opened again; another one, and one for a later commit, gets a branch of its own."""
    first = publish(scene, "a + b")
    assert first.pull_request is not None
    scene.hub.close_pull(REPO, "octocat", first.pull_request)
    with pytest.raises(Stop, match=f"#{first.pull_request} held this very fix") as stopped:
        publish(scene, "a + b")
    assert stopped.value.outcome is Outcome.DUPLICATE
    second = publish(scene, "b + a")
    assert second.branch == f"{first.branch}-2"
    scene.hub.merge_pull(REPO, "octocat", second.pull_request or 0)
    third = publish(scene, "a + b", newer(scene))
    assert third.branch.startswith(f"{FAMILY}-")
    assert len({first.branch, second.branch, third.branch}) == 3


def test_no_more_pull_requests_than_the_repository_wants(scene: Scene) -> None:
    """A new one waits for room, and its patch is not lost; the one that is open may go on. Those of people do not
    count, whatever their names."""
    scene.hub.push(REPO, {"y.py": "y = 1\n"}, branch="healing/x", new_from="main")
    scene.hub.open_pull(REPO, "octocat", "healing/x")
    publish(scene, "a + b", max_open=1)
    publish(scene, "b + a", newer(scene), max_open=1)
    case = replace(newer(scene), run=RunId("run-3"))
    forge = scene.forge(case)
    tree = forge.tree(case)
    patch = tree.diff(edits("a - -b"))
    with pytest.raises(Stop, match=r"`pr\.max_open` allows 1") as stopped:
        forge.publish(case, tree, patch, replace(PROPOSAL, branch="heal/lint-1", max_open=1))
    assert stopped.value.outcome is Outcome.OVER_BUDGET
    assert stopped.value.data["patch"] == patch
    assert "heal/lint-1" not in scene.state["branches"]


def test_what_people_take_away_stays_away(scene: Scene) -> None:
    """Labels are set by the run that opened the pull request, also when that needed two tries, and by no later one."""
    scene.hub.fail_requests("/labels$", method="POST")
    publish(scene, "a + b")
    publish(scene, "a + b")
    assert [label["name"] for label in scene.state["pulls"][0]["labels"]] == ["heal"]
    publish(scene, "b + a", newer(scene), labels=("heal", "again"))
    assert [label["name"] for label in scene.state["pulls"][0]["labels"]] == ["heal"]


def test_the_ground_knows_the_habit_and_the_people(scene: Scene) -> None:
    """Subjects of the healed branch, newest first, and addresses that GitHub keeps; strangers are left out."""
    scene.hub.push(REPO, {"more.py": "x = 1\n"}, message="feat: more\n\nBecause.")
    head = Sha(scene.state["branches"]["main"])
    user = scene.hub.create_user("Ada-L")
    case = replace(scene.case, head_sha=head, requested_by="ada-l")
    found = scene.forge(case).ground(case, Wish(How.PULL, "main", FAMILY, signoff=True))
    assert found.branch == f"{FAMILY}-{head[:7]}"
    assert found.subjects == ("feat: more", "Initial commit")
    assert found.asked_by.startswith(f"Ada-L <{user['id']}+Ada-L@users.noreply.")
    assert found.signed_by.startswith(f"{scene.keys.bot} <")
    for nobody in ("ghost", "x <y@z>\nCo-authored-by: q"):
        other = replace(case, requested_by=nobody)
        assert scene.forge(other).ground(other, Wish(How.PULL, "main", FAMILY)).asked_by == ""
