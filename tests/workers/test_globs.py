"""Patterns of paths mean what people know them to mean, and no pattern takes long."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from workers.globs import matches

CASES = [
    ("src/a.py", "src/*.py", True),
    ("src/deep/a.py", "src/*.py", False),
    ("src/deep/a.py", "src/**", True),
    ("deep/er/conftest.py", "**/conftest.py", True),
    ("conftest.py", "**/conftest.py", True),
    ("myconftest.py", "**/conftest.py", False),
    ("a/migrations/x/1.py", "**/migrations/**", True),
    ("LICENSE", "license", True),
    ("a/b", "a?b", False),
    ("axb", "a?b", True),
    ("src/a.py", "/src/a.py", True),
    ("a[1].py", "a[1].py", True),
]


@pytest.mark.parametrize(("path", "glob", "expected"), CASES)
def test_what_a_pattern_means(path: str, glob: str, expected: bool) -> None:
    """`**` crosses folders, `*` and `?` do not, case is ignored, nothing else is special."""
    assert matches(path, ["nothing/like/it", glob]) == (glob if expected else None)


def expression(glob: str) -> re.Pattern[str]:
    """The same as a regular expression, which is right but can take ages."""
    known = {"**/": "(?:.*/)?", "**": ".*", "*": "[^/]*", "?": "[^/]"}
    parts = re.split(r"(\*\*/|\*\*|\*|\?)", glob.removeprefix("/"))
    return re.compile("".join(known.get(part, re.escape(part)) for part in parts), re.DOTALL)


@given(st.text("ab/", max_size=8), st.lists(st.sampled_from(["a", "b", "/", "*", "**", "**/", "?"]), max_size=6))
def test_the_walk_agrees_with_the_expression(path: str, parts: list[str]) -> None:
    """Both say the same of every path and pattern."""
    glob = "".join(parts)
    assert (matches(path, [glob]) is not None) == (expression(glob).fullmatch(path) is not None)


def test_a_pattern_made_to_take_ages_takes_none() -> None:
    """As a regular expression this would not end while anybody waits."""
    assert matches("a/" * 2000 + "b", ["**/*a" * 40 + "/*c*b"]) is None
