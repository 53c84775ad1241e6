"""What the suite sees of an installation that goes on meanwhile, and whom it may stop."""

from __future__ import annotations

import random
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any, cast

import pytest
from sqlalchemy import Engine, create_engine, text

from tests.bot.conftest import until
from tests.chaos.acts import _stopped
from tests.chaos.ground import Ground


class OneOnItsWay:
    """GitHub, while a worker's own check run has just made it send one more."""

    def __init__(self) -> None:
        self.tried = [{"guid": "a", "status": "OK"}, {"guid": "b", "status": "pending"}]

    def settle(self, seconds: float) -> None:
        """All that had happened when this was asked is out."""

    def deliveries(self, first: int = 0) -> list[dict[str, Any]]:
        return self.tried[first:]


def test_what_is_on_its_way_is_told_the_next_time() -> None:
    """It has no answer yet, which is not the same as none."""
    ground = Ground.__new__(Ground)
    ground._told, ground.hub = 0, OneOnItsWay()  # type: ignore[assignment]
    assert [one["guid"] for one in ground.told()] == ["a"]
    ground.hub.tried[1]["status"] = "OK"  # type: ignore[attr-defined]
    assert [one["guid"] for one in ground.told()] == ["b"]


@pytest.fixture
def database(tmp_path: Path) -> Iterator[Engine]:
    """Runs in SQLite; who waits for its lock is soon out of patience."""
    engine = create_engine(f"sqlite:///{tmp_path / 'heal.db'}", connect_args={"timeout": 0.1})
    with engine.begin() as connection:
        connection.execute(text("CREATE TABLE run (id TEXT PRIMARY KEY, tries INTEGER)"))
    yield engine
    engine.dispose()


def test_a_lock_that_is_held_is_seen(database: Engine) -> None:
    """By whoever would write to the run."""
    ground = Ground.__new__(Ground)
    ground._engine = database
    with database.begin() as other:
        other.execute(text("INSERT INTO run VALUES ('other', 0)"))
        assert not ground.writable("run")
    assert ground.writable("run")


class AtWork:
    """An installation whose one pool process works on a run. `locks`: it is in the middle of a write, at each look."""

    def __init__(self, pid: int, *locks: bool) -> None:
        self.crew, self.pid, self.locks = {0: None}, pid, list(locks)

    def over(self) -> bool:
        return False

    def at_hand(self, n: int) -> list[int]:
        return [self.pid]

    def held(self) -> dict[str, str]:
        return {"run": f"host:1/{self.pid}"}

    def writable(self, run: str) -> bool:
        return not self.locks.pop(0)


def test_nobody_sleeps_on_a_lock() -> None:
    """A process that was stopped in the middle of a write goes on, and is stopped another time."""
    with subprocess.Popen(["sleep", "60"]) as process:
        try:
            ground, rng = cast(Ground, AtWork(process.pid, True, False)), random.Random(1)  # noqa: S311 - an order to try
            assert _stopped(ground, rng) == []
            until(lambda: state(process.pid) == "S")
            assert _stopped(ground, rng) == [(process.pid, "run")]
            until(lambda: state(process.pid) == "T")
        finally:
            process.kill()


def state(pid: int) -> str:
    """As the kernel tells it: T for stopped."""
    return Path(f"/proc/{pid}/stat").read_text().split()[2]
