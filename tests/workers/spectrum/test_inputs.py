"""What varied inputs keep of those that were seen."""

from __future__ import annotations

from random import Random
from typing import Any

import pytest

from workers.spectrum.sandboxed.inputs import varied


def many(*rows: dict[str, Any]) -> list[dict[str, Any]]:
    return varied(list(rows), Random(7), 200)  # noqa: S311 - no secret


def test_something_is_varied_and_the_captured_calls_stay_as_they_are() -> None:
    """Most variations are new, and none of them changes what was captured."""
    rows = [{"xs": [3, 1, 2], "n": 2}, {"xs": [5, 4], "n": 1}]
    made = many(*rows)
    assert len({repr(row) for row in made}) > 50
    assert rows == [{"xs": [3, 1, 2], "n": 2}, {"xs": [5, 4], "n": 1}]


@pytest.mark.parametrize(
    ("rows", "holds"),
    [
        ([{"x": [1, 4, 9]}, {"x": [2, 3]}], lambda x: x == sorted(x)),
        ([{"x": [4, 1, 9]}, {"x": [7, 3]}], lambda x: len(set(x)) == len(x)),
        ([{"x": 4}, {"x": 9}], lambda x: x > 0),
        ([{"x": 0}, {"x": 9}], lambda x: x >= 0),
        ([{"x": [3, 3]}, {"x": [2]}], lambda x: len(x) >= 1),
        ([{"x": (1, 2)}, {"x": (4, 3)}], lambda x: isinstance(x, tuple) and len(x) == 2),
        ([{"x": "ab"}, {"x": "b"}], lambda x: x and set(x) <= set("ab")),
        ([{"x": [("a", 1)]}, {"x": [("b", 2), ("c", 1)]}], lambda x: all(len(pair) == 2 for pair in x)),
        ([{"x": None}], lambda x: x is None),
    ],
)
def test_what_held_of_all_holds_of_the_variations(rows: list[dict[str, Any]], holds: Any) -> None:
    """Sorted stays sorted, positive positive, and so on: a function may count on it."""
    made = many(*rows)
    assert made
    assert [row["x"] for row in made if not holds(row["x"])] == []


def test_without_arguments_there_is_nothing_to_vary() -> None:
    """An object itself is no argument that can be varied."""
    assert many({"self": object()}) == []
