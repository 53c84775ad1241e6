"""What a change may not do to a file, found out without running anything."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import pytest

from workers.patch import PatchError, names, read_answer
from workers.patch.names import unbound
from workers.patch.syntax import gate

GOOD = {
    "a.py": b"import os\n\n\ndef home():\n    return os.sep\n",
    "a.js": b"function area(a, b) {\n  return a + b;\n}\n",
    "a.jsx": b"const A = () => <p>{1}</p>;\n",
    "a.ts": b"function area(a: number): number {\n  return a;\n}\n",
    "a.tsx": b"const A = (): JSX.Element => <p>{1}</p>;\n",
    "a.go": b"package a\n\nfunc Area(a int) int {\n\treturn a\n}\n",
    "a.rs": b"fn area(a: i32) -> i32 {\n    a\n}\n",
    "a.java": b"class A {\n    int area(int a) {\n        return a;\n    }\n}\n",
    "a.json": b'{"a": 1}\n',
    "a.yml": b"a: {b: 1}\n",
    "a.toml": b"a = {b = 1}\n",
}


@dataclass(frozen=True)
class Tree:
    """Files in memory."""

    files: Mapping[str, bytes]

    def paths(self) -> list[str]:
        return sorted(self.files)

    def read(self, path: str) -> bytes | None:
        return self.files.get(path)


@pytest.mark.parametrize("path", GOOD)
def test_a_change_that_breaks_the_syntax_costs_no_run(path: str) -> None:
    """In every language with a parser; a file that was broken already may stay so, and a right one passes."""
    broken = GOOD[path].rstrip().removesuffix(b"}").removesuffix(b";").replace(b"return os.sep", b"return os.sep)")
    broken = broken.removesuffix(b"</p>")
    assert broken != GOOD[path]
    gate(path, GOOD[path], GOOD[path] + b"\n")
    gate(path, None, GOOD[path])
    with pytest.raises(PatchError, match=r"can no longer be parsed after this change.*line|can no longer"):
        gate(path, GOOD[path], broken)
    with pytest.raises(PatchError):
        gate(path, None, broken)
    gate(path, broken, broken + b"\n")


def test_the_line_that_is_wrong_is_shown() -> None:
    """So that the next answer can mend it."""
    with pytest.raises(PatchError, match=r"line 2\n    \|   return \(a;"):
        gate("a.js", GOOD["a.js"], b"function area(a) {\n  return (a;\n}\n")


@pytest.mark.parametrize("path", ["a.c", "a.txt", "Makefile", "a.js"])
@pytest.mark.parametrize("data", [b"\xff\x00{{{", b"(" * 300_000, b""])
def test_what_cannot_be_judged_passes(path: str, data: bytes) -> None:
    """A language without a grammar, and a file that is too long."""
    if path != "a.js" or len(data) > 256_000 or not data:
        gate(path, b"x", data)


@pytest.mark.parametrize(
    ("before", "after", "name"),
    [
        ("def f(a):\n    return a\n", "def f(a):\n    return math.sqrt(a)\n", "math"),
        ("import os\n\nX = os.sep\n", "X = os.sep\n", "os"),
        ("def f():\n    return 1\n", "def f():\n    return g()\n", "g"),
        ("class A:\n    b = 1\n", "class A:\n    b = 1\n\n    def c(self):\n        return b\n", "b"),
    ],
)
def test_a_name_that_nothing_defines_goes_back_to_its_author(before: str, after: str, name: str) -> None:
    """It would be a NameError in the sandbox."""
    with pytest.raises(PatchError, match=rf"the name {name} is used in line \d+, and nothing defines or imports it"):
        names.gate({"a.py": after.encode()}, Tree({"a.py": before.encode()}))


@pytest.mark.parametrize(
    "after",
    [
        "import math\n\nX = math.pi\n",
        "def f():\n    global G\n    G = 1\n\n\ndef g():\n    return G\n",
        "from os.path import *\n\nX = join('a')\n",
        "try:\n    text = unicode\nexcept NameError:\n    text = str\n",
        "globals()['a'] = 1\nX = a\n",
        "X = [y for y in (z for z in range(3))]\n",
        "def f():\n    x = 1\n\n    def g():\n        nonlocal x\n        x = 2\n    return g, __file__, super\n",
        "class A:\n    b = 1\n    c = b\n\n    def d(self):\n        return __class__\n",
        "with open('a') as f:\n    for line in f:\n        print(line)\n",
        "import a.b\n\nX = a.b.c\n",
        "match 1:\n    case {'a': found, **rest}:\n        print(found, rest)\n",
        "if (n := 3) > 2:\n    print(n)\n",
        "print(_('text'))\n",
        "lambda a, *b, c=1, **d: (a, b, c, d)\n",
        "print(unknown_before)\n",
    ],
)
def test_names_that_something_defines_pass(after: str) -> None:
    """However it is bound, and whatever was unknown before."""
    names.gate({"a.py": after.encode(), "b.py": None, "c.js": b"x()"}, Tree({"a.py": b"print(unknown_before)\n"}))


@pytest.mark.parametrize("text", ["x =", "\0", "(" * 5000, "\ud800", "", "a" * 100_000])
def test_no_text_makes_the_names_fail(text: str) -> None:
    """What is no Python has no names."""
    assert set(unbound(text)) <= {"a" * 100_000}


def test_an_answer_is_held_back_by_the_gate() -> None:
    """Whatever format it is in."""
    with pytest.raises(PatchError, match="line 4"):
        read_answer("a.go\n<<<<<<< SEARCH\n\treturn a\n=======\n\treturn a +\n>>>>>>> REPLACE\n", Tree(GOOD))
