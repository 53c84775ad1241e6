"""What a report says was seen and expected, by the forms of words that people use; nothing where it is not certain."""

from __future__ import annotations

import pytest

from tests.workers.hostile import HOSTILE
from workers.witness.stated import stated


@pytest.mark.parametrize(
    ("text", "expected", "actual"),
    [
        ("`add(1, 2)` returns `-1`, expected `3`.", "3", "-1"),
        ("Expected 3, got -1", "3", "-1"),
        ("it should return 3 instead of -1", "3", "-1"),
        ("returns -1 instead of 3", "3", "-1"),
        ("It should be 'Ada' but prints 'ada'", "'Ada'", "'ada'"),
        ("I expected it to be `[1, 2]` and not `[2, 1]`", "[1, 2]", "[2, 1]"),
        ("-> 100 (expected 95)", "95", ""),
        ("**Expected:** 95\n**Actual:** 100", "95", "100"),
        ("- expected: 3\n- got: -1", "3", "-1"),
        ("## Expected\nIt returns `95`.\n## Actual\nIt returns `100`", "95", "100"),
        ("### Expected behavior\n\n`95`\n\n### Actual behavior\n```\n100\n```", "95", "100"),
        ("Expected: it returns 95\nGot: 100", "95", "100"),
        ("Expected: 95\nlater: expected 95.", "95", ""),
        ("expected 3 items", "", ""),
        ("should be 95, or should be 90", "", ""),
        ("It should be 95.\nOr it should be 90.", "", ""),
        ("returns `None` instead of raising", "", "None"),
        ("gets 95 off", "", ""),
        ("", "", ""),
    ],
)
def test_values(text: str, expected: str, actual: str) -> None:
    """One value each, or none."""
    says = stated([text])
    assert (says.expected, says.actual) == (expected, actual)


def test_exceptions() -> None:
    """By their names; and whether anything is said to break."""
    says = stated(["It crashes", "with a ValueError or my.own.CartError"])
    assert says.exceptions == {"ValueError", "CartError"}
    assert says.breaks
    assert not stated(["It is wrong."]).breaks


@pytest.mark.parametrize("text", [*HOSTILE, "expected `" * 5_000, "expected: " + "(" * 50_000, "# " * 50_000])
def test_any_text_is_read(text: str) -> None:
    """No text raises, or takes longer than its length allows."""
    stated([text, f"### Expected\n{text}"])
