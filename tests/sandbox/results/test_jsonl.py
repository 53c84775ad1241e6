"""The lines of our own reporters."""

from __future__ import annotations

import pytest

from sandbox.results.cases import Found
from sandbox.results.jsonl import parse
from sandbox.spec import TestCase

LINES = (
    b'{"id": "a", "status": "failed", "when": "call", "seconds": 0.5, "message": "no"}\n'
    b'{"id": "b", "status": "passed", "when": "call", "seconds": 1}\n'
    b'{"id": "a", "status": "error", "when": "teardown"}\n'
    b'{"id": "b", "status": "error", "when": "teardown", "message": "late"}\n'
)


def test_report_is_read() -> None:
    """One case per test; the last run of a test counts; a failing teardown worsens a pass, not a failure."""
    assert parse(LINES) == (Found("pytest", (TestCase("a", "failed", 0.5, "no"), TestCase("b", "error", 0.0, "late"))),)
    again = b'{"id": "a", "status": "passed", "when": "call", "seconds": 0}\n'
    assert parse(LINES + again)[0].tests[0].status == "passed"


def test_of_several_processes_the_worst_counts() -> None:
    """A test that fails under one of tox's interpreters has failed, whatever the next one says."""
    lines = [
        b'{"process": 1, "id": "a", "status": "failed", "message": "no"}',
        b'{"process": 2, "id": "a", "status": "passed"}',
        b'{"process": 2, "id": "b", "status": "failed"}',
        b'{"process": 2, "id": "b", "status": "passed"}',
    ]
    (found,) = parse(b"\n".join(lines))
    assert [(test.id, test.status, test.message) for test in found.tests] == [
        ("a", "failed", "no"),
        ("b", "passed", ""),
    ]


def test_runners_stay_apart() -> None:
    """Tests of two runners in one command are two answers; a runner that is none of ours is none."""
    lines = b"".join(
        b'{"runner": "%s", "id": "a", "status": "passed"}\n' % name for name in (b"pytest", b"jest", b"nobody")
    )
    assert [found.runner for found in parse(lines)] == ["pytest", "jest"]


@pytest.mark.parametrize(
    "line",
    [b"", b"\xff\xfe", b"[]", b"null", b'{"id": 3, "status": "passed"}', b'{"id": "x", "status": "great"}',
     b'{"id": "x", "status": ["passed"]}', b'{"id": "x"', b"[" * 100000, b'{"id": "", "status": "passed"}',
     b'{"id": "x", "status": "passed", "seconds": 1' + b"0" * 5000 + b"}"],
)  # fmt: skip
def test_garbage_in_a_report_is_passed_over(line: bytes) -> None:
    """Lines that are not the reporter's cost nothing but themselves."""
    good = b'{"id": "x", "status": "passed", "seconds": NaN, "message": "\\ud800\\u0000"}'
    assert parse(line + b"\n" + good) == (Found("pytest", (TestCase("x", "passed", 0.0, "?"),)),)


def test_names_are_one_printable_line() -> None:
    """New lines, terminal escapes and control codes in a test's name reach no page and no database."""
    line = b'{"id": "a\\n b \\u001b[31mred\\u0007 \\u00e9 \\"q\\"", "status": "passed"}'
    assert parse(line)[0].tests[0].id == 'a b red \u00e9 "q"'
