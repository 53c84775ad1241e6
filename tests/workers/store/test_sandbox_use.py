"""What runs use of the sandbox, on each database: set aside, settled, shared by those that a limit counts together."""

from __future__ import annotations

import re
import threading
from typing import Any

import pytest
from sqlalchemy import Engine, select, update

from tests.workers.store.test_ledger import now_due
from tests.workers.store.test_spending import WHOSE, lease
from workers.domain import Case, Outcome
from workers.errors import LeaseLost, Stop
from workers.llm.budgets import OF_MODELS, OF_SANDBOX, Limit, Span, Unit, Use
from workers.store import sandbox_use
from workers.store.database import db_now
from workers.store.ledger import Ledger
from workers.store.models import SandboxUse
from workers.store.sandbox_use import LONGEST_STAGE, UseLine
from workers.store.spending import RunPurse

MOST = Use(1_000.0, 10)


def limits(seconds: float, candidates: int = 100, span: Span = Span.RUN) -> tuple[Limit, ...]:
    return (Limit(span, Unit.SANDBOX_SECONDS, seconds, "s"), Limit(span, Unit.CANDIDATES, candidates, "c"))


def rows(engine: Engine) -> list[Any]:
    with engine.connect() as connection:
        return list(connection.execute(select(SandboxUse).order_by(SandboxUse.id)).all())


def room(purse: RunPurse, key: str, wanted: Use = MOST) -> Use | None:
    try:
        return purse.set_aside(key, wanted, Use(1.0, min(1, wanted.candidates)))
    except Stop:
        return None


def test_a_use_is_set_aside_and_settled(engine: Engine, ledger: Ledger, case: Case) -> None:
    """As much as there is room for; what was not used is free again."""
    held = lease(ledger, case, "one")
    purse = held.purse(limits(600.0, 8))
    assert room(purse, "propose:0") == Use(600.0, 8)
    (row,) = rows(engine)
    assert (row.run_id, row.repo_id, row.installation_id, row.state) == (held.run, 7, 9, "reserved")
    assert (row.reserved_seconds, row.reserved_candidates, row.seconds, row.candidates) == (600.0, 8, 0.0, 0)
    assert row.expires_at - row.at == pytest.approx(LONGEST_STAGE)
    assert room(purse, "verify:0") is None
    purse.used("propose:0", Use(40.0, 5))
    assert room(purse, "verify:0", Use(50.0, 1)) == Use(50.0, 1)
    assert room(purse, "verify:0", Use(900.0, 1)) == Use(560.0, 1)  # more, in the same reservation
    with engine.connect() as connection:
        assert sandbox_use.of_run(connection, held.run) == (
            UseLine("propose:0", 40.0, 5, False), UseLine("verify:0", 560.0, 1, True),
        )  # fmt: skip
        assert sandbox_use.total(connection) == Use(40.0, 5)


def test_a_stage_that_is_done_again_is_counted_again(engine: Engine, ledger: Ledger, case: Case) -> None:
    """After trouble, for it was used twice."""
    purse = lease(ledger, case, "one").purse(limits(100.0))
    for _ in range(2):
        purse.set_aside("verify:0", Use(50.0, 1), Use(1.0, 1))
        purse.used("verify:0", Use(30.0, 1))
    assert room(purse, "verify:1") == Use(40.0, 10)
    assert [row.seconds for row in rows(engine)] == [30.0, 30.0, 0.0]


def test_a_worker_that_died_over_a_stage(engine: Engine, ledger: Ledger, case: Case) -> None:
    """The next one takes over what was set aside, and it counts once; the dead one changes nothing any more."""
    dead = lease(ledger, case, "one")
    first = dead.purse(limits(100.0))
    assert room(first, "verify:0", Use(100.0, 1)) == Use(100.0, 1)
    ledger.release_worker("host", crashed=True)
    now_due(engine, dead.run)
    again = ledger.claim(dead.run, "host/2")
    assert again is not None
    second = again.purse(limits(100.0))
    assert room(second, "propose:1") is None
    assert room(second, "verify:0", Use(100.0, 1)) == Use(100.0, 1)
    with pytest.raises(LeaseLost):
        first.used("verify:0", Use(1.0, 1))
    second.used("verify:0", Use(20.0, 1))
    assert [(row.state, row.seconds) for row in rows(engine)] == [("settled", 20.0)]


def test_what_nobody_takes_over_lapses(engine: Engine, ledger: Ledger, case: Case) -> None:
    """A run that died for good holds no room for ever; a stage that was longer than that is settled all the same."""
    purse = lease(ledger, case, "one").purse(limits(100.0))
    assert room(purse, "verify:0") == Use(100.0, 10)
    assert room(purse, "verify:1") is None
    with engine.begin() as connection:
        connection.execute(update(SandboxUse).values(expires_at=db_now() - 1))
    assert room(purse, "verify:1") == Use(100.0, 10)
    purse.used("verify:0", Use(70.0, 1))
    assert [row.state for row in rows(engine)] == ["settled", "reserved"]


@WHOSE
def test_whose_use_counts(ledger: Ledger, case: Case, span: Span, elsewhere: dict[str, int], shared: bool) -> None:
    """A run's, a repository's, an installation's, or everybody's; those of models are another matter."""
    lease(ledger, case, "one").purse(()).set_aside("verify:0", Use(50.0, 50), Use(1.0, 1))
    models = tuple(Limit(span, one, 0.0, "none") for one in OF_MODELS)
    other = lease(ledger, case, "two", **elsewhere)
    for unit in OF_SANDBOX:
        purse = other.purse((*models, Limit(span, unit, 50, "some")))
        assert (room(purse, "verify:0") is None) is shared


def test_a_day_is_over_after_24_hours(engine: Engine, ledger: Ledger, case: Case) -> None:
    """A refusal says which budget it is and from when on there is room."""
    purse = lease(ledger, case, "one").purse(limits(600.0, span=Span.REPO_DAY))
    purse.set_aside("verify:0", Use(600.0, 1), Use(1.0, 1))
    purse.used("verify:0", Use(600.0, 1))
    with pytest.raises(Stop) as stop:
        purse.set_aside("verify:1", Use(10.0, 1), Use(1.0, 1))
    assert (stop.value.outcome, stop.value.data["setting"]) == (Outcome.OVER_BUDGET, "s")
    assert re.fullmatch(
        r"What this repository may use of the sandbox within 24 hours, 600 seconds \(`s`\), leaves no room for more: "
        r"600 seconds are spent or set aside\. There is room again from \d{4}-\d\d-\d\d \d\d:\d\d UTC on\.",
        stop.value.detail,
    )
    with engine.begin() as connection:
        connection.execute(update(SandboxUse).values(at=db_now() - 86_401))
    assert room(purse, "verify:1") == Use(600.0, 10)


def test_workers_cannot_exceed_a_budget_together(engine: Engine, ledger: Ledger, case: Case) -> None:
    """Eight at once, of whom three find room."""
    purses = [lease(ledger, case, f"run {n}").purse(limits(900.0, 3, Span.REPO_DAY)) for n in range(8)]
    got: list[Use | None] = []

    def use(purse: RunPurse) -> None:
        got.append(room(purse, "verify:0", Use(300.0, 1)))

    threads = [threading.Thread(target=use, args=(purse,)) for purse in purses]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert got.count(Use(300.0, 1)) == 3
    assert got.count(None) == 5
    assert sum(row.reserved_seconds for row in rows(engine)) == 900.0
