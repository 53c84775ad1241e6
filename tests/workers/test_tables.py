"""Files with tables that strangers wrote: whatever stands in them, their readers go on."""

from __future__ import annotations

import pytest

from tests.workers.recipe.trees import MemoryTree
from workers import detect
from workers.cheats import manifests
from workers.requirements import lists
from workers.spectrum.command import call
from workers.tables import dig, toml

ODD = (
    "project = 'x'",
    "[project]\nentry-points = []",
    "project.entry-points.pytest11 = 3",
    "tool = 3",
    "tool = ['pytest']",
    "tool.pytest = 3",
    "tool.poetry = 'x'",
    "a = " + "[" * 3_000 + "]" * 3_000,
    "a = " + "9" * 5_000,
    "a = ",
)


@pytest.mark.parametrize("text", ODD, ids=range(len(ODD)))
def test_a_manifest_is_read_whatever_it_says(text: str) -> None:
    """A key that is no table, nesting without end, a number beyond reason: nobody who reads it fails."""
    tree = MemoryTree({"pyproject.toml": text, "Cargo.toml": text, "tests/test_a.py": ""})
    detect.detect(tree)
    call("pytest", ".", tree)
    assert list(lists.places("pyproject.toml", text.encode())) == []
    for name in ("pyproject.toml", "Cargo.toml"):
        for before, after in ((b"", text.encode()), (text.encode(), b""), (text.encode(), b"[project]\nname = 'a'")):
            assert all(found.path == name for found in manifests.review(name, before, after))


def test_what_no_reader_takes_is_no_table() -> None:
    """A document is a table, or None."""
    assert [toml(text) is None for text in ODD] == [False] * 7 + [True] * 3
    assert toml("a.b = 1") == {"a": {"b": 1}}


def test_a_way_that_is_missing_leads_to_nothing() -> None:
    """Also through what is no table."""
    held = {"a": {"b": {"c": 1}}, "d": [1]}
    assert dig(held) == held
    assert dig(held, "a", "b", "c") == 1
    assert [dig(held, "a", "x", "c"), dig(held, "d", "0"), dig(3, "a")] == [None, None, None]
