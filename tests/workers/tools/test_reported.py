"""Findings of runners without a module of their own, from what their reports say."""

from __future__ import annotations

import pytest

from sandbox.spec import TestCase
from workers.tools.reported import Reported


@pytest.mark.parametrize(
    ("said", "place", "message"),
    [
        ("calc.go:3:33: undefined: c [build failed]", ("calc.go", 3), "undefined: c [build failed]"),
        ("calc_test.go:7: want 3", ("calc_test.go", 7), "want 3"),
        (
            "calc.test.js:2:1: AssertionError: -1 == 3\n    at TestContext.<anonymous> (calc.test.js:2:27)\n"
            "    at Test.runInAsyncScope (node:async_hooks:227:14)\n    at async Promise.all (index 0)\n    at file:///ws/calc.test.js:2:1",
            ("calc.test.js", 2),
            "AssertionError: -1 == 3",
        ),
        (
            "java.lang.AssertionError: want 3\n\tat CalcTest.adds(CalcTest.java:5)",
            ("CalcTest.java", 5),
            "java.lang.AssertionError: want 3",
        ),
    ],
)
def test_a_finding_says_what_is_wrong_and_where(said: str, place: tuple[str, int], message: str) -> None:
    """The message has neither the place before it, with or without a column, nor the stack behind it."""
    (found,) = Reported("any").findings("", (TestCase("suite > one", "failed", message=said),))
    assert ((found.path, found.line), found.message) == (place, message)
