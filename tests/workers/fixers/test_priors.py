"""What the counts of people's mends make of the templates' weights."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import pytest

from workers.fixers.search.priors import SORT_OF, lifts
from workers.fixers.source import Mutation
from workers.slips import Slip, count


def made(kinds: Sequence[tuple[str, int, float]]) -> list[Mutation]:
    """So many candidates of each kind, with this weight each."""
    return [Mutation("m.py", 1, (), kind, weight, "") for kind, number, weight in kinds for _ in range(number)]


@pytest.mark.parametrize(
    ("pool", "squares"),
    [
        ([], {}),
        ([("shift", 3, 0.7)], {}),
        ([("truth", 4, 0.5)], {"truth": 1.0}),
        # 37 of 37 + 97 thousand mends, with 2 of 4 of the weight; what has no count changes nothing
        ([("truth", 4, 0.5), ("number", 2, 1.0), ("shift", 9, 0.7)], {"truth": 37 / 134 * 2, "number": 97 / 134 * 2}),
        # many candidates share what one has alone
        ([("truth", 1, 0.5), ("wrap", 99, 0.5)], {"truth": 37 / 154 * 100, "wrap": 117 / 154 * 100 / 99}),
        # one count for several kinds
        ([("sign", 1, 0.5), ("negation", 1, 0.5)], {"sign": 1.0, "negation": 1.0}),
    ],
)
def test_a_kind_has_the_share_of_its_count(
    pool: Sequence[tuple[str, int, float]], squares: Mapping[str, float]
) -> None:
    """Normalised over the kinds that are there, shared by weight, and tempered by a square root; kinds without a count
    are left as they are."""
    found = lifts(made(pool))
    for kind, lift in squares.items():
        assert found[kind] ** 2 == pytest.approx(lift)
    assert not {kind for kind, _, _ in pool} - set(squares) & set(found)


def test_every_count_but_one_weighs_a_template() -> None:
    """No template changes a constant's type."""
    pool = made([(kind, 1, 0.5) for kind in SORT_OF])
    assert set(lifts(pool)) == set(SORT_OF)
    assert count(*Slip) - count(Slip.TYPE) == 1_436
