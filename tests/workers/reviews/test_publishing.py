"""A revision on GitHub: one more commit on our branch, the evidence in the body, and nothing over somebody's work."""

from __future__ import annotations

from dataclasses import replace

import pytest

from tests.workers.forge.scene import PROPOSAL, REPO, STARTED
from tests.workers.reviews.held import Held
from workers.domain import Aim, Case, Outcome, Published
from workers.errors import Stop

NEW: dict[str, bytes | None] = {"shop.py": b"def total(a, b):\n    return sum((a, b))\n", "new.py": b"x = 1\n"}
BODY = "New evidence."


def revising(held: Held) -> Case:
    return replace(held.scene.case, aim=Aim.REVISE, ours=held.ours)


def publish(held: Held) -> Published:
    """One try of a fresh worker."""
    case = revising(held)
    forge = held.scene.forge(case)
    tree = forge.tree(case)
    words = replace(PROPOSAL, title="Other", body=BODY, commit_message="two\n", ours=held.ours)
    return forge.publish(case, tree, tree.diff(NEW), words)


def test_a_revision_is_one_more_commit(held: Held) -> None:
    """On top of ours, with the tree of the commit it was made for and the whole new patch; the title stays. Wherever
    the target has gone since."""
    held.scene.hub.push(REPO, {"more.py": "x = 1\n"})
    for _ in range(2):
        done = publish(held)
    commit = held.state["commits"][done.commit]
    assert [parent["sha"] for parent in commit["parents"]] == [held.commit]
    assert commit["verification"]["verified"]
    (pull,) = held.state["pulls"]
    assert (pull["number"], pull["title"], pull["body"]) == (held.number, PROPOSAL.title, BODY)
    assert held.state["branches"][PROPOSAL.branch] == done.commit
    files = {file["filename"]: file["patch"] for file in pull["files"]}
    assert "+    return sum((a, b))" in files["shop.py"]
    assert set(files) == {"shop.py", "new.py"}
    assert (done.pull_request, done.branch, done.target) == (held.number, PROPOSAL.branch, "main")


def test_a_persons_commit_is_never_written_over(held: Held) -> None:
    """Whether it came before the run or while it worked; nothing of ours is added to it."""
    sha = held.scene.hub.push(REPO, {"mine.py": "x = 1\n"}, branch=PROPOSAL.branch)
    case = revising(held)
    for work in (lambda: publish(held), lambda: held.scene.forge(case).admission(case)):
        with pytest.raises(Stop) as stopped:
            work()
        assert stopped.value.outcome is Outcome.HEAD_MOVED
    assert held.state["branches"][PROPOSAL.branch] == sha


def test_a_closed_pull_request_is_not_revised(held: Held) -> None:
    """Its branch may be there still; nobody waits for it."""
    held.scene.hub.close_pull(REPO, "ada", held.number)
    case = revising(held)
    for work in (lambda: publish(held), lambda: held.scene.forge(case).admission(case)):
        with pytest.raises(Stop) as stopped:
            work()
        assert stopped.value.outcome is Outcome.CANCELLED


def test_our_own_branch_is_admitted_wherever_its_target_is(held: Held) -> None:
    """The change is made anew on the commit it was made for; its check run stands where the review is."""
    held.scene.hub.push(REPO, {"more.py": "x = 1\n"})
    case = revising(held)
    admission = held.scene.forge(case).admission(case)
    assert (admission.target, admission.head_is_current) == ("main", True)
    assert not admission.own_branch
    assert not admission.fork
    held.scene.forge(case).tell(case, STARTED)
    assert [check["head_sha"] for check in held.scene.own_checks] == [held.commit]
