"""The fix on GitHub: exactly one commit, branch and pull request, whatever got lost on the way."""

from __future__ import annotations

from dataclasses import replace

import pytest

from tests.workers.forge.scene import EDITS, PROPOSAL, REPO, Scene
from workers.domain import Case, Outcome, Published, Sha
from workers.errors import LeaseLost, Retryable, Stop
from workers.github import GitHubForge
from workers.patch import Executable
from workers.ports import CI, Proposal


def publish(scene: Scene, proposal: Proposal = PROPOSAL, case: Case | None = None) -> Published:
    """One try of a fresh worker."""
    case = case or scene.case
    forge: GitHubForge = scene.forge(case)
    tree = forge.tree(case)
    return forge.publish(case, tree, tree.diff(EDITS), proposal)


def test_pull_request_with_a_commit_on_the_red_one(scene: Scene) -> None:
    """The commit sits on the pinned sha with exactly the edits, unsigned by us and so signed by GitHub."""
    done = publish(scene)
    (pull,) = scene.state["pulls"]
    commit = scene.state["commits"][done.commit]
    assert (pull["number"], pull["html_url"]) == (done.pull_request, done.url)
    assert (pull["title"], pull["body"], pull["draft"]) == (PROPOSAL.title, PROPOSAL.body, True)
    assert (pull["base"]["ref"], pull["head"]["ref"]) == ("main", PROPOSAL.branch)
    assert [label["name"] for label in pull["labels"]] == ["heal"]
    assert [parent["sha"] for parent in commit["parents"]] == [scene.info.sha]
    assert commit["message"].strip() == PROPOSAL.commit_message.strip()
    assert commit["verification"]["verified"]
    assert scene.state["branches"] == {"main": scene.info.sha, PROPOSAL.branch: done.commit}
    assert sorted((file["filename"], file["status"]) for file in pull["files"]) == [
        ("new.py", "added"), ("old.py", "removed"), ("run.sh", "modified"), ("shop.py", "modified"),
    ]  # fmt: skip
    case = replace(scene.case, head_sha=Sha(done.commit))
    tree = scene.forge(case)._tree(case)
    assert {path: tree.read(path) for path in EDITS} == EDITS
    assert tree.mode("run.sh") == "100755"
    assert done.at > 0


def test_an_empty_file_and_a_mode_are_committed(scene: Scene) -> None:
    """What has no lines in a diff is in the commit all the same."""
    forge = scene.forge()
    tree = forge.tree(scene.case)
    edits = {"pkg/__init__.py": b"", "shop.py": Executable(tree.read("shop.py") or b"")}
    done = forge.publish(scene.case, tree, tree.diff(edits), PROPOSAL)
    case = replace(scene.case, head_sha=Sha(done.commit))
    after = scene.forge(case)._tree(case)
    assert {path: after.read(path) for path in edits} == edits
    assert [after.mode(path) for path in edits] == ["100644", "100755"]


def test_write_permissions_only_while_publishing(scene: Scene) -> None:
    """Publishing asks for a second token, narrowed to the repository, and sends no author or committer."""
    publish(scene)
    read, write = (one["body"] for one in scene.asked("POST", "/access_tokens"))
    assert write["repository_ids"] == read["repository_ids"] == [scene.info.id]
    assert write["permissions"] == {
        "metadata": "read", "contents": "write", "pull_requests": "write", "issues": "write",
    }  # fmt: skip
    (commit,) = scene.asked("POST", "/git/commits")
    assert {"author", "committer"}.isdisjoint(commit["body"])


@pytest.mark.fault(53)
@pytest.mark.parametrize("path", ["/git/trees$", "/git/commits$", "/git/refs$", "/pulls$"])
@pytest.mark.parametrize("after", [True, False], ids=["answer lost", "not done"])
def test_a_lost_answer_leads_to_one_pull_request(scene: Scene, path: str, after: bool) -> None:
    """A 502, before or after GitHub did the work, parks the run; the second try adopts what exists."""
    scene.hub.fail_requests(path, method="POST", after=after)
    with pytest.raises(Retryable):
        publish(scene)
    done = publish(scene)
    (pull,) = scene.state["pulls"]
    assert pull["number"] == done.pull_request
    assert len(scene.state["branches"]) == 2
    assert scene.state["branches"][PROPOSAL.branch] == done.commit


def test_lost_labels_do_not_lose_the_pull_request(scene: Scene) -> None:
    """Labels that cannot be set are logged, not a reason to try again."""
    scene.hub.fail_requests("/labels$", method="POST")
    assert publish(scene).pull_request


@pytest.mark.fault(48)
def test_publishing_twice_changes_nothing(scene: Scene) -> None:
    """A second try with the same words writes nothing at all; other words are edited in."""
    first = publish(scene)
    before = len(scene.asked("POST")) + len(scene.asked("PATCH"))
    second = publish(scene)
    assert (second.commit, second.pull_request) == (first.commit, first.pull_request)
    assert len(scene.asked("POST")) + len(scene.asked("PATCH")) == before + 2  # two tokens
    publish(scene, replace(PROPOSAL, body="Other words"))
    assert [pull["body"] for pull in scene.state["pulls"]] == ["Other words"]


def test_somebody_elses_change_on_our_branch_is_left_alone(scene: Scene) -> None:
    """A branch of that name with another content is not overwritten."""
    sha = scene.hub.push(REPO, {"mine.py": "x = 1\n"}, branch=PROPOSAL.branch, new_from="main")
    with pytest.raises(Stop) as stopped:
        publish(scene)
    assert stopped.value.outcome is Outcome.DUPLICATE
    assert scene.state["branches"][PROPOSAL.branch] == sha


@pytest.mark.fault(52)
def test_a_closed_pull_request_is_an_answer(scene: Scene) -> None:
    """When somebody closed the pull request, the same fix is not proposed again."""
    number = publish(scene).pull_request
    assert number is not None
    scene.hub.close_pull(REPO, "octocat", number)
    with pytest.raises(Stop, match="closed") as stopped:
        publish(scene)
    assert stopped.value.outcome is Outcome.DUPLICATE


@pytest.mark.parametrize("branch", ["main", "topic"])
def test_moved_head_is_seen_right_before_publishing(scene: Scene, branch: str) -> None:
    """A push to the target while the fix was proven, or its deletion, ends the run and nothing is written."""
    if branch == "main":
        scene.hub.push(REPO, {"more.py": "x = 1\n"})
    with pytest.raises(Stop) as stopped:
        publish(scene, replace(PROPOSAL, target=branch))
    assert stopped.value.outcome is Outcome.HEAD_MOVED
    assert PROPOSAL.branch not in scene.state["branches"]


def test_stacked_on_a_pull_request(scene: Scene) -> None:
    """For a pull request of the same repository the fix is proposed against its head branch."""
    sha = scene.hub.push(REPO, {"topic.py": "x = 1\n"}, branch="topic", new_from="main")
    scene.hub.open_pull(REPO, "octocat", "topic")
    case = replace(scene.case, branch="topic", head_sha=Sha(sha))
    publish(scene, replace(PROPOSAL, target="topic"), case)
    assert scene.state["pulls"][-1]["base"]["ref"] == "topic"


@pytest.mark.fault(16)
def test_fork_code_never_gets_a_branch(scene: Scene) -> None:
    """A case from a fork cannot be published, whether the event said so or only the pull request does."""
    scene.hub.create_repo("mallory/shop", fork_of=REPO)
    sha = scene.hub.push("mallory/shop", {"evil.py": "x = 1\n"}, branch="main", user="mallory")
    number = scene.hub.open_pull(REPO, "mallory", "mallory:main")["number"]
    for case in (replace(scene.case, fork=True), replace(scene.case, head_sha=Sha(sha), pull_request=number)):
        with pytest.raises(Stop) as stopped:
            publish(scene, case=case)
        assert stopped.value.outcome is Outcome.REFUSED_BY_POLICY
    assert set(scene.state["branches"]) == {"main"}


def test_only_our_own_branches_are_written(scene: Scene) -> None:
    """A branch name outside heal/ is a bug of ours and refused before anything is sent."""
    with pytest.raises(ValueError, match="heal/"):
        publish(scene, replace(PROPOSAL, branch="main"))


def test_drafts_that_the_plan_does_not_have(scene: Scene) -> None:
    """Where GitHub refuses a draft, the pull request is opened without."""
    scene.hub.fail_requests(
        "/pulls$", method="POST", status=422, message="Draft pull requests are not supported in this repository."
    )
    publish(scene)
    assert [pull["draft"] for pull in scene.state["pulls"]] == [False]


@pytest.mark.fault(48)
def test_refused_pull_request_is_told(scene: Scene) -> None:
    """What GitHub will not take ends the run with GitHub's reason."""
    scene.hub.fail_requests("/pulls$", method="POST", status=422, message="Validation Failed: no")
    with pytest.raises(Stop, match="Validation Failed: no"):
        publish(scene)


@pytest.mark.fault(58)
def test_lost_lease_writes_nothing(scene: Scene) -> None:
    """A worker whose run was taken over stops before its next write."""

    def lost() -> float:
        raise LeaseLost

    forge = scene.forge()
    forge = GitHubForge(forge._app, scene.mirrors, scene.case, guard=lost)
    tree = forge.tree(scene.case)
    with pytest.raises(LeaseLost):
        forge.publish(scene.case, tree, tree.diff(EDITS), PROPOSAL)
    forge.close()
    assert not scene.asked("POST", "/git/trees")


def test_the_real_ci_is_followed(scene: Scene) -> None:
    """No run yet is "none"; then the runs on our commit decide, our own left out."""
    done = publish(scene)
    forge = scene.forge()
    assert forge.ci(scene.case, done).state is CI.NONE
    scene.hub.finish_ci(REPO, branch=PROPOSAL.branch, conclusion="success", log="ok", job="test")
    assert forge.ci(scene.case, done).state is CI.GREEN
    scene.hub.finish_ci(REPO, branch=PROPOSAL.branch, conclusion="failure", log="no", job="lint")
    assert forge.ci(scene.case, done).state is CI.RED


def test_confirming_edits_the_body_and_leaves_draft(scene: Scene) -> None:
    """The answer of the real CI goes into the body; a ready one is taken out of draft, once."""
    done = publish(scene)
    forge = scene.forge()
    forge.confirm(scene.case, done, "Red", ready=False)
    assert [(pull["body"], pull["draft"]) for pull in scene.state["pulls"]] == [("Red", True)]
    forge.confirm(scene.case, done, "Green", ready=True)
    forge.confirm(scene.case, done, "Green", ready=True)
    assert [(pull["body"], pull["draft"]) for pull in scene.state["pulls"]] == [("Green", False)]
    assert len(scene.asked("POST", "/graphql")) == 1
