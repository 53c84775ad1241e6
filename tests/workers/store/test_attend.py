"""Promises of a visit: each way a story can end lets go of the run in its own way. And of the sweep."""

from __future__ import annotations

import threading

import pytest
from sqlalchemy import Engine

from tests.workers.store.test_ledger import expire, now_due
from workers.attend import Told, Visit, attend
from workers.domain import Case, Outcome, Report, RunId
from workers.errands.model import EndUntold
from workers.errors import Park, Retryable, Stop
from workers.store.errands import Errands
from workers.store.ledger import Ledger
from workers.store.memory import MemoryJournal
from workers.store.models import RepoState, RunState
from workers.store.pages import Pages, RunLine
from workers.store.tenants import Tenants
from workers.sweeper import sweep, sweep_forever


@pytest.fixture
def run(ledger: Ledger, case: Case) -> RunId:
    return ledger.open_run(case, "key", "delivery")[0]


def line(engine: Engine, run: RunId) -> RunLine:
    page = Pages(engine).run(run)
    assert page is not None
    return page.line


def owed(engine: Engine) -> list[str]:
    """The runs whose end still has to be told."""
    errands = Errands(engine)
    found = []
    while (errand := errands.claim("t")) is not None:
        assert isinstance(errand.payload, EndUntold)
        found.append(errand.payload.run)
    return found


def ends(error: BaseException) -> Told:
    def story(case: Case, lease: object) -> Report:
        raise error

    return story


def test_a_story_ends_in_its_report(ledger: Ledger, engine: Engine, run: RunId) -> None:
    """The report's outcome is the run's, and a second bell changes nothing."""
    told: list[RunId] = []

    def story(case: Case, lease: object) -> Report:
        told.append(case.run)
        return Report(case, Outcome.FLAKY, "green on rerun")

    assert attend(ledger, run, "h:1/1", story) is Visit.FINISHED
    assert attend(ledger, run, "h:1/1", story) is Visit.NOT_OURS
    assert told == [run]
    assert (line(engine, run).outcome, line(engine, run).detail) == (Outcome.FLAKY, "green on rerun")


@pytest.mark.fault(14)
@pytest.mark.parametrize("told", [False, True], ids=["Stop", "Report"])
def test_moved_to_another_installation_in_mid_run(ledger: Ledger, engine: Engine, run: RunId, told: bool) -> None:
    """What GitHub refuses the old installation is tried again by the new one. Where Heal is not installed, it is the
    end."""

    def story(case: Case, lease: object) -> Report:
        if case.installation_id == 9:
            Tenants(engine).repos(11, [(case.repo_id, "new/red")], RepoState.ACTIVE)
        if told:
            return Report(case, Outcome.DISABLED, "not installed")
        raise Stop(Outcome.DISABLED, "not installed")

    assert attend(ledger, run, "h:1/1", story) is Visit.RETRY
    now_due(engine, run)
    assert attend(ledger, run, "h:1/1", story) is Visit.FINISHED
    page = Pages(engine).run(run)
    assert page is not None
    assert (page.line.outcome, page.case.repo, page.case.installation_id) == (Outcome.DISABLED, "new/red", 11)


@pytest.mark.fault(57)
def test_many_bells_one_visit(ledger: Ledger, run: RunId) -> None:
    """Fifty bells at once lead to one story."""
    told: list[RunId] = []
    inside, go = threading.Event(), threading.Event()

    def story(case: Case, lease: object) -> Report:
        told.append(case.run)
        inside.set()
        go.wait(30)
        return Report(case, Outcome.FIXED, "")

    first = threading.Thread(target=attend, args=(ledger, run, "h:1/1", story))
    first.start()
    assert inside.wait(10)
    visits = {attend(ledger, run, f"h:2/{n}", story) for n in range(49)}
    go.set()
    first.join()
    assert visits == {Visit.NOT_OURS}
    assert told == [run]


def test_a_stop_that_escapes_is_told(ledger: Ledger, engine: Engine, run: RunId) -> None:
    """A stop the story could not tell ends the run and owes people a word; what it told itself owes none."""
    assert attend(ledger, run, "h:1/1", ends(Stop(Outcome.CANCELLED, "asked"))) is Visit.FINISHED
    assert line(engine, run).outcome is Outcome.CANCELLED
    assert owed(engine) == [run]


def test_a_told_end_owes_nothing(ledger: Ledger, engine: Engine, run: RunId) -> None:
    """The story that tells its end itself leaves no errand."""
    attend(ledger, run, "h:1/1", lambda case, lease: Report(case, Outcome.FIXED, ""))
    assert owed(engine) == []


def test_waiting_parks_and_trouble_retries(ledger: Ledger, engine: Engine, run: RunId) -> None:
    """Waiting for CI parks the run, passing trouble queues it again; both are visited later."""
    assert attend(ledger, run, "h:1/1", ends(Park("CI is pending", after=60))) is Visit.PARKED
    assert line(engine, run).state is RunState.PARKED
    now_due(engine, run)
    assert attend(ledger, run, "h:1/1", ends(Retryable("502", blame="github"))) is Visit.RETRY
    assert (line(engine, run).state, line(engine, run).error) == (RunState.QUEUED, "502")


def test_endless_trouble_ends_in_an_outcome(ledger: Ledger, engine: Engine, run: RunId) -> None:
    """Trouble that does not pass ends as INFRASTRUCTURE and names the part to blame."""
    while attend(ledger, run, "h:1/1", ends(Retryable("no engine", blame="engine"))) is Visit.RETRY:
        now_due(engine, run)
    assert line(engine, run).outcome is Outcome.INFRASTRUCTURE
    assert "engine" in line(engine, run).detail


def test_our_bug_crashes_the_run_after_three_tries(ledger: Ledger, engine: Engine, run: RunId) -> None:
    """An unexpected exception is tried three times, then the run ends as CRASHED with the reason; where it happened is
    kept each time."""
    story = ends(ZeroDivisionError("division by zero"))
    visits = []
    for _ in range(3):
        visits.append(attend(ledger, run, "h:1/1", story))
        now_due(engine, run)
    assert visits == [Visit.CRASHED, Visit.CRASHED, Visit.FINISHED]
    assert line(engine, run).outcome is Outcome.CRASHED
    assert "ZeroDivisionError: division by zero" in line(engine, run).detail
    crashes = [event.data for event in Pages(engine).events(run) if event.kind == "crash"]
    assert [crash["claims"] for crash in crashes] == [1, 2, 3]
    assert all("in story\n    raise error\nZeroDivisionError: division by zero" in crash["trace"] for crash in crashes)
    assert owed(engine) == [run]


def test_a_worker_that_is_stopped_gives_back(ledger: Ledger, engine: Engine, run: RunId) -> None:
    """The pool's signal passes through the story, and the run waits for its turn again."""
    with pytest.raises(SystemExit):
        attend(ledger, run, "h:1/1", ends(SystemExit(0)))
    now_due(engine, run)
    assert ledger.due() == [run]


@pytest.mark.fault(58)
def test_an_overtaken_visit_writes_nothing(ledger: Ledger, engine: Engine, run: RunId) -> None:
    """A visit whose run was taken over meanwhile ends quietly; the other worker's state stays."""

    def story(case: Case, lease: object) -> Report:
        expire(engine, run)
        assert ledger.claim(run, "h:2/2") is not None
        return Report(case, Outcome.FIXED, "by the old one")

    assert attend(ledger, run, "h:1/1", story) is Visit.LOST
    assert line(engine, run).state is RunState.RUNNING


def test_the_sweep_rings_for_what_is_due(ledger: Ledger, case: Case, run: RunId) -> None:
    """Each due run is rung for once; when Redis is away the round ends at the first bell."""
    other, _ = ledger.open_run(case, "other", "delivery")
    tried: list[RunId] = []

    def broken(one: RunId) -> bool:
        tried.append(one)
        return False

    assert sweep(ledger, broken) == 0
    assert tried == [run]
    rang: list[RunId] = []
    stop = threading.Event()

    def ring(one: RunId) -> bool:
        rang.append(one)
        if len(rang) == 2:
            stop.set()
        return True

    sweep_forever(ledger, ring, stop, every=0.01)
    assert rang == [run, other]


def test_the_memory_journal_remembers_and_tells() -> None:
    """A local run recalls its own answers by type, tells its events, and stops once when cancelled."""
    seen: list[str] = []
    journal = MemoryJournal(lambda kind, title, data: seen.append(f"{kind} {title}"))
    journal.record("checkout", 0, "answer", 0.1)
    assert journal.recall("checkout", 0, str) == "answer"
    assert journal.recall("checkout", 0, int) is None
    journal.event("note", "hello")
    assert seen == ["stage checkout", "note hello"]
    journal.guard()
    journal.cancelled.set()
    with pytest.raises(Stop):
        journal.guard()
    journal.guard()
