"""Whether a red run shows what was reported, or only that the test is at fault."""

from __future__ import annotations

from dataclasses import replace

import pytest

from sandbox.spec import Ending, Plan, Result, Step, TestCase
from tests.workers.made import result
from tests.workers.witness import shop
from workers.overlay import Overlay
from workers.witness.judge import Shows, judged
from workers.witness.mechanical import Draft
from workers.witness.stated import stated

PATH = "tests/test_issue_12.py"
PLAN = Plan("python", (), Step("test", f"python -m pytest {PATH}"))
TEXT = "from shop.rates import discounted\n\n\ndef test_it():\n    assert discounted(100, 10) == 95\n"


def ran(message: str, status: str = "failed", output: str = "", runner: str = "pytest") -> Result:
    """A red run of one test whose failure reads so."""
    test = TestCase(f"{PATH}::test_it", status, message=message)
    return replace(result(1, output=output or f"E       {message}"), tests=(test,), source=runner)


def seen(run: Result, words: str = "It is wrong.", draft: Draft | None = None) -> tuple[Shows, str]:
    tree = Overlay(shop.tree(), {PATH: TEXT.encode()})
    found = judged(run, PLAN, tree, PATH, draft or Draft(TEXT), stated([words]))
    return found.shows, found.why


IN_CODE = "/workspace/shop/rates.py:2: "
IN_TEST = f"/workspace/{PATH}:5: "


def test_an_assertion_shows_it() -> None:
    """Also one of pytest.raises, and one that the code itself makes."""
    assert seen(ran(f"{IN_TEST}AssertionError: assert 100 == 95")) == (Shows.YES, "")
    assert seen(ran(f"{IN_TEST}Failed: DID NOT RAISE <class 'ValueError'>"))[0] is Shows.YES
    assert seen(ran(f"{IN_CODE}AssertionError: quantity"))[0] is Shows.YES


def test_an_exception_of_the_code_shows_it_where_the_report_speaks_of_one() -> None:
    """By its name, or in plain words; another one does not."""
    raised = ran(f"{IN_CODE}TypeError: bad operand")
    assert seen(raised, "It ends with a TypeError.")[0] is Shows.YES
    assert seen(raised, "It crashes.")[0] is Shows.YES
    assert seen(raised, "It ends with a KeyError.")[0] is Shows.NO
    assert seen(raised, "It is wrong.")[0] is Shows.NO


def test_an_exception_deeper_down_belongs_to_the_code_that_called() -> None:
    """Raised in the standard library, by a call of the repository's."""
    raised = "/usr/lib/python3.11/json/decoder.py:355: JSONDecodeError"
    output = f"{PATH}:5: in test_it\nshop/rates.py:2: in discounted\n{raised}"
    deeper = ran(f"{raised}: no", output=output)
    assert seen(deeper, "It crashes.")[0] is Shows.YES


@pytest.mark.parametrize("kind", ["NameError", "ImportError", "ModuleNotFoundError", "SyntaxError", "TypeError"])
def test_an_exception_of_the_test_is_its_own_fault(kind: str) -> None:
    """Whatever the report says."""
    assert seen(ran(f"{IN_TEST}{kind}: oh"), f"It crashes with a {kind}.")[0] is Shows.NO


def test_what_ends_before_the_test_shows_nothing() -> None:
    """A missing fixture, an import that fails, in pytest's words and in unittest's."""
    assert seen(ran("fixture 'shop' not found", "error"))[0] is Shows.NO
    lost = TestCase("unittest.loader._FailedTest.test_issue_12", "error", message="ImportError: no")
    assert seen(replace(ran("x"), tests=(lost,), source="unittest"), "It crashes.")[0] is Shows.NO


def test_a_value_that_was_seen_has_to_be_seen_again() -> None:
    """A report of one wrong value is not shown by another one."""
    draft = Draft(TEXT, words=("assert 100 == 95", "100 != 95"))
    assert seen(ran(f"{IN_TEST}AssertionError: assert 100 == 95"), draft=draft)[0] is Shows.YES
    assert seen(ran(f"{IN_TEST}AssertionError: assert 90 == 95"), draft=draft)[0] is Shows.NO


@pytest.mark.parametrize("ending", [Ending.TIMEOUT, Ending.OOM, Ending.NETWORK_DENIED, Ending.DISK_FULL])
def test_an_end_from_outside_shows_nothing(ending: Ending) -> None:
    """It may be the sandbox's."""
    assert seen(replace(ran("x"), ending=ending))[0] is Shows.NO


def test_green_is_told_apart_from_nothing_run() -> None:
    """A test that passes says that the report is not seen here; one that is not run says nothing."""
    assert seen(result(0, passed=1))[0] is Shows.GREEN
    assert seen(result(0))[0] is Shows.NO
    assert seen(result(1))[0] is Shows.NO


def test_failures_in_the_same_way_are_equal() -> None:
    """Values may differ, the test and its exception may not."""
    tree, says = Overlay(shop.tree(), {PATH: TEXT.encode()}), stated(["It crashes."])
    runs = [
        f"{IN_TEST}AssertionError: assert 1 == 2",
        f"{IN_TEST}AssertionError: assert 3 == 2",
        f"{IN_CODE}KeyError: 1",
    ]
    how = [judged(ran(one), PLAN, tree, PATH, Draft(TEXT), says).how for one in runs]
    assert how[0] == how[1] != how[2]
