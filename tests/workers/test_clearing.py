"""A worker clears the engine of what a dead one left: at its start, then twice a minute, whatever else goes on."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import threading
import time
import uuid
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path
from types import SimpleNamespace
from typing import cast

import pytest

from sandbox.engine import Engine
from sandbox.reaper import remove_containers
from tests.remains import left_behind
from tests.workers.store.servers import redis_server
from workers.store.schema import upgrade
from workers.sweeper import hold_cap_forever, reap_forever


@pytest.fixture
def engine() -> Iterator[Engine]:
    engine = Engine()
    yield engine
    engine.close()


@pytest.fixture
def installation(engine: Engine) -> Iterator[str]:
    name = f"tests-{uuid.uuid4().hex[:12]}"
    yield name
    remove_containers(engine, name)


def environment(folder: Path, **more: str) -> dict[str, str]:
    kept = {name: value for name, value in os.environ.items() if not name.startswith("HEAL_")}
    return {
        **kept,
        "HEAL_STATE_DIR": str(folder / "state"),
        "HEAL_DATABASE_URL": f"sqlite:///{folder / 'heal.db'}",
        **more,
    }


@pytest.mark.engine
@pytest.mark.redis
def test_a_running_worker_clears_the_engine(engine: Engine, installation: str, tmp_path: Path) -> None:
    """Started beside the remains of a dead worker, a worker removes what is past its deadline and keeps the rest; its
    log is lines of JSON, without banner or warning."""
    left_behind(engine, installation, time.time() - 1)
    alive = left_behind(engine, installation, time.time() + 600)
    upgrade(f"sqlite:///{tmp_path / 'heal.db'}")
    log = tmp_path / "worker.log"
    with redis_server() as broker, log.open("wb") as out:
        command = [sys.executable, "-m", "tests.workers.store.stub_worker"]
        settings = environment(tmp_path, HEAL_REDIS_URL=broker.url, HEAL_INSTALLATION=installation)
        worker = subprocess.Popen(command, env=settings, stdout=out, stderr=out)
        try:
            _until(lambda: "cleared the engine" in log.read_text(), log)
        finally:
            worker.terminate()
            worker.wait(90)
    assert set(engine.containers(f"heal.owner={installation}")) == {alive}
    said = log.read_text().partition("\nworker: ")[0]  # Celery says goodbye in its own way
    every = [json.loads(line) for line in said.splitlines()]
    lines = [line for line in every if line["event"] != "errands.no_key"]  # of another process, at its own time
    assert [line["event"] for line in lines] == ["worker starts", "cleared the engine"]
    assert (lines[1]["containers"], lines[1]["volumes"]) == (1, 0)


def test_an_engine_that_is_away_disturbs_nobody() -> None:
    """Clearing goes on when no engine answers, and ends when it is told to."""
    stop = threading.Event()
    engine = Engine("unix:///nonexistent/docker.sock")
    clearing = threading.Thread(target=reap_forever, args=(engine, "tests", stop, 0.01))
    clearing.start()
    clearing.join(0.2)
    assert clearing.is_alive()
    stop.set()
    clearing.join(60)
    assert not clearing.is_alive()


class Clock(threading.Event):
    """An hour that passes at once: it says how long was waited for."""

    def __init__(self) -> None:
        super().__init__()
        self.waits: list[float] = []

    def wait(self, timeout: float | None = None) -> bool:
        assert timeout is not None
        self.waits.append(timeout)
        if sum(self.waits) >= 3600:
            self.set()
        return self.is_set()


class Empty:
    """An engine that holds nothing and notes when, by the clock, it was looked at."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self.looks: list[float] = []

    def containers(self, _: str) -> dict[str, dict[str, str]]:
        self.looks.append(sum(self._clock.waits))
        return {}

    def volumes(self, _: str) -> list[object]:
        return []

    def remove_nothing(self, _: str) -> bool:
        return False

    labelled_images = volumes
    remove_container = remove_volume = remove_image = remove_nothing

    def client(self) -> object:
        return SimpleNamespace(networks=SimpleNamespace(list=lambda **_: []))


@pytest.mark.fault(39)
def test_the_engine_is_looked_at_often_enough() -> None:
    """A pool process may die right after a look, and a minute later its containers have to be gone: from a look to the
    next one half of that passes, and when the worker goes comes a last one."""
    clock = Clock()
    engine = Empty(clock)
    reap_forever(cast(Engine, engine), "tests", clock)
    assert engine.looks[0] == 0
    assert engine.looks[-1] >= 3600
    assert max(later - look for look, later in pairwise(engine.looks)) <= 30


@pytest.mark.engine
def test_what_is_kept_is_held_under_the_cap(engine: Engine, installation: str) -> None:
    """Some time after its start, a worker removes what is beyond the cap."""
    labels = {"heal.owner": installation, "heal.role": "cache", "heal.key": installation}
    name = engine.create_volume(f"heal-cache-{installation}", labels).name
    stop, own = threading.Event(), Engine()
    clearing = threading.Thread(target=hold_cap_forever, args=(own, installation, stop, -1, 0.01, 0.01))
    clearing.start()
    deadline = time.monotonic() + 60
    while engine.volume(name) and time.monotonic() < deadline:
        time.sleep(0.1)
    stop.set()
    clearing.join(60)
    own.close()
    assert engine.volume(name) is None


def _until(true: object, log: Path, seconds: float = 120) -> None:
    assert callable(true)
    deadline = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < deadline, log.read_text()
        time.sleep(0.1)
