"""When two diffs are the same change."""

from __future__ import annotations

import pytest

from workers.patch import essence, undoes

DIFF = """\
diff --git a/shop.py b/shop.py
index 1111111..2222222 100644
--- a/shop.py
+++ b/shop.py
@@ -1,3 +1,3 @@
 def total(a, b):
-    return a - b
+    return a + b
 # end
"""
ELSEWHERE = DIFF.replace("-1,3 +1,3", "-41,3 +41,3").replace("1111111", "3333333").replace(" # end", " # the end")


def test_the_same_change_on_moved_lines_is_the_same() -> None:
    """Numbers, ids and the lines around it are not the change."""
    assert essence(DIFF) == essence(ELSEWHERE) == essence(DIFF.replace("a + b\n", "a + b  \n"))
    assert essence(DIFF) == ("--- a/shop.py", "+++ b/shop.py", "-    return a - b", "+    return a + b")


def test_another_change_is_another() -> None:
    """Another line, another file, another order, and lines that look like headers."""
    others = [
        DIFF.replace("a + b", "b + a"),
        DIFF.replace("shop.py", "cart.py"),
        DIFF.replace("    return a + b", "        return a + b"),
        DIFF.replace("-    return a - b\n+    return a + b", "+    return a + b\n-    return a - b"),
        DIFF.replace("+    return a + b", "+    return a + b\n+++ b/x.py"),
        DIFF + DIFF.replace("shop.py", "cart.py"),
    ]
    assert len({essence(DIFF), *map(essence, others)}) == 1 + len(others)


BACK = DIFF.replace("-    return a - b\n+    return a + b", "-    return a + b\n+    return a - b")


@pytest.mark.parametrize(
    ("later", "taken_back"),
    [
        (BACK, True),
        (BACK.replace("+    return a - b", "+    # once more\n+      return a - b"), True),
        (BACK.replace("+    return a - b", "+    return b + a"), False),
        (BACK.replace("shop.py", "cart.py"), False),
        (DIFF, False),
        ("", False),
    ],
    ids=["exactly", "with more", "otherwise", "in another file", "the same again", "nothing"],
)
def test_what_takes_a_change_back_is_seen(later: str, taken_back: bool) -> None:
    """All that it put in is taken out, and all that it took out is back."""
    assert undoes(later, DIFF) is taken_back


def test_a_new_file_is_taken_back_by_deleting_it() -> None:
    """There is no old name to go by; and no change takes back one that changes nothing."""
    made = "diff --git a/n.py b/n.py\n--- /dev/null\n+++ b/n.py\n@@ -0,0 +1 @@\n+x = 1\n"
    gone = "diff --git a/n.py b/n.py\n--- a/n.py\n+++ /dev/null\n@@ -1 +0,0 @@\n-x = 1\n"
    assert undoes(gone, made)
    assert not undoes(gone, "")
    assert not undoes(gone, "diff --git a/n.py b/n.py\n--- a/n.py\n+++ b/n.py\n@@ -1 +1,2 @@\n+\n")


def test_any_text_has_an_essence() -> None:
    """What is no diff changes nothing."""
    assert essence("") == essence("hello\n-world") == essence("@@ \n x") == ()
