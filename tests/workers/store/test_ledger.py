"""Promises of the ledger: opened once, claimed by one, fenced, found again, cancelled, buried."""

from __future__ import annotations

import dataclasses
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import partial

import pytest
from sqlalchemy import Engine, select, update

from sandbox.spec import Ending, Evidence, Output, Result
from tests.bot.conftest import until
from workers import logs
from workers.domain import (
    Attempt,
    Blame,
    Candidate,
    Case,
    Confidence,
    Diagnosis,
    FailureClass,
    JobReport,
    Outcome,
    Published,
    Report,
    RunId,
    Sha,
    Sighting,
    Verdict,
)
from workers.errands.model import EndUntold, Place
from workers.errors import LeaseLost, Stop
from workers.redact import Redactor
from workers.run_id import new_run_id
from workers.store.database import db_now, transact
from workers.store.errands import Errands
from workers.store.heads import Head, Heads
from workers.store.lease import MOST_CLAIMS, MOST_TRIES, SETTLES, Lease
from workers.store.ledger import Ledger
from workers.store.models import Run, RunState, StageResult
from workers.store.pages import Pages

LONG = 6.0
"""Seconds of a lease whose holder is not taken to be dead when the machine pauses; it is renewed every two."""


def expire(engine: Engine, run: RunId) -> None:
    """As if the lease's holder had been silent for too long."""
    statement = update(Run).where(Run.id == run).values(lease_until=db_now() - 1)
    transact(engine, lambda connection: connection.execute(statement))


def now_due(engine: Engine, run: RunId) -> None:
    """As if the pause were over."""
    statement = update(Run).where(Run.id == run).values(next_ring=db_now())
    transact(engine, lambda connection: connection.execute(statement))


def now(engine: Engine) -> float:
    """By the database's clock."""
    with engine.connect() as connection:
        return float(connection.execute(select(db_now())).scalar_one())


def lease_end(engine: Engine, run: RunId) -> float:
    """Until when the run is its holder's."""
    with engine.connect() as connection:
        return float(connection.execute(select(Run.lease_until).where(Run.id == run)).scalar_one() or 0.0)


def renewed(engine: Engine, run: RunId, before: float) -> bool:
    """The lease ends later than it would have."""
    return lease_end(engine, run) > before


def due_at(engine: Engine, run: RunId) -> float:
    """From when on the run may be taken up."""
    with engine.connect() as connection:
        return float(connection.execute(select(Run.next_ring).where(Run.id == run)).scalar_one() or 0.0)


def claimed(ledger: Ledger, run: RunId, owner: str = "host:1/1") -> Lease:
    lease = ledger.claim(run, owner)
    assert lease is not None
    return lease


@pytest.fixture
def run(ledger: Ledger, case: Case) -> RunId:
    return ledger.open_run(case, "key", "delivery")[0]


def line(engine: Engine, run: RunId) -> tuple[RunState, Outcome | None]:
    page = Pages(engine).run(run)
    assert page is not None
    return page.line.state, page.line.outcome


def test_ids_sort_by_time() -> None:
    """Run ids are 26 characters long, and later ones do not sort before earlier ones."""
    first, second = new_run_id(), new_run_id()
    assert len(first) == 26
    assert first[:10] <= second[:10]


def test_a_key_opens_one_run(ledger: Ledger, case: Case) -> None:
    """However often and at once a key is opened, there is one run, and its case carries its id."""
    with ThreadPoolExecutor(4) as pool:
        opened = list(pool.map(lambda _: ledger.open_run(case, "key", "delivery"), range(8)))
    assert len({run for run, _ in opened}) == 1
    assert sum(new for _, new in opened) == 1
    assert claimed(ledger, opened[0][0]).case.run == opened[0][0]


def test_a_tests_history_is_that_of_other_runs(ledger: Ledger, case: Case) -> None:
    """What several runs of a repository saw of a test is added up for a later one, if it was unsteady in any of them;
    a run's own rows, those of other repositories and steady tests are left out, and writing twice changes nothing."""
    leases = [claimed(ledger, ledger.open_run(case, f"key{n}", "delivery")[0]) for n in range(3)]
    other = dataclasses.replace(case, repo_id=case.repo_id + 1)
    elsewhere = claimed(ledger, ledger.open_run(other, "other", "delivery")[0])
    leases[0].sighted([Sighting("t::shaky", 5, 2), Sighting("t::broken", 5, 5)])
    for _ in range(2):
        leases[1].sighted([Sighting("t::shaky", 3, 3), Sighting("t::rare", 6, 1)])
    elsewhere.sighted([Sighting("t::broken", 9, 1)])
    found = leases[2].past(["t::shaky", "t::broken", "t::rare", "t::new"])
    counted = {(one.test, one.executions, one.red, one.unsteady) for one in found}
    assert counted == {("t::shaky", 8, 5, 1), ("t::rare", 6, 1, 1)}
    assert all(abs(one.since - time.time()) < 600 for one in found)
    assert leases[1].past(["t::rare"]) == ()
    assert leases[2].past([]) == ()


def test_a_late_writer_keeps_no_history(engine: Engine, ledger: Ledger, run: RunId) -> None:
    """As every write, it carries the fence."""
    late = claimed(ledger, run)
    expire(engine, run)
    claimed(ledger, run, "host:2/2")
    with pytest.raises(LeaseLost):
        late.sighted([Sighting("t::shaky", 5, 2)])


def test_one_claimer_wins(ledger: Ledger, run: RunId) -> None:
    """Of many claims at once exactly one gets the lease."""
    with ThreadPoolExecutor(8) as pool:
        leases = list(pool.map(lambda n: ledger.claim(run, f"host:{n}/{n}"), range(16)))
    assert sum(lease is not None for lease in leases) == 1
    assert ledger.due() == []


def test_a_waiting_run_starts_when_released(ledger: Ledger, case: Case) -> None:
    """A held-back run is not due before it is released, or its time has passed."""
    run, _ = ledger.open_run(case, "key", "delivery", wait=90)
    assert ledger.claim(run, "host:1/1") is None
    assert ledger.due() == []
    assert ledger.release_run("key") == run
    assert ledger.release_run("key") is None
    assert ledger.due() == [run]
    late, _ = ledger.open_run(case, "late", "delivery", wait=0)
    assert ledger.due() == [run, late]


def test_a_rung_run_is_not_rung_at_once_again(ledger: Ledger, run: RunId) -> None:
    """A bell that was taken keeps the sweeper quiet for a while, but the run can be claimed."""
    ledger.rung(run)
    assert ledger.due() == []
    claimed(ledger, run)


@pytest.mark.fault(58)
@pytest.mark.parametrize(
    "write",
    [
        lambda lease: lease.record("checkout", 0, JobReport("x"), 0.1),
        lambda lease: lease.event("kind", "title"),
        lambda lease: lease.guard(),
        lambda lease: lease.recall("checkout", 0, JobReport),
        lambda lease: lease.finish(Report(lease.case, Outcome.FIXED, "")),
        lambda lease: lease.park(1, "x"),
        lambda lease: lease.retry(1, "x", "github"),
        lambda lease: lease.crashed("x"),
        lambda lease: lease.give_back(),
    ],
    ids=["record", "event", "guard", "recall", "finish", "park", "retry", "crashed", "give_back"],
)
def test_the_old_holder_is_fenced_out(
    ledger: Ledger, engine: Engine, run: RunId, write: Callable[[Lease], object]
) -> None:
    """Once an expired run is claimed by another worker, every write of the old holder fails and leaves nothing."""
    old = claimed(ledger, run)
    expire(engine, run)
    assert ledger.due() == [run]
    new = claimed(ledger, run, "host:2/2")
    assert new.fence == old.fence + 1
    before = Pages(engine).run(run)
    with pytest.raises(LeaseLost):
        write(old)
    assert old.lost
    assert old.cancelled.is_set()
    assert Pages(engine).run(run) == before
    new.guard()


@pytest.mark.fault(58)
def test_what_was_allowed_begins_within_a_part_of_the_lease(ledger: Ledger, run: RunId) -> None:
    """A holder that is stopped after the answer may not begin any more once it goes on, before anybody else can claim
    the run."""
    lease = claimed(ledger, run)
    before = time.monotonic()
    until = lease.guard()
    assert before < until <= time.monotonic() + 60 / 3


def test_checkpoints_survive_the_holder(ledger: Ledger, engine: Engine, run: RunId) -> None:
    """The next holder recalls what the last one recorded, in its type; what is unknown is None."""
    first = claimed(ledger, run)
    job = JobReport("test", log=logs.parse("red\n"), steps=(("Run tests", "failure"),))
    first.record("checkout", 0, job, 1.5)
    first.record("verify", 1, Verdict(False, "regression", after=a_result()), 0.1)
    expire(engine, run)
    second = claimed(ledger, run)
    assert second.recall("checkout", 0, JobReport) == job
    assert second.recall("verify", 1, Verdict) == Verdict(False, "regression", after=a_result())
    assert second.recall("verify", 0, Verdict) is None


@pytest.mark.fault(61)
def test_another_shape_is_worked_out_again(ledger: Ledger, run: RunId) -> None:
    """A checkpoint that this release cannot read counts as not there."""
    lease = claimed(ledger, run)
    lease.record("checkout", 0, JobReport("x"), 0.1)
    assert lease.recall("checkout", 0, Verdict) is None


def a_result() -> Result:
    evidence = Evidence("sha256:1", "env", "tree", "patch", "runc")
    return Result(Ending.FAILED, 1, Output("no"), (), b"\xff\0<xml>", 0.5, 1 << 20, evidence)


@pytest.mark.fault(59)
def test_three_claims_at_one_stage_are_enough(ledger: Ledger, engine: Engine, run: RunId, case: Case) -> None:
    """A run that kills three workers in a row without a checkpoint is buried as CRASHED and reported once."""
    for _ in range(MOST_CLAIMS):
        claimed(ledger, run)
        expire(engine, run)
    assert ledger.claim(run, "host:4/4") is None
    assert ledger.claim(run, "host:5/5") is None
    owed = Errands(engine)
    farewell = owed.claim("t")
    assert farewell is not None
    assert farewell.payload == EndUntold(Place(case.installation_id, case.repo_id, case.repo), run)
    assert owed.claim("t") is None
    assert line(engine, run) == (RunState.DONE, Outcome.CRASHED)
    page = Pages(engine).run(run)
    assert page is not None
    assert page.report is not None
    assert "3 times" in page.report.detail


def test_a_checkpoint_resets_the_poison_count(ledger: Ledger, engine: Engine, run: RunId) -> None:
    """Progress between deaths keeps a run alive; three claims count from the last checkpoint."""
    for n in range(MOST_CLAIMS * 2):
        claimed(ledger, run).record("verify", n, Verdict(False), 0.1)
        expire(engine, run)
    for _ in range(MOST_CLAIMS - 1):
        claimed(ledger, run)
        expire(engine, run)
    assert ledger.claim(run, "host:1/1") is None
    assert line(engine, run) == (RunState.DONE, Outcome.CRASHED)


def test_cancel_reaches_guard_and_event(engine: Engine, case: Case) -> None:
    """Within a heartbeat the sandbox's event is set; the next guard stops the run once, then lets it say goodbye."""
    ledger = Ledger(engine, lease_seconds=0.6)
    run, _ = ledger.open_run(case, "key", "delivery")
    with claimed(ledger, run) as lease:
        assert ledger.cancel(run, Outcome.HEAD_MOVED, "pushed again")
        assert lease.cancelled.wait(30)
        with pytest.raises(Stop) as stop:
            lease.guard()
        assert (stop.value.outcome, stop.value.detail) == (Outcome.HEAD_MOVED, "pushed again")
        lease.guard()
        lease.finish(Report(lease.case, stop.value.outcome, stop.value.detail))
    assert line(engine, run) == (RunState.DONE, Outcome.HEAD_MOVED)
    assert not ledger.cancel(run, Outcome.CANCELLED, "too late")


def test_cancel_before_the_start_ends_at_once(ledger: Ledger, engine: Engine, run: RunId) -> None:
    """A run nobody has started is done at once; one that is parked is claimed again to say goodbye."""
    assert ledger.cancel(run, Outcome.CANCELLED, "asked")
    assert line(engine, run) == (RunState.DONE, Outcome.CANCELLED)
    assert ledger.claim(run, "host:1/1") is None


def test_a_cancelled_parked_run_is_due(ledger: Ledger, run: RunId) -> None:
    """Cancelling a parked run makes it due, and its next holder stops at the first guard."""
    claimed(ledger, run).park(3600, "waiting for CI")
    assert ledger.due() == []
    ledger.cancel(run, Outcome.CANCELLED, "asked")
    assert ledger.due() == [run]
    with pytest.raises(Stop):
        claimed(ledger, run).guard()


def test_a_new_push_ends_older_runs_of_the_branch(ledger: Ledger, case: Case, run: RunId) -> None:
    """Older commits' runs end, the new commit's goes on, and so does one that already follows its pull request."""
    published, _ = ledger.open_run(case, "published", "delivery")
    lease = claimed(ledger, published)
    lease.record("publish", 0, Published(5, "https://x/5", "heal/red", "c" * 40), 0.1)
    lease.park(60, "ci")
    soon = time.time() + 5
    assert ledger.cancel_for_branch(7, "main", Sha("a" * 40), at=soon) == []
    assert ledger.cancel_for_branch(8, "main", Sha("b" * 40), at=soon) == []
    assert ledger.cancel_for_branch(7, "main", Sha("b" * 40), at=soon) == [run]
    assert ledger.find_by_branch(7, "heal/red") == published
    assert ledger.find_by_branch(8, "heal/red") is None
    assert ledger.cancel_for_installation(9, "uninstalled") == [published]


def test_news_of_an_old_push_leaves_a_newer_commits_run_alone(ledger: Ledger, run: RunId) -> None:
    """A push that happened before the run was opened ends it only when it replaced the very commit, and not for ever.

    `a` is the run's commit. A push of `b` comes late: first one from before `a`, then one that replaced `a`.
    """
    newer, long_ago, just_now = Sha("b" * 40), time.time() - 3600, time.time() - 5
    assert ledger.cancel_for_branch(7, "main", newer, before="c" * 40, at=long_ago) == []
    assert ledger.cancel_for_branch(7, "main", newer, before="c" * 40) == []  # no time: nothing is known
    assert ledger.cancel_for_branch(7, "main", newer, before="a" * 40, at=long_ago) == []  # pushed back to a since
    assert ledger.cancel_for_branch(7, "main", newer, before="a" * 40, at=just_now) == [run]


def test_a_fork_moves_on(ledger: Ledger, engine: Engine, case: Case) -> None:
    """Only the runs of the fork's own heads end: not one of our branch at the same commit, not one of a newer head."""
    heads, fork = Heads(engine), dataclasses.replace(case, fork=True, pull_request=None, branch="main")
    now = time.time()
    for n, letter in enumerate("abc"):
        heads.note(7, 3, Head(Sha(letter * 40), True, now - 30 + 10 * n))
    at = {letter: dataclasses.replace(fork, head_sha=Sha(letter * 40)) for letter in "abcd"}
    runs = {letter: ledger.open_run(one, f"fork:{letter}", "delivery")[0] for letter, one in at.items()}
    ours, _ = ledger.open_run(case, "ours", "delivery")
    assert ledger.cancel_for_fork(8, 3, Sha("c" * 40), before="b" * 40, at=now - 10) == []
    ended = ledger.cancel_for_fork(7, 3, Sha("c" * 40), before="b" * 40, at=now - 10)
    assert sorted(ended) == sorted([runs["a"], runs["b"]])
    assert ledger.cancel_for_branch(7, "main", Sha("e" * 40), at=now + 60) == [ours]
    left = {runs["c"], runs["d"]}
    with engine.connect() as connection:
        found = connection.execute(select(Run.id).where(Run.state != RunState.DONE.value)).scalars()
        assert set(found) == left


def test_a_waiting_run_is_held_settled_or_left(ledger: Ledger, case: Case) -> None:
    """What waits can be held back further or ended; what has begun is ended only when that is asked for, and what has
    published a fix is left."""
    ledger.open_run(case, "waits", "delivery", wait=0.0)
    assert ledger.waiting("waits") is not None
    assert ledger.hold("waits", 300.0)
    assert ledger.due() == []
    assert ledger.settle("waits", Outcome.CANCELLED, "green") is not None
    assert (ledger.waiting("waits"), ledger.hold("waits", 1.0)) == (None, False)
    begun, _ = ledger.open_run(case, "begun", "delivery")
    lease = claimed(ledger, begun)
    assert ledger.settle("begun", Outcome.CANCELLED, "green") is None
    assert ledger.settle("begun", Outcome.CANCELLED, "green", working=True) == begun
    with pytest.raises(Stop):
        lease.guard()


def test_runs_of_some_repositories(ledger: Ledger, run: RunId, case: Case) -> None:
    """Only the runs of these repositories, in this installation, end."""
    other, _ = ledger.open_run(dataclasses.replace(case, repo_id=8), "other", "delivery")
    assert ledger.cancel_for_repositories(10, [7, 8], "removed") == []
    assert ledger.cancel_for_repositories(9, [7], "removed") == [run]
    assert ledger.cancel_for_repositories(9, [7, 8], "removed") == [other]


def test_the_heartbeat_keeps_the_lease(engine: Engine, case: Case) -> None:
    """While the holder lives, its run does not become due: the lease is renewed again and again before it is over."""
    ledger = Ledger(engine, lease_seconds=LONG)
    run, _ = ledger.open_run(case, "key", "delivery")
    with claimed(ledger, run) as lease:
        for _ in range(2):
            until(partial(renewed, engine, run, lease_end(engine, run)))
            assert ledger.due() == []
        assert not lease.lost
    assert not lease.cancelled.is_set()


def test_the_heartbeat_notices_the_loss(engine: Engine, case: Case) -> None:
    """A holder that was overtaken learns it from its heartbeat, and the sandbox's event is set."""
    ledger = Ledger(engine, lease_seconds=0.6)
    run, _ = ledger.open_run(case, "key", "delivery")
    with claimed(ledger, run, "host:1/1") as lease:
        assert ledger.release_worker("host:1") == [run]
        assert lease.cancelled.wait(30)
        assert lease.lost


def test_a_wake_during_the_work_is_not_lost(ledger: Ledger, run: RunId) -> None:
    """What a run is about to wait for may happen before it parks: it is due at once then."""
    lease = claimed(ledger, run)
    assert ledger.wake(run)
    lease.park(3600, "waiting for CI")
    assert ledger.due() == [run]
    claimed(ledger, run).park(3600, "waiting for CI")
    assert ledger.due() == []
    assert ledger.wake(run)
    assert ledger.due() == [run]


def test_retries_end(ledger: Ledger, engine: Engine, run: RunId) -> None:
    """Trouble is tried again with growing pauses and a limit, and never counts as poison."""
    for _ in range(MOST_TRIES):
        assert claimed(ledger, run).retry(30, "github says 502", "github")
        assert ledger.due() == []
        now_due(engine, run)
    lease = claimed(ledger, run)
    assert not lease.retry(30, "github says 502", "github")
    lease.finish(Report(lease.case, Outcome.INFRASTRUCTURE, "github"))
    pauses = [event.data["after"] for event in Pages(engine).events(run) if event.kind == "retry"]
    assert pauses == sorted(pauses)
    assert pauses[-1] == 600


def test_what_failed_together_does_not_come_back_together(ledger: Ledger, engine: Engine, case: Case) -> None:
    """Each of many runs waits for a different time, from the pause that was asked for to a fifth more."""
    with engine.connect() as connection:
        before = connection.execute(select(db_now())).scalar_one()
    for n in range(12):
        run, _ = ledger.open_run(case, f"jitter:{n}", "delivery")
        assert claimed(ledger, run).retry(600, "github says 502", "github")
    with engine.connect() as connection:
        waits = [(at or 0.0) - before for at in connection.execute(select(Run.next_ring)).scalars()]
        passed = connection.execute(select(db_now())).scalar_one() - before
    assert all(600 <= wait <= 600 * 1.2 + passed for wait in waits)
    assert max(waits) - min(waits) > passed + 1


@pytest.mark.fault(74)
def test_giving_back_is_no_failure(ledger: Ledger, engine: Engine, run: RunId) -> None:
    """However often workers are stopped, the run stays alive, and is due once what was sent to GitHub is done there."""
    for _ in range(MOST_CLAIMS * 2):
        before = now(engine)
        claimed(ledger, run).give_back()
        assert before + SETTLES <= due_at(engine, run) <= now(engine) + SETTLES
        now_due(engine, run)
        assert ledger.due() == [run]


def test_a_worker_that_died_leaves_its_runs_a_moment(ledger: Ledger, engine: Engine, run: RunId) -> None:
    """What it had sent to GitHub may still be at work there: the run is fenced off now, and due in two seconds."""
    lease = claimed(ledger, run, "host:1/1")
    before = now(engine)
    assert ledger.release_worker("host:1", crashed=True) == [run]
    with pytest.raises(LeaseLost):
        lease.guard()
    assert SETTLES == 2
    assert before + SETTLES <= due_at(engine, run) <= now(engine) + SETTLES


def test_a_gone_worker_frees_its_runs_only(ledger: Ledger, engine: Engine, case: Case, run: RunId) -> None:
    """Runs of a worker that has gone are due, and those of a worker with a similar name are not touched."""
    other, _ = ledger.open_run(case, "other", "delivery")
    lease = claimed(ledger, run, "host_1:1/5")
    claimed(ledger, other, "hostx1:1/5")
    assert ledger.release_worker("host_1:1") == [run]
    now_due(engine, run)
    assert ledger.due() == [run]
    with pytest.raises(LeaseLost):
        lease.guard()


def test_finish_stores_what_people_read(engine: Engine, case: Case) -> None:
    """Report, attempts and timeline are there, and no registered secret is in any of them."""
    ledger = Ledger(engine, redactor=Redactor("hunter2-hunter2"))
    run, _ = ledger.open_run(case, "key", "delivery")
    lease = claimed(ledger, run)
    candidate = Candidate("search", "+hunter2-hunter2\n", "because", Confidence.HIGH)
    verdict = Verdict(True, after=a_result())
    lease.record("propose", 0, candidate, 0.1)
    lease.record("verify", 0, verdict, 0.1)
    page = Pages(engine).run(run)
    assert page is not None
    assert [attempt.accepted for attempt in page.attempts] == [True]
    lease.event("note", "hunter2-hunter2", token="hunter2-hunter2", n=1)
    lease.finish(Report(lease.case, Outcome.FIXED, "hunter2-hunter2", attempts=(Attempt(candidate, verdict),)))
    page = Pages(engine).run(run)
    assert page is not None
    assert page.report is not None
    assert page.report.attempts[0].verdict.after == a_result()
    assert page.line.stage == "verify"
    assert "hunter2" not in repr(page)
    assert [event.kind for event in page.events] == ["opened", "claimed", "stage", "stage", "note", "done"]
    assert Pages(engine).events(run, after=page.events[-2].id) == page.events[-1:]


def test_lists_are_filtered(ledger: Ledger, engine: Engine, case: Case, run: RunId) -> None:
    """The list gives the matching runs, newest first, a page at a time."""
    other, _ = ledger.open_run(case, "other", "delivery")
    ledger.cancel(run, Outcome.CANCELLED, "asked")
    pages = Pages(engine)
    assert {one.id for one in pages.runs().lines} == {run, other}
    assert [one.id for one in pages.runs(outcome=Outcome.CANCELLED).lines] == [run]
    assert [one.id for one in pages.runs(state=RunState.QUEUED).lines] == [other]
    assert pages.runs(repo="octo/none").total == 0
    assert pages.runs(limit=1).total == 2
    assert pages.run(RunId("none")) is None
    figures = pages.figures()
    assert (figures.runs, figures.outcomes) == ({"done": 1, "queued": 1}, {"CANCELLED": 1})


HOLDER = """
import sys, time
from workers.store.database import open_engine
from workers.store.ledger import Ledger
with Ledger(open_engine(sys.argv[1]), lease_seconds=float(sys.argv[3])).claim(sys.argv[2], "gone:1/1") as lease:
    print("held", flush=True)
    time.sleep(60)
"""


@pytest.mark.fault(54)
def test_a_killed_process_loses_no_run(engine: Engine, url: str, case: Case) -> None:
    """A run whose holder was killed outright is due again when its lease has run out."""
    ledger = Ledger(engine)
    run, _ = ledger.open_run(case, "key", "delivery")
    holder = subprocess.Popen([sys.executable, "-c", HOLDER, url, run, str(LONG)], stdout=subprocess.PIPE, text=True)
    assert holder.stdout is not None
    with holder:
        assert holder.stdout.readline() == "held\n"
        assert ledger.claim(run, "host:2/2") is None
        os.kill(holder.pid, signal.SIGKILL)
    until(lambda: ledger.due() == [run])
    assert claimed(ledger, run, "host:2/2").fence == 2


@pytest.mark.fault(17)
def test_heals_of_a_week(engine: Engine, ledger: Ledger, case: Case) -> None:
    """Runs that worked on the same failure in the same place within seven days count, whatever became of them; those
    that ended right after the diagnosis, elsewhere, or long ago do not."""
    seen = Diagnosis(next(iter(FailureClass)), "pytest", "f" * 16, (), "it is red", "")
    pull = dataclasses.replace(case, pull_request=5, branch="pulled")
    for key, other, found, went_on, days in (
        ("same", case, seen, True, 1),
        ("stopped", case, seen, False, 1),
        ("old", case, seen, True, 8),
        ("other failure", case, dataclasses.replace(seen, fingerprint="e" * 16), True, 1),
        ("other branch", dataclasses.replace(case, branch="else", pull_request=None), seen, True, 1),
        ("other repository", dataclasses.replace(case, repo_id=4711), seen, True, 1),
        ("pull request", pull, seen, True, 1),
        ("its branch", dataclasses.replace(pull, pull_request=None), seen, True, 1),
    ):
        opened, _ = ledger.open_run(other, f"heals:{key}", "delivery")
        lease = claimed(ledger, opened)
        lease.record("diagnose", 0, found, 0.1)
        if went_on:
            lease.record("blame", 0, Blame(), 0.1)
        with engine.begin() as connection:
            connection.execute(update(Run).where(Run.id == opened).values(created_at=db_now() - days * 86_400))
    mine, _ = ledger.open_run(case, "heals:mine", "delivery")
    lease = claimed(ledger, mine)
    lease.record("diagnose", 0, seen, 0.1)
    lease.record("blame", 0, Blame(), 0.1)
    assert lease.heals_lately(dataclasses.replace(case, run=mine), seen.fingerprint) == 1
    assert lease.heals_lately(dataclasses.replace(pull, run=mine), seen.fingerprint) == 2


def test_admitted_runs_of_a_day(engine: Engine, ledger: Ledger, case: Case) -> None:
    """A day's runs are those of the repository that passed `admit` within 24 hours; refused ones do not count."""
    for key, repo_id, seconds_ago in (("a", case.repo_id, 0), ("b", case.repo_id, 90_000), ("c", 4711, 0)):
        other = dataclasses.replace(case, repo_id=repo_id)
        opened, _ = ledger.open_run(other, f"day:{key}", "delivery")
        claimed(ledger, opened).record("admit", 0, JobReport("any"), 0.1)
        aged = update(StageResult).where(StageResult.run_id == opened).values(finished_at=db_now() - seconds_ago)
        with engine.begin() as connection:
            connection.execute(aged)
    refused, _ = ledger.open_run(case, "day:d", "delivery")
    assert claimed(ledger, refused).admitted_today() == 1
