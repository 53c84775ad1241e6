"""The inputs that patches are judged on."""

from __future__ import annotations

import ast
from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from workers.bench import quixbugs_inputs, refactory_inputs
from workers.bench.values import Args, changed, drawn, luck

VALUES = st.recursive(
    st.booleans() | st.integers(-(10**6), 10**6) | st.floats(-100, 100) | st.text(max_size=8) | st.none(),
    lambda inner: st.lists(inner, max_size=5)
    | st.tuples(inner, inner)
    | st.dictionaries(st.integers(), inner, max_size=3),
    max_leaves=12,
)  # fmt: skip


@given(VALUES, st.integers(0, 2**32))
def test_a_changed_value_keeps_its_type_and_is_a_literal(value: object, seed: int) -> None:
    """Whatever the value: it goes into the sandbox as text, and has to come out of it again."""
    made = changed(value, luck(seed))
    assert type(made) is type(value)
    assert ast.literal_eval(repr(made)) == made


def test_the_same_seed_draws_the_same_inputs() -> None:
    """All different, the samples first."""
    samples: list[Args] = [([3, 1, 2], 5), ([], 0)]
    first, again = (drawn(samples, 200, luck(7)) for _ in range(2))
    assert first == again
    assert first[:2] == samples
    assert len({repr(args) for args in first}) == len(first) == 200


def test_a_rule_decides_what_is_drawn() -> None:
    """It may put the arguments right, refuse them, or not be made for them at all."""
    assert drawn([(-3,)], 5, luck(1), lambda args: (abs(args[0]),))[0] == (3,)
    assert drawn([(1,)], 5, luck(1), lambda _: None) == []
    assert drawn([(1,)], 5, luck(1), lambda args: (args[7],)) == []
    assert drawn([], 5, luck(1)) == []


KEPT: dict[str, tuple[list[Args], Callable[..., bool]]] = {
    "bitcount": ([(127,)], lambda n: n >= 0),
    "bucketsort": ([([3, 11, 2], 12)], lambda values, k: all(0 <= value < k for value in values)),
    "find_in_sorted": ([([1, 2, 3], 2)], lambda values, _: values == sorted(values)),
    "hanoi": ([(2, 1, 3)], lambda height, start, end: 0 <= height < 8 and start != end and {start, end} <= {1, 2, 3}),
    "kth": ([([1, 2, 3], 2)], lambda values, k: 0 <= k < len(values)),
    "lis": ([([3, 1, 2],)], lambda values: len(set(values)) == len(values)),
    "next_palindrome": ([([1, 4, 1],)], lambda digits: digits == digits[::-1] and digits[0] > 0),
    "next_permutation": ([([3, 2, 4, 1],)], lambda values: values != sorted(values, reverse=True)),
    "to_base": ([(8227, 18)], lambda number, base: number > 0 and 2 <= base <= 36),
    "minimum_spanning_tree": ([], lambda weights: len(set(weights.values())) == len(weights)),
    "topological_ordering": ([], lambda size, edges: all(u != v and u < size and v < size for u, v in edges)),
    "rpn_eval": ([], lambda tokens: [type(one) for one in tokens].count(float) == len(tokens) // 2 + 1),
}  # fmt: skip


@pytest.mark.parametrize("name", KEPT)
def test_inputs_keep_to_the_preconditions(name: str) -> None:
    """An input that the description rules out would call a right patch wrong."""
    samples, holds = KEPT[name]
    found = quixbugs_inputs.inputs(name, samples, 120, luck(3))
    assert len(found) >= 40
    assert all(holds(*args) for args in found)


def test_inputs_of_exercises_keep_to_their_descriptions() -> None:
    """Sorted sequences, different ages, no more values than there are."""
    rng = luck(2)
    assert all(list(seq) == sorted(seq) for _, seq in refactory_inputs.inputs("search", [(3, (1, 5))], 50, rng))
    people = [one for (one,) in refactory_inputs.inputs("sort_age", [([("M", 3), ("F", 9)],)], 50, rng)]
    assert all(len({age for _, age in one}) == len(one) for one in people)
    assert all(0 <= k <= len(values) for values, k in refactory_inputs.inputs("top_k", [([1, 2], 1)], 50, rng))
    assert len(refactory_inputs.inputs("unique_day", [], 50, rng)) == 50
