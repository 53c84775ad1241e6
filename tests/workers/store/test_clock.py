"""Clocks that jump: a host's own counts for nothing, and the database's is followed."""

from __future__ import annotations

import subprocess
import sys
import threading
from collections.abc import Callable
from functools import partial
from typing import Any

import pytest
from sqlalchemy import Connection, Engine, select, update

from tests.bot.conftest import until
from tests.workers.store.test_ledger import LONG, claimed, due_at, lease_end, now_due, renewed
from workers.attend import Visit, attend
from workers.domain import Case, JobReport, Outcome, Report, RunId
from workers.errands.model import Recover
from workers.errors import LeaseLost
from workers.store.database import db_now, transact
from workers.store.errands import Errands
from workers.store.inbox import DeliveryRow, Inbox
from workers.store.lease import Lease
from workers.store.ledger import Ledger
from workers.store.models import Delivery, Errand, Run, Worker
from workers.store.pages import Pages
from workers.store.roster import Roster

pytestmark = pytest.mark.fault(60)
HOUR = 3600.0
TIMES = (
    Run.next_ring, Run.rung_at, Run.lease_until, Run.created_at, Errand.next_at, Errand.lease_until, Delivery.next_at,
    Worker.seen_at,
)  # fmt: skip


def jump(engine: Engine, seconds: float) -> None:
    """What the database's clock jumping by so much is to all that is stored: every time moves the other way."""
    for one in TIMES:
        transact(engine, partial(_move, one, seconds))


def _move(column: Any, seconds: float, connection: Connection) -> None:
    connection.execute(update(column.class_).where(column.is_not(None)).values({column: column - seconds}))


def due_in(engine: Engine, column: Any) -> float:
    """Seconds from now to a stored time, in the only row that has one."""
    with engine.connect() as connection:
        return float(connection.execute(select(column - db_now()).where(column.is_not(None))).scalar_one())


def beat(engine: Engine, ledger: Ledger) -> float:
    """A sign of life of a worker, as the sweeper beside it writes it; by how much the clock was found set back."""
    back = ledger.follow_clock()
    Roster(engine).seen("host:1", "1", 1)
    return back


def test_set_back_a_dead_workers_run_is_due_within_a_lease(engine: Engine, ledger: Ledger, case: Case) -> None:
    """The lease of a worker that died ends an hour later by the clock, and within its 60 s all the same."""
    run, _ = ledger.open_run(case, "key", "delivery")
    beat(engine, ledger)
    claimed(ledger, run)
    jump(engine, -HOUR)
    assert due_in(engine, Run.lease_until) > HOUR
    assert beat(engine, ledger) == pytest.approx(HOUR, abs=60)
    assert 0 < due_in(engine, Run.lease_until) <= 60
    assert beat(engine, ledger) == 0.0


def test_set_back_a_living_worker_keeps_its_run(engine: Engine, case: Case) -> None:
    """Its next heartbeat renews the lease by the new time; nobody else can claim before or after."""
    ledger = Ledger(engine, lease_seconds=LONG)
    run, _ = ledger.open_run(case, "key", "delivery")
    beat(engine, ledger)
    with claimed(ledger, run) as lease:
        jump(engine, -HOUR)
        assert ledger.claim(run, "host:2/2") is None
        beat(engine, ledger)
        assert ledger.claim(run, "host:2/2") is None
        until(partial(renewed, engine, run, lease_end(engine, run)))
        assert ledger.claim(run, "host:2/2") is None
        lease.record("checkout", 0, JobReport("x"), 0.1)
        assert due_in(engine, Run.lease_until) <= LONG


def test_set_back_what_waits_waits_no_longer(engine: Engine, ledger: Ledger, case: Case) -> None:
    """A run and an errand in five minutes, a delivery in somebody's hands: each as long as before, not an hour more.
    What is due stays due."""
    waits, _ = ledger.open_run(case, "waits", "delivery", wait=300)
    Errands(engine).open(Recover(), "k", after=300)
    Inbox(engine).add(DeliveryRow("g", "push", b"{}"))
    assert len(Inbox(engine).take()) == 1
    beat(engine, ledger)
    jump(engine, -HOUR)
    beat(engine, ledger)
    assert due_in(engine, Run.next_ring) == pytest.approx(300, abs=60)
    assert due_in(engine, Errand.next_at) == pytest.approx(300, abs=60)
    assert due_in(engine, Delivery.next_at) <= 30
    due, _ = ledger.open_run(case, "due", "delivery")
    jump(engine, -HOUR)
    assert ledger.due() == []
    beat(engine, ledger)
    until(lambda: ledger.due() == [due])
    assert ledger.claim(waits, "host:1/1") is None


def test_set_back_no_worker_seems_to_live_on(engine: Engine, ledger: Ledger) -> None:
    """One that died before is gone from the list of the living within a minute, not an hour."""
    Roster(engine).seen("dead:1", "1", 1)
    beat(engine, ledger)
    jump(engine, -HOUR)
    beat(engine, ledger)
    assert all(worker.age >= 0 for worker in Roster(engine).alive())


def test_many_workers_notice_it_once(engine: Engine, ledger: Ledger, case: Case) -> None:
    """Eight at once: what waits is moved by one hour, not by eight."""
    ledger.open_run(case, "key", "delivery", wait=9 * HOUR)
    beat(engine, ledger)
    jump(engine, -HOUR)
    found: list[float] = []
    workers = [threading.Thread(target=lambda: found.append(ledger.follow_clock())) for _ in range(8)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    assert sorted(found)[:-1] == [0.0] * 7
    assert due_in(engine, Run.next_ring) == pytest.approx(9 * HOUR, abs=60)


def test_small_corrections_change_nothing(engine: Engine, ledger: Ledger, case: Case) -> None:
    """A clock that is kept right moves by seconds; then nothing is written."""
    run, _ = ledger.open_run(case, "key", "delivery", wait=300)
    beat(engine, ledger)
    jump(engine, -5)
    before = due_at(engine, run)
    assert beat(engine, ledger) == 0.0
    assert due_at(engine, run) == before


def test_set_forward_a_run_is_told_by_one(engine: Engine, ledger: Ledger, case: Case) -> None:
    """All leases seem over at once. Who is overtaken before its heartbeat writes nothing more; the other one ends the
    run, and what was recorded before is not done again."""
    run, _ = ledger.open_run(case, "key", "delivery")
    effects: list[str] = []

    def story(by: str, interrupted: Callable[[], object]) -> Callable[[Case, Lease], Report]:
        def told(case: Case, lease: Lease) -> Report:
            if lease.recall("checkout", 0, JobReport) is None:
                effects.append(f"checkout by {by}")
                lease.record("checkout", 0, JobReport(by), 0.1)
            interrupted()
            lease.guard()
            effects.append(f"published by {by}")
            return Report(case, Outcome.FIXED, by)

        return told

    def overtaken() -> None:
        jump(engine, HOUR)
        assert attend(ledger, run, "host:2/2", story("second", lambda: None)) is Visit.FINISHED

    assert attend(ledger, run, "host:1/1", story("first", overtaken)) is Visit.LOST
    assert effects == ["checkout by first", "published by second"]
    page = Pages(engine).run(run)
    assert page is not None
    assert page.line.detail == "second"


def test_set_forward_a_holder_that_beats_first_goes_on(engine: Engine, ledger: Ledger, case: Case) -> None:
    """The lease is its own again: any write renews it."""
    run, _ = ledger.open_run(case, "key", "delivery")
    lease = claimed(ledger, run)
    jump(engine, HOUR)
    lease.guard()
    assert ledger.claim(run, "host:2/2") is None
    lease.record("checkout", 0, JobReport("x"), 0.1)


HOLDER = """
import sys, time
real, off = time.time, float(sys.argv[3])
time.time = lambda: real() + off
from workers.store.database import open_engine
from workers.store.ledger import Ledger
ledger = Ledger(open_engine(sys.argv[1]), lease_seconds=6.0)
with ledger.claim(sys.argv[2], f"host:{off}/1") as lease:
    print("held", flush=True)
    sys.stdin.readline()
    lease.give_back()
"""


@pytest.mark.parametrize("backend", [pytest.param("postgresql", marks=pytest.mark.postgres)], indirect=True)
def test_a_hosts_own_clock_counts_for_nothing(engine: Engine, url: str, ledger: Ledger, case: Case) -> None:
    """Two workers whose clocks are an hour ahead and behind hold their runs for as long as they live and give them
    back, seen from a third one."""
    holders = {}
    for off in (HOUR, -HOUR):
        run, _ = ledger.open_run(case, f"key{off}", "delivery")
        command = [sys.executable, "-c", HOLDER, url, run, str(off)]
        holders[run] = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    for holder in holders.values():
        assert holder.stdout is not None
        assert holder.stdout.readline() == "held\n"
    began = {run: lease_end(engine, run) for run in holders}

    def both_held_on() -> bool:
        assert ledger.due() == []
        assert [ledger.claim(run, "host:3/3") for run in holders] == [None, None]
        return all(renewed(engine, run, before) for run, before in began.items())

    until(both_held_on)
    for holder in holders.values():
        holder.communicate("\n", timeout=30)
    for run in holders:
        now_due(engine, run)
    assert set(ledger.due()) == set(holders)


def test_an_overtaken_holder_learns_it(engine: Engine, ledger: Ledger, case: Case) -> None:
    """Its next write fails, whichever way the clock has jumped since."""
    run, _ = ledger.open_run(case, "key", "delivery")
    old = claimed(ledger, run)
    jump(engine, HOUR)
    assert RunId(run) in ledger.due()
    new = claimed(ledger, run, "host:2/2")
    jump(engine, -HOUR)
    with pytest.raises(LeaseLost):
        old.guard()
    new.guard()
