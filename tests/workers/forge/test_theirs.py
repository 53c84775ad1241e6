"""A fix for a pull request of somebody else's: pushed, suggested, or told; and what is never done to a fork's."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from tests.workers.forge.scene import PROPOSAL, REPO, Scene
from workers.domain import Case, How, Outcome, Published, Sha
from workers.errors import Retryable, Stop
from workers.patch.suggest import suggest
from workers.ports import CI, Notice, Suggestion, Wish

RED = "def total(a, b):\n    # sums\n    return a * b\n"
RIGHT: dict[str, bytes | None] = {"shop.py": b"def total(a, b):\n    # sums\n    return a + b\n"}
KEY = "0123456789abcdef"
MARKED = f"Because.\n\n<!-- heal:fix={KEY} kind=review v=1 -->"


def theirs(scene: Scene) -> Case:
    """A red pull request of the same repository."""
    sha = scene.hub.push(REPO, {"shop.py": RED}, branch="topic", new_from="main")
    number = scene.hub.open_pull(REPO, "octocat", "topic")["number"]
    return replace(scene.case, branch="topic", head_sha=Sha(sha), pull_request=number)


def forks(scene: Scene) -> Case:
    """A red pull request from a fork, as the event of its workflow run tells of it: without a number."""
    scene.hub.create_repo("mallory/shop", fork_of=REPO, private=True)
    sha = scene.hub.push("mallory/shop", {"shop.py": RED}, branch="heal/evil", user="mallory", new_from="main")
    scene.hub.open_pull(REPO, "mallory", "mallory:heal/evil")
    return replace(scene.case, branch="heal/evil", head_sha=Sha(sha), fork=True)


def publish(scene: Scene, case: Case, how: How, **changes: Any) -> Published:
    """One try of a fresh worker."""
    forge = scene.forge(case)
    tree = forge.tree(case)
    patch = tree.diff(RIGHT)
    ground = forge.ground(case, Wish(how, case.branch, "heal/test-1"))
    found = suggest(tree, patch, ground.hunks)
    made = () if isinstance(found, str) else tuple(Suggestion(r.path, r.start, r.end, "Better.") for r in found)
    proposal = replace(PROPOSAL, target=case.branch, how=how, suggestions=made, key=KEY, body=MARKED, **changes)
    return forge.publish(case, tree, patch, proposal)


def test_pushed_onto_their_branch(scene: Scene) -> None:
    """One signed commit on the healed one, by a fast-forward; no branch and no pull request of ours."""
    case = theirs(scene)
    done = publish(scene, case, How.PUSH)
    commit = scene.state["commits"][done.commit]
    assert [parent["sha"] for parent in commit["parents"]] == [case.head_sha]
    assert commit["verification"]["verified"]
    assert scene.state["branches"] == {"main": scene.info.sha, "topic": done.commit}
    assert (done.pull_request, done.how, done.target) == (case.pull_request, How.PUSH, "topic")
    assert [one["body"]["force"] for one in scene.asked("PATCH", "/git/refs/heads/topic")] == [False]


@pytest.mark.parametrize("after", [True, False], ids=["answer lost", "not done"])
def test_a_push_whose_answer_was_lost_is_made_once(scene: Scene, after: bool) -> None:
    """The second try sees its own commit as the head and adopts it."""
    case = theirs(scene)
    scene.hub.fail_requests("/git/refs/heads", method="PATCH", after=after)
    with pytest.raises(Retryable):
        publish(scene, case, How.PUSH)
    done = publish(scene, case, How.PUSH)
    assert scene.state["branches"]["topic"] == done.commit
    assert len(scene.asked("PATCH", "/git/refs/heads/topic")) == (1 if after else 2)


def test_nothing_is_pushed_over_a_newer_commit(scene: Scene) -> None:
    """A person was faster: the run ends, and the branch is as they left it."""
    case = theirs(scene)
    sha = scene.hub.push(REPO, {"more.py": "x = 1\n"}, branch="topic")
    with pytest.raises(Stop) as stopped:
        publish(scene, case, How.PUSH)
    assert stopped.value.outcome is Outcome.HEAD_MOVED
    assert scene.state["branches"]["topic"] == sha


def test_what_was_pushed_is_followed_and_their_words_stay(scene: Scene) -> None:
    """CI on our commit is asked for; the body of a pull request of theirs is never written to."""
    case = theirs(scene)
    done = publish(scene, case, How.PUSH)
    forge = scene.forge(case)
    assert forge.ci(case, done).state is CI.NONE
    scene.hub.finish_ci(REPO, branch="topic", conclusion="success")
    assert forge.ci(case, done).state is CI.GREEN
    forge.confirm(case, done, "Ours", ready=True)
    assert scene.state["pulls"][0]["body"] != "Ours"


def test_suggested_in_one_review(scene: Scene) -> None:
    """Every changed line is in the diff: one review that only comments, pinned to the healed commit."""
    case = theirs(scene)
    done = publish(scene, case, How.SUGGEST)
    (review,) = scene.state["reviews"]
    assert (review["state"], review["body"], review["commit_id"]) == ("COMMENTED", MARKED, case.head_sha)
    assert (done.how, done.url, done.commit) == (How.SUGGEST, review["html_url"], "")
    (comment,) = scene.state["review_comments"]
    assert (comment["path"], comment["line"], comment["start_line"]) == ("shop.py", 3, None)
    assert comment["body"] == "Better."
    assert scene.forge(case).ci(case, done).state is CI.NONE
    assert set(scene.state["branches"]) == {"main", "topic"}


def test_a_review_is_never_written_twice(scene: Scene) -> None:
    """A second try, or another run with the same fix, finds it by its marker; a person's marker is not ours."""
    case = theirs(scene)
    scene.hub.review(REPO, "mallory", case.pull_request or 0, body=MARKED)
    scene.hub.fail_requests("/reviews$", method="POST", after=True)
    with pytest.raises(Retryable):
        publish(scene, case, How.SUGGEST)
    first, second = publish(scene, case, How.SUGGEST), publish(scene, case, How.SUGGEST)
    assert first.url == second.url
    assert len([review for review in scene.state["reviews"] if review["user"]["login"] == scene.keys.bot]) == 1


def test_the_tokens_of_a_review_can_do_nothing_else(scene: Scene) -> None:
    """For suggestions no token is asked for that may write contents, issues or checks."""
    publish(scene, theirs(scene), How.SUGGEST)
    asked = [one["body"]["permissions"] for one in scene.asked("POST", "/access_tokens")]
    assert [grant for grant in asked if "write" in grant.values()] == [{"metadata": "read", "pull_requests": "write"}]


def test_a_fork_is_found_by_its_head(scene: Scene) -> None:
    """GitHub does not name the pull request of a fork's commit. The commit comes from the base repository; a branch
    of the fork's that is named like ours is none."""
    case = forks(scene)
    forge = scene.forge(case)
    found = forge.admission(case)
    assert (found.fork, found.pull_request, found.target) == (True, 1, "main")
    assert (found.own_branch, found.head_is_current) == (False, True)
    assert forge.tree(case).read("shop.py") == RED.encode()


@pytest.mark.parametrize("how", [How.SUGGEST, How.COMMENT])
def test_a_fork_gets_words_and_no_branch(scene: Scene, how: How) -> None:
    """Suggestions or a comment on the pull request; nothing is committed, here or there."""
    case = forks(scene)
    done = publish(scene, case, how)
    scene.forge(case).tell(case, Notice("Fixed", "Done.", comment="The patch.", final=True), done)
    assert (done.pull_request, done.how, done.branch, done.commit) == (1, how, "", "")
    assert len(scene.state["reviews"]) == (how is How.SUGGEST)
    assert [comment["body"].splitlines()[0] for comment in scene.state["comments"]] == ["The patch."]
    assert set(scene.state["branches"]) == {"main"}
    writes = {one["path"].rsplit("/", 1)[-1] for one in scene.asked("POST")} - {"access_tokens", "git-upload-pack"}
    assert writes <= {"reviews", "check-runs", "comments"}
    assert scene.own_checks[0]["head_sha"] == case.head_sha


@pytest.mark.parametrize("how", [How.PULL, How.PUSH])
def test_code_of_a_fork_is_never_put_on_a_branch(scene: Scene, how: How) -> None:
    """Not even when a stage asked for it."""
    case = forks(scene)
    with pytest.raises(Stop) as stopped:
        publish(scene, case, how)
    assert stopped.value.outcome is Outcome.REFUSED_BY_POLICY
    assert set(scene.state["branches"]) == {"main"}


@pytest.mark.parametrize("how", [How.SUGGEST, How.COMMENT])
def test_a_fork_that_moved_on_or_closed_gets_nothing(scene: Scene, how: How) -> None:
    """The head is looked at once more right before anything is said of the fix."""
    case = forks(scene)
    scene.hub.push("mallory/shop", {"more.py": "x = 1\n"}, branch="heal/evil", user="mallory")
    with pytest.raises(Stop) as stopped:
        publish(scene, replace(case, pull_request=1), how)
    assert stopped.value.outcome is Outcome.HEAD_MOVED
    scene.hub.close_pull(REPO, "mallory", 1)
    with pytest.raises(Stop) as stopped:
        publish(scene, replace(case, pull_request=1), how)
    assert stopped.value.outcome is Outcome.CANCELLED
    assert scene.state["reviews"] == []
