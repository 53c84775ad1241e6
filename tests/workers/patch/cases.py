"""Malformed answers and what they mean: 01 to 40 must be understood and R1 to R5 refused, all our own texts.

What follows those numbers was added later; each case gives the tree, the answer and the files afterwards.
"""

# ruff: noqa: E501 - the texts are the data
from __future__ import annotations

import html
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
NOTED = "def told(total):\n    text = 'it is ' + str(total)\n    # for people\n    return text\n"
"""A comment between two lines that an answer may quote without it."""
PAGE = "<p>fish &amp; chips</p>\n<hr>\n<p>tea</p>\n"
TRAIL = "def f():   \n    a = 1  \n    b = 2\n    return a\n"
BULLETS = "# List\n\n- one\n- two\n  - two and a half\n- three\n"
PLUSES = "# List\n\n+ one\n+ two\n+ three\n"
SQL = "select 1;\n-- old note\nselect 2;\n"
FEED = "x = 1\n\x0c\ndef f():\n    return x\n"
CURLY = "He said \u201chello\u201d \u2013 twice.\nThen  he left.\nAnd so on.\n"
STUB = "class A:\n    def f(self) -> int:\n        return 1\n"
HEADING = "Shop\n=======\n\nOld text.\n"
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
    Case("48 elision with words, comment marks in both parts", "shop/calc.py\n<<<<<<< SEARCH\ndef total(items):\n    # ... existing code ...\n    return result + 1\n=======\ndef total(items):\n    # ... existing code ...\n    return result\n>>>>>>> REPLACE\n"),
    Case("49 index and permissions headers of git", "diff --git a/shop/calc.py b/shop/calc.py\nindex 1234567..89abcde 100644\n" + GOOD),
    Case("50 empty file by its header alone", "diff --git a/shop/__init__.py b/shop/__init__.py\nnew file mode 100644\nindex 0000000..e69de29\n", after=out("shop/__init__.py", "")),
    Case("51 empty file deleted by its header alone", "diff --git a/e.py b/e.py\ndeleted file mode 100644\nindex e69de29..0000000\n", one("e.py", ""), {"e.py": None}),
    Case("52 the same diff twice", GOOD + GOOD),
    Case("53 the same inserting hunk twice", 2 * "--- a/n.txt\n+++ b/n.txt\n@@ -1 +1,2 @@\n one\n+one and a half\n", one("n.txt", "one\ntwo\n"), out("n.txt", "one\none and a half\ntwo\n")),
    Case("54 list items without the space of kept lines", "--- a/l.md\n+++ b/l.md\n@@ -3,4 +3,4 @@\n- one\n-- two\n+- deux\n   - two and a half\n- three\n", one("l.md", BULLETS), out("l.md", BULLETS.replace("- two\n", "- deux\n"))),
    Case("55 plus items without the space of kept lines", "--- a/l.md\n+++ b/l.md\n@@ -3,3 +3,3 @@\n+ one\n-+ two\n++ deux\n+ three\n", one("l.md", PLUSES), out("l.md", PLUSES.replace("+ two", "+ deux"))),
    Case("56 removed and added lines that look like headers", "--- a/q.sql\n+++ b/q.sql\n@@ -1,3 +1,3 @@\n select 1;\n--- old note\n+++ new note\n select 2;\n", one("q.sql", SQL), out("q.sql", SQL.replace("-- old", "++ new"))),
    Case("57 form feed", "--- a/f.py\n+++ b/f.py\n@@ -1,4 +1,4 @@\n x = 1\n \n def f():\n-    return x\n+    return x + 1\n", one("f.py", FEED), out("f.py", FEED.replace("return x", "return x + 1"))),
    Case("58 typography of the file, plain in the answer", "--- a/c.txt\n+++ b/c.txt\n@@ -1,3 +1,3 @@\n He said \"hello\" - twice.\n-Then  he left.\n+Then \u201cshe\u201d left.\n And so on.\n", one("c.txt", CURLY), out("c.txt", CURLY.replace("Then  he", "Then \u201cshe\u201d"))),
    Case("59 the dots of Python", "a.pyi\n<<<<<<< SEARCH\n        return 1\n=======\n        ...\n>>>>>>> REPLACE\n", one("a.pyi", STUB), out("a.pyi", STUB.replace("return 1", "..."))),
    Case("60 a heading that looks like a marker, longer markers", "h.rst\n<<<<<<<<< SEARCH\nShop\n=======\n\nOld text.\n=========\nShop\n=======\n\nNew text.\n>>>>>>>>> REPLACE\n", one("h.rst", HEADING), out("h.rst", HEADING.replace("Old", "New"))),
    Case("61 V4A, new and deleted file", "*** Begin Patch\n*** Add File: shop/new.py\n+A = 1\n*** Delete File: README.md\n*** End Patch\n", after={"shop/new.py": "A = 1\n", "README.md": None}),
    Case("62 empty file by search and replace", "shop/__init__.py\n<<<<<<< SEARCH\n=======\n>>>>>>> REPLACE\n", after=out("shop/__init__.py", "")),
    Case("63 whole new file of a name that is elsewhere", "tests/conftest.py\n```python\nimport pytest\n```\n", one("conftest.py", "import shop\n"), out("tests/conftest.py", "import pytest\n")),
    Case("64 no-break space in the answer's code, meant dash in its text", "--- a/q.py\n+++ b/q.py\n@@ -1,3 +1,3 @@\n def hello(name):\n-\u00a0\u00a0\u00a0\u00a0text = \"it's \" + name\n+\u00a0\u00a0\u00a0\u00a0text = \"it's \u2013 \" + name\n     return text\n", one("q.py", QUOTED), out("q.py", QUOTED.replace("it's ", "it's \u2013 "))),
    Case("65 mixed line ends", "--- a/m.txt\n+++ b/m.txt\n@@ -3 +3 @@\n-three\n+3\n", one("m.txt", "one\r\ntwo\nthree\r\nfour\r\n"), out("m.txt", "one\r\ntwo\n3\r\nfour\r\n")),
    Case("67 two equal places, the number of a blank kept line decides", "--- a/d.txt\n+++ b/d.txt\n@@ -3,2 +3,2 @@\n \n-x = 1\n+x = 2\n",
         one("d.txt", "\nx = 1\n\nx = 1\n"), out("d.txt", "\nx = 1\n\nx = 2\n")),
    Case("69 tabs in new lines, nothing indented quoted", "--- a/t.py\n+++ b/t.py\n@@ -1 +1,3 @@\n+def g():\n+\treturn 2\n def f():\n", one("t.py", "def f():\n    return 1\n"), out("t.py", "def g():\n    return 2\ndef f():\n    return 1\n")),
    Case("70 kept lines without their space, like removed ones with it", "--- a/k.py\n+++ b/k.py\n@@ -1,4 +1,4 @@\nx = call(first,\n         second,\n-        third,\n+        fourth,\n         last)\n",
         one("k.py", "x = call(first,\n         second,\n        third,\n         last)\n"), out("k.py", "x = call(first,\n         second,\n        fourth,\n         last)\n")),
    Case("71 a fence in the files' own text", "--- a/a.txt\n+++ b/a.txt\n@@\n-one\n+uno\n--- a/f.md\n+++ b/f.md\n@@\n Run:\n ```\n-make\n+make all\n--- a/z.txt\n+++ b/z.txt\n@@\n-two\n+due\n",
         {"a.txt": "one\n", "f.md": "Run:\n```\nmake\n```\n", "z.txt": "two\n"}, {"a.txt": "uno\n", "f.md": "Run:\n```\nmake all\n```\n", "z.txt": "due\n"}),
    Case("68 search text that looks like list items of a diff", "l.md\n<<<<<<< SEARCH\n one\n=======\n uno\n>>>>>>> REPLACE\n", one("l.md", "- one\n one\n+ uno\n"), out("l.md", "- one\n uno\n+ uno\n")),
    Case("66 documents of YAML", "--- a/d.yml\n+++ b/d.yml\n@@ -1 +1 @@\n-a: 1\n+a: 2\n", one("d.yml", "a: 1\n---\nb: 1\n"), out("d.yml", "a: 2\n---\nb: 1\n")),
    Case("72 entities that are the file's own", "p.html\n<<<<<<< SEARCH\n<p>fish &amp; chips</p>\n=======\n<p>fish &amp; peas</p>\n>>>>>>> REPLACE\n", one("p.html", PAGE), out("p.html", PAGE.replace("chips", "peas"))),
    Case("73 the file's own entities in a diff without any bracket", "--- a/p.txt\n+++ b/p.txt\n@@\n-fish &amp; chips\n+fish &amp; peas\n tea\n", one("p.txt", "fish &amp; chips\ntea\n"), out("p.txt", "fish &amp; peas\ntea\n")),
    Case("74 the file's own entities, escaped again", html.escape("--- a/p.html\n+++ b/p.html\n@@\n-<p>fish &amp; chips</p>\n+<p>fish &amp; peas</p>\n <hr>\n"), one("p.html", PAGE), out("p.html", PAGE.replace("chips", "peas"))),
    Case("75 entities in the answer's code, brackets in its prose", "Use <= as in \"less\":\n\n```diff\n--- a/e.py\n+++ b/e.py\n@@\n def less(a, b):\n-    if a &lt; b and b &gt; 0:\n+    if a &lt;= b and b &gt; 0:\n         return True\n```\n", one("e.py", ENTITY), out("e.py", ENTITY.replace("if a < b", "if a <= b"))),
    Case("76 typographic quotes in a new line, nothing quoted has any", "--- a/n.py\n+++ b/n.py\n@@\n def told(total):\n+    check(\u201ctotal\u201d, \u20181\u2019)\n", one("n.py", NOTED), out("n.py", NOTED.replace("(total):\n", "(total):\n    check(\"total\", '1')\n"))),
    Case("77 typographic quotes in a new file", "*** Begin Patch\n*** Add File: new.py\n+A = \u201cone\u201d\n*** End Patch\n", after=out("new.py", 'A = "one"\n')),
    Case("78 typographic quotes in a new text that parses", "--- a/n.py\n+++ b/n.py\n@@\n def told(total):\n+    check('\u201ctotal\u201d')\n     text = 'it is ' + str(total)\n", one("n.py", NOTED), out("n.py", NOTED.replace("(total):\n", "(total):\n    check('\u201ctotal\u201d')\n"))),
    Case("79 a kept line that looks like another one, deeper", "--- a/t.js\n+++ b/t.js\n@@\n   });\n \n+test(() => {\n+  two();\n+});\n+\n last();\n", one("t.js", "test(() => {\n  one(() => {\n  });\n});\n\nlast();\n"), out("t.js", "test(() => {\n  one(() => {\n  });\n});\n\ntest(() => {\n  two();\n});\n\nlast();\n")),
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
    ("R13 rename", one("d.py", "x = 1\n"), "diff --git a/d.py b/e.py\nsimilarity index 100%\nrename from d.py\nrename to e.py\n", "renames"),
    ("R14 mode", one("d.py", "x = 1\n"), "diff --git a/d.py b/d.py\nold mode 100644\nnew mode 100755\n", "mode"),
    ("R15 symlink", one("d.py", "x = 1\n"), "diff --git a/l b/l\nnew file mode 120000\n--- /dev/null\n+++ b/l\n@@ -0,0 +1 @@\n+/etc/passwd\n", "links"),
    ("R16 deleted file of another folder", one("a/d.py", "x = 1\n"), "--- a/b/d.py\n+++ /dev/null\n@@ -1 +0,0 @@\n-x = 1\n", "no such file to delete"),
    ("R17 deleted file with other lines", one("d.py", "x = 1\n"), "--- a/d.py\n+++ /dev/null\n@@ -1 +0,0 @@\n-something = else_entirely\n", "not in the file"),
    ("R18 elision in the new text only", one("n.txt", "one\ntwo\nthree\nfour\n"), "n.txt\n<<<<<<< SEARCH\none\ntwo\nthree\n=======\nuno\n...\n>>>>>>> REPLACE\n", "instead of lines"),
    ("R19 elision in the old text only", one("n.txt", "one\ntwo\nthree\nfour\n"), "n.txt\n<<<<<<< SEARCH\none\n...\nthree\n=======\nuno\ntres\n>>>>>>> REPLACE\n", "not in the file"),
    ("R20 elided parts in another order", one("n.txt", "one\ntwo\nthree\nfour\n"), "n.txt\n<<<<<<< SEARCH\nthree\n...\none\n=======\ntres\n...\nuno\n>>>>>>> REPLACE\n", "not in this order"),
    ("R21 elided part that is not there", one("n.txt", "one\ntwo\nthree\nfour\n"), "n.txt\n<<<<<<< SEARCH\nzero\n...\nthree\n=======\nzero\n...\ntres\n>>>>>>> REPLACE\n", "not in the file"),
    ("R22 letters lost on the way", one("n.txt", "one\n"), "n.txt\n<<<<<<< SEARCH\none\n=======\nn\udcfcn\n>>>>>>> REPLACE\n", "lost on the way"),
    ("R23 a heading that looks like a marker", one("h.rst", HEADING), "h.rst\n<<<<<<< SEARCH\nShop\n=======\n\nOld text.\n=======\nShop\n=======\n\nNew text.\n>>>>>>> REPLACE\n", "several ======="),
    ("R24 block in a block", one("n.txt", "one\n"), "n.txt\n<<<<<<< SEARCH\none\n=======\nuno\n<<<<<<< SEARCH\ntwo\n=======\ndue\n>>>>>>> REPLACE\n", "cut off"),
    ("R25 listing that is cut off", one("n.py", "x = 1\n"), "n.py\n```python\nx = 2\n", "ends is not clear"),
    ("R26 listing with a fence inside", one("README.md", "# Shop\n"), "README.md\n```markdown\n# Shop\n```sh\nmake\n```\nMore.\n```\n", "ends is not clear"),
    ("R27 excerpt as a listing", one("shop/calc.py", CALC), "In `shop/calc.py` the sum is wrong:\n```python\nresult = 0\n```\n", "leaves most of the file out"),
    ("R28 whole file of the wrong folder", one("shop/calc.py", CALC), f"store/calc.py\n```python\n{FIXED}```\n", "say which one"),
    ("R29 kept lines that lead to two places", one("n.txt", "one\n1\ntwo\n2\nthree\n"), "--- a/n.txt\n+++ b/n.txt\n@@\n one\n+new\n three\n", "ambiguous"),
    ("R30 line number beside two equal places", one("d.py", "x = 1\n\n\nx = 1\n"), "--- a/d.py\n+++ b/d.py\n@@ -3 +3 @@\n-x = 1\n+x = 2\n", "ambiguous"),
    ("R31 one of two files bad", {"a.txt": "one\n", "b.txt": "two\n"}, "--- a/a.txt\n+++ b/a.txt\n@@ -1 +1 @@\n-one\n+1\n--- a/b.txt\n+++ b/b.txt\n@@ -1 +1 @@\n-zwei und drei\n+2\n", "b.txt: these lines are not in the file"),
    ("R32 return outside of a function", one("d.py", "def f():\n    return 1\n"), "d.py\n<<<<<<< SEARCH\n    return 1\n=======\n    pass\nreturn 2\n>>>>>>> REPLACE\n", "line 3: 'return' outside function"),
    ("R33 broken JSON", one("d.json", '{"a": 1}\n'), "d.json\n<<<<<<< SEARCH\n{\"a\": 1}\n=======\n{\n  \"a\": ,\n}\n>>>>>>> REPLACE\n", "line 2: Expecting value"),
    ("R34 broken TOML", one("d.toml", "a = 1\n"), "d.toml\n<<<<<<< SEARCH\na = 1\n=======\na = 1\nb = [\n>>>>>>> REPLACE\n", "can no longer be parsed"),
    ("R35 broken YAML", one("d.yml", "a: 1\n"), "d.yml\n<<<<<<< SEARCH\na: 1\n=======\na: 1\n b: [2\n>>>>>>> REPLACE\n", "line [23]: "),
    ("R36 file that is no UTF-8", {"l.txt": b"gr\xfcn\none\n"}, "l.txt\n<<<<<<< SEARCH\none\n=======\n1\n>>>>>>> REPLACE\n", "not UTF-8"),
    ("R37 entities, and a comment left out beside a new line", one("n.py", NOTED), html.escape("--- a/n.py\n+++ b/n.py\n@@\n def told(total):\n     text = 'it is ' + str(total)\n+    check(9)\n     return text\n"), "ambiguous"),
    ("R38 the same below prose with brackets", one("n.py", NOTED), "It is <1>:\n\n```diff\n" + html.escape("--- a/n.py\n+++ b/n.py\n@@\n def told(total):\n     text = 'it is ' + str(total)\n+    check(9)\n     return text\n") + "```\n", "ambiguous"),
    ("R39 typographic quotes, and the file has such itself", one("n.py", "A = '\u201cone\u201d'\n"), "--- a/n.py\n+++ b/n.py\n@@\n A = '\u201cone\u201d'\n+B = \u201ctwo\u201d\n", "can no longer be parsed"),
)  # fmt: skip
