"""What rows add up to."""

from __future__ import annotations

import pytest

from tests.workers.bench.rows import fixed, row
from workers.bench.row import Row
from workers.bench.score import pass_at, score

ROWS = (
    fixed("right", True),
    fixed("wrong", False),
    fixed("wrong draft", False, "medium", seconds=8.0, first_s=6.0),
    fixed("unjudged", None, "medium"),
    row("told only", plausible=True, verified=True, confidence="low", correct=True, tier="static"),
    row("green, then refused", plausible=True, rejected=("regression",)),
    row("nothing", usd=None),
    row("by chance", outcome="FLAKY"),
    row("green here", outcome="NOT_REPRODUCED"),
)


def test_plausible_verified_correct_and_overfit_are_told_apart() -> None:
    """Each has its own count; what was not red here is no case, and what is unjudged is neither right nor wrong."""
    found = score(ROWS)
    assert (found.cases, found.red) == (9, 7)
    shares = (found.plausible, found.verified, found.proposed, found.correct, found.overfit)
    assert [one.hits for one in shares] == [6, 5, 4, 2, 2]
    assert {one.cases for one in shares} == {7}
    assert (found.judged, found.precision.hits, found.precision.cases) == (4, 2, 4)


def test_precision_is_said_per_class() -> None:
    """Of the judged patches of a class; the others are counted."""
    found = {
        one.name: (one.verified, one.precision.hits, one.precision.cases, one.unjudged) for one in score(ROWS).classes
    }
    assert found == {"high": (2, 1, 2, 0), "medium": (2, 0, 1, 1), "low": (1, 1, 1, 0)}


def test_outcomes_fixers_times_and_costs() -> None:
    """Every case has an outcome, verified patches have a fixer, and an unknown price stays unknown."""
    found = score(ROWS)
    assert found.outcomes[0] == ("FIXED", 4)
    assert found.tiers == (("search", 4), ("static", 1))
    assert (found.median_first_s, found.slowest_first_s, found.usd) == (2.0, 6.0, None)
    assert score(ROWS[:4]).usd == 0.0


def test_forty_of_forty_is_no_certainty() -> None:
    """The interval is Wilson's."""
    low, high = score([fixed(str(n), True) for n in range(40)]).correct.interval
    assert (round(low, 2), high) == (0.91, 1.0)


def test_nothing_is_no_share() -> None:
    """Without cases there is no figure, and nothing divides by zero."""
    assert score([]).correct.value is None
    assert score([]).correct.interval == (0.0, 1.0)


@pytest.mark.parametrize(
    ("tries", "k", "value"),
    [("10", 1, 0.5), ("10", 2, 1.0), ("1000", 1, 0.25), ("1000", 2, 0.5), ("0000", 2, 0.0), ("1", 2, None)],
)
def test_pass_at_k_is_unbiased(tries: str, k: int, value: float | None) -> None:
    """1 - C(n-c, k) / C(n, k) for n samples of which c hold; a task with fewer samples says nothing."""
    rows: list[Row] = [
        fixed(f"t#{n}", None, group="t") if one == "1" else row(f"t#{n}", group="t") for n, one in enumerate(tries)
    ]
    assert pass_at(k, rows).value == value


def test_pass_at_k_is_a_mean_over_tasks() -> None:
    """Tasks count alike, however many samples they have."""
    rows = [
        fixed("a#1", None, group="a"),
        fixed("a#2", None, group="a"),
        fixed("b#1", None, group="b"),
        row("b#2", group="b"),
    ]
    found = pass_at(1, rows)
    assert (found.value, found.cases) == (0.75, 2)
