"""The end of a run that could not tell it itself: owed in the database, told by an errand, exactly once."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from sqlalchemy import Engine, update

from tests.workers.forge.scene import STARTED, Scene
from workers.attend import attend
from workers.domain import Case, Outcome, Report, RunId
from workers.errands.process import Counter
from workers.errors import Retryable, Stop
from workers.github import App
from workers.ports import Admission
from workers.repo_config import Notify, RepoConfig
from workers.settings import WorkerSettings
from workers.store.database import open_engine
from workers.store.errands import Errands
from workers.store.lease import Lease
from workers.store.ledger import Ledger
from workers.store.models import Errand, Run
from workers.store.schema import upgrade


@dataclass(frozen=True)
class Office:
    """A database with one run that has shown itself at work, and who works on errands."""

    scene: Scene
    engine: Engine
    ledger: Ledger
    run: RunId
    counter: Counter

    def end(self, story: object) -> None:
        """Visit the run with this story until it is over."""
        for _ in range(12):
            attend(self.ledger, self.run, "h:1/1", story)  # type: ignore[arg-type]
            self.due(Run)

    def due(self, table: type[Run] | type[Errand]) -> None:
        """What waits for its time need not wait any longer."""
        column = Run.next_ring if table is Run else Errand.next_at
        with self.engine.begin() as connection:
            connection.execute(update(table).where(column.is_not(None)).values({column: 0.0}))


@pytest.fixture
def office(scene: Scene, tmp_path: Path) -> Iterator[Office]:
    url = f"sqlite:///{tmp_path / 'heal.db'}"
    upgrade(url)
    engine = open_engine(url)
    ledger, errands = Ledger(engine), Errands(engine)
    run, _ = ledger.open_run(scene.case, "key", "test")
    keys = scene.keys
    app = App(scene.hub.api_url, keys.app_id, keys.private_key, pace=0)
    settings = WorkerSettings(database_url=url, state_dir=tmp_path, public_url="http://heal.example")
    yield Office(scene, engine, ledger, run, Counter(settings, errands, ledger, app, scene.redactor))
    engine.dispose()


def begins(scene: Scene, then: Exception) -> object:
    """A story that shows itself at work and then fails."""

    def story(case: Case, lease: Lease) -> Report:
        scene.forge(case).tell(case, STARTED)
        raise then

    return story


@pytest.mark.parametrize("trouble", [{"status": 502}, {"status": 200}], ids=["away", "garbage"])
def test_a_lost_farewell_is_said_again(office: Office, trouble: dict[str, int]) -> None:
    """GitHub is away, or answers garbage, when the end is told: the check run is completed as soon as it listens."""
    scene = office.scene
    office.end(begins(scene, Retryable("no engine", blame="engine")))
    assert [check["status"] for check in scene.own_checks] == ["in_progress"]
    scene.hub.fail_requests("/check-runs", times=4, message="<html>", **trouble)  # type: ignore[arg-type]
    assert office.counter.once("t")
    assert [check["status"] for check in scene.own_checks] == ["in_progress"]
    assert not office.counter.once("t")
    scene.hub.clear_faults()
    office.due(Errand)
    assert office.counter.once("t")
    (check,) = scene.own_checks
    assert (check["status"], check["conclusion"]) == ("completed", "neutral")
    assert check["output"]["title"] == "Infrastructure, not the code"
    assert f"http://heal.example/runs/{office.run}" in check["output"]["summary"]
    assert not office.counter.once("t")


def test_a_quiet_repository_hears_nothing(office: Office) -> None:
    """Where `notify` wants no check run, the farewell makes none either."""
    quiet = Admission(RepoConfig(notify=Notify(check=False, comment="never")), "main", "main", head_is_current=True)

    def story(case: Case, lease: Lease) -> Report:
        lease.record("admit", 0, quiet, 0.0)
        raise Stop(Outcome.CANCELLED, "asked")

    office.end(story)
    assert office.counter.once("t")
    assert office.scene.own_checks == []


def test_a_crash_is_told_once(office: Office) -> None:
    """Our own fault ends in one completed check run, which people can clear."""
    office.end(begins(office.scene, ZeroDivisionError("bug")))
    while office.counter.once("t"):
        pass
    (check,) = office.scene.own_checks
    assert (check["status"], check["output"]["title"]) == ("completed", "Internal error")
