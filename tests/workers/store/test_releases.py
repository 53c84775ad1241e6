"""Two releases side by side: what the other one wrote is left for it, for a while, and then ended in words."""

from __future__ import annotations

import json

import pytest
from sqlalchemy import Engine, select, update

from tests.workers.store.test_ledger import claimed, expire, line, now_due
from workers.domain import Case, JobReport, Outcome, RunId
from workers.errands.model import EndUntold
from workers.store.database import transact
from workers.store.errands import Errands
from workers.store.lease import MOST_TRIES
from workers.store.ledger import Ledger
from workers.store.models import Run, RunState, StageResult
from workers.store.pages import Pages

pytestmark = pytest.mark.fault(61)


@pytest.fixture
def run(ledger: Ledger, case: Case) -> RunId:
    return ledger.open_run(case, "key", "delivery")[0]


def written(engine: Engine, run: RunId, **values: object) -> None:
    """As another release writes it."""
    transact(engine, lambda connection: connection.execute(update(Run).where(Run.id == run).values(**values)))


def of_tomorrow(engine: Engine, run: RunId) -> None:
    """A case with an aim that this release does not know."""
    with engine.connect() as connection:
        told = json.loads(connection.execute(select(Run.case).where(Run.id == run)).scalar_one())
    written(engine, run, case=json.dumps({**told, "aim": "simulate"}))


def kinds(engine: Engine, run: RunId) -> list[str]:
    return [event.kind for event in Pages(engine).events(run)]


def test_an_unknown_stage_is_parked_for_the_other_release(ledger: Ledger, engine: Engine, run: RunId) -> None:
    """It is no failure and no claim; the release that knows the stage goes on with it, its checkpoints untouched."""
    lease = claimed(ledger, run)
    lease.record("checkout", 0, JobReport("x"), 0.1)
    written(engine, run, stage="simulate")
    expire(engine, run)
    assert ledger.claim(run, "old:1/1") is None
    assert line(engine, run) == (RunState.PARKED, None)
    assert ledger.due() == []
    with engine.connect() as connection:
        row = connection.execute(select(Run.claims, Run.tries, Run.owner, Run.stage)).one()
        assert tuple(row) == (1, 1, None, "simulate")
        assert connection.execute(select(StageResult.stage)).scalars().all() == ["checkout"]
    written(engine, run, stage="checkout")  # what knowing the stage comes to
    now_due(engine, run)
    assert claimed(ledger, run, "new:1/1").recall("checkout", 0, JobReport) == JobReport("x")


def test_nobody_else_comes_and_this_release_goes_on(ledger: Ledger, engine: Engine, run: RunId) -> None:
    """After three quarters of an hour, with longer pauses each time: every stage can be done again safely."""
    written(engine, run, stage="simulate")
    for _ in range(MOST_TRIES):
        assert ledger.claim(run, "old:1/1") is None
        assert ledger.claim(run, "old:1/1") is None
        now_due(engine, run)
    claimed(ledger, run).record("checkout", 0, JobReport("x"), 0.1)
    pauses = [event.data["after"] for event in Pages(engine).events(run) if event.kind == "left"]
    assert len(pauses) == MOST_TRIES
    assert pauses == sorted(pauses)
    assert 40 * 60 < sum(pauses) < 60 * 60


def test_an_unknown_case_is_left_and_in_the_end_told(ledger: Ledger, engine: Engine, run: RunId, case: Case) -> None:
    """Others are worked on meanwhile, the run's page can be read, and an end is owed to people only after the wait."""
    other, _ = ledger.open_run(case, "other", "delivery")
    of_tomorrow(engine, run)
    assert ledger.turns() == [run, other]
    assert ledger.claim(run, "old:1/1") is None
    assert ledger.turns() == [other]
    claimed(ledger, other)
    page = Pages(engine).run(run)
    assert page is not None
    assert (page.line.state, page.case.repo) == (RunState.PARKED, case.repo)
    for _ in range(MOST_TRIES):
        now_due(engine, run)
        assert line(engine, run) == (RunState.PARKED, None)
        assert ledger.claim(run, "old:1/1") is None
    assert line(engine, run) == (RunState.DONE, Outcome.CRASHED)
    assert "another version of Heal" in Pages(engine).runs(outcome=Outcome.CRASHED).lines[0].detail
    owed = Errands(engine).claim("t")
    assert owed is not None
    assert isinstance(owed.payload, EndUntold)
    assert owed.payload.run == run
    assert kinds(engine, run).count("claimed") == 0


def test_what_this_release_cannot_read_can_be_cancelled(ledger: Ledger, engine: Engine, run: RunId) -> None:
    """A push or a person ends it, here and now when nobody has begun."""
    of_tomorrow(engine, run)
    assert ledger.cancel(run, Outcome.CANCELLED, "asked")
    assert line(engine, run) == (RunState.DONE, Outcome.CANCELLED)
