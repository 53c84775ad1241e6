"""What a session of unittest tells: the same tests as the command, by the same names, with what became of each."""

from __future__ import annotations

import os
import sys
from dataclasses import dataclass, field
from pathlib import Path
from textwrap import dedent
from typing import Any

import pytest

from workers.spectrum.sandboxed import project
from workers.spectrum.sandboxed.children import answer
from workers.spectrum.sandboxed.outcomes import Outcomes
from workers.spectrum.sandboxed.session import loaded, session
from workers.spectrum.sandboxed.tracing import Tracer
from workers.spectrum.sandboxed.warm import HUNG, run


@dataclass(frozen=True)
class Case:
    """A file `test_it.py` (or others), the command's arguments, and by test how it ends."""

    name: str
    files: dict[str, str]
    failed: tuple[str, ...] = ()
    passed: tuple[str, ...] = ()
    uncollected: tuple[str, ...] = ()
    args: tuple[str, ...] = ()
    raised: dict[str, str] = field(default_factory=dict)
    """By test, the type of what it raised."""


def cases(body: str) -> dict[str, str]:
    head = "import unittest\n\n\nclass It(unittest.TestCase):\n"
    return {"test_it.py": head + "".join(f"    {line}\n" for line in dedent(body).strip().split("\n"))}


FIXTURES = """import unittest


def setUpModule():
    raise OSError("no disk")


class It(unittest.TestCase):
    def test_a(self):
        pass

    def test_b(self):
        pass
"""
LOADED = """import unittest


class It(unittest.TestCase):
    def check_a(self):
        pass

    def check_b(self):
        self.fail()


def load_tests(loader, tests, pattern):
    return unittest.TestSuite([It("check_b"), It("check_a")])
"""
COROUTINES = """import unittest


class It(unittest.IsolatedAsyncioTestCase):
    async def test_a(self):
        self.assertTrue(1)

    async def test_b(self):
        self.assertTrue(0)
"""
ROWS = (
    Case(
        "subtests",
        cases(
            """
            def test_odd(self):
                for n in (1, 2, 3, 4):
                    with self.subTest(n=n):
                        self.assertEqual(n % 2, 1)
            def test_all(self):
                for n in (1, 3):
                    with self.subTest(n=n):
                        self.assertEqual(n % 2, 1)
            """
        ),
        failed=("test_it.It.test_odd",),
        passed=("test_it.It.test_all",),
        raised={"test_it.It.test_odd": "AssertionError"},
    ),
    Case(
        "neither passed nor failed",
        cases(
            """
            @unittest.skip("later")
            def test_later(self):
                self.fail()
            @unittest.expectedFailure
            def test_known(self):
                self.fail()
            def test_skips(self):
                self.skipTest("not here")
            def test_passes(self):
                pass
            """
        ),
        passed=("test_it.It.test_passes",),
    ),
    Case(
        "an expected failure that passes",
        cases(
            """
            @unittest.expectedFailure
            def test_mended(self):
                pass
            """
        ),
        failed=("test_it.It.test_mended",),
    ),
    Case(
        "a class that cannot be set up",
        cases(
            """
            @classmethod
            def setUpClass(cls):
                cls.value = {}["missing"]
            def test_a(self):
                pass
            def test_b(self):
                pass
            """
        ),
        failed=("test_it.It.test_a", "test_it.It.test_b"),
        raised={"test_it.It.test_a": "KeyError"},
    ),
    Case(
        "a class that is skipped as it is set up",
        cases(
            """
            @classmethod
            def setUpClass(cls):
                raise unittest.SkipTest("not here")
            def test_a(self):
                pass
            """
        ),
    ),
    Case(
        "a class that cannot be tidied up",
        cases(
            """
            @classmethod
            def tearDownClass(cls):
                raise OSError("busy")
            def test_a(self):
                pass
            """
        ),
        failed=("tearDownClass (test_it.It)",),
        passed=("test_it.It.test_a",),
        uncollected=("tearDownClass (test_it.It)",),
    ),
    Case("a module that cannot be set up", {"test_it.py": FIXTURES}, failed=("test_it.It.test_a", "test_it.It.test_b")),
    Case(
        "what is cleaned up counts",
        cases(
            """
            def test_a(self):
                self.addCleanup(lambda: 1 / 0)
            def test_exits(self):
                raise SystemExit(3)
            """
        ),
        failed=("test_it.It.test_a", "test_it.It.test_exits"),
    ),
    Case("load_tests decides", {"test_it.py": LOADED}, failed=("test_it.It.check_b",), passed=("test_it.It.check_a",)),
    Case(
        "coroutines",
        {"test_it.py": COROUTINES},
        failed=("test_it.It.test_b",),
        passed=("test_it.It.test_a",),
    ),
    Case(
        "a file that cannot be imported",
        {**cases("def test_a(self):\n    pass"), "test_red.py": "import math\n\nVALUE = maths.pi\n"},
        failed=("test_red",),
        passed=("test_it.It.test_a",),
        uncollected=("test_red",),
        raised={"test_red": "NameError"},
    ),
    Case(
        "a file that is named and cannot be imported",
        {"tests/__init__.py": "", "tests/test_red.py": "from collections import nothing\n"},
        args=("tests.test_red",),
        failed=("test_red",),
        uncollected=("test_red",),
        raised={"test_red": "ImportError"},
    ),
    Case(
        "a name that is wrong",
        {"test_red.py": "VALUE = maths.pi\n"},
        args=("test_red",),
        failed=("tests",),
        uncollected=("tests",),
        raised={"tests": "NameError"},
    ),
    Case(
        "the command's own folder and pattern",
        {
            "checks/check_it.py": cases("def test_a(self):\n    pass")["test_it.py"],
            **cases("def test_b(self):\n    pass"),
        },
        args=("discover", "-s", "checks", "-p", "check_*.py"),
        passed=("check_it.It.test_a",),
    ),
    Case(
        "the command's own choice",
        cases("def test_a(self):\n    pass\ndef test_b(self):\n    pass"),
        args=("-v", "-f", "test_it", "-k", "test_b"),
        passed=("test_it.It.test_b",),
    ),
)


@pytest.fixture
def inside(tmp_path: Path) -> Any:
    """Runs something in the folder of these files, in a process that begins without them."""

    def told(files: dict[str, str], work: Any) -> dict[str, Any]:
        for name, text in files.items():
            (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
            (tmp_path / name).write_text(text)

        def begin() -> dict[str, Any]:
            os.chdir(tmp_path)
            project.ROOT = tmp_path.resolve()
            sys.path.insert(0, str(tmp_path))
            for name in [one for one in sys.modules if one.split(".")[0] == "tests"]:
                del sys.modules[name]
            return dict(work())

        return answer(begin, 60.0)

    return told


@pytest.mark.parametrize("case", ROWS, ids=lambda case: case.name)
def test_tests_end_as_unittest_says(case: Case, inside: Any) -> None:
    """Subtests, skips, expected failures, what is set up and tidied up, files that are no use: by unittest's rules."""

    def traced() -> dict[str, Any]:
        tracer = Tracer({"trace_s": 20.0})
        found = session("unittest", list(case.args), tracer)
        return {**found, "raised": {name: said["type"] for name, said in tracer.exceptions.items()}}

    found = inside(case.files, traced)
    assert sorted(found["failed"]) == sorted(case.failed)
    assert sorted(found["passed"]) == sorted(case.passed)
    assert found["uncollected"] == sorted(case.uncollected)
    assert found["raised"].items() >= case.raised.items()


SLOW = cases(
    """
    def test_a(self):
        while True:
            pass
    def test_b(self):
        for n in range(100):
            with self.subTest(n=n):
                while True:
                    pass
    def test_c(self):
        pass
    """
)


def test_hanging_tests_are_failures(inside: Any) -> None:
    """Each by itself, with its subtests as one, and what comes after is seen to pass."""

    def traced() -> dict[str, Any]:
        tracer = Tracer({"trace_s": 20.0, "hang_s": 0.2})
        found = session("unittest", [], tracer)
        return {**found, "raised": {name: said["type"] for name, said in tracer.exceptions.items()}}

    found = inside(SLOW, traced)
    assert found["raised"] == {"test_it.It.test_a": "Hung", "test_it.It.test_b": "Hung"}
    assert list(found["passed"]) == ["test_it.It.test_c"]


STATES = """import unittest

SEEN = []


class It(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        SEEN.append("class")

    def setUp(self):
        self.value = getattr(self, "value", 0) + 1

    def test_fresh(self):
        self.assertEqual(self.value, 1)
        self.assertEqual(SEEN, ["class"])

    def test_red(self):
        self.assertEqual(1, 2)

    @unittest.expectedFailure
    def test_known(self):
        self.fail()

    def test_skipped(self):
        self.skipTest("not here")

    def test_long(self):
        while True:
            pass

    def test_parts(self):
        for n in range(3):
            with self.subTest(n=n):
                self.assertEqual(n, 0, f"part {n}")
"""


def test_a_test_alone_is_as_good_as_in_the_suite(inside: Any) -> None:
    """It has its class set up and an object of its own, each time; only what passes is called so."""

    class Alone(Outcomes):
        def __init__(self) -> None:
            super().__init__()
            self.said: dict[str, Any] = {}

        def serve(self, run_: Any) -> bool:
            namespace = sys.modules["test_it"].__dict__
            for test in run_.tests:
                for _ in range(2):
                    namespace["SEEN"].clear()
                    self.said.setdefault(test.name.rpartition("_")[2], []).append(run(test, 0.1))
            return True

    def served() -> dict[str, Any]:
        watcher = Alone()
        found = session("unittest", [], watcher)
        return {**found, "said": watcher.said}

    found = inside({"test_it.py": STATES}, served)
    assert not found["failed"]
    assert not found["passed"]
    assert found["said"].pop("parts")[0].startswith("AssertionError: 1 != 0")
    assert found["said"] == {
        "fresh": ["", ""], "red": ["AssertionError: 1 != 2"] * 2, "known": ["skipped"] * 2, "skipped": ["skipped"] * 2,
        "long": [HUNG, HUNG],
    }  # fmt: skip


def test_all_of_them_end_where_it_is_enough(inside: Any) -> None:
    """The first failure that counts ends the suite; the classes that were set up are tidied up."""
    files = cases(
        """
        @classmethod
        def tearDownClass(cls):
            globals().setdefault("TIDIED", []).append(1)
        def test_a(self):
            pass
        def test_b(self):
            self.fail()
        def test_c(self):
            pass
        """
    )

    def stopped() -> dict[str, Any]:
        found = session("unittest", [], Outcomes(stop=True))
        return {**found, "tidied": sys.modules["test_it"].__dict__["TIDIED"]}

    found = inside(files, stopped)
    assert (list(found["failed"]), list(found["passed"])) == (["test_it.It.test_b"], ["test_it.It.test_a"])
    assert found["tidied"] == [1]


def test_only_the_two_runners_are_known() -> None:
    """Both can be loaded here; a third one is not looked for elsewhere."""
    assert all(hasattr(loaded(runner), "session") for runner in ("pytest", "unittest"))
    with pytest.raises(ImportError):
        loaded("nose")
