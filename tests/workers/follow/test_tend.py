"""Our open pull requests as the world moves on: left to people, made anew once, closed when nobody needs them."""

from __future__ import annotations

from dataclasses import replace

import pytest

from tests.workers.follow.stage import BRANCH, PROPOSAL, REPO, RIGHT, Stage
from workers.domain import Aim, How, Published, RunId, Sha
from workers.errors import Retryable
from workers.store.changes import ChangeLine, ours
from workers.store.models import ChangeState
from workers.store.pages import Pages


def outcome(stage: Stage, run: RunId) -> tuple[str, bool]:
    """How a run ended, and whether it was asked to end."""
    page = Pages(stage.engine).run(run)
    assert page is not None
    return page.line.state, page.cancel_asked


def runs(stage: Stage) -> list[RunId]:
    return [line.id for line in Pages(stage.engine).runs().lines]


def conflict(stage: Stage) -> str:
    """A person changes the very line on `main`, and it is red still."""
    sha = stage.hub.push(REPO, {"shop.py": "def total(a, b):\n    return 2 * a - b\n"})
    stage.hub.finish_ci(REPO, job="test")
    return sha


def test_a_change_that_fits_is_left_as_it_is(stage: Stage) -> None:
    """The target moved elsewhere: nothing is written and no run is opened."""
    lease, line = stage.proposed()
    stage.hub.push(REPO, {"other.py": "x = 2\n"})
    assert stage.look_after("main") == f"#{line.number}: it fits"
    assert (runs(stage), stage.told(line).state, stage.said(line)) == ([lease.run], ChangeState.OPEN, [])


def test_a_branch_without_changes_of_ours_asks_nothing(stage: Stage) -> None:
    """No call to GitHub for what the database knows."""
    before = len(stage.hub.requests())
    assert stage.look_after("topic") == "no open change of ours there"
    assert len(stage.hub.requests()) == before


def test_a_persons_push_means_hands_off(stage: Stage) -> None:
    """Said once, the run that follows it ends, and nothing that happens later makes Heal touch it."""
    lease, line = stage.proposed()
    sha = stage.hub.push(REPO, {"shop.py": RIGHT + "# mine\n"}, branch=BRANCH)
    assert "left alone" in stage.look_after(BRANCH)
    assert stage.told(line).state is ChangeState.LEFT
    (word,) = stage.said(line)
    assert f"Somebody else pushed `{sha[:7]}`" in word
    assert outcome(stage, lease.run) == ("parked", True)
    conflict(stage)
    assert stage.look_after("main") == stage.look_after(BRANCH) == "no open change of ours there"
    assert (len(stage.said(line)), stage.pull(line)["state"], len(runs(stage))) == (1, "open", 1)


def test_a_word_whose_answer_was_lost_is_not_said_twice(stage: Stage) -> None:
    """The errand is tried again after a 502 and finds its own comment."""
    _, line = stage.proposed()
    stage.hub.push(REPO, {"shop.py": RIGHT + "# mine\n"}, branch=BRANCH)
    stage.hub.fail_requests("/comments$", method="POST", after=True)
    with pytest.raises(Retryable):
        stage.look_after(BRANCH)
    assert "left alone" in stage.look_after(BRANCH)
    assert len(stage.said(line)) == 1


def test_our_own_newer_commit_is_no_person(stage: Stage) -> None:
    """A run has pushed and not yet kept it: the errand comes back later, and hands stay on."""
    _, line = stage.proposed()
    again = stage.lease(replace(stage.case, head_sha=line.commit, branch=BRANCH, aim=Aim.AGAIN, ours=ours(line)), "two")
    with stage.forge(again.case) as forge:
        tree = forge.tree(again.case)
        proposal = replace(PROPOSAL, ours=again.case.ours)
        forge.publish(again.case, tree, tree.diff({"other.py": b"x = 3\n"}), proposal)
    with pytest.raises(Retryable):
        stage.look_after(BRANCH)
    assert stage.told(line).state is ChangeState.OPEN


def test_a_conflict_makes_it_anew_once(stage: Stage) -> None:
    """One run on the base's new head that remembers the patch and the red job; the one that followed it ends."""
    lease, line = stage.proposed()
    sha = conflict(stage)
    said = stage.look_after("main")
    new = next(run for run in runs(stage) if run != lease.run)
    assert said == f"#{line.number}: run {new} makes it anew on main"
    case = stage.ledger.case(new)
    assert case is not None
    assert (case.aim, case.head_sha, case.branch, case.ours) == (Aim.REBASE, sha, "main", ours(line))
    assert (case.job, case.actions_run_id, case.pull_request) == ("test", stage.red.run_id, None)
    assert outcome(stage, lease.run) == ("parked", True)
    assert outcome(stage, new) == ("queued", False)
    assert "made anew before" in stage.look_after("main")
    assert len(runs(stage)) == 2


def remade(stage: Stage, line: ChangeLine) -> Published:
    """The run that makes it anew does so."""
    new = stage.ledger.claim(runs(stage)[0], "host:1/3")
    assert new is not None
    return stage.publish(new, {"shop.py": RIGHT.encode()})


def test_made_anew_it_is_the_same_pull_request_on_the_new_base(stage: Stage) -> None:
    """Its branch goes on with a commit onto the base's head too. A second conflict is said once, and opens no run."""
    _, line = stage.proposed()
    sha = conflict(stage)
    stage.look_after("main")
    done = remade(stage, line)
    assert (done.pull_request, len(stage.state["pulls"])) == (line.number, 1)
    assert stage.state["branches"][BRANCH] == done.commit
    assert [parent["sha"] for parent in stage.state["commits"][done.commit]["parents"]] == [line.commit, sha]
    told = stage.told(line)
    assert (told.commit, told.onto, told.rebased, told.runs) == (done.commit, sha, 1, 2)
    assert stage.look_after("main") == f"#{line.number}: it fits"
    stage.hub.push(REPO, {"shop.py": "def total(a, b):\n    return 3 * a - b\n"})
    for _ in range(2):
        assert "made anew before" in stage.look_after("main")
    (word,) = stage.said(line)
    assert "conflicts with `main` again" in word
    assert len(runs(stage)) == 2


def test_a_branch_that_a_person_has_is_not_made_anew(stage: Stage) -> None:
    """They pushed while the run was at work: their commit stays."""
    _, line = stage.proposed()
    conflict(stage)
    stage.look_after("main")
    theirs = stage.hub.push(REPO, {"shop.py": RIGHT + "# mine\n"}, branch=BRANCH)
    with pytest.raises(Exception, match="left alone"):
        remade(stage, line)
    assert stage.state["branches"][BRANCH] == theirs


def test_github_is_asked_again_for_what_it_does_not_know_yet(stage: Stage) -> None:
    """`mergeable` is null for a while after a push: nothing is decided on it."""
    _, line = stage.proposed()
    conflict(stage)
    stage.hub.set_pull(REPO, line.number, unknown=1)
    with pytest.raises(Retryable):
        stage.look_after("main")
    assert len(runs(stage)) == 1
    assert "makes it anew" in stage.look_after("main")


def test_one_that_needs_time_does_not_hold_up_the_others(stage: Stage) -> None:
    """Every change has its turn before the errand comes back."""
    _, line = stage.proposed()
    other = stage.lease(replace(stage.case, job="lint"), "two")
    more = stage.publish(
        other, {"shop.py": b"def total(a, b):\n    return b + a\n"}, replace(PROPOSAL, branch="heal/lint-1")
    )
    conflict(stage)
    stage.hub.set_pull(REPO, line.number, unknown=1)
    with pytest.raises(Retryable):
        stage.look_after("main")
    made = stage.ledger.case(runs(stage)[0])
    assert made is not None
    assert made.ours is not None
    assert made.ours.pull_request == more.pull_request


@pytest.mark.parametrize("how", ["ci", "patch"])
def test_what_is_mended_elsewhere_is_closed_with_a_word(stage: Stage, how: str) -> None:
    """CI is green on the target without us, or the very change is there: closed, branch gone, nobody's lesson."""
    lease, line = stage.proposed()
    if how == "ci":
        stage.hub.push(REPO, {"shop.py": "def total(a, b):\n    return sum((a, b))\n"})
        stage.hub.finish_ci(REPO, job="test", conclusion="success")
    else:
        stage.hub.push(REPO, {"shop.py": RIGHT})
    assert "not needed any more" in stage.look_after("main")
    assert (stage.pull(line)["state"], BRANCH in stage.state["branches"]) == ("closed", False)
    (word,) = stage.said(line)
    assert "Not needed any more" in word
    assert stage.told(line).state is ChangeState.CLOSED
    assert outcome(stage, lease.run) == ("parked", True)
    assert stage.closed(line).endswith("by us")
    assert stage.lessons(accepted=False) == stage.lessons(accepted=True) == ()


def test_green_on_the_very_commit_that_was_mended_is_chance(stage: Stage) -> None:
    """Somebody ran the job again: the fix stays until the target moves."""
    _, line = stage.proposed()
    stage.hub.finish_ci(REPO, job="test", conclusion="success")
    assert stage.look_after("main") == f"#{line.number}: it fits"


def test_another_base_has_to_be_proven_anew(stage: Stage) -> None:
    """A person points our pull request at another branch: one run there, and the change remembers its new target."""
    lease, line = stage.proposed()
    stage.hub.push(REPO, {"release.txt": "1\n"}, branch="release")
    stage.hub.set_pull(REPO, line.number, base="release")
    assert "makes it anew on release" in stage.look_after(BRANCH)
    made = stage.ledger.case(runs(stage)[0])
    assert made is not None
    assert made.ours is not None
    assert (made.aim, made.branch, made.ours.target) == (Aim.REBASE, "release", "release")
    assert (stage.told(line).target, stage.look_after(BRANCH)) == ("release", f"#{line.number}: it fits")
    assert outcome(stage, lease.run) == ("parked", True)


def test_a_later_round_is_made_anew_for_the_first_failure(stage: Stage) -> None:
    """The red job that the change was made for is looked for on the new base, with all that the change does by now."""
    first, line = stage.proposed()
    again = replace(
        stage.case, job="lint", actions_run_id=99, head_sha=line.commit, branch=BRANCH, aim=Aim.AGAIN, ours=ours(line)
    )
    second = stage.lease(again, "two")
    stage.publish(second, {"other.py": b"x = 3\n"})
    assert (stage.told(line).run_id, stage.told(line).runs) == (second.run, 2)
    conflict(stage)
    stage.look_after("main")
    made = stage.ledger.case(runs(stage)[0])
    assert made is not None
    assert (made.aim, made.job, made.actions_run_id, made.ours) == (
        Aim.REBASE, "test", stage.red.run_id, ours(stage.told(line))
    )  # fmt: skip
    assert first.run not in (made.run, second.run)


def test_a_fix_of_a_bug_report_is_not_made_anew(stage: Stage) -> None:
    """No red check of the base shows what it mends: its green would prove nothing. The conflict is said once."""
    lease = stage.lease(replace(stage.case, job="", job_id=0, actions_run_id=0, aim=Aim.ISSUE, issue=1))
    done = stage.publish(lease, {"shop.py": RIGHT.encode()})
    conflict(stage)
    for _ in range(2):
        assert "no red check" in stage.look_after("main")
    (word,) = [one["body"] for one in stage.state["comments"] if one["number"] == done.pull_request]
    assert "This conflicts with `main`" in word
    assert runs(stage) == [lease.run]


def test_news_of_their_branch_wake_the_run_that_pushed_to_it(stage: Stage) -> None:
    """A fix that was pushed onto theirs is followed, and nothing else is done to it."""
    lease = stage.lease(replace(stage.case, branch="topic"))
    pushed = Published(5, "", "topic", stage.info.sha, 1.0, How.PUSH, "topic", onto=Sha(stage.info.sha), patch="diff")
    lease.record("publish", 0, pushed, 0.1)
    lease.park(3600.0, "waits")
    assert stage.look_after("topic") == "#5: woke the run that follows it"
    assert stage.ledger.due() == [lease.run]


def test_a_closed_one_whose_event_was_lost_is_settled_in_passing(stage: Stage) -> None:
    """The next look at it learns what the event would have told."""
    lease, line = stage.proposed()
    stage.hub.close_pull(REPO, "octo", line.number)
    assert "was closed by a person" in stage.look_after("main")
    assert stage.told(line).state is ChangeState.CLOSED
    assert len(stage.lessons(accepted=False)) == 1
    assert outcome(stage, lease.run) == ("parked", True)
