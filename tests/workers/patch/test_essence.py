"""When two diffs are the same change."""

from __future__ import annotations

from workers.patch import essence

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


def test_any_text_has_an_essence() -> None:
    """What is no diff changes nothing."""
    assert essence("") == essence("hello\n-world") == essence("@@ \n x") == ()
