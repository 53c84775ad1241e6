"""Tokens of a plan are filled with what steps wrote, in one pass, and nothing else is touched."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sandbox.images.heal_fill import filled, output


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("a ${{steps.v.outputs.x}} b", "a 1 b"),
        ("${{steps.a/b.outputs.y-z}}${{env.N}}", "${{env.N}}n"),
        ("${{steps.v.outputs.none}}", ""),
        ("${{steps.other.outputs.x}}", "${{steps.other.outputs.x}}"),
        ("${{env.M}} ${{ steps.v.outputs.x }} $x {{ y }}", "${{env.M}} ${{ steps.v.outputs.x }} $x {{ y }}"),
    ],
)
def test_a_token_is_replaced(text: str, told: str) -> None:
    """By a known step's value, empty when it wrote none; a value that looks like a token stays as it is."""
    outputs = {output("v", "x"): "1", output("a/b", "y-z"): "${{env.N}}"}
    assert filled(text, ["v", "a/b"], outputs, {"N": "n"}) == told


@given(st.text(alphabet="${}steps.outputs env", max_size=60))
def test_without_known_steps_nothing_changes(text: str) -> None:
    """Whatever the text."""
    assert filled(text, [], {}, {}) == text


def test_many_half_tokens_cost_nothing() -> None:
    """A long text of almost tokens is passed over in one go."""
    text = "${{steps." + "a.outputs." * 20_000
    assert filled(text * 3, ["a"], {}, {}) == text * 3
