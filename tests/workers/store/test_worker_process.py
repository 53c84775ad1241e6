"""Promises of the worker process, with a real Redis, a real Celery pool and a scripted story."""

from __future__ import annotations

import dataclasses
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import pytest
from sqlalchemy import Engine

from sandbox import engine as containers
from tests import installation
from tests.chaos.machine import children, command
from tests.remains import left_behind
from tests.workers.store.hasty_worker import CLOCK
from tests.workers.store.servers import RedisServer, redis_server
from workers.domain import Case, Outcome, RunId
from workers.queue import Bell
from workers.store.ledger import Ledger
from workers.store.models import RunState
from workers.store.pages import Pages, RunPage
from workers.store.roster import Roster

pytestmark = pytest.mark.redis
on_sqlite = pytest.mark.parametrize("backend", ["sqlite"], indirect=True)
on_postgresql = pytest.mark.parametrize(
    "backend", [pytest.param("postgresql", marks=pytest.mark.postgres)], indirect=True
)
"""A worker takes seconds to start, and the ledger's own tests run on both: here one database per promise will do."""


def until(true: Callable[[], bool], what: str, seconds: float = 120) -> None:
    """Wait for a state, at most so long."""
    tick, deadline = threading.Event(), time.monotonic() + seconds
    while not true():
        assert time.monotonic() < deadline, f"not within {seconds} s: {what}"
        tick.wait(0.1)


@pytest.fixture
def broker() -> Iterator[RedisServer]:
    with redis_server() as server:
        yield server


@pytest.fixture
def environment(url: str, broker: RedisServer, tmp_path: Path) -> dict[str, str]:
    ours = {
        "HEAL_DATABASE_URL": url,
        "HEAL_REDIS_URL": broker.url,
        "HEAL_STATE_DIR": str(tmp_path / "state"),
        "HEAL_LEASE_SECONDS": "3",
        "HEAL_SWEEP_SECONDS": "0.3",
        "HEAL_STUCK_SECONDS": "6",
        **installation.SETTING,
    }
    return {name: value for name, value in os.environ.items() if not name.startswith("HEAL_")} | ours


@pytest.fixture
def worker(environment: dict[str, str], tmp_path: Path) -> Iterator[subprocess.Popen[bytes]]:
    with started("stub_worker", environment, tmp_path) as process:
        yield process


@contextmanager
def started(module: str, environment: dict[str, str], tmp_path: Path) -> Iterator[subprocess.Popen[bytes]]:
    with (tmp_path / "worker.log").open("wb") as log:
        command = [sys.executable, "-m", f"tests.workers.store.{module}"]
        process = subprocess.Popen(command, env=environment, stdout=log, stderr=log)
        try:
            yield process
        finally:
            process.kill()
            process.wait()
            print((tmp_path / "worker.log").read_text())  # noqa: T201 - shown by pytest when a test fails


def page(engine: Engine, run: RunId) -> RunPage:
    found = Pages(engine).run(run)
    assert found is not None
    return found


def done(engine: Engine, run: RunId) -> bool:
    return page(engine, run).line.state is RunState.DONE


def job(case: Case, name: str) -> Case:
    return dataclasses.replace(case, job=name)


@on_sqlite
def test_a_bell_drives_a_run_to_its_end(
    engine: Engine, case: Case, worker: subprocess.Popen[bytes], broker: RedisServer, tmp_path: Path
) -> None:
    """A rung run is claimed, told and finished; the worker shows life by a file and a row."""
    run, _ = Ledger(engine).open_run(case, "key", "delivery")
    assert Bell(broker.url).ring(run)
    until(lambda: done(engine, run), "the run is done")
    assert page(engine, run).line.outcome is Outcome.FIXED
    assert (tmp_path / "state" / "worker.alive").exists()
    until(lambda: len(Roster(engine).alive()) == 1, "the worker's row")


@pytest.mark.fault(54)
@on_postgresql
def test_a_lost_bell_and_a_killed_process_lose_no_run(
    engine: Engine, case: Case, worker: subprocess.Popen[bytes], broker: RedisServer
) -> None:
    """Nobody rings and the first pool process is killed: the sweeper finds the run, and the checkpoint is kept."""
    run, _ = Ledger(engine).open_run(job(case, "killed"), "key", "delivery")
    until(lambda: done(engine, run), "the run is done")
    assert page(engine, run).line.detail == "by fence 2"
    assert [event.kind for event in page(engine, run).events].count("stage") == 1


@pytest.mark.fault(55)
@on_sqlite
def test_ten_minutes_without_redis(
    engine: Engine, case: Case, environment: dict[str, str], broker: RedisServer, tmp_path: Path
) -> None:
    """By the clock on which the worker waits for its broker. It does not end, what came meanwhile is waiting, and the
    pauses have not grown to more than half a minute: the lease, the sweep and ten seconds are more."""
    clock = tmp_path / "clock"

    def waited() -> float:
        return float(clock.read_text() if clock.exists() else 0)

    with started("hasty_worker", {**environment, CLOCK: str(clock)}, tmp_path) as worker:
        until(lambda: len(Roster(engine).alive()) == 1, "the worker's row")
        broker.process.kill()
        broker.process.wait()
        run, _ = Ledger(engine).open_run(case, "key", "delivery")
        until(lambda: waited() > 600, "ten minutes without Redis")
        assert worker.poll() is None
        assert page(engine, run).line.state is RunState.QUEUED
        with redis_server(broker.port):
            back = waited()
            until(lambda: done(engine, run), "the run is done")
            assert waited() - back <= 31


@pytest.mark.fault(74)
@on_sqlite
def test_sigterm_gives_the_lease_back(
    engine: Engine, case: Case, worker: subprocess.Popen[bytes], environment: dict[str, str]
) -> None:
    """A stopped worker ends soon, its run is free at once, and being stopped is not held against the run."""
    ledger = Ledger(engine)
    run, _ = ledger.open_run(job(case, "slow"), "key", "delivery")
    until(lambda: page(engine, run).line.stage == "checkout", "the run is being worked on")
    started = time.monotonic()
    worker.send_signal(signal.SIGTERM)
    until(lambda: page(engine, run).line.state is RunState.QUEUED, "the run is free", 10)
    worker.wait(15)
    assert time.monotonic() - started < 15
    until(lambda: Roster(engine).alive() == [], "the worker's row is gone", 10)
    until(lambda: ledger.claim(run, "other:1/1") is not None, "what it had sent to GitHub is done there", 10)
    events = page(engine, run).events
    assert [event.data["claims"] for event in events if event.kind == "claimed"] == [1, 1]
    assert [event.kind for event in events].count("released") == 1


@pytest.mark.fault(54)
@on_sqlite
def test_a_worker_whose_loop_is_stuck_is_ended(
    engine: Engine, case: Case, worker: subprocess.Popen[bytes], tmp_path: Path
) -> None:
    """A main process that turns no more shows no life by its file, is ended by the process beside it, and its run is
    free at once: a supervisor needs no ping to start another."""
    run, _ = Ledger(engine).open_run(job(case, "slow"), "key", "delivery")
    until(lambda: page(engine, run).line.stage == "checkout", "the run is being worked on")
    worker.send_signal(signal.SIGSTOP)
    shown = (tmp_path / "state" / "worker.alive").stat().st_mtime
    assert worker.wait(20) == -signal.SIGKILL
    assert (tmp_path / "state" / "worker.alive").stat().st_mtime - shown < 2
    until(lambda: page(engine, run).line.state is RunState.QUEUED, "the run is free", 10)


@pytest.mark.fault(39)
@pytest.mark.engine
@on_sqlite
def test_a_killed_worker_leaves_no_container_for_a_minute(
    engine: Engine, case: Case, worker: subprocess.Popen[bytes]
) -> None:
    """Main and pool processes are killed at work and nobody starts others: within 60 s of it their container, whose
    deadline is an hour away, is gone, and one of a living process stays."""
    with closing(containers.Engine()) as docker:
        alive = left_behind(docker, installation.NAME, time.time() + 3600)

        def held() -> set[str]:
            return set(docker.containers(f"heal.owner={installation.NAME}"))

        others = held()
        Ledger(engine).open_run(job(case, "contained"), "key", "delivery")
        until(lambda: bool(held() - others), "the run has a container")
        for pid in (worker.pid, *pool(worker.pid)):
            os.kill(pid, signal.SIGKILL)
        until(lambda: not held() - others, "its container is gone", 60)
        assert alive in held()
        docker.remove_container(alive)


def pool(worker: int) -> list[int]:
    """The processes that a worker's main process has forked."""
    return [pid for pid in children(worker) if command(pid) == command(worker)]
