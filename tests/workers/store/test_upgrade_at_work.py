"""An upgrade with runs at work: what the release before left behind goes on after it."""

from __future__ import annotations

import base64
import json
from collections import Counter
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Engine, MetaData, select

from tests.workers.test_pipeline import MemoryForge, parts
from workers.attend import Visit, attend
from workers.domain import Case, Outcome, Report
from workers.pipeline import drive
from workers.store.database import open_engine
from workers.store.lease import Lease
from workers.store.ledger import Ledger
from workers.store.models import Run, RunState, StageResult
from workers.store.pages import Pages
from workers.store.schema import revision, upgrade

pytestmark = pytest.mark.uncounted

LEFT = sorted((Path(__file__).parent / "in_flight").glob("*.json"))
COUNTED = ("delivery", "event", "change")
"""Tables whose ids the database gives."""


def brought_back(engine: Engine, tables: Mapping[str, Any]) -> None:
    """The rows as they were stored."""
    metadata = MetaData()
    metadata.reflect(engine)
    for name in (table.name for table in metadata.sorted_tables if table.name in tables):
        rows = [
            {key: _value(value) for key, value in row.items() if (name in COUNTED, key) != (True, "id")}
            for row in tables[name]
        ]
        with engine.begin() as connection:
            connection.execute(metadata.tables[name].insert(), rows)


def _value(value: object) -> object:
    return base64.b64decode(value["base64"]) if isinstance(value, dict) else value


@pytest.mark.fault(74)
@pytest.mark.parametrize("file", LEFT, ids=lambda file: file.stem)
def test_twenty_runs_at_work_go_on_after_the_upgrade(empty_url: str, file: Path) -> None:
    """Queued, held back, parked, given back, or left by a killed worker in any stage, as the release of that schema
    wrote them: each ends once, no stage that was finished is done again, and what was published is not again."""
    left = json.loads(file.read_text(encoding="utf-8"))
    upgrade(empty_url, left["schema"])
    engine = open_engine(empty_url)
    assert revision(engine) == left["schema"]
    brought_back(engine, left)
    upgrade(empty_url)
    ledger, published = Ledger(engine), Counter[str]()

    def story(case: Case, lease: Lease) -> Report:
        forge = MemoryForge()
        report = drive(case, parts(forge, lease))  # type: ignore[arg-type]  # a lease is a journal
        published[case.run] = len(forge.published)
        return report

    assert ledger.release_run("key:0") is not None  # its workflow run is over
    while turns := ledger.turns():
        assert attend(ledger, turns[0], "after:1/1", story) is Visit.FINISHED
    lines = Pages(engine).runs().lines
    assert [(one.state, one.outcome) for one in lines] == [(RunState.DONE, Outcome.FIXED)] * 20
    had = {row["run_id"] for row in left["stage_result"] if row["stage"] == "publish"}
    assert len(had) == 2
    assert published == {one.id: int(one.id not in had) for one in lines}
    finished = Counter(
        (run.id, one.title, one.data["n"])
        for run in lines
        for one in Pages(engine).events(run.id)
        if (one.kind, one.data.get("state")) == ("stage", "finished")
    )
    assert set(finished.values()) == {1}
    with engine.connect() as connection:
        kept = set(map(tuple, connection.execute(select(StageResult.run_id, StageResult.stage, StageResult.n))))
        assert connection.execute(select(Run.id).where(Run.owner.is_not(None))).all() == []
    assert {(row["run_id"], row["stage"], row["n"]) for row in left["stage_result"]} <= kept
    engine.dispose()
