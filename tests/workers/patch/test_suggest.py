"""A patch as suggestions: what is taken is exactly what was proven, and what cannot be taken is said."""

from __future__ import annotations

import difflib
import itertools
from collections.abc import Mapping, Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.workers.made import MemoryTree
from workers.patch.suggest import Replacement, suggest

SHOP = "def total(a, b):\n    # sums\n    return a - b\n\n\nprint(total(1, 2))\n"


def diff(old: str, new: str, path: str = "shop.py") -> str:
    """As git writes it."""
    lines = difflib.unified_diff(
        old.splitlines(keepends=True), new.splitlines(keepends=True), f"a/{path}", f"b/{path}", n=3
    )
    return "".join(lines)


def hunk(first: int, last: int) -> str:
    """A diff of GitHub's that shows these lines of the new side, all of them added."""
    length = last - first + 1
    return f"@@ -{first - 1},0 +{first},{length} @@\n" + "\n".join(["+x"] * length)


def given_as(old: str, new: str, hunks: Mapping[str, str]) -> tuple[Replacement, ...] | str:
    return suggest(MemoryTree({"shop.py": old.encode()}), diff(old, new), hunks)


def taken(old: str, replacements: Sequence[Replacement]) -> str:
    """The file after all suggestions were applied, from the last to the first."""
    lines = old.split("\n")
    for one in reversed(replacements):
        lines[one.start - 1 : one.end] = one.text
    return "\n".join(lines)


CHANGES = [
    ("a line", SHOP.replace("a - b", "a + b"), [(3, 3, ("    return a + b",))]),
    ("two lines at once", SHOP.replace("# sums\n    return a - b", "return a + b"), [(2, 3, ("    return a + b",))]),
    ("a line less", SHOP.replace("    # sums\n", ""), [(2, 2, ())]),
    ("a line more", SHOP.replace("# sums\n", "# sums\n    # of two\n"), [(2, 2, ("    # sums", "    # of two"))]),
    ("a first line", f"import x\n{SHOP}", [(1, 1, ("import x", "def total(a, b):"))]),
    ("both ends of a line", f"import x\n{SHOP}".replace("b):\n", "b):\n    # new\n"),
     [(1, 1, ("import x", "def total(a, b):", "    # new"))]),
    ("a last line", f"{SHOP}print(0)\n", [(6, 6, ("print(total(1, 2))", "print(0)"))]),
    ("an empty line", SHOP.replace("    # sums\n", "\n"), [(2, 2, ("",))]),
]  # fmt: skip


@pytest.mark.parametrize(("new", "expected"), [case[1:] for case in CHANGES], ids=[case[0] for case in CHANGES])
def test_each_change_replaces_whole_lines(new: str, expected: list[tuple[int, int, tuple[str, ...]]]) -> None:
    """Replaced, removed and inserted lines; an insertion takes the line along that it stands next to."""
    found = given_as(SHOP, new, {"shop.py": hunk(1, 6)})
    assert not isinstance(found, str)
    assert found == tuple(Replacement("shop.py", *one) for one in expected)
    assert taken(SHOP, found) == new


def test_an_insertion_leans_on_the_line_that_is_shown() -> None:
    """Where the line before it is outside of the diff, the one after it does."""
    new = SHOP.replace("# sums\n", "# sums\n    # of two\n")
    assert given_as(SHOP, new, {"shop.py": hunk(3, 4)}) == (
        Replacement("shop.py", 3, 3, ("    # of two", "    return a - b")),
    )


@pytest.mark.parametrize(
    ("old", "new", "hunks", "why"),
    [
        (SHOP, SHOP.replace("a - b", "a + b"), {}, "does not show line 3 of shop.py"),
        (SHOP, SHOP.replace("a - b", "a + b"), {"shop.py": ""}, "does not show line 3"),
        (SHOP, SHOP.replace("a - b", "a + b"), {"shop.py": "no diff at all"}, "does not show line 3"),
        (SHOP, SHOP.replace("a - b", "a + b"), {"shop.py": hunk(4, 6)}, "does not show line 3"),
        (SHOP, SHOP.replace("# sums\n    return a - b", "return a + b"), {"shop.py": hunk(3, 6)}, "show line 2"),
        ("a\r\nb\r\n", "a\r\nc\r\n", {"shop.py": hunk(1, 2)}, "line ends"),
    ],
)
def test_what_no_suggestion_can_do_is_said(old: str, new: str, hunks: Mapping[str, str], why: str) -> None:
    """Lines outside of the diff or in two hunks of it, and line ends that GitHub would not keep."""
    found = given_as(old, new, hunks)
    assert isinstance(found, str)
    assert why in found


@pytest.mark.parametrize(
    ("patch", "why"),
    [
        ("--- /dev/null\n+++ b/new.py\n@@ -0,0 +1 @@\n+x = 1\n", "adds or removes new.py"),
        ("--- a/shop.py\n+++ /dev/null\n@@ -1 +0,0 @@\n-x = 1\n", "adds or removes shop.py"),
        ("diff --git a/shop.py b/shop.py\nold mode 100644\nnew mode 100755\n", "changes the mode of shop.py"),
        ("--- a/shop.py\n+++ b/shop.py\n@@ -1 +1 @@\n-x\n\\ No newline at end of file\n+y\n", "line ends"),
        ("--- a/shop.py\n+++ b/shop.py\n@@ -1,9 +1 @@\n-x\n", "not one of plain lines"),
    ],
)
def test_files_that_come_and_go_are_no_suggestion(patch: str, why: str) -> None:
    """Added and removed files, a last line without an end, and what is no diff."""
    found = suggest(MemoryTree({"shop.py": b"x\n"}), patch, {"shop.py": hunk(1, 1), "new.py": hunk(1, 1)})
    assert isinstance(found, str)
    assert why in found


LINES = st.lists(st.sampled_from(["a", "b", "", "c"]), min_size=1, max_size=12)


@given(LINES, LINES)
def test_taking_all_suggestions_gives_the_proven_file(before: list[str], after: list[str]) -> None:
    """Whatever changed: in a file that the diff shows whole, the suggestions together are the patch, and none of them
    overlaps another."""
    old, new = "\n".join(before) + "\n", "\n".join(after) + "\n"
    found = given_as(old, new, {"shop.py": hunk(1, len(before))})
    assert not isinstance(found, str)
    assert taken(old, found) == new
    assert all(first.end < second.start for first, second in itertools.pairwise(found))
