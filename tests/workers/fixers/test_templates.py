"""What the templates promise: each makes exactly the edits it is named for, and comments beside them survive."""

# ruff: noqa: E501 - the texts are the data
from __future__ import annotations

import ast

import pytest

from tests.workers.fixers.trees import MemoryTree
from workers.fixers.search.evidence import screening
from workers.fixers.search.judge import meaning
from workers.fixers.search.rank import Ranked, ranked
from workers.fixers.search.templates import mutations
from workers.fixers.search.templates.raised import directed
from workers.fixers.source import Mutation, Source, spliced
from workers.spectrum.evidence import Failure, Trace, trace

FUNCTION = "def f(a, b, xs):\n    {}\n"

CASES = (
    ("compare", "return a > b  # why", "return a >= b  # why"),
    ("compare", "return a not in xs", "return a in xs"),
    ("compare", "return a is not b", "return a is b"),
    ("binary", "return a - b", "return a + b"),
    ("binary", "return a // b", "return a / b"),
    ("augmented", "a -= b", "a += b"),
    ("boolean", "return a and b", "return a or b"),
    ("drop operand", "return a and b", "return a"),
    ("swap operands", "return a - b", "return b - a"),
    ("number", "return a + 1", "return a + 0"),
    ("number", "return a[0]", "return a[1]"),
    ("shift", "return len(xs) + 1", "return len(xs)"),
    ("truth", "return True", "return False"),
    ("sign", "return -a", "return a"),
    ("negation", "return 1 if a else 2", "return 1 if not a else 2"),
    ("negation", "return not a", "return a"),
    ("index", "return xs[a]", "return xs[a - 1]"),
    ("slice", "return xs[a:b]", "return xs[a:b + 1]"),
    ("slice", "return xs[1:]", "return xs[:]"),
    ("range", "return list(range(a))", "return list(range(a + 1))"),
    ("range", "return list(range(a))", "return list(range(1, a))"),
    ("sibling", "return min(xs)", "return max(xs)"),
    ("sibling", "xs.append(a)", "xs.extend(a)"),
    ("swap arguments", "return pow(a, b)", "return pow(b, a)"),
    ("unwrap", "return int(a)", "return a"),
    ("variable", "return a", "return b"),
    ("return", "a + b", "return a + b"),
    ("return", "return None", "return xs"),
)


@pytest.mark.parametrize(("kind", "before", "after"), CASES)
def test_a_template_makes_its_edit(kind: str, before: str, after: str) -> None:
    """Before, kind, after."""
    source = Source("m.py", FUNCTION.format(before).encode())
    made = {spliced(source.data, m.splices).decode() for m in mutations(source) if m.kind == kind}
    assert FUNCTION.format(after) in made


def test_a_return_leaves_its_loop() -> None:
    """The statement moves behind the loop, outdented."""
    text = "def f(xs):\n    n = 0\n    for x in xs:\n        n += x\n        return n\n"
    source = Source("m.py", text.encode())
    made = {spliced(source.data, m.splices).decode() for m in mutations(source) if m.kind == "return behind loop"}
    assert made == {"def f(xs):\n    n = 0\n    for x in xs:\n        n += x\n    return n\n"}


def test_an_attribute_of_the_same_object_is_tried() -> None:
    """`self.x` becomes `self.y` where the file has both."""
    text = "class A:\n    def f(self):\n        self.width = self.height = 1\n        return self.width\n"
    source = Source("m.py", text.encode())
    made = {spliced(source.data, m.splices).decode() for m in mutations(source) if m.kind == "attribute"}
    assert text.replace("return self.width", "return self.height") in made


RAISED = (
    ("NameError", "name 'math' is not defined", (), "import os\nx = math.pi\n", "import math\nimport os\nx = math.pi\n"),
    ("NameError", "name 'Path' is not defined", (), "x = Path('.')\n", "from pathlib import Path\n\nx = Path('.')\n"),
    ("NameError", "name 'lenght' is not defined", ("length",), "length = 1\nx = lenght\n", "length = 1\nx = length\n"),
    ("NameError", "name 'helper' is not defined", (), "x = helper()\n", "from pack.tools import helper\n\nx = helper()\n"),
    ("AttributeError", "'str' object has no attribute 'uper'", ("upper",), "x = 'a'.uper()\n", "x = 'a'.upper()\n"),
    ("ImportError", "cannot import name 'Mapping' from 'collections' (x.py)", (), "from collections import Mapping\n",
     "from collections.abc import Mapping\n"),
    ("ImportError", "cannot import name 'chian' from 'itertools' (x)", ("chain",),
     "from itertools import chian\nx = chian()\n", "from itertools import chain\nx = chain()\n"),
    ("ModuleNotFoundError", "No module named 'jsn'", (), "import jsn\nx = jsn.dumps(1)\n", "import json\nx = json.dumps(1)\n"),
    ("ZeroDivisionError", "division by zero", (), "x = a / b\n", "x = (a / b if b else 0)\n"),
    ("KeyError", "'a'", (), "x = d['a']\n", "x = d.get('a')\n"),
    ("TypeError", "'NoneType' object is not iterable", (), "x = list(y)\n", "x = list((y or []))\n"),
    ("TypeError", 'can only concatenate str (not "NoneType") to str', (), "x = 'a' + y\n", "x = 'a' + (y or \"\")\n"),
    ("TypeError", "unsupported operand type(s) for +: 'int' and 'NoneType'", (), "RATE = 3\nx = 1 + y\n",
     "RATE = 3\nx = 1 + (y or RATE)\n"),
    ("AttributeError", "'NoneType' object has no attribute 'strip'", (), "x = y.z.strip()\n",
     "x = (y.z or \"\").strip()\n"),
    ("AttributeError", "'NoneType' object has no attribute 'get'", (), "x = y[0].get(1)\n", "x = (y[0] or {}).get(1)\n"),
)  # fmt: skip


@pytest.mark.parametrize(
    ("kind", "message", "near", "before", "after"), RAISED, ids=[f"{r[0]}-{i}" for i, r in enumerate(RAISED)]
)
def test_what_was_raised_directs_the_edit(
    kind: str, message: str, near: tuple[str, ...], before: str, after: str
) -> None:
    """The text of the exception and the live names are enough."""
    source = Source("m.py", before.encode())
    wrong = (
        "math",
        "uper",
        "lenght",
        "helper",
        "Path(",
        "jsn",
        "chian",
        "Mapping",
        "a / b",
        "d[",
        "list(",
        "+ y",
        "y.z",
        "y[0]",
    )
    line = next(i for i, text in reversed(list(enumerate(before.splitlines(), 1))) if any(w in text for w in wrong))
    if kind.endswith("ImportError") or kind == "ModuleNotFoundError":
        line = 1
    failure = Failure(type=kind, message=message, frames=(("m.py", line, "f"),), near=near)
    others = {"pack/tools.py": Source("pack/tools.py", b"def helper():\n    return 1\n")}
    made = [spliced(source.data, m.splices).decode() for m in directed(source, failure, others)]
    assert after in made


def test_what_raises_at_import_is_suspicious() -> None:
    """No test runs then, so nothing is counted: the line that raised comes first, then its function and the module."""
    text = "X = 1\n\n\ndef rule(a, b):\n    c = a + 1\n    return a > b\n\n\ndef other(a):\n    return a > X\n\n\nrule(1, '')\n"
    frames = (("test_m.py", 1, "<module>"), ("m.py", 13, "<module>"), ("m.py", 6, "rule"))
    failure = Failure(type="TypeError", message="'>' not supported", frames=frames)
    red = Trace(failed={"test_m.py": 0.0}, passed={}, exceptions={"test_m.py": failure}, uncollected=("test_m.py",))
    made = ranked(MemoryTree({"m.py": text, "test_m.py": "import m\n"}), red, 500)
    best = {
        line: max(one.score for one in made if one.mutation.line == line) for line in {m.mutation.line for m in made}
    }
    assert set(best) == {1, 5, 6, 13}
    assert best[6] > best[5]
    assert best[6] > best[1]


def test_only_executed_lines_are_changed_and_the_suspicious_ones_first() -> None:
    """Lines that only passing tests execute bring no candidate; ties go by how often people mend so, and there by the
    template's weight: numbers are three times as common as operators."""
    text = "def f(a):\n    return a > 1\n\n\ndef g(a):\n    return a > 2\n"
    found = ranked(
        MemoryTree({"m.py": text, "test_m.py": text}),
        Trace(failed={"t::a": 0.1}, passed={"t::b": 0.1}, counts={"m.py": {2: (1, 0), 6: (0, 1)}}),
        100,
    )
    assert found
    assert {candidate.mutation.line for candidate in found} == {2}
    first = [candidate.mutation.what for candidate in found[:3]]
    assert first == ["`1` became `0`", "`1` became `2`", "`>` became `>=`"]
    assert [candidate.score for candidate in found] == sorted((c.score for c in found), reverse=True)
    assert all(ast.parse(candidate.text) for candidate in found)


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        ("x >= 50", "x > 49", True),
        ("not x > 3", "x <= 3", True),
        ("3 < x", "x > 3", True),
        ("x > 3", "x >= 3", False),
        ("x + 0", "x", True),
        ("0 + x", "x", True),
        ("1 * x", "x", True),
        ("0 - x", "x", False),
    ],
)
def test_the_same_meaning_is_one_group(one: str, other: str, same: bool) -> None:
    """Different spellings of one comparison are no disagreement."""

    def candidate(text: str) -> Ranked:
        return Ranked(0, 1.0, Mutation("m.py", 1, (), "compare", 1.0, ""), f"y = {text}\n".encode())

    assert (meaning(candidate(one)) == meaning(candidate(other))) is same


@pytest.mark.parametrize(
    "report", [b"", b"\xff\xfe", b"[]\n1\nnull\n", b'{"kind": "trace"}\n', b'{"kind": "trace", "failed": 3}']
)
def test_a_report_is_untrusted(report: bytes) -> None:
    """Junk is no evidence, never an exception."""
    assert trace(report) is None
    assert screening(report).plausible == ()
