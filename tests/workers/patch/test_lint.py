"""The gate before any sandbox run: only what a change brings, and what fails for certain, holds it back."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.workers.bench.test_ci_corpus import CaseTree
from tests.workers.corpus import HONEST, TREE
from tests.workers.patch.test_gate import Tree
from workers.bench.ci.red import read
from workers.patch import PatchError, lint
from workers.patch.linter import LIMIT, flaws

_BEFORE = 'def f(a):\n    """Doc."""\n    return a\n'


def tree(before: str | None) -> Tree:
    return Tree({} if before is None else {"m.py": before.encode()})


@dataclass(frozen=True)
class Case:
    """The file before, None for a new one, and after, and what has to be said of it; "" when nothing may be."""

    before: str | None
    after: str
    said: str = ""


SEVERE = (
    Case(_BEFORE, 'def f(a):\n    return "%s of %s" % (a,)\n', "line 2: `%`-format string has 2 placeholder"),
    Case(_BEFORE, 'def f(a):\n    return "%(a)s" % {"b": a}\n', "(F505)\n    |     return"),
    Case(_BEFORE, 'def f(a):\n    return "{} {}".format(a)\n', "`.format` call is missing argument(s)"),
    Case(_BEFORE, 'def f(a):\n    return "{0} {}".format(a, 1)\n', "mixes automatic and manual numbering"),
    Case(_BEFORE, "def f(a):\n    print(len)\n    len = a\n    return len\n", "Local variable `len` referenced before"),
    Case(_BEFORE, "def f(a):\n    return g(a)\n", "the name g is used in line 2"),
    Case(_BEFORE, "def f(a):\n    return (a\n", "can no longer be parsed"),
    Case(None, 'x = "%s %s" % (1,)\n', "`%`-format string has 2 placeholder"),
    Case("type A[T] = T\n", "type A[T] = T\nreturn 1\n", "`return` statement outside of a function"),
    Case('x = "%s %s" % (1,)\n', 'x = "%s %s" % (1,)\ny = "%s %s" % (1,)\n', "line 2"),
    Case('y = "%s %s" % (2,)\n', 'x = "%s %s" % (1,)\n\n\ny = "%s %s" % (2,)\n', "line 1"),
    Case(_BEFORE, 'def f(a):\n    return "%s %s" % (a,)  # noqa: F507\n', "(F507)"),
)  # fmt: skip

PASSING = (
    Case("print 1\n", "print 1\nprint 2\n"),
    Case("type A[T] = T\n", "type A[T] = list[T]\n"),
    Case('x = "%s %s" % (1,)\n', 'import os\n\n\ny = os.sep\nx = "%s %s"   % (1,)\n'),
    Case("print(unknown)\n", "# first\nprint(unknown, 1)\n"),
    Case(_BEFORE, "import os\n\n\ndef f(a):\n    b = a\n    return a\n\n\ndef f(a):\n    return a\n"),
    Case(_BEFORE, 'try:\n    x = "%s %s" % (1,)\nexcept TypeError:\n    x = ""\n'),
    Case(_BEFORE, 'import pytest\n\n\ndef test_f():\n    with pytest.raises(TypeError):\n        "%s %s" % (1,)\n'),
    Case("n = 0\n", "n = 0\n\n\ndef f(xs):\n    for x in xs:\n        if x:\n            print(n)\n        n = x\n"),
    Case(_BEFORE, "class A:\n    def f(self) -> 'B':\n        return self\n"),
    Case(_BEFORE, 'def f(a):\n    assert (a, "a")\n    return f"x"\n'),
    Case(_BEFORE, 'def f(a):\n    return "%s" % a + "{}".format(*a) + "%(a)s" % a\n'),
    Case(None, "from os.path import *\n\nprint(join('a'))\n"),
)  # fmt: skip


@pytest.mark.parametrize("case", SEVERE)
def test_what_fails_for_certain_costs_no_run(case: Case) -> None:
    """It goes back to its author with the rule and the line, whatever the file says about linters."""
    with pytest.raises(PatchError) as refused:
        lint.gate({"m.py": case.after.encode()}, tree(case.before))
    assert case.said in str(refused.value)
    assert str(refused.value).startswith("m.py ")


@pytest.mark.parametrize("case", PASSING)
def test_what_was_there_or_may_be_meant_passes(case: Case) -> None:
    """Lines move, old findings stay, a linter's taste is no reason, and a file may wait for an exception."""
    lint.gate({"m.py": case.after.encode()}, tree(case.before))


def test_tests_may_raise_on_purpose() -> None:
    """Neither their names nor those of the files that they read are judged."""
    lint.gate({"tests/data/case.py": b"print(anything)\n'%s %s' % (1,)\n"}, Tree({}))


def test_the_rest_is_told_as_notes() -> None:
    """One line for each finding that is new, by rule and name and not by line."""
    before = "import sys\n\n\ndef f():\n    a = 1\n"
    after = "import os\nimport sys\n\n\n\ndef f():\n    a = 1\n    b = 2\n"
    found = lint.notes({"m.py": after.encode(), "gone.py": None, "a.txt": b"x"}, tree(before))
    assert found == (
        "m.py:1: `os` imported but unused (F401)",
        "m.py:8: Local variable `b` is assigned to but never used (F841)",
    )
    assert not lint.notes({"m.py": before.encode()}, tree(before))


def test_the_imports_of_a_package_are_for_others() -> None:
    """What `__init__.py` imports is no finding of the same kind as elsewhere: it is told, and refuses nothing."""
    edits = {"p/__init__.py": b"from p.a import f\n"}
    lint.gate(edits, Tree({"p/__init__.py": b""}))
    assert len(lint.notes(edits, Tree({"p/__init__.py": b""}))) == 1


@pytest.mark.parametrize("path", ["a.js", "a.ts", "a.go", "a.rs", "a.java"])
def test_other_languages_are_parsed(path: str) -> None:
    """A parse error is refused when it is new since the commit, and only then."""
    good = {"a.go": b"package a\n\nfunc F() int {\n\treturn 1\n}\n", "a.rs": b"fn f() -> i32 {\n    1\n}\n",
            "a.java": b"class A {\n    int f() {\n        return 1;\n    }\n}\n"}  # fmt: skip
    text = good.get(path, b"function f() {\n  return (1);\n}\n")
    broken = text.replace(b"1", b"1 +")
    lint.gate({path: text + b"\n"}, Tree({path: text}))
    lint.gate({path: broken + b"\n"}, Tree({path: broken}))
    with pytest.raises(PatchError, match="can no longer be parsed"):
        lint.gate({path: broken}, Tree({path: text}))


@pytest.mark.parametrize(
    "text",
    [b"not " * 30_000 + b"x", b"-" * 100_000 + b"x", b"(" * 100_000, b"a" + b".a" * 60_000, b"\xff\xfe\0", b"", b"\0",
     b"x = 1\n" * (LIMIT // 6 + 1)],
)  # fmt: skip
def test_a_text_that_breaks_the_linter_breaks_nothing_else(text: bytes) -> None:
    """Its process may end for want of stack or of time; nothing is said then, or that it is no Python."""
    assert {flaw.rule for flaw in flaws(text)} <= {"invalid-syntax", "E902"}


@settings(max_examples=30)
@given(st.binary(max_size=60), st.binary(max_size=60), st.sampled_from(["m.py", "p/__init__.py", "m.go", "m.json"]))
def test_any_bytes_are_answered(before: bytes, after: bytes, path: str) -> None:
    """With a reason, or with nothing to say; never with notes of a file that is as it was."""
    with suppress(PatchError):
        lint.gate({path: after}, Tree({path: before}))
    assert not lint.notes({path: before}, Tree({path: before}))


def test_no_right_patch_is_refused() -> None:
    """Of the honest patches of the cheats' corpus and the maintainers' patches of the red repositories: none."""
    refused = {}
    whole: list[tuple[str, Mapping[str, bytes | None], object]] = [
        (case.name, {path: None if text is None else text.encode() for path, text in case.edits.items()}, TREE)
        for case in HONEST
    ]
    red = [(case, CaseTree(case)) for case in read() if case.gold]
    whole += [(case.id, files.apply(case.gold), files) for case, files in red]
    for name, edits, files in whole:
        try:
            lint.gate(edits, files)  # type: ignore[arg-type]
        except PatchError as error:
            refused[name] = str(error)
    assert len(HONEST) >= 60
    assert len(red) >= 30
    assert not refused
