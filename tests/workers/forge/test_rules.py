"""What the rules of branches ask for: signatures, names, pull requests. A refusal by one is final and named."""

from __future__ import annotations

from dataclasses import replace

import pytest

from tests.workers.forge.scene import EDITS, PROPOSAL, REPO, Scene
from workers.domain import How, Outcome, Published, Sha
from workers.errors import Retryable, Stop
from workers.ports import Proposal

PLAIN: dict[str, bytes | None] = {path: content for path, content in EDITS.items() if path != "run.sh"}
SIGNED = {"type": "required_signatures"}


def publish(scene: Scene, edits: dict[str, bytes | None] = PLAIN, proposal: Proposal = PROPOSAL) -> Published:
    """One try of a fresh worker."""
    forge = scene.forge()
    tree = forge.tree(scene.case)
    return forge.publish(scene.case, tree, tree.diff(edits), proposal)


@pytest.mark.fault(51)
def test_a_rule_that_forbids_it_is_named(scene: Scene) -> None:
    """With its type and GitHub's own words; the patch is not lost, and no pull request is opened."""
    pattern = {"operator": "starts_with", "pattern": "team/", "negate": False}
    scene.hub.set_repo(REPO, rules=[{"type": "branch_name_pattern", "parameters": pattern, "branches": "heal/*"}])
    with pytest.raises(Stop, match=r"branch_name_pattern.*must match a given pattern: team/") as stopped:
        publish(scene)
    assert stopped.value.outcome is Outcome.REFUSED_BY_POLICY
    assert "+    return a + b" in str(stopped.value.data["patch"])
    assert scene.state["pulls"] == []


@pytest.mark.fault(51)
@pytest.mark.parametrize("status", [403, 409, 422])
def test_a_protected_branch_is_not_pushed_to(scene: Scene, status: int) -> None:
    """Whatever status GitHub gives its refusal, it is final: nothing else is tried in its place."""
    sha = scene.hub.push(REPO, {"topic.py": "x = 1\n"}, branch="topic", new_from="main")
    scene.hub.open_pull(REPO, "octocat", "topic")
    said = "Repository rule violations found\n\nChanges must be made through a pull request."
    scene.hub.fail_requests("/git/refs/heads/topic$", method="PATCH", status=status, message=said)
    case = replace(scene.case, branch="topic", head_sha=Sha(sha))
    forge = scene.forge(case)
    tree = forge.tree(case)
    with pytest.raises(Stop, match="must be made through a pull request") as stopped:
        forge.publish(case, tree, tree.diff(PLAIN), replace(PROPOSAL, how=How.PUSH, target="topic"))
    assert stopped.value.outcome is Outcome.REFUSED_BY_POLICY
    assert len(scene.state["pulls"]) == 1


@pytest.mark.parametrize("path", ["/git/trees$", "/git/refs$"])
def test_a_missing_permission_is_no_rule(scene: Scene, path: str) -> None:
    """403 for what the installation does not grant ends the run as before."""
    scene.hub.fail_requests(path, method="POST", status=403, message="Resource not accessible by integration")
    with pytest.raises(Stop) as stopped:
        publish(scene)
    assert stopped.value.outcome is Outcome.DISABLED


@pytest.mark.fault(51)
@pytest.mark.parametrize("where", ["main", "heal/*"])
def test_a_commit_that_has_to_be_signed_is(scene: Scene, where: str) -> None:
    """Where GitHub does not sign the Git Data API's commit, the mutation that always signs makes the same one."""
    scene.hub.set_repo(REPO, unsigned=True, rules=[{**SIGNED, "branches": where}])
    done = publish(scene)
    commit = scene.state["commits"][done.commit]
    assert commit["verification"]["verified"]
    assert [parent["sha"] for parent in commit["parents"]] == [scene.info.sha]
    assert commit["message"].strip() == PROPOSAL.commit_message.strip()
    (pull,) = scene.state["pulls"]
    assert sorted(file["filename"] for file in pull["files"]) == ["new.py", "old.py", "shop.py"]
    assert publish(scene).commit == done.commit


@pytest.mark.parametrize("after", [True, False], ids=["answer lost", "not done"])
def test_a_lost_answer_of_the_mutation_leaves_one_commit(scene: Scene, after: bool) -> None:
    """The second try finds the branch that the first one made, with or without the commit."""
    scene.hub.set_repo(REPO, unsigned=True, rules=[SIGNED])
    scene.hub.fail_requests("/graphql$", method="POST", after=after)
    with pytest.raises(Retryable):
        publish(scene)
    done = publish(scene)
    assert scene.state["branches"] == {"main": scene.info.sha, PROPOSAL.branch: done.commit}
    assert [parent["sha"] for parent in scene.state["commits"][done.commit]["parents"]] == [scene.info.sha]


def test_unsigned_is_enough_where_no_rule_asks(scene: Scene) -> None:
    """Without such a rule the commit stays as the Git Data API made it."""
    scene.hub.set_repo(REPO, unsigned=True)
    done = publish(scene)
    assert not scene.state["commits"][done.commit]["verification"]["verified"]
    assert scene.asked("POST", "/graphql") == []


def test_what_cannot_be_signed_is_said(scene: Scene) -> None:
    """The mutation knows plain files alone: an executable one would lose its mode."""
    scene.hub.set_repo(REPO, unsigned=True, rules=[SIGNED])
    with pytest.raises(Stop, match=r"have to be signed.*run\.sh is executable") as stopped:
        publish(scene, EDITS)
    assert stopped.value.outcome is Outcome.REFUSED_BY_POLICY
    assert set(scene.state["branches"]) == {"main"}
