"""Fixes of ours on GitHub: one row per pull request, written with the run's own fence, and what people made of them."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from sqlalchemy import Engine

from workers.domain import Aim, Case, Diagnosis, FailureClass, How, Ours, Published, RunId, Sha
from workers.errors import LeaseLost
from workers.redact import Redactor
from workers.store.changes import Changes, ours
from workers.store.lease import Lease
from workers.store.ledger import Ledger
from workers.store.lessons import Lessons
from workers.store.models import ChangeState

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
    assert line == changes.by_branch(7, "heal/test-1") == changes.by_commit(7, Sha(FIRST)) == changes.by_run(lease.run)
    assert changes.open_for_target(7, "main") == changes.open_on_branch(7, "heal/test-1") == [line]
    assert (changes.open_count(7), changes.open_count(8), changes.by_pull(8, 12)) == (1, 0, None)
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
    assert Changes(engine).open_count(7) == 0


@pytest.mark.parametrize("published", [replace(PUBLISHED, pull_request=None), None])
def test_what_reached_nobody_is_no_change(
    engine: Engine, ledger: Ledger, case: Case, published: Published | None
) -> None:
    """A branch of `heal fix` and a stage that published nothing leave no row."""
    taken(ledger, case, "one").record("publish", 0, published, 0.1)
    assert Changes(engine).by_run(RunId("x")) is None
    assert Changes(engine).open_on_branch(7, "heal/test-1") == []


def test_a_worker_that_slept_past_its_lease_changes_no_row(engine: Engine, ledger: Ledger, case: Case) -> None:
    """The row is written under the fence, with the checkpoint or not at all."""
    slow = taken(ledger, case, "one")
    ledger.release_worker("host:1")
    with pytest.raises(LeaseLost):
        slow.record("publish", 0, PUBLISHED, 0.1)
    assert Changes(engine).by_pull(7, 12) is None


def test_a_state_is_news_once(engine: Engine, ledger: Ledger, case: Case) -> None:
    """Whoever marks it first is told so, and says it to people; an open count forgets what is not open."""
    taken(ledger, case, "one").record("publish", 0, PUBLISHED, 0.1)
    changes = Changes(engine)
    assert [changes.mark(1, state=ChangeState.LEFT), changes.mark(1, state=ChangeState.LEFT)] == [True, False]
    assert (changes.open_count(7), changes.open_for_target(7, "main")) == (0, [])


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
