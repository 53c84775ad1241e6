"""Somebody's Python is read without being run, whatever is in it, and without its warnings becoming ours."""

from __future__ import annotations

import warnings

import pytest

from workers.syntax import parsed, same

STRANGE = 'pattern = "\\d"\n'
"""Python warns of the escape when it reads this."""


@pytest.mark.parametrize("code", [STRANGE, STRANGE.encode(), "assert (1, 'always true')\n"])
def test_warnings_of_what_is_read_are_not_ours(code: str | bytes) -> None:
    """Code that Python warns of is read, and nothing is said."""
    with warnings.catch_warnings(record=True) as said:
        warnings.simplefilter("always")
        assert parsed(code) is not None
    assert said == []


@pytest.mark.parametrize("code", ["x = (", b"\x00", b"\xff", "(" * 300, "-" * 100_000 + "1"], ids=range(5))
def test_what_cannot_be_read_is_nothing(code: str | bytes) -> None:
    """Broken, binary, not UTF-8, too deep: no tree, and no exception."""
    assert parsed(code) is None


def test_same_meaning_is_told_from_another() -> None:
    """Only layout and comments may differ."""
    assert same(b"x = [1,2]  # a\n", b"x = [1, 2]\n")
    assert not same(b"x = 1\n", b"x = 2\n")
    assert not same(b"x = (\n", b"x = (\n")
    assert not same(b"\x00", b"\x00")
