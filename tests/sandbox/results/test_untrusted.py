"""Reports and output are written by untrusted code: any bytes are accepted, in bounded time."""

from __future__ import annotations

import time
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sandbox.capture import plain
from sandbox.results import channel, jsonl, junit, log
from sandbox.results.cases import CASES_LIMIT, ID_LIMIT, MESSAGE_LIMIT
from sandbox.results.choice import choose
from sandbox.spec import TestCase

WORDS = (Path(__file__).parent / "lines.txt").read_text().split("\n")
"""Lines that some reader looks for."""
soup = st.lists(
    st.sampled_from([*WORDS, "\x1b[31m", "\x00", "\ud800", "1e999"]) | st.text(max_size=10), max_size=40
).flatmap(lambda parts: st.sampled_from(["\n", "", " "]).map(lambda glue: glue.join(parts)))


def _sound(tests: tuple[TestCase, ...]) -> None:
    assert len({test.id for test in tests}) == len(tests)
    for test in tests:
        assert test.id
        assert plain(test.id.encode()).split("\n") == [test.id]  # what is no control code may be any letter
        assert test.status in ("passed", "failed", "error", "skipped")
        assert 0 <= test.seconds < 1e9
        assert len(test.id) <= ID_LIMIT
        assert len(test.message) <= MESSAGE_LIMIT
        test.message.encode()


@given(st.binary(max_size=300))
def test_any_bytes_are_a_report(data: bytes) -> None:
    """No bytes make a reader fail, wherever they are put."""
    for found in jsonl.parse(data):
        _sound(found.tests)
    _sound(junit.parse(data) or ())
    read = choose(channel.read(data), plain(data))
    assert isinstance(read.tests, tuple)
    head = b"HEAL-PART index 9\n%d x.xml\nHEAL-PART files %d\n" % (len(data), len(data))
    choose(channel.read(head + data), "")


@given(soup)
def test_any_output_is_read(text: str) -> None:
    """Whatever mixture of the runners' lines is printed, the tests that come of it are sound."""
    for found in log.parse(plain(text.encode("utf-8", "replace"))):
        _sound(found.tests)
        assert found.told is None or found.told >= 0
    _sound(junit.parse(text.encode("utf-8", "replace")) or ())


@given(st.binary(max_size=200), st.integers(0, 10**11))
def test_parts_end_where_the_bytes_end(data: bytes, size: int) -> None:
    """A part that claims more bytes than arrived holds those that did."""
    assert channel.read(b"HEAL-PART report %d\n" % size + data).report == data[:size]


@pytest.mark.parametrize(
    "piece",
    ["a.py::", "a.py::[", "    --- FAIL: ", "test a ... ", "\u2713 a.ts > ", " FAIL  a.ts > ", "  \u25cf ", "ok 1 - # ",
     " Running (a/", "FAIL: a (b.", "{\"Action\":[", "<testcase name='a'>", "[ERROR] a.b:", " Failed [", "(", " "],
)  # fmt: skip
def test_a_piece_over_and_over_costs_no_time(piece: str) -> None:
    """The same piece on one endless line, or on very many, is read in time that grows with its length."""
    many = f"{piece * 50}\n" * (60_000 // (len(piece) * 50))
    text = f"{piece * (30_000 // len(piece))}\n{many}" + "\n".join(WORDS)
    started = time.process_time()
    log.parse(plain(text.encode("utf-8", "replace")))
    junit.parse(text.encode("utf-8", "replace"))
    assert time.process_time() - started < 5


BOMB = (
    b'<?xml version="1.0"?><!DOCTYPE lolz [<!ENTITY a "lol"><!ENTITY b "&a;&a;&a;&a;&a;&a;&a;&a;">'
    b'<!ENTITY c "&b;&b;&b;&b;&b;&b;&b;&b;">]><testsuite><testcase name="&c;"/></testsuite>'
)


@pytest.mark.parametrize(
    "document",
    [
        BOMB,
        b'<!DOCTYPE x SYSTEM "file:///etc/passwd"><testsuite><testcase name="a"/></testsuite>',
        b"<a>" * 100_000,
        b'<testcase name="' + b"x" * (9 << 20),
        b"<?xml version='1.0' encoding='idna'?><testsuite " + b"a='1' " * 200_000,
        b"\x00" * 1000,
    ],
    ids=["entities", "external", "depth", "token", "attributes", "zeros"],
)
def test_an_xml_attack_yields_nothing(document: bytes) -> None:
    """Entities, depth, long tokens and foreign encodings are refused in bounded time."""
    started = time.process_time()
    assert not junit.parse(document)
    assert time.process_time() - started < 5


@pytest.mark.uncounted
def test_no_more_cases_than_the_limit() -> None:
    """A report of very many tests is cut, not stored whole."""
    many = b"".join(b'<testcase name="%d"/>' % number for number in range(CASES_LIMIT + 10))
    tests = junit.parse(b"<testsuite>" + many)
    assert tests is not None
    assert len(tests) == CASES_LIMIT
