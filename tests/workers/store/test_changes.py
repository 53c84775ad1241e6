"""Fixes of ours on GitHub: one row per pull request, written with the run's own fence, and what people made of them."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from sqlalchemy import Engine

from workers.diagnosis import fingerprint
from workers.domain import (
    Aim,
    Candidate,
    Case,
    Confidence,
    Diagnosis,
    Experience,
    FailureClass,
    Finding,
    How,
    Ours,
    Outcome,
    Published,
    RunId,
    Sha,
)
from workers.domain import Change as Kind
from workers.errors import LeaseLost
from workers.ports import CI
from workers.redact import Redactor
from workers.run_key import run_key
from workers.store.changes import Changes, ours
from workers.store.lease import Lease
from workers.store.ledger import Ledger
from workers.store.lessons import Lessons
from workers.store.models import ChangeState
from workers.store.rounds import Rounds

FIRST, SECOND = "b" * 40, "c" * 40
PUBLISHED = Published(
    12, "https://github.example/12", "heal/test-1", FIRST, 1.0, target="main", onto=Sha("a" * 40), patch="diff --git"
)
PUSHED = replace(PUBLISHED, pull_request=3, branch="topic", how=How.PUSH, target="topic")
FOUND = Diagnosis(FailureClass.TEST, "pytest", "f1", (), "it fails", "E assert")


def taken(ledger: Ledger, case: Case, key: str) -> Lease:
    """A run of the case, claimed."""
    run, _ = ledger.open_run(case, key, "delivery")
    lease = ledger.claim(run, "host:1/2")
    assert lease is not None
    return lease


def going_on(case: Case, published: Published, aim: Aim = Aim.AGAIN) -> Case:
    """A case that goes on with what an earlier run published."""
    commit = Sha(published.commit)
    held = Ours(published.pull_request or 0, published.branch, commit, published.target, Sha("a" * 40), "", RunId("r"))
    return replace(case, head_sha=commit, branch=published.branch, aim=aim, ours=held)


def test_publishing_is_kept_with_its_failure_and_found_by_all_its_names(
    engine: Engine, ledger: Ledger, case: Case
) -> None:
    """By pull request, branch, target, commit and run; with the fingerprint that the run had diagnosed."""
    lease, changes = taken(ledger, case, "one"), Changes(engine)
    lease.record("diagnose", 0, FOUND, 0.1)
    lease.record("publish", 0, PUBLISHED, 0.1)
    line = changes.by_pull(7, 12)
    assert line is not None
    assert (line.run_id, line.fingerprint, line.job, line.state) == (lease.run, "f1", "test", ChangeState.OPEN)
    assert line == changes.by_commit(7, Sha(FIRST)) == changes.by_run(lease.run)
    assert changes.open_for_target(7, "main") == changes.open_on_branch(7, "heal/test-1") == [line]
    assert (changes.open_for_target(8, "main"), changes.by_pull(8, 12)) == ([], None)
    assert ours(line) == Ours(12, "heal/test-1", Sha(FIRST), "main", Sha("a" * 40), "diff --git", lease.run)


def test_a_later_run_updates_the_row_and_the_same_run_counts_once(engine: Engine, ledger: Ledger, case: Case) -> None:
    """The second run's commit stands in the one row; the failure stays the one that the change was made for."""
    first = taken(ledger, case, "one")
    first.record("diagnose", 0, FOUND, 0.1)
    first.record("publish", 0, PUBLISHED, 0.1)
    Changes(engine).mark(1, ci="red")
    second = taken(ledger, going_on(case, PUBLISHED, Aim.REBASE), "two")
    second.record("diagnose", 0, replace(FOUND, fingerprint="f2"), 0.1)
    for _ in range(2):
        second.record("publish", 0, replace(PUBLISHED, commit=SECOND, patch="diff of both"), 0.1)
    line = Changes(engine).by_pull(7, 12)
    assert line is not None
    assert (line.id, line.run_id, line.commit, line.patch) == (1, second.run, SECOND, "diff of both")
    assert (line.runs, line.rebased, line.ci, line.fingerprint) == (2, 1, "pending", "f1")


def test_each_push_to_their_branch_is_a_change_of_its_own(engine: Engine, ledger: Ledger, case: Case) -> None:
    """Two failures of one pull request are two commits; the round that goes on with one of them is not a third."""
    for key, commit in (("one", FIRST), ("two", SECOND)):
        taken(ledger, case, key).record("publish", 0, replace(PUSHED, commit=commit), 0.1)
    again = going_on(case, replace(PUSHED, commit=SECOND))
    taken(ledger, again, "three").record("publish", 0, replace(PUSHED, commit="d" * 40), 0.1)
    assert [line.commit for line in Changes(engine).open_on_branch(7, "topic")] == [FIRST, "d" * 40]
    assert Changes(engine).open_for_target(7, PUSHED.target) == []


@pytest.mark.parametrize("published", [replace(PUBLISHED, pull_request=None), None])
def test_what_reached_nobody_is_no_change(
    engine: Engine, ledger: Ledger, case: Case, published: Published | None
) -> None:
    """A branch of `heal fix` and a stage that published nothing leave no row."""
    taken(ledger, case, "one").record("publish", 0, published, 0.1)
    assert Changes(engine).by_run(RunId("x")) is None
    assert Changes(engine).open_on_branch(7, "heal/test-1") == []


@pytest.mark.fault(58)
def test_a_worker_that_slept_past_its_lease_changes_no_row(engine: Engine, ledger: Ledger, case: Case) -> None:
    """The row is written under the fence, with the checkpoint or not at all."""
    slow = taken(ledger, case, "one")
    ledger.release_worker("host:1")
    with pytest.raises(LeaseLost):
        slow.record("publish", 0, PUBLISHED, 0.1)
    assert Changes(engine).by_pull(7, 12) is None


def test_a_state_is_news_once(engine: Engine, ledger: Ledger, case: Case) -> None:
    """Whoever marks it first is told so, and says it to people; what is not open is not among the open ones."""
    taken(ledger, case, "one").record("publish", 0, PUBLISHED, 0.1)
    changes = Changes(engine)
    assert [changes.mark(1, state=ChangeState.LEFT), changes.mark(1, state=ChangeState.LEFT)] == [True, False]
    assert changes.open_for_target(7, "main") == []


def test_a_lesson_is_learned_once_per_pull_request_and_stays_at_home(
    engine: Engine, ledger: Ledger, case: Case
) -> None:
    """Asked for by the failure; a second word replaces the first; another installation is told nothing."""
    lease = taken(ledger, case, "one")
    lease.record("diagnose", 0, FOUND, 0.1)
    lease.record("publish", 0, replace(PUBLISHED, patch="key = 'hunter2hunter2'"), 0.1)
    line = Changes(engine).by_pull(7, 12)
    assert line is not None
    lessons = Lessons(engine, Redactor("hunter2hunter2"))
    lessons.learn(line, accepted=False, words="hunter2hunter2 is wrong", who="octocat")
    lessons.learn(line, accepted=False, words="Please not\0 like this.", who="octocat")
    told: Any = lessons.rejected(7, "f1", 9)
    assert [(one.number, one.who, one.target) for one in told] == [(12, "octocat", "main")]
    assert "Please not" in told[0].words
    assert "hunter2" not in told[0].patch
    assert lessons.rejected(7, "f1", 10) == lessons.rejected(8, "f1", 9) == lessons.rejected(7, "f2", 9) == ()
    assert lessons.accepted(7, "f1", 9) == lessons.rejected(7, "", 9) == ()
    lessons.learn(line, accepted=True)
    assert (len(lessons.accepted(7, "f1", 9)), lessons.rejected(7, "f1", 9)) == (1, ())


def test_a_lesson_keeps_what_kind_of_change_it_was(engine: Engine, ledger: Ledger, case: Case) -> None:
    """As the candidate said that was published; an edit where its run is gone, or where it said nothing."""
    lease = taken(ledger, case, "one")
    lease.record("diagnose", 0, FOUND, 0.1)
    lease.record("propose", 0, Candidate("search", "wrong", "Because.", Confidence.HIGH), 0.1)
    lease.record("propose", 1, Candidate("locks", "right", "So.", Confidence.MEDIUM, change=Kind.LOCK), 0.1)
    lease.record("publish", 0, PUBLISHED, 0.1)
    line = Changes(engine).by_pull(7, 12)
    assert line is not None
    lessons = Lessons(engine)
    for one, kind in ((line, Kind.LOCK), (replace(line, run_id=None), Kind.EDIT)):
        lessons.learn(one, accepted=True)
        assert [lesson.change for lesson in lessons.accepted(7, "f1", 9)] == [kind]
    assert [lesson.change for lesson in taken(ledger, case, "two").experience("f1").accepted] == [Kind.EDIT]


def test_a_run_knows_its_change_and_what_came_before_it(engine: Engine, ledger: Ledger, case: Case) -> None:
    """What it has published, whose commit a commit is, what CI said, what people made of it, what was proposed."""
    lease = taken(ledger, case, "one")
    assert (lease.ours(), lease.held(lease.run)) == (None, None)
    assert not lease.made(Sha(FIRST))
    assert not lease.made(Sha(""))
    for n, patch in enumerate(("wrong", "right")):
        lease.record("propose", n, Candidate("search", patch, "Because.", Confidence.HIGH), 0.1)
    lease.record("diagnose", 0, FOUND, 0.1)
    lease.record("publish", 0, PUBLISHED, 0.1)
    lease.answered(CI.RED)
    line = Changes(engine).by_run(lease.run)
    assert line is not None
    assert (lease.ours(), lease.made(Sha(FIRST)), line.ci) == (ours(line), True, "red")
    Lessons(engine).learn(line, accepted=False, words="no")
    later = taken(ledger, going_on(case, PUBLISHED), "two")
    assert [lesson.words for lesson in later.experience("f1").rejected] == ["no"]
    assert later.experience("f2") == Experience()
    held = later.held(lease.run)
    assert held is not None
    assert held.patch == "right"
    elsewhere = taken(ledger, replace(case, repo_id=8), "three")
    assert (elsewhere.held(lease.run), elsewhere.made(Sha(FIRST))) == (None, False)
    assert elsewhere.experience("f1") == Experience()


def test_the_next_round_is_opened_once_for_a_commit(ledger: Ledger, case: Case) -> None:
    """However often the run that saw CI's red is taken up again."""
    lease = taken(ledger, case, "one")
    again = going_on(case, PUBLISHED)
    first, second = lease.lead_to(again), lease.lead_to(again)
    assert first.run == second.run
    assert lease.lead_to(replace(again, ours=replace(again.ours, commit=Sha(SECOND)))).run != first.run  # type: ignore[type-var]
    opened = ledger.case(first.run)
    assert opened is not None
    assert (opened.aim, opened.ours, opened.run) == (Aim.AGAIN, again.ours, first.run)
    assert ledger.case(RunId("nobody")) is None


def pushed(ledger: Ledger, branch: str, to: str, before: str) -> list[RunId]:
    return ledger.cancel_for_branch(7, branch, Sha(to), before=before, at=4e9)


def test_our_own_push_does_not_end_the_run_that_made_it(ledger: Ledger, case: Case) -> None:
    """News of the push may be faster than the checkpoint; a run that is not publishing is ended as ever."""
    topic = replace(case, branch="topic")
    publishing, other = taken(ledger, topic, "one"), taken(ledger, topic, "two")
    publishing.publishing()
    assert pushed(ledger, "topic", FIRST, case.head_sha) == [other.run]
    publishing.record("publish", 0, PUSHED, 0.1)
    assert publishing.run not in pushed(ledger, "topic", SECOND, FIRST)


def test_a_fix_that_is_made_anew_survives_the_next_push_to_its_base(ledger: Ledger, case: Case) -> None:
    """A busy base would otherwise never let it be done; a run that goes on with our branch knows that branch alone."""
    anew = taken(ledger, replace(going_on(case, PUBLISHED, Aim.REBASE), branch="main", head_sha=case.head_sha), "one")
    again = taken(ledger, going_on(case, PUBLISHED), "two")
    check = taken(ledger, case, "three")
    assert pushed(ledger, "main", SECOND, case.head_sha) == [check.run]
    assert not anew.cancelled.is_set()
    assert not again.cancelled.is_set()


def test_all_runs_of_a_pull_request_of_ours_end_with_it(ledger: Ledger, case: Case) -> None:
    """The one that follows it, the one that goes on with it, and the one that makes it anew; no other."""
    follows = taken(ledger, case, "one")
    follows.record("publish", 0, PUBLISHED, 0.1)
    again = taken(ledger, going_on(case, PUBLISHED), "two")
    anew = replace(going_on(case, PUBLISHED, Aim.REBASE), branch="main", head_sha=case.head_sha)
    made_anew = taken(ledger, anew, run_key(anew))
    other = taken(ledger, case, "four")
    ended = ledger.cancel_for_change(7, 12, "heal/test-1", Outcome.CANCELLED, "closed")
    assert sorted(ended) == sorted([follows.run, again.run, made_anew.run])
    assert ledger.cancel_for_change(7, 1, "heal/test-2", Outcome.CANCELLED, "closed") == []
    assert other.run not in ended


def test_a_change_stands_on_the_case_it_was_last_made_for(engine: Engine, ledger: Ledger, case: Case) -> None:
    """What goes on with a fix leads back to the red job; once it was made anew on another base, to that: there it is
    spoken about, and the pull request it came from may be closed. Of another repository nothing is found."""

    def after(run: RunId, aim: Aim, **changes: Any) -> RunId:
        going = going_on(case, PUBLISHED, aim)
        assert going.ours is not None
        going = replace(going, ours=replace(going.ours, run=run), **changes)
        return ledger.open_run(going, f"{aim}:{run}", "tend")[0]

    rounds, first = Rounds(engine), ledger.open_run(case, "one", "delivery")[0]
    revised = after(after(first, Aim.AGAIN), Aim.REVISE)
    assert rounds.first_case(7, revised) == replace(case, run=first)
    anew = after(revised, Aim.REBASE, branch="main", pull_request=None)
    found = rounds.first_case(7, after(after(anew, Aim.AGAIN), Aim.REVISE))
    assert found is not None
    assert (found.run, found.branch, found.pull_request) == (anew, "main", None)
    assert rounds.first_case(8, revised) is None


def test_news_of_our_branch_wake_the_newest_run_that_wrote_to_it(ledger: Ledger, case: Case) -> None:
    """Not the first one, which has ended."""
    taken(ledger, case, "one").record("publish", 0, PUBLISHED, 0.1)
    second = taken(ledger, going_on(case, PUBLISHED), "two")
    assert ledger.find_by_branch(7, "heal/test-1") != second.run
    second.publishing()
    second.record("publish", 0, replace(PUBLISHED, commit=SECOND), 0.1)
    assert ledger.find_by_branch(7, "heal/test-1") == second.run


def looking(message: str, kind: str = "KeyError", path: str = "a.py") -> Diagnosis:
    finding = Finding(message, path, 1, "tests/test_a.py::test_a", kind)
    return replace(FOUND, fingerprint=fingerprint.of("pytest", [finding]), tool="pytest", findings=(finding,))


def lesson(engine: Engine, ledger: Ledger, case: Case, seen: Diagnosis, patch: str, *, accepted: bool = True) -> None:
    """One that was learned as it happens: from a run's change, in the repository of the case."""
    number = int(patch)
    lease = taken(ledger, case, f"{case.repo_id}:{number}")
    lease.record("diagnose", 0, seen, 0.1)
    lease.record("publish", 0, replace(PUBLISHED, pull_request=number, patch=patch), 0.1)
    line = Changes(engine).by_pull(case.repo_id, number)
    assert line is not None
    Lessons(engine).learn(line, accepted=accepted)


ORDER = looking("'total' is not in the order of 17 lines")


def test_fixes_of_like_failures_come_from_here_first_and_from_no_other_installation(
    engine: Engine, ledger: Ledger, case: Case
) -> None:
    """At most two; what is not alike enough is none."""
    ours, theirs, foreign = case, replace(case, repo_id=8), replace(case, repo_id=9, installation_id=10)
    lesson(engine, ledger, foreign, ORDER, "1")
    lesson(engine, ledger, theirs, looking("'total' is not in the order of 3 lines", path="b.py"), "2")
    lesson(engine, ledger, ours, looking("'tax' is not in the order of 3 lines", path="c.py"), "3")
    lesson(engine, ledger, ours, looking("connection refused", "OSError"), "4")
    run = taken(ledger, case, "now")
    assert [one.patch for one in run.similar(ORDER)] == ["3", "2"]
    lesson(engine, ledger, ours, ORDER, "5")
    assert [one.patch for one in run.similar(ORDER)] == ["5", "3"]
    assert run.similar(looking("no room left", "OSError")) == ()
    elsewhere = taken(ledger, replace(case, repo_id=11, installation_id=11), "elsewhere")
    assert elsewhere.similar(ORDER) == ()


def test_a_fix_is_worth_less_with_each_later_one_that_people_turned_down(
    engine: Engine, ledger: Ledger, case: Case
) -> None:
    """Of the same failure; until it is of no interest any more."""
    run = taken(ledger, case, "now")
    lesson(engine, ledger, case, ORDER, "1")
    seen = []
    for number in ("2", "3"):
        lesson(engine, ledger, case, ORDER, number, accepted=False)
        seen.append([one.patch for one in run.similar(ORDER)])
    assert seen == [["1"], []]


def test_lessons_are_listed_and_forgotten(engine: Engine, ledger: Ledger, case: Case) -> None:
    """Newest first, with what they were about; one that is not there cannot be forgotten."""
    lesson(engine, ledger, case, ORDER, "1")
    lesson(engine, ledger, replace(case, repo_id=8), ORDER, "2", accepted=False)
    lessons = Lessons(engine)
    assert [(one.repo_id, one.number, one.accepted, one.tool, one.rules) for one in lessons.listed()] == [
        (8, 2, False, "pytest", ("KeyError",)), (7, 1, True, "pytest", ("KeyError",)),
    ]  # fmt: skip
    (mine,) = lessons.listed(7)
    assert [lessons.forget(mine.id), lessons.forget(mine.id)] == [True, False]
    assert lessons.listed(7) == []
