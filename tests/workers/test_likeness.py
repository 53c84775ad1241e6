"""Which failures are the same on two commits, whatever else differs between them."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sandbox.spec import Ending, Output, Plan, Result, Step, TestCase
from tests.workers.made import GREEN, MemoryTree, result
from workers.likeness import Failure, Likeness, compared, of_run

TREE = MemoryTree({"calc.py": b"def add(a, b):\n    return a - b\n", "lib/x.py": b"import os\n"})


def plan(script: str) -> Plan:
    return Plan("python", (), Step("check", script))


def ran(text: str, **statuses: str) -> Result:
    """A red run; keywords are tests with their status and, after a colon, what they raised."""
    cases = (
        TestCase(f"tests/test_calc.py::{name}", said.split(":")[0], message=said.partition(":")[2])
        for name, said in statuses.items()
    )
    return replace(result(1), output=Output(text), tests=tuple(cases))


def like(script: str, here: Result, there: Result) -> Likeness:
    failure = of_run(plan(script), here, TREE)
    return compared(failure, plan(script), there, TREE)


TWO = {"a": "failed:AssertionError: 1 == 2", "b": "failed:ValueError: x", "c": "passed"}


@pytest.mark.parametrize(
    ("there", "likeness"),
    [
        (TWO, Likeness.SAME),
        ({**TWO, "c": "failed:AssertionError: more"}, Likeness.SAME),
        ({**TWO, "a": "failed:AssertionError: 7 == 9"}, Likeness.SAME),
        ({**TWO, "a": "passed"}, Likeness.PARTLY),
        ({**TWO, "a": "failed:ImportError: no", "b": "failed:ImportError: no"}, Likeness.OTHER),
        ({"a": "passed", "b": "passed", "c": "failed:AssertionError: more"}, Likeness.ABSENT),
        ({"a": "passed", "c": "failed:AssertionError: more"}, Likeness.OTHER),
    ],
)
def test_tests_are_compared_by_name_and_exception(there: dict[str, str], likeness: Likeness) -> None:
    """What a message says of values does not matter, which test fails with what kind of error does."""
    assert like("python -m pytest -q", ran("", **TWO), ran("", **there)) is likeness


@pytest.mark.parametrize(
    ("there", "likeness"),
    [
        ("lib/x.py:1:8: F401 [*] `os` imported but unused\nFound 1 error.\n", Likeness.SAME),
        ("lib/x.py:40:8: F401 [*] `os` imported but unused\ncalc.py:1:1: E501 Line too long\n", Likeness.SAME),
        ("calc.py:1:1: E501 Line too long (140 > 120)\n", Likeness.OTHER),
        ("error: no such command\n", Likeness.OTHER),
    ],
)
def test_findings_are_compared_by_rule_and_place(there: str, likeness: Likeness) -> None:
    """A finding that moved within its file is the same, one of another rule is not."""
    here = ran("lib/x.py:1:8: F401 [*] `os` imported but unused\nFound 1 error.\n")
    assert like("ruff check . --output-format concise", here, ran(there)) is likeness


def test_a_check_that_says_nothing_speaks_by_its_exit_code() -> None:
    """Two silent runs are compared by how they ended; one that says something is another failure."""
    assert like("test -f x", ran(""), ran("")) is Likeness.SAME
    assert like("test -f x", ran(""), replace(ran(""), exit_code=2)) is Likeness.OTHER
    assert like("test -f x", ran(""), ran("fatal: no disk")) is Likeness.OTHER


def test_a_green_run_has_no_failure() -> None:
    """And one that ended otherwise is not comparable; two that timed out are alike."""
    red = ran("x", **TWO)
    late = replace(red, ending=Ending.TIMEOUT, exit_code=None)
    assert like("pytest", red, GREEN) is Likeness.ABSENT
    assert like("pytest", red, late) is Likeness.OTHER
    assert like("pytest", late, late) is Likeness.SAME


@settings(max_examples=40)
@given(
    here=st.text(max_size=300), there=st.text(max_size=300), script=st.sampled_from(["pytest", "ruff check", "make"])
)
def test_any_output_has_an_answer(here: str, there: str, script: str) -> None:
    """Whatever was printed: an answer, and a failure that names something is like itself."""
    assert like(script, ran(here), ran(there)) in Likeness
    failure: Failure = of_run(plan(script), ran(here), TREE)
    assert compared(failure, plan(script), ran(here), TREE) is Likeness.SAME
