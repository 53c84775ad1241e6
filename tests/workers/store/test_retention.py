"""What is old goes, what people wait for stays, and a cap is held by removing the least needed first."""

from __future__ import annotations

from random import Random

import pytest
from sqlalchemy import Connection, Engine, event, func, insert, select, update

from tests.workers.made import GREEN, RED, report
from workers.domain import Case, Report
from workers.store.codec import read, to_json
from workers.store.database import db_now, transact
from workers.store.inbox import DeliveryRow, Inbox
from workers.store.ledger import Ledger
from workers.store.models import (
    Attempt,
    Change,
    Delivery,
    DeliveryState,
    Errand,
    Event,
    LlmCall,
    Run,
    RunState,
    SandboxUse,
    StageResult,
)
from workers.store.retention import DAY, PRUNED, Keep, Removed, Retention

SHOWN = (Run, StageResult, Attempt, Event, Delivery, Errand, Change)


@pytest.fixture
def retention(engine: Engine) -> Retention:
    return Retention(engine)


def ended(engine: Engine, ledger: Ledger, case: Case, key: str, days: float, size: int = 1000) -> str:
    """A run that ended so many days ago, with a checkpoint, an attempt and an event."""
    run, _ = ledger.open_run(case, key, "delivery")
    over = {"state": RunState.DONE.value, "report": to_json(report()), "finished_at": db_now() - days * DAY}
    checkpoint = {"stage": "reproduce", "n": 0, "fence": 1, "kind": "Result", "data": random_text(size), "seconds": 1.0}
    attempt = {"n": 0, "fixer": "search", "patch": "p", "reasoning": "r", "accepted": True}

    def work(connection: object) -> None:
        execute = connection.execute  # type: ignore[attr-defined]
        execute(update(Run).where(Run.id == run).values(**over))
        execute(insert(StageResult).values(run_id=run, **checkpoint, finished_at=db_now()))
        execute(insert(Attempt).values(run_id=run, **attempt))
        execute(insert(Event).values(run_id=run, at=db_now(), kind="done", title="over"))

    transact(engine, work)
    return run


def noise(size: int) -> bytes:
    return Random(size).randbytes(size)  # noqa: S311 - nothing to keep secret


def random_text(size: int) -> str:
    """What no database can make smaller."""
    return noise(size // 2).hex()


def delivered(
    engine: Engine, guid: str, days: float, state: DeliveryState = DeliveryState.ROUTED, size: int = 1000
) -> None:
    Inbox(engine).add(DeliveryRow(guid, "push", noise(size)))
    aged = update(Delivery).where(Delivery.guid == guid).values(state=state.value, received_at=db_now() - days * DAY)
    transact(engine, lambda connection: connection.execute(aged))


def counted(engine: Engine) -> dict[str, int]:
    with engine.connect() as connection:
        return {
            one.__tablename__: connection.execute(select(func.count()).select_from(one)).scalar_one() for one in SHOWN
        }


def awaited(engine: Engine, run: str) -> None:
    """The run's fix is an open pull request."""
    row = {
        "run_id": run, "installation_id": 9, "repo_id": 7, "number": 3, "how": "pull", "branch": "heal/x",
        "target": "main", "commit": "c", "onto": "o", "patch": "p", "fingerprint": "f", "state": "open",
        "created_at": 1.0, "updated_at": 1.0,
    }  # fmt: skip
    transact(engine, lambda connection: connection.execute(insert(Change).values(**row)))


def test_each_kind_has_its_time(engine: Engine, ledger: Ledger, case: Case, retention: Retention) -> None:
    """Deliveries go first, then logs, then runs; what is younger and what has not ended stays."""
    for days in (3.0, 15.0):
        delivered(engine, f"d{days}", days)
    delivered(engine, "waits", 15.0, DeliveryState.NEW)
    young, logs, old = (ended(engine, ledger, case, f"k{days}", days) for days in (10.0, 40.0, 401.0))
    still, _ = ledger.open_run(case, "still", "delivery")
    assert retention.prune(Keep()) == Removed(deliveries=1, logs=2, runs=1)
    with engine.connect() as connection:
        assert set(connection.execute(select(Delivery.guid)).scalars()) == {"d3.0", "waits"}
        assert set(connection.execute(select(Run.id)).scalars()) == {young, logs, still}
        assert list(connection.execute(select(StageResult.run_id)).scalars()) == [young]
        assert set(connection.execute(select(Attempt.run_id)).scalars()) == {young, logs}
        assert set(connection.execute(select(Event.run_id)).scalars()) >= {young, logs}
        assert old not in set(connection.execute(select(Event.run_id)).scalars())
    assert retention.prune(Keep()) == Removed()


def test_a_run_without_logs_still_has_its_proof(
    engine: Engine, ledger: Ledger, case: Case, retention: Retention
) -> None:
    """What was found, tried and proven stays; outputs, logs and raw reports are empty, and it is said."""
    run = ended(engine, ledger, case, "k", 40.0)
    retention.prune(Keep())
    with engine.connect() as connection:
        kept = read(connection.execute(select(Run.report).where(Run.id == run)).scalar_one(), Report)
    assert kept is not None
    before = report()
    assert kept.reproduction is not None
    assert kept.reproduction.before.output.text == ""
    assert kept.reproduction.before.output.dropped == len(RED.output.text)
    assert kept.reproduction.before.tests == RED.tests
    assert kept.accepted is not None
    assert kept.accepted.candidate == before.attempts[0].candidate
    assert kept.accepted.verdict.after is not None
    assert kept.accepted.verdict.after.evidence == GREEN.evidence
    assert PRUNED in kept.data


def test_what_was_spent_is_kept_for_the_months_budget(
    engine: Engine, ledger: Ledger, case: Case, retention: Retention
) -> None:
    """Also of runs that are gone; with them it goes later."""
    run = ended(engine, ledger, case, "a", days=2)
    call = {"installation_id": 9, "repo_id": 7, "purpose": "fixer", "state": "settled", "provider": "openai",
            "model": "gpt-5", "reserved_tokens": 1, "expires_at": 0.0, "run_id": run}  # fmt: skip

    use = {"installation_id": 9, "repo_id": 7, "state": "settled", "reserved_seconds": 1.0, "reserved_candidates": 1,
           "expires_at": 0.0, "run_id": run}  # fmt: skip

    def work(connection: Connection) -> None:
        for key, days in (("old", 33), ("of this month", 31)):
            connection.execute(insert(LlmCall).values(**call, key=key, at=db_now() - days * DAY))
            connection.execute(insert(SandboxUse).values(**use, key=key, at=db_now() - days * DAY))

    transact(engine, work)
    removed = retention.prune(Keep(logs=1, runs=1))
    assert (removed.runs, removed.others) == (1, 2)
    with engine.connect() as connection:
        for table in (LlmCall, SandboxUse):
            assert [tuple(row) for row in connection.execute(select(table.key, table.run_id))] == [
                ("of this month", None)
            ]


def test_what_is_awaited_stays(engine: Engine, ledger: Ledger, case: Case, retention: Retention) -> None:
    """A run whose pull request is open is needed when that is made anew, however old it is."""
    run = ended(engine, ledger, case, "k", 1000.0)
    awaited(engine, run)
    assert retention.prune(Keep()) == Removed()
    transact(engine, lambda c: c.execute(update(Change).values(state="merged", updated_at=db_now())))
    assert retention.prune(Keep()) == Removed(logs=1, runs=1)


def test_over_the_cap_the_oldest_goes_first(engine: Engine, ledger: Ledger, case: Case) -> None:
    """Deliveries, then logs, then runs, and no more than needed; what has not ended never goes."""
    retention = Retention(engine, batch=1)
    delivered(engine, "d", 5.0, size=1_000_000)
    delivered(engine, "young", 1.0)
    first, second = (ended(engine, ledger, case, key, days, size=500_000) for key, days in (("a", 3.0), ("b", 2.0)))
    still, _ = ledger.open_run(case, "still", "delivery")
    full = retention.size()
    assert retention.hold(full) == Removed()
    assert retention.hold(full - 500_000) == Removed(deliveries=1)
    assert retention.hold(full - 1_300_000) == Removed(logs=1)
    assert retention.hold(1) == Removed(logs=1, runs=2)
    assert {first, second}.isdisjoint(_runs(engine))
    assert _runs(engine) == {still}
    assert counted(engine)["delivery"] == 1


def test_a_database_under_its_cap_is_not_read_through(engine: Engine, ledger: Ledger, case: Case) -> None:
    """The files' own sizes say that there is nothing to do: no row is counted, every hour, for nothing."""
    ended(engine, ledger, case, "a", 3.0)
    said: list[str] = []
    event.listen(engine, "before_cursor_execute", lambda *told: said.append(told[2]))
    assert Retention(engine).hold(10**9) == Removed()
    assert said
    assert [one for one in said if "count(" in one or "pg_column_size" in one] == []


def _runs(engine: Engine) -> set[str]:
    with engine.connect() as connection:
        return set(connection.execute(select(Run.id)).scalars())


def test_removing_makes_room(engine: Engine, retention: Retention) -> None:
    """What is in use shrinks; the room is given back when asked for."""
    for number in range(60):
        Inbox(engine).add(DeliveryRow(f"g{number}", "push", bytes(range(256)) * 300))
    aged = update(Delivery).values(state=DeliveryState.IGNORED.value, received_at=db_now() - 20 * DAY)
    transact(engine, lambda connection: connection.execute(aged))
    full = retention.size()
    assert full > 0
    assert retention.prune(Keep()).deliveries == 60
    retention.compact()
    assert retention.size() < full or engine.dialect.name == "postgresql"


def test_deliveries_are_kept_as_long_as_github_sends_them_again() -> None:
    """A shorter time would let a late copy be taken for a new delivery."""
    with pytest.raises(ValueError, match="4 days at least"):
        Keep(bodies=3.0)
