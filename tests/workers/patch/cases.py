"""Malformed answers and what they mean: 40 that must be understood and 5 that must be refused, all our own texts.

`CALC`, `SHOP` and `MENU` are the files; each case gives the tree, the answer and the files afterwards.
"""

# ruff: noqa: E501 - the texts are the data
from __future__ import annotations

from dataclasses import dataclass, field

CALC = '''"""Small sums."""


def total(items):
    """Add them up."""

    result = 0
    # every item counts once
    for item in items:
        result += item.price
    return result + 1


def mean(items):
    if not items:
        return 0
    return total(items) * len(items)
'''
FIXED = CALC.replace("return result + 1", "return result")
BOTH = FIXED.replace("total(items) * len", "total(items) / len")
HUNK = "         result += item.price\n-    return result + 1\n+    return result\n \n \n def mean(items):\n"
FILES = "--- a/shop/calc.py\n+++ b/shop/calc.py\n"
GOOD = FILES + "@@ -10,5 +10,5 @@\n" + HUNK


@dataclass(frozen=True)
class Case:
    name: str
    answer: str
    before: dict[str, str] = field(default_factory=lambda: {"shop/calc.py": CALC, "README.md": "# Shop\n"})
    after: dict[str, str | None] = field(default_factory=lambda: {"shop/calc.py": FIXED})


def one(path: str, text: str) -> dict[str, str]:
    return {path: text}


def out(path: str, text: str) -> dict[str, str | None]:
    return {path: text}


TABS = "def f(x):\n\tif x:\n\t\treturn 1\n\treturn 2\n"
QUOTED = 'def hello(name):\n    text = "it\'s " + name\n    return text\n\n\ndef bye():\n    return 1\n'
ENTITY = "def less(a, b):\n    if a < b and b > 0:\n        return True\n    return a < b\n"
TRAIL = "def f():   \n    a = 1  \n    b = 2\n    return a\n"
SR = "<<<<<<< SEARCH\n    return result + 1\n=======\n    return result\n>>>>>>> REPLACE\n"

ACCEPTED = (
    Case("01 clean", GOOD),
    Case("02 wrong line numbers", FILES + "@@ -41,5 +77,5 @@\n" + HUNK),
    Case("03 wrong counts", FILES + "@@ -10,50 +10,2 @@\n" + HUNK),
    Case("04 dots between at signs", FILES + "@@ ... @@\n" + HUNK),
    Case("05 bare at signs", FILES + "@@\n" + HUNK),
    Case("06 no hunk header", FILES + HUNK),
    Case("07 no file header", "@@ -10,5 +10,5 @@\n" + HUNK),
    Case("08 no prefixes", GOOD.replace(" a/", " ").replace(" b/", " ")),
    Case("09 fence and prose", f"The sum is off by one.\n\n```diff\n{GOOD}```\n\nThat restores the total.\n"),
    Case("10 bare fence and prose", f"Here you go:\n```\n{GOOD}```\nDone - enjoy.\n"),
    Case("11 CRLF diff, LF file", GOOD.replace("\n", "\r\n")),
    Case("12 LF diff, CRLF file", GOOD, one("shop/calc.py", CALC.replace("\n", "\r\n")),
         out("shop/calc.py", FIXED.replace("\n", "\r\n"))),
    Case("13 kept line lost its leading space", GOOD.replace("\n         result +=", "\n        result +=").replace("\n def mean", "\ndef mean")),
    Case("14 blank kept line is empty", GOOD.replace("\n \n \n", "\n\n\n")),
    Case("15 trailing white space lost", "--- a/t.py\n+++ b/t.py\n@@ -1,4 +1,4 @@\n def f():\n     a = 1\n-    b = 2\n+    b = 3\n     return a\n",
         one("t.py", TRAIL), out("t.py", TRAIL.replace("b = 2", "b = 3"))),
    Case("16 comment left out of the context", FILES + "@@ -7,5 +7,5 @@\n     result = 0\n     for item in items:\n         result += item.price\n-    return result + 1\n+    return result\n"),
    Case("17 docstring and blank line left out", FILES + "@@ -4,5 +4,5 @@\n-def total(items):\n+def total(items, start=0):\n-    result = 0\n+    result = start\n",
         after=out("shop/calc.py", CALC.replace("total(items):", "total(items, start=0):").replace("result = 0", "result = start"))),
    Case("18 spaces for tabs", "--- a/t.py\n+++ b/t.py\n@@ -1,4 +1,5 @@\n def f(x):\n     if x:\n-        return 1\n+        y = 3\n+        return y\n     return 2\n",
         one("t.py", TABS), out("t.py", TABS.replace("\t\treturn 1\n", "\t\ty = 3\n\t\treturn y\n"))),
    Case("19 outdented hunk", FILES + "@@ -9,3 +9,5 @@\n for item in items:\n-    result += item.price\n+    if item:\n+        result += item.price\n return result + 1\n",
         after=out("shop/calc.py", CALC.replace("        result += item.price\n", "        if item:\n            result += item.price\n"))),
    Case("20 over-indented hunk", FILES + "@@ -9,3 +9,3 @@\n         for item in items:\n             result += item.price\n-        return result + 1\n+        return result\n"),
    Case("21 smart quotes", "--- a/q.py\n+++ b/q.py\n@@ -1,3 +1,3 @@\n def hello(name):\n     text = \u201cit\u2019s \u201d + name\n-    return text\n+    return text + \u201c!\u201d\n",
         one("q.py", QUOTED), out("q.py", QUOTED.replace("    return text\n", '    return text + "!"\n'))),
    Case("22 no-break spaces", GOOD.replace("    return result", "\u00a0\u00a0\u00a0\u00a0return\u00a0result")),
    Case("23 encoding mark", "--- a/m.py\n+++ b/m.py\n@@ -1,2 +1,2 @@\n-x = 1\n+x = 2\n y = 1\n", one("m.py", "\ufeffx = 1\ny = 1\n"),
         out("m.py", "\ufeffx = 2\ny = 1\n")),
    Case("24 no newline at the end, marker missing", "--- a/m.py\n+++ b/m.py\n@@ -1,2 +1,2 @@\n x = 1\n-y = 1\n+y = 2\n",
         one("m.py", "x = 1\ny = 1"), out("m.py", "x = 1\ny = 2")),
    Case("25 bogus no-newline marker", GOOD + "\\ No newline at end of file\n"),
    Case("26 new file", "--- /dev/null\n+++ b/shop/new.py\n@@ -0,0 +1,2 @@\n+A = 1\n+B = 2\n", after=out("shop/new.py", "A = 1\nB = 2\n")),
    Case("27 wrong folder", GOOD.replace("shop/calc.py", "src/store/calc.py")),
    Case("28 absolute path", GOOD.replace("a/shop", "/work/shop").replace("b/shop", "/work/shop")),
    Case("29 two files without diff --git", "--- a/shop/calc.py\n+++ b/shop/calc.py\n@@ -11 +11 @@\n-    return result + 1\n+    return result\n--- a/README.md\n+++ b/README.md\n@@ -1 +1 @@\n-# Shop\n+# The shop\n",
         after={"shop/calc.py": FIXED, "README.md": "# The shop\n"}),
    Case("30 jump without at signs", FILES + "@@ -10,9 +10,9 @@\n         result += item.price\n-    return result + 1\n+    return result\n \n def mean(items):\n     if not items:\n-    return total(items) * len(items)\n+    return total(items) / len(items)\n",
         after=out("shop/calc.py", BOTH)),
    Case("31 cut off after the change", GOOD[: GOOD.index("mean(items)") + 2]),
    Case("32 search and replace", f"shop/calc.py\n{SR}"),
    Case("33 short markers, path inside the fence", "```python\nshop/calc.py\n<<<<< SEARCH\n    return result + 1\n=====\n    return result\n>>>>> REPLACE\n```\n"),
    Case("34 V4A", "*** Begin Patch\n*** Update File: shop/calc.py\n@@ def total(items):\n         result += item.price\n-    return result + 1\n+    return result\n*** End Patch\n"),
    Case("35 JSON with escaped newlines", '{"reasoning": "off by one", "diff": "' + GOOD.replace('"', '\\"').replace("\n", "\\n") + '"}'),
    Case("36 HTML entities", "--- a/e.py\n+++ b/e.py\n@@ -1,3 +1,3 @@\n def less(a, b):\n-    if a &lt; b and b &gt; 0:\n+    if a &lt;= b and b &gt; 0:\n         return True\n",
         one("e.py", ENTITY), out("e.py", ENTITY.replace("if a < b", "if a <= b"))),
    Case("37 decoy in thoughts", f"<think>\nMaybe this:\n```diff\n{GOOD.replace('+    return result', '+    return 0')}```\n</think>\n```diff\n{GOOD}```\n"),
    Case("38 fence inside a list", "1. Change the sum:\n\n   ```diff\n" + "".join(f"   {line}\n" for line in GOOD.splitlines()) + "   ```\n2. Run the tests.\n"),
    Case("39 Index header", "Index: shop/calc.py\n===================================================================\n" + GOOD),
    Case("40 timestamps", GOOD.replace("calc.py\n", "calc.py\t2026-01-02 10:11:12.000000000 +0000\n")),
    Case("41 deleted file", "--- a/README.md\n+++ /dev/null\n@@ -1 +0,0 @@\n-# Shop\n", after={"README.md": None}),
    Case("42 whole file in a fence", f"`shop/calc.py`\n```python\n{FIXED}```\n"),
    Case("43 several blocks", f"shop/calc.py\n{SR}\nand\n\n<<<<<<< SEARCH\n    return total(items) * len(items)\n=======\n    return total(items) / len(items)\n>>>>>>> REPLACE\n",
         after=out("shop/calc.py", BOTH)),
    Case("44 the same answer twice", f"shop/calc.py\n{SR}\nshop/calc.py\n{SR}"),
    Case("45 two equal places, the line number decides", "--- a/d.py\n+++ b/d.py\n@@ -4 +4 @@\n-x = 1\n+x = 2\n",
         one("d.py", "x = 1\n\n\nx = 1\n"), out("d.py", "x = 1\n\n\nx = 2\n")),
    Case("46 a fenced JSON object", "```json\n{\"diff\": \"shop/calc.py\\n" + SR.replace("\n", "\\n") + "\", \"reasoning\": \"one too much\"}\n```"),
    Case("47 elision in both parts", "shop/calc.py\n<<<<<<< SEARCH\n    result = 0\n...\n    return result + 1\n=======\n    result = 0\n...\n    return result\n>>>>>>> REPLACE\n"),
)  # fmt: skip

REFUSED = (
    ("R1 two equal places", one("d.py", "x = 1\n\n\nx = 1\n"), "d.py\n<<<<<<< SEARCH\nx = 1\n=======\nx = 2\n>>>>>>> REPLACE\n", "ambiguous"),
    ("R2 out of the tree", one("d.py", "x = 1\n"), "--- a/../../etc/d.py\n+++ b/../../etc/d.py\n@@ -1 +1 @@\n-x = 1\n+x = 2\n", "leave the repository"),
    ("R3 text not in the file", one("shop/calc.py", CALC), "shop/calc.py\n<<<<<<< SEARCH\n    return amount + tax\n=======\n    return amount\n>>>>>>> REPLACE\n", "did you mean"),
    ("R4 second hunk bad", one("shop/calc.py", CALC), GOOD + "@@ -30,2 +30,2 @@\n-    return nothing_like_it\n+    return 1\n", "not in the file"),
    ("R5 prose only", one("shop/calc.py", CALC), "The bug is in `total`: it adds one too many. Remove the + 1.", "no edit"),
    ("R6 git's own files", one("d.py", "x = 1\n"), "--- /dev/null\n+++ b/.git/hooks/pre-commit\n@@ -0,0 +1 @@\n+#!/bin/sh\n", "git's own"),
    ("R7 broken syntax", one("d.py", "x = 1\n"), "d.py\n<<<<<<< SEARCH\nx = 1\n=======\nx = (1\n>>>>>>> REPLACE\n", "parsed"),
    ("R8 nothing changes", one("d.py", "x = 1\n"), "d.py\n<<<<<<< SEARCH\nx = 1\n=======\nx = 1\n>>>>>>> REPLACE\n", "changes nothing"),
    ("R9 cut off block", one("d.py", "x = 1\n"), "d.py\n<<<<<<< SEARCH\nx = 1\n=======\nx =", "cut off"),
    ("R10 absolute path elsewhere", one("d.py", "x = 1\n"), "--- /dev/null\n+++ /etc/cron.d/x\n@@ -0,0 +1 @@\n+x\n", "relative"),
    ("R11 elided listing", one("shop/calc.py", CALC), "shop/calc.py\n```python\ndef total(items):\n    return 1\n# ... rest of the file\n```\n", "leaves parts out"),
    ("R12 binary", one("d.py", "x = 1\n"), "diff --git a/x.png b/x.png\nGIT binary patch\nliteral 1\nIcmZPo000310RR91\n", "binary"),
)  # fmt: skip
