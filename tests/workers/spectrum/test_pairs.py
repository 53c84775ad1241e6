"""Two candidates become one where together they mend what neither mends alone."""

from __future__ import annotations

from typing import Any

import pytest

from workers.spectrum.sandboxed.pairs import PAIRS, paired


def mends(number: int, tests: list[int], at: int, path: str = "a.py") -> tuple[dict[str, Any], list[int]]:
    return {"id": number, "edits": {path: [[at, at + 2, "x"]]}}, tests


@pytest.mark.parametrize(
    ("partly", "of"),
    [
        ([mends(1, [0], 0), mends(2, [1, 2], 9)], [[2, 1]]),
        ([mends(1, [0, 1], 0), mends(2, [1, 2], 9)], [[1, 2]]),
        ([mends(1, [0], 0), mends(2, [1], 9)], []),
        ([mends(1, [0], 0), mends(2, [1, 2], 1)], []),
        ([mends(1, [0], 0), mends(2, [1, 2], 1, "b.py")], [[2, 1]]),
        ([mends(1, [0], 0), mends(2, [1], 9), mends(3, [1, 2], 20), mends(4, [0, 1], 30)], [[3, 1], [3, 4]]),
    ],
    ids=["each mends its own", "both mend one", "not all", "one place", "two files", "likeliest first"],
)
def test_which_two_are_combined(partly: list[Any], of: list[list[int]]) -> None:
    """Those that mend all tests together, in one file or in two, in places that do not meet; likeliest first."""
    assert [row["of"] for row in paired(partly, 3, 100)] == of


def test_a_pair_is_a_candidate() -> None:
    """With both edits in the order of the file, a number of its own, and what each mends alone."""
    (row,) = paired([mends(1, [0], 9), mends(2, [1, 2], 0)], 3, 100)
    assert row == {
        "id": 100, "edits": {"a.py": [[0, 2, "x"], [9, 11, "x"]]}, "of": [2, 1], "alone": [2, 1]
    }  # fmt: skip


def test_a_pair_may_be_in_two_files() -> None:
    """Each edit in its own."""
    (row,) = paired([mends(1, [0], 9), mends(2, [1, 2], 9, "b.py")], 3, 100)
    assert row["edits"] == {"a.py": [[9, 11, "x"]], "b.py": [[9, 11, "x"]]}


def test_there_are_not_too_many() -> None:
    """However many candidates mend a part."""
    many = [mends(n, [n % 2], 3 * n) for n in range(1000)]
    assert len(paired(many, 2, 5000)) == PAIRS
