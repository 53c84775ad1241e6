"""The account of all runs: what counts, until when, and that no two workers exceed a budget together."""

from __future__ import annotations

import re
import threading
from dataclasses import replace
from typing import Any

import pytest
from sqlalchemy import Engine, select, update

from tests.workers.store.test_ledger import now_due
from workers.domain import Case, Outcome, Usage
from workers.errors import LeaseLost, Stop
from workers.llm.budgets import Limit, Purpose, Span, Unit, Worst
from workers.llm.exchange import Call
from workers.llm.purse import Asked, Paid
from workers.store import calls
from workers.store.calls import CallFigure
from workers.store.database import db_now
from workers.store.lease import Lease
from workers.store.ledger import Ledger
from workers.store.models import LlmCall
from workers.store.spending import LONGEST_CALL, RunPurse

ASKED = Asked(Purpose.FIXER, "openai", "gpt-5", Worst(5_000, 0.4))
BILL = Paid("gpt-5-2025", Usage(1_000, 200, 0.1), Call("resp-1", "stop", 300, 50), 2.5)

WHOSE = pytest.mark.parametrize(
    ("span", "elsewhere", "shared"),
    [
        (Span.RUN, {}, False),
        (Span.REPO_DAY, {}, True),
        (Span.REPO_DAY, {"repo_id": 8}, False),
        (Span.INSTALLATION_MONTH, {"repo_id": 8}, True),
        (Span.INSTALLATION_MONTH, {"repo_id": 8, "installation_id": 10}, False),
        (Span.DAY, {"repo_id": 8, "installation_id": 10}, True),
        (Span.MONTH, {"repo_id": 8, "installation_id": 10}, True),
    ],
)
"""Who else is bound by a limit of a span: another run of the same repository, or of another one."""


def usd(most: float, span: Span = Span.RUN) -> tuple[Limit, ...]:
    return (Limit(span, Unit.USD, most, "some"),)


def lease(ledger: Ledger, case: Case, key: str, **changes: Any) -> Lease:
    run, _ = ledger.open_run(replace(case, **changes), key, "delivery")
    held = ledger.claim(run, "host/1")
    assert held is not None
    return held


def rows(engine: Engine) -> list[Any]:
    with engine.connect() as connection:
        return list(connection.execute(select(LlmCall).order_by(LlmCall.id)).all())


def room(purse: RunPurse, key: str, worst: Worst = ASKED.worst) -> bool:
    try:
        purse.reserve(key, replace(ASKED, worst=worst))
    except Stop:
        return False
    return True


def test_a_call_is_reserved_and_settled(engine: Engine, ledger: Ledger, case: Case) -> None:
    """With everything that is known of it, and an unknown price as unknown."""
    held = lease(ledger, case, "one")
    purse = held.purse(usd(1.0))
    purse.reserve("a", ASKED)
    (row,) = rows(engine)
    assert (row.state, row.reserved_tokens, row.reserved_usd, row.usd) == ("reserved", 5_000, 0.4, None)
    assert (row.run_id, row.repo_id, row.installation_id, row.purpose) == (held.run, 7, 9, "fixer")
    purse.settle("a", BILL)
    purse.settle("a", replace(BILL, usage=Usage(9, 9, 9.0)))
    (row,) = rows(engine)
    assert (row.state, row.model, row.answered, row.response, row.finish) == (
        "settled", "gpt-5", "gpt-5-2025", "resp-1", "stop",
    )  # fmt: skip
    assert (row.input_tokens, row.cached_tokens, row.output_tokens, row.reasoning_tokens) == (1_000, 300, 200, 50)
    assert (row.usd, row.estimated, row.seconds, row.error) == (0.1, False, 2.5, "")
    purse.reserve("b", ASKED)
    purse.settle("b", Paid(error="Retryable", seconds=1.0))
    assert [(row.usd, row.error) for row in rows(engine)] == [(0.1, ""), (None, "Retryable")]


def test_the_worst_case_counts_until_the_bill_is_there(ledger: Ledger, case: Case) -> None:
    """Then the bill does."""
    purse = lease(ledger, case, "one").purse(usd(1.0))
    assert [room(purse, key) for key in "abc"] == [True, True, False]
    purse.settle("a", BILL)
    assert room(purse, "c")


def test_a_worker_that_died_over_a_call(engine: Engine, ledger: Ledger, case: Case) -> None:
    """The next one takes the reservation over and it counts once; the dead one can neither spend nor settle."""
    dead = lease(ledger, case, "one")
    first = dead.purse(usd(0.5))
    first.reserve("a", ASKED)
    ledger.release_worker("host", crashed=True)
    now_due(engine, dead.run)
    again = ledger.claim(dead.run, "host/2")
    assert again is not None
    second = again.purse(usd(0.5))
    assert not room(second, "another")
    second.reserve("a", ASKED)
    with pytest.raises(LeaseLost):
        first.reserve("b", ASKED)
    with pytest.raises(LeaseLost):
        first.settle("a", BILL)
    second.settle("a", BILL)
    (row,) = rows(engine)
    assert (row.asks, row.state, row.usd) == (2, "settled", 0.1)


def test_an_answer_that_was_kept_settles_what_its_worker_could_not(engine: Engine, ledger: Ledger, case: Case) -> None:
    """Also after the reservation has lapsed; until then a lapsed one counts nothing."""
    held = lease(ledger, case, "one")
    purse = held.purse(usd(0.5))
    purse.reserve("a", ASKED)
    assert not room(purse, "b")
    with engine.begin() as connection:
        connection.execute(update(LlmCall).values(expires_at=db_now() - 1))
    assert room(purse, "b")
    held.purse(usd(0.5)).settle("a", BILL)
    assert [row.state for row in rows(engine)] == ["settled", "reserved"]
    assert rows(engine)[1].expires_at - rows(engine)[1].at == pytest.approx(LONGEST_CALL)


@WHOSE
def test_whose_spending_counts(ledger: Ledger, case: Case, span: Span, elsewhere: dict[str, int], shared: bool) -> None:
    """A run's, a repository's, an installation's, or everybody's."""
    lease(ledger, case, "one").purse(()).reserve("a", ASKED)
    other = lease(ledger, case, "two", **elsewhere).purse(usd(0.5, span))
    assert room(other, "b") is not shared


@pytest.mark.parametrize("span", [Span.REPO_DAY, Span.DAY])
def test_a_day_is_over_after_24_hours(engine: Engine, ledger: Ledger, case: Case, span: Span) -> None:
    """A refusal says from when on there is room."""
    purse = lease(ledger, case, "one").purse(usd(0.5, span))
    purse.reserve("a", ASKED)
    purse.settle("a", replace(BILL, usage=Usage(1, 1, 0.4)))
    with pytest.raises(Stop) as stop:
        purse.reserve("b", ASKED)
    assert stop.value.outcome is Outcome.OVER_BUDGET
    assert re.search(r"\$0.50 \(`some`\).*\$0.40 is spent.*again from \d{4}-\d\d-\d\d \d\d:\d\d UTC", stop.value.detail)
    with engine.begin() as connection:
        connection.execute(update(LlmCall).values(at=db_now() - 86_401))
    assert room(purse, "b")


@pytest.mark.parametrize(("worst", "allowed"), [(Worst(5_000, None), False), (Worst(4_000, None), True)])
def test_an_unknown_price_counts_by_its_tokens(
    engine: Engine, ledger: Ledger, case: Case, worst: Worst, allowed: bool
) -> None:
    """And what it cost stays unknown."""
    limits = (*usd(1.0), Limit(Span.REPO_DAY, Unit.TOKENS, 6_000, "limits.tokens_per_day"))
    purse = lease(ledger, case, "one").purse(limits)
    purse.reserve("a", replace(ASKED, worst=Worst(5_000, None)))
    purse.settle("a", replace(BILL, usage=Usage(1_500, 500, None)))
    assert rows(engine)[0].usd is None
    assert room(purse, "b", worst) is allowed


def test_workers_cannot_exceed_a_budget_together(engine: Engine, ledger: Ledger, case: Case) -> None:
    """Eight runs at once, and room for three answers."""
    purses = [lease(ledger, case, f"run {n}").purse(usd(1.25, Span.REPO_DAY)) for n in range(8)]
    start, got = threading.Barrier(8), []

    def spend(purse: RunPurse) -> None:
        start.wait()
        got.append(room(purse, "a"))

    threads = [threading.Thread(target=spend, args=(purse,)) for purse in purses]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert (sum(got), len(got), len(rows(engine))) == (3, 8, 3)


def test_sums_by_model_and_purpose(engine: Engine, ledger: Ledger, case: Case) -> None:
    """What is under way is in none of them; what nobody answered has no bill, and is not of unknown price."""
    held = lease(ledger, case, "one")
    purse = held.purse(())
    ends = (BILL, replace(BILL, usage=Usage(10, 5, None)), Paid(error="Retryable"))
    for key, end in zip("abc", ends, strict=True):
        purse.reserve(key, ASKED)
        purse.settle(key, end)
    purse.reserve("d", ASKED)
    with engine.connect() as connection:
        found = calls.figures(connection)
        shown = calls.of_run(connection, held.run)
    assert found == (
        CallFigure("openai:gpt-5", "fixer", "", 2, 1_010, 600, 205, 100, 0.1, 1, 5.0),
        CallFigure("openai:gpt-5", "fixer", "Retryable", 1, 0, 0, 0, 0, 0.0, 0, 0.0),
    )
    assert [(line.usd, line.error, line.under_way) for line in shown] == [
        (0.1, "", False), (None, "", False), (None, "Retryable", False), (None, "", True),
    ]  # fmt: skip
