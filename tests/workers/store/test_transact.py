"""What the database asks to have tried again is tried again, a stated number of times, and nothing else is."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager

import pytest
from sqlalchemy import Connection, Engine, event, select, update
from sqlalchemy.exc import IntegrityError, OperationalError

from workers.domain import Case, RunId
from workers.store.database import BUSY_MS, TRIES, is_away, transact
from workers.store.ledger import Ledger
from workers.store.models import Run

on_sqlite = pytest.mark.parametrize("backend", ["sqlite"], indirect=True)
on_postgresql = pytest.mark.parametrize(
    "backend", [pytest.param("postgresql", marks=pytest.mark.postgres)], indirect=True
)


@pytest.fixture
def runs(ledger: Ledger, case: Case) -> tuple[RunId, RunId]:
    return ledger.open_run(case, "one", "delivery")[0], ledger.open_run(case, "two", "delivery")[0]


def put(run: RunId, error: str) -> Callable[[Connection], object]:
    return lambda connection: connection.execute(update(Run).where(Run.id == run).values(error=error))


def errors(engine: Engine) -> list[str]:
    with engine.connect() as connection:
        return list(connection.execute(select(Run.error).order_by(Run.key)).scalars())


def impatient(engine: Engine, milliseconds: int) -> None:
    """Connections wait for so long for the lock of SQLite."""
    event.listen(engine, "connect", lambda raw, _: raw.execute(f"PRAGMA busy_timeout={milliseconds}"))
    engine.dispose()


@contextmanager
def locked(engine: Engine) -> Iterator[Callable[[], None]]:
    """Somebody else holds SQLite's write lock, until the end, or until what this gives is called and has returned."""
    taken, over = threading.Event(), threading.Event()

    def hold() -> None:
        with engine.connect().execution_options(heal_write=True) as connection, connection.begin():
            taken.set()
            over.wait(120)

    def let_go() -> None:
        over.set()
        thread.join()

    thread = threading.Thread(target=hold)
    thread.start()
    try:
        assert taken.wait(30)
        yield let_go
    finally:
        let_go()


@pytest.mark.fault(63)
@on_sqlite
def test_a_lock_that_is_held_for_longer_than_one_try_waits(engine: Engine, runs: tuple[RunId, RunId]) -> None:
    """The row is written by a later try: four of five seconds each outlast a lock of five, here of one try's time."""
    impatient(engine, 100)
    in_vain: list[object] = []
    with locked(engine) as let_go:

        def tried(context: object) -> None:
            in_vain.append(context)
            let_go()

        event.listen(engine, "handle_error", tried)
        transact(engine, put(runs[0], "written"))
    assert len(in_vain) == 1
    assert errors(engine) == ["written", ""]
    assert BUSY_MS == 5000


@pytest.mark.fault(63)
@on_sqlite
def test_a_lock_without_an_end_is_told(engine: Engine, runs: tuple[RunId, RunId]) -> None:
    """After the last try it is an error that callers know as the database being away, and reading goes on meanwhile."""
    impatient(engine, 20)
    with locked(engine):
        with pytest.raises(OperationalError, match="locked") as told:
            transact(engine, put(runs[0], "written"))
        assert is_away(told.value)
        assert errors(engine) == ["", ""]


@pytest.mark.fault(63)
@on_postgresql
def test_both_sides_of_a_deadlock_are_written(engine: Engine, runs: tuple[RunId, RunId]) -> None:
    """Two writers that wait for each other: PostgreSQL ends one, which comes again."""
    met, tried = threading.Barrier(2), []

    def writer(first: RunId, second: RunId, name: str) -> None:
        def work(connection: Connection) -> None:
            connection.exec_driver_sql("SET LOCAL deadlock_timeout = '50ms'")
            tried.append(name)
            put(first, name)(connection)
            if tried.count(name) == 1:
                met.wait(10)
            put(second, name)(connection)

        transact(engine, work)

    with ThreadPoolExecutor(2) as pool:
        one, two = runs
        for done in [pool.submit(writer, one, two, "a"), pool.submit(writer, two, one, "b")]:
            done.result(20)
    assert len(tried) == 3
    assert errors(engine) in (["a", "a"], ["b", "b"])


@pytest.mark.fault(63)
@on_postgresql
def test_what_cannot_be_serialized_is_tried_again(engine: Engine, runs: tuple[RunId, RunId]) -> None:
    """A row that somebody changed meanwhile: the second try sees the change."""
    seen = []

    def work(connection: Connection) -> None:
        connection.exec_driver_sql("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ")
        seen.append(connection.execute(select(Run.error).where(Run.id == runs[0])).scalar_one())
        if len(seen) == 1:
            transact(engine, put(runs[0], "theirs"))
        put(runs[0], f"after {seen[-1]}")(connection)

    transact(engine, work)
    assert seen == ["", "theirs"]
    assert errors(engine) == ["after theirs", ""]


@pytest.mark.fault(63)
@on_postgresql
def test_tries_are_counted(engine: Engine, runs: tuple[RunId, RunId]) -> None:
    """A conflict that comes each time ends as an error, and nothing of the tries stays."""
    tried = []

    def work(connection: Connection) -> None:
        connection.exec_driver_sql("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ")
        tried.append(connection.execute(select(Run.error).where(Run.id == runs[0])).scalar_one())
        transact(engine, put(runs[0], f"theirs {len(tried)}"))
        put(runs[0], "mine")(connection)

    with pytest.raises(OperationalError, match="could not serialize"):
        transact(engine, work)
    assert len(tried) == TRIES
    assert errors(engine) == [f"theirs {TRIES}", ""]


def test_our_own_mistakes_are_not_tried_again(engine: Engine, runs: tuple[RunId, RunId]) -> None:
    """What cannot become right by waiting is an error at once, and is not taken for an outage."""
    tried = []

    def work(connection: Connection) -> None:
        tried.append(1)
        connection.execute(update(Run).values(key="the same"))

    with pytest.raises(IntegrityError) as told:
        transact(engine, work)
    assert tried == [1]
    assert not is_away(told.value)
