"""What the commit that broke it changed, found again in the files that are to be mended."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from tests.workers.fixers.trees import MemoryTree
from workers import clue
from workers.fixers.search.rank import ranked
from workers.spectrum.evidence import Trace

BEFORE = (
    "def total(items):\n    amount = sum(items)\n    if amount > 50:\n        return amount\n    return amount + 5\n"
)
SHOP = "def early(x):\n    return x * 2 > 3\n\n\n" + BEFORE
DIFF = """\
diff --git a/shop.py b/shop.py
--- a/shop.py
+++ b/shop.py
@@ -1,5 +1,5 @@
 def total(items):
     amount = sum(items)
-    if amount >= 50:
+    if amount > 50:
         return amount
     return amount + 5
diff --git a/old.py b/old.py
--- a/old.py
+++ /dev/null
@@ -1 +0,0 @@
-gone = True
"""


def test_changed_lines_are_found_where_they_stand_now() -> None:
    """The lines it wrote, and those beside what it took away, at the numbers they have today."""
    found = clue.lines(DIFF, MemoryTree({"shop.py": SHOP}))
    assert found == {"shop.py": frozenset({6, 7})}
    assert clue.paths(DIFF) == ("shop.py",)


def test_text_that_stands_everywhere_says_nothing() -> None:
    """A line that occurs many times in the file points to none of them."""
    many = "".join(f"def f{n}():\n    return None\n" for n in range(9))
    diff = "--- a/m.py\n+++ b/m.py\n@@ -1 +1,2 @@\n def f0():\n+    return None\n"
    assert clue.lines(diff, MemoryTree({"m.py": many})) == {}


@given(st.text(alphabet="+-@ ab/\n", max_size=200))
def test_any_text_is_a_diff(text: str) -> None:
    """A diff that was cut, or is none, points to lines that exist or to nothing."""
    tree = MemoryTree({"a": "a\nabab\n"})
    for numbers in clue.lines(f"+++ b/a\n{text}", tree).values():
        assert numbers <= {1, 2, 3}


def test_lines_of_the_culprit_come_first() -> None:
    """Of two lines that are equally suspicious the one that the culprit changed is tried first."""
    tree = MemoryTree({"shop.py": SHOP})
    lines = dict.fromkeys(range(1, 11), (1, 0))
    trace = Trace(failed={"t.py::a": 0.1}, passed={}, counts={"shop.py": lines})
    plain = ranked(tree, trace, 600)
    told = ranked(tree, trace, 600, clue.lines(DIFF, tree))
    assert {one.text for one in told} == {one.text for one in plain}

    def first(candidates: list) -> int:  # type: ignore[type-arg]
        return next(n for n, one in enumerate(candidates) if b"amount >= 50" in one.text)

    assert told[0].mutation.line == 7
    assert first(told) <= first(plain)
