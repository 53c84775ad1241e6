"""Which report of a command is believed, and how the parts of a report are taken apart."""

from __future__ import annotations

from dataclasses import replace

import pytest

from sandbox.results.channel import Reports, read
from sandbox.results.choice import choose
from sandbox.spec import Ending, Evidence, Output, Result, TestCase

LINES = b'{"runner": "pytest", "id": "t.py::a", "status": "passed"}\n'
XML = b'<testsuite><testcase classname="t" name="a"/><testcase classname="t" name="b"/></testsuite>'
JAVA = ("x/target/surefire-reports/TEST-t.xml", XML)
LOG = "t.py::z PASSED\n1 passed in 0.1s\n\nRan 3 tests in 0.1s\n"


@pytest.mark.parametrize(
    ("reports", "output", "source", "names", "told"),
    [
        (Reports(LINES), LOG, "pytest reporter", ["t.py::a"], 3),
        (Reports(LINES, (JAVA,)), "", "pytest reporter and JUnit XML", ["t.py::a", "t::a", "t::b"], None),
        (Reports(LINES, (("junit.xml", XML),)), "", "pytest reporter", ["t.py::a"], None),
        (Reports(b"", (("junit.xml", XML),)), LOG, "JUnit XML", ["t::a", "t::b"], None),
        (Reports(b"", (JAVA,)), LOG, "JUnit XML", ["t::a", "t::b"], 4),
        (Reports(), LOG, "log of pytest, unittest", ["t.py::z"], 4),
        (Reports(), "hello\n", "", [], None),
    ],
)
def test_the_best_source_names_the_tests(
    reports: Reports, output: str, source: str, names: list[str], told: int | None
) -> None:
    """A reporter before files before the log; only a Java build's files stand beside a reporter. What other runners
    say they ran is kept apart."""
    made = choose(reports, output)
    assert ([test.id for test in made.tests], made.source, made.told) == (names, source, told)


@pytest.mark.parametrize(
    ("reports", "said"),
    [
        (Reports(LINES, (("junit.xml", XML),)), "the reporter is believed"),
        (Reports(b"\x00\x01 garbage"), "report refused: nothing in $HEAL_REPORT can be read"),
        (Reports(b"", (("junit.xml", b"<html/>"),)), "report refused: junit.xml is no JUnit XML"),
    ],
)
def test_what_is_not_believed_is_said(reports: Reports, said: str) -> None:
    """A report that differs from the better one, or cannot be read, is named in a note."""
    assert any(said in note for note in choose(reports, "").notes)


def test_a_payload_of_lines_is_no_refused_report() -> None:
    """Steps of our own leave other lines there; of such a file nothing is said."""
    assert choose(Reports(b'{"kind": "plausible"}\n'), "").notes == ()


def test_parts_are_taken_apart() -> None:
    """Lines, files by their sizes, and what was refused; a file that was cut off is there as far as it came."""
    body = (
        b"HEAL-PART report 3\na\nb\nHEAL-PART index 18\n2 a.xml\n9 b b.xml\n\nHEAL-PART files 6\nxxyyyy\n"
        b"HEAL-PART refused 32\nl /heal/report\np x.xml\nf y y.xml\n\nHEAL-END rc=0"
    )
    made = read(body)
    assert (made.report, made.files) == (b"a\nb", (("a.xml", b"xx"), ("b b.xml", b"yyyy")))
    assert len(made.notes) == 4
    assert "b b.xml does not fit" in made.notes[0]
    assert "/heal/report is a symbolic link" in made.notes[1]
    assert read(body[:26]).report == b"a\nb"
    assert read(b"") == Reports()


def test_passed_tests_are_counted_by_the_runner_where_they_have_no_names() -> None:
    """`passed` is what a person is told: the names where all have one, else the runner's own count."""
    evidence = Evidence("", "", "", "", "")
    tests = (TestCase("a", "failed"), TestCase("b", "passed"))
    made = Result(Ending.FAILED, 1, Output(""), tests, b"", 0.0, 0, evidence)
    assert (made.names_all, made.passed) == (True, 1)
    assert replace(made, source="log of jest", told=7).passed == 6
    assert replace(made, source="log of cargo test", told=2).passed == 1
    assert replace(made, source="pytest reporter", told=7).passed == 1
