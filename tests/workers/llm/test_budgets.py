"""The arithmetic of budgets, the sentences that tell of them, and a purse without a database."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime

import pytest

from workers.domain import Outcome, Usage
from workers.errors import Stop
from workers.llm.budgets import (
    DAY,
    OF_SANDBOX,
    Limit,
    Purpose,
    Refusal,
    Span,
    Spent,
    Unit,
    Use,
    Worst,
    begins,
    free_at,
    granted,
    refused,
)
from workers.llm.purse import Asked, MemoryPurse, Paid
from workers.messages import budgets

NOW = datetime(2026, 12, 31, 23, 30, tzinfo=UTC).timestamp()
NEW_YEAR = datetime(2027, 1, 1, tzinfo=UTC).timestamp()
DECEMBER = datetime(2026, 12, 1, tzinfo=UTC).timestamp()


def limit(unit: Unit, most: float, span: Span = Span.RUN) -> Limit:
    return Limit(span, unit, most, "limits.usd_per_run")


SECONDS = limit(Unit.SANDBOX_SECONDS, 1_000)


@pytest.mark.parametrize(
    ("held", "spent", "worst", "allowed"),
    [
        (limit(Unit.USD, 1.0), Spent(usd=0.7), Worst(10, 0.1), True),
        (limit(Unit.USD, 0.3), Spent(usd=0.1 + 0.1), Worst(10, 0.1), True),  # 0.30000000000000004
        (limit(Unit.USD, 1.0), Spent(usd=0.95), Worst(10, 0.1), False),
        (limit(Unit.USD, 0.0), Spent(), Worst(10, 0.0), True),  # what is free costs no money
        (limit(Unit.USD, 0.0), Spent(), Worst(10, None), False),  # unknown is not free
        (limit(Unit.USD, 1.0), Spent(usd=0.99), Worst(10, None), True),
        (limit(Unit.USD, 1.0), Spent(usd=1.0), Worst(10, None), False),
        (limit(Unit.TOKENS, 100), Spent(tokens=90), Worst(10, None), True),
        (limit(Unit.TOKENS, 100), Spent(tokens=91), Worst(10, 0.0), False),
        (limit(Unit.CALLS, 2), Spent(calls=1), Worst(10, 0.1), True),
        (limit(Unit.CALLS, 2), Spent(calls=2), Worst(10, 0.1), False),
        (limit(Unit.SECONDS, 60), Spent(seconds=59.9), Worst(10, 0.1), True),
        (limit(Unit.SECONDS, 60), Spent(seconds=60.0), Worst(10, 0.1), False),
    ],
)
def test_a_call_is_made_when_its_worst_case_fits(held: Limit, spent: Spent, worst: Worst, allowed: bool) -> None:
    """Counted in the unit of the limit; one whose price is unknown needs that some money is left."""
    found = refused([held], {Span.RUN: spent}, worst)
    assert (found is None) is allowed


def test_the_first_limit_that_refuses_is_told() -> None:
    """With what is spent and what the call could cost."""
    limits = [limit(Unit.USD, 9), limit(Unit.TOKENS, 5), limit(Unit.CALLS, 0)]
    found = refused(limits, {Span.RUN: Spent(1.0, 4, 3)}, Worst(2, 0.5))
    assert found == Refusal(limits[1], 4, 2)


@pytest.mark.parametrize(
    ("span", "since"),
    [
        (Span.RUN, 0.0),
        (Span.REPO_DAY, NOW - DAY),
        (Span.DAY, NOW - DAY),
        (Span.MONTH, DECEMBER),
        (Span.INSTALLATION_MONTH, DECEMBER),
    ],
)
def test_days_slide_and_months_are_the_calendars(span: Span, since: float) -> None:
    """In UTC."""
    assert begins(span, NOW) == since


@pytest.mark.parametrize(
    ("span", "most", "worst", "free"),
    [
        (Span.DAY, 1.0, 0.4, NOW - 3600 + DAY),  # the first two calls have to leave the window
        (Span.DAY, 1.0, 0.2, NOW - 7200 + DAY),
        (Span.DAY, 0.9, None, NOW - 7200 + DAY),
        (Span.REPO_DAY, 0.1, 0.2, None),  # never
        (Span.REPO_DAY, 0.0, None, None),
        (Span.MONTH, 1.0, 0.4, NEW_YEAR),
        (Span.INSTALLATION_MONTH, 0.3, 0.4, None),
        (Span.RUN, 1.0, 0.4, None),
    ],
)
def test_when_there_is_room_again(span: Span, most: float, worst: float | None, free: float | None) -> None:
    """When enough has left the day, or with the next month; a run has no second chance."""
    rows = [(NOW - 7200, 0.2), (NOW - 3600, 0.3), (NOW - 60, 0.5)]
    assert free_at(Refusal(limit(Unit.USD, most, span), 1.0, worst), rows, NOW) == free


@pytest.mark.parametrize(
    ("refusal", "words"),
    [
        (
            Refusal(Limit(Span.REPO_DAY, Unit.USD, 10, "limits.usd_per_day"), 9.91, 0.12, NEW_YEAR),
            "What this repository may spend on the model within 24 hours, $10.00 (`limits.usd_per_day`), leaves no "
            "room for the next answer: $9.91 is spent or set aside, and the answer could cost $0.12. There is room "
            "again from 2027-01-01 00:00 UTC on.",
        ),
        (
            Refusal(Limit(Span.RUN, Unit.USD, 1, "HEAL_USD_PER_RUN"), 1.0, None),
            "What this run may spend on the model, $1.00 (`HEAL_USD_PER_RUN`), leaves no room for the next answer: "
            "$1.00 is spent or set aside, and what the model costs is not known. The next run starts from nothing.",
        ),
        (
            Refusal(Limit(Span.SHARE, Unit.TOKENS, 1), 0, 4_100),
            "What one part of this run may spend on the model, 1 token, leaves no room for the next answer: 0 tokens "
            "are spent or set aside, and the answer could cost 4,100 tokens. That stays so until the limit is raised.",
        ),
        (
            Refusal(Limit(Span.RUN, Unit.CALLS, 100, "HEAL_CALLS_PER_RUN"), 100, 1),
            "What this run may spend on the model, 100 calls (`HEAL_CALLS_PER_RUN`), leaves no room for the next "
            "answer: 100 calls are spent or set aside. The next run starts from nothing.",
        ),
        (
            Refusal(Limit(Span.RUN, Unit.CANDIDATES, 40, "limits.candidates_per_run"), 40, 1),
            "What this run may try in the sandbox, 40 candidates (`limits.candidates_per_run`), leaves no room for "
            "more: 40 candidates are spent or set aside. The next run starts from nothing.",
        ),
        (
            Refusal(Limit(Span.INSTALLATION_MONTH, Unit.SANDBOX_SECONDS, 9_000, "HEAL_S"), 9_000, 1, NEW_YEAR),
            "What this installation may use of the sandbox in a month, 9,000 seconds (`HEAL_S`), leaves no room for "
            "more: 9,000 seconds are spent or set aside. There is room again from 2027-01-01 00:00 UTC on.",
        ),
    ],
)
def test_a_refusal_says_which_budget_and_when(refusal: Refusal, words: str) -> None:
    """Its limit, what is spent, and when it has room again."""
    assert budgets.refused(refusal) == words


@pytest.mark.parametrize(
    ("limits", "spent", "wanted", "least", "answer"),
    [
        ([], Use(9e9, 9), Use(1_200, 1), Use(1, 1), Use(1_200, 1)),
        ([(Unit.SANDBOX_SECONDS, 1_000)], Use(300), Use(1_200, 1), Use(1, 1), Use(700, 1)),
        ([(Unit.SANDBOX_SECONDS, 1_000), (Unit.CANDIDATES, 50)], Use(300, 20), Use(100, 99), Use(1, 2), Use(100, 30)),
        ([(Unit.SANDBOX_SECONDS, 1_000)], Use(999), Use(100), Use(1), Use(1)),
        ([(Unit.SANDBOX_SECONDS, 1_000)], Use(999.5), Use(100), Use(1), Refusal(SECONDS, 999.5, 1.0)),
        ([(Unit.SANDBOX_SECONDS, 1_000)], Use(200), Use(900), Use(801), Refusal(SECONDS, 1_000, 1.0)),
        # a stage without candidates, and one without commands
        ([(Unit.CANDIDATES, 0)], Use(0, 9), Use(100), Use(1), Use(100)),
        ([(Unit.SANDBOX_SECONDS, 0)], Use(9), Use(0, 9), Use(0, 1), Use(0, 9)),
        # models are another matter
        ([(Unit.USD, 0), (Unit.CALLS, 0), (Unit.SECONDS, 0)], Use(9, 9), Use(5, 5), Use(1, 1), Use(5, 5)),
    ],
)
def test_the_sandbox_is_granted_as_far_as_there_is_room(
    limits: list[tuple[Unit, float]], spent: Use, wanted: Use, least: Use, answer: Use | Refusal
) -> None:
    """By the tightest limit of each unit; refused where there is no room for the least."""
    held = [limit(unit, most) for unit, most in limits]
    assert granted(held, dict.fromkeys(Span, spent), wanted, least) == answer
    assert refused([one for one in held if one.unit in OF_SANDBOX], {}, Worst(9, 9.0)) is None


def test_the_sandbox_in_memory() -> None:
    """Counts what is set aside while a stage lasts, and what it used afterwards; calls of models apart from it."""
    purse = MemoryPurse((limit(Unit.SANDBOX_SECONDS, 100), limit(Unit.CALLS, 1)))
    assert purse.set_aside("a", Use(60, 1), Use(1, 1)) == Use(60, 1)
    assert purse.set_aside("a", Use(90, 1), Use(1, 1)) == Use(90, 1)
    purse.reserve("call", ASKED)
    assert purse.set_aside("b", Use(60, 1), Use(1, 1)) == Use(10, 1)
    with pytest.raises(Stop, match="leaves no room for more: 100 seconds are spent or set aside"):
        purse.set_aside("c", Use(60, 1), Use(1, 1))
    purse.used("a", Use(20, 1))
    assert purse.set_aside("c", Use(99, 1), Use(1, 1)) == Use(70, 1)


ASKED = Asked(Purpose.FIXER, "openai", "gpt-5", Worst(100, 0.4))


def test_a_purse_in_memory() -> None:
    """Counts the worst case while a call is under way, the bill afterwards, and each call once."""
    purse = MemoryPurse((limit(Unit.USD, 1.0), limit(Unit.CALLS, 3)))
    purse.reserve("a", ASKED)
    purse.reserve("a", ASKED)  # taken up again
    purse.reserve("b", ASKED)
    with pytest.raises(Stop) as refused_:
        purse.reserve("c", ASKED)
    assert (refused_.value.outcome, refused_.value.data["setting"]) == (Outcome.OVER_BUDGET, "limits.usd_per_run")
    purse.settle("a", Paid("gpt-5", Usage(10, 5, 0.1)))
    purse.settle("a", Paid("gpt-5", Usage(10, 5, 0.1)))
    purse.reserve("c", ASKED)
    with pytest.raises(Stop, match="3 calls"):
        purse.reserve("d", replace(ASKED, worst=Worst(1, 0.0)))


def test_a_question_that_is_asked_again_after_trouble_is_another_call() -> None:
    """What came to nothing cost nothing that anybody knows of."""
    purse = MemoryPurse((limit(Unit.CALLS, 2),))
    for _ in range(2):
        purse.reserve("a", ASKED)
        purse.settle("a", Paid(error="Retryable"))
    with pytest.raises(Stop):
        purse.reserve("a", ASKED)
