"""Every file in `cases/` is a test: what a runner printed, and the tests that must be read in it.

Form: `--- output`, the output, `--- expected`, JSON: per runner its name, its own count, and per test status, id and
the first line of the message.
"""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from sandbox.capture import plain
from sandbox.results import junit, log
from sandbox.results.cases import Found
from sandbox.spec import TestCase

CASES = sorted((Path(__file__).parent / "cases").glob("*.txt"))
XML = sorted((Path(__file__).parent / "cases").glob("*.xml"))


def _shown(tests: tuple[TestCase, ...]) -> list[list[str]]:
    return [[test.status, test.id, test.message.split("\n")[0][:120]] for test in tests]


def _read(case: Path) -> tuple[tuple[Found, ...], str]:
    output, expected = case.read_text().removeprefix("--- output\n").split("\n--- expected\n", 1)
    return log.parse(plain(output.encode())), expected


@pytest.mark.parametrize("case", CASES, ids=lambda path: path.stem)
def test_a_recorded_output_gives_its_tests(case: Path) -> None:
    """What a runner really printed is read into named tests, with its own count, and as the work of no other runner."""
    found, expected = _read(case)
    assert [{"runner": one.runner, "told": one.told, "tests": _shown(one.tests)} for one in found] == json.loads(
        expected
    )


@pytest.mark.parametrize("case", CASES, ids=lambda path: path.stem)
def test_what_was_printed_until_then_is_kept(case: Path) -> None:
    """Cut off anywhere, an output names no test that the whole does not name."""
    output, expected = case.read_text().removeprefix("--- output\n").split("\n--- expected\n", 1)
    whole = {test[1] for one in json.loads(expected) for test in one["tests"]}
    files = {test.partition("::")[0] for test in whole}
    for share in (1, 2, 3):
        cut = output[: len(output) * share // 4].rpartition("\n")[0]
        named = {test.id for one in log.parse(plain(cut.encode())) for test in one.tests}
        assert named <= whole | files | {test.partition("::")[2] for test in whole}


@pytest.mark.parametrize("case", XML, ids=lambda path: path.stem)
def test_a_recorded_xml_gives_its_tests(case: Path) -> None:
    """JUnit XML as the runners write it; cut off anywhere it yields the tests that were finished."""
    report, _, expected = case.read_bytes().partition(b"\n--- expected\n")
    tests = junit.parse(report)
    assert tests is not None
    assert _shown(tests) == json.loads(expected)
    for share in range(1, 8):
        cut = junit.parse(report[: len(report) * share // 8]) or ()
        assert cut == tests[: len(cut)]
    assert junit.parse(report[: report.rindex(b"</testsuite")]) == tests
