"""A log as a stream: however it is cut, however large, whatever it holds, what is kept is the same and small."""

from __future__ import annotations

import base64
import time
import tracemalloc
from collections.abc import Iterable, Iterator
from itertools import pairwise
from urllib.parse import quote

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from workers import logs
from workers.logs import reader
from workers.logs.blocks import LONGEST_LINE, blocks
from workers.logs.kept import Kept, Room
from workers.redact import Redactor
from workers.store.codec import from_json, to_json

pytestmark = pytest.mark.uncounted

STAMP = b"2026-11-20T10:00:00.1234567Z "
HEADER = b"##[group]Run make\n\x1b[36;1mmake\x1b[0m\nshell: /usr/bin/bash -e {0}\n##[endgroup]\n"
RED = b"##[error]Process completed with exit code 1.\n"
PIECES = st.sampled_from(
    [
        STAMP, b"\xef\xbb\xbf", b"\n", b"\r\n", b"\r", b"\xc3", b"\xa9", b"\xff", b"##[group]Run ", b"make\n", HEADER,
        b"\x1b[36;1mx\x1b[0m\n", b"env:\n", b"with:\n", b"  A: b\n", b"actions/checkout@v4\n", b"##[endgroup]\n",
        b"##[error]odd\n", b"Post job cleanup.\n", b"Cleaning up orphan processes\n", b"a word ", b" y" * 999, RED,
        b"x" * 3000,
        b"Successfully installed a-1.0\n", b"-----BEGIN PRIVATE KEY-----\n", b"k" * 64 + b"\n",
    ]
)  # fmt: skip


def step(*lines: bytes, red: bool = True) -> bytes:
    return HEADER + b"".join(lines) + (RED if red else b"")


def cut(data: bytes, places: Iterable[int]) -> Iterator[bytes]:
    edges = sorted({0, len(data), *(place % (len(data) + 1) for place in places)})
    return (data[start:end] for start, end in pairwise(edges))


@settings(deadline=None)
@given(st.lists(PIECES, max_size=25), st.lists(st.integers(0, 1 << 20), max_size=25))
def test_how_the_stream_is_cut_makes_no_difference(pieces: list[bytes], places: list[int]) -> None:
    """A time stamp, a mark, a character or a long line may be cut anywhere by the network."""
    data = b"".join(pieces)
    assert logs.read(cut(data, places)) == logs.read((data,))


@settings(max_examples=30, deadline=None)
@given(st.lists(st.integers(0, 200), max_size=60), st.lists(st.integers(0, 1 << 20), max_size=9), st.integers(0, 99))
def test_head_and_tail_are_whole_lines_however_they_come(sizes: list[int], places: list[int], head: int) -> None:
    """What is kept is the longest beginning and end of whole lines that fit, and all lines are counted."""
    lines = [b"%d" % at + b"x" * size + b"\n" for at, size in enumerate(sizes)]
    kept = Kept(Room(head, 300))
    for block in blocks(cut(b"".join(lines), places)):
        kept.add(block)
    first, last, missing = kept.parts()
    assert first.count(b"\n") + missing + last.count(b"\n") == len(lines)
    assert b"".join(lines).startswith(first)
    assert b"".join(lines).endswith(last)
    assert len(first) <= head
    assert len(last) <= 300
    if missing:
        at = first.count(b"\n")
        assert len(first) + len(lines[at]) > head
        assert len(last) + len(lines[at + missing - 1]) > 300


@settings(deadline=None)
@given(st.binary(max_size=500), st.binary(max_size=200))
def test_any_bytes_are_a_log(before: bytes, after: bytes) -> None:
    """Invalid UTF-8, control characters, half a header: read, clean, and stored as it is."""
    log = logs.read((before + step(after),))
    assert "\x1b" not in log.text
    assert from_json(to_json(log), logs.JobLog) == log


def test_a_byte_order_mark_may_stand_in_front_of_every_part() -> None:
    """GitHub joins the logs of the steps, each with its own."""
    part = b"\xef\xbb\xbf" + STAMP
    log = logs.read(
        (part + b"hello\n" + part + b"##[group]Run make\n" + STAMP + b"\x1b[36;1mmake\x1b[0m\n" + part + b"x\n",)
    )
    assert (log.preamble, log.steps[0].script) == ("hello", "make")


def test_what_a_carriage_return_overwrote_is_gone() -> None:
    """A progress bar leaves its last state, also when it is longer than any line may be."""
    bar = b"\r".join(b"%d %%" % (at % 101) for at in range(9000))
    log = logs.read((step(bar + b"\r\n", b"a\rb\r\n", bar[: LONGEST_LINE // 2] + b"\rdone\n"),))
    assert log.steps[0].output.split("\n")[:3] == [f"{8999 % 101} %", "b", "done"]


def test_a_long_line_is_cut_and_says_so() -> None:
    """At a word's end, with the number of bytes that are missing, wherever in the stream it stands."""
    line = b"word " * 30_000
    log = logs.read((step(b"before\n", line + b"\n", b"after\n"),))
    first, long, last, *_ = log.steps[0].output.split("\n")
    shown, note = long.split(" [... ")
    assert (first, last) == ("before", "after")
    assert set(shown.split(" ")) == {"word"}
    assert note == f"{len(line) - len(shown)} bytes of this line left out ...]"
    assert len(long) <= LONGEST_LINE + 60


def test_a_script_that_is_too_long_is_never_taken_for_whole() -> None:
    """Neither one with a huge line nor one with many: half a script is another script."""
    huge = b"##[group]Run x\n\x1b[36;1m" + b"x " * LONGEST_LINE + b"\x1b[0m\nshell: sh -e {0}\n##[endgroup]\n"
    many = b"##[group]Run x\n" + b"\x1b[36;1mxxxxxxxxx\x1b[0m\n" * 20_000 + b"##[endgroup]\nsaid\n"
    one, two, three = logs.read((huge + many + step(b"said\n"),)).steps
    assert (one.cut, two.cut, three.cut) == (True, True, False)
    assert two.output.endswith("said")


def test_the_red_step_keeps_more_than_the_green_ones() -> None:
    """Which step is red is known at its end only: whichever it is, much of it is there, and little of the others."""
    lines, over = [b"line %d\n" % at for at in range(400_000)], b"Cleaning up orphan processes\n"
    green, red, later = logs.read(
        (step(*lines[:9999], red=False), step(*lines), step(*lines[:9999], red=False), over)
    ).steps
    assert len(green.output) < reader.GREEN.whole + 60  # with the note in the middle
    assert len(later.output) < reader.GREEN.whole + 60
    assert len(red.output) > 2 << 20
    assert red.output.startswith("line 0\n")
    assert "\nline 399999\n" in red.output
    kept = red.output.count("\nline ") + 1
    assert red.left_out == 400_000 - kept
    assert f"\n[... {red.left_out} lines left out ...]\n" in red.output


def test_several_red_steps_share_the_room() -> None:
    """The first to fail may be one that is allowed to: the others are kept as well, and all fit."""
    lines = [b"line %d of some words\n" % at for at in range(100_000)]
    log = logs.read(step(*lines) for _ in range(5))
    sizes = [len(one.output) for one in log.steps]
    assert sizes == sorted(sizes, reverse=True)
    assert all("line 99999 " in one.output for one in log.steps[:4])
    assert len(to_json(log)) <= logs.CHECKPOINT_LIMIT


def flood(line: bytes, size: int) -> Iterator[bytes]:
    """Many lines of one kind."""
    chunk = line * max(1, (64 << 10) // len(line))
    return (chunk for _ in range(size // len(chunk)))


SETUP = b"##[group]Run a/b@c\n##[endgroup]\n"
FLOODS = {
    "lines": b"a line as a test runner prints it, with a name and PASSED\n",
    "headers": SETUP,
    "red steps": step(b"said\n" * 99),
    "endless headers": b"##[group]Run x\n\x1b[36;1mxxxxxxx\x1b[0m\n",
    "errors": b"##[error]" + b"wrong" * 99 + b"\n",
    "last words": RED,
    "cleanings": b"Post job cleanup.\n",
    "quotes": b'"\\' * 99 + b"\n",
    "no text": b"\xff" * 99 + b"\n",
    "versions": b"Successfully installed a-1 b-2 c-3\n",
    "long versions": b"Requirement already satisfied: " + b"a" * 8000 + b"\n",
    "long downloads": b"Downloading https://" + b"a-1" * 2700 + b"\n",
    "one line": b"x" * 99,
    "one bar": b"x" * 99 + b"\r",
    "half keys": b"-----BEGIN PRIVATE KEY-----\n",
    "half tokens": b"sk-ghp_eyJ" * 20 + b"\n",
    "nothing": b"\n",
}


@pytest.mark.parametrize("name", FLOODS)
def test_time_and_size_are_bounded(name: str) -> None:
    """Whatever fills a log, it is read in time that grows with its length alone, into what can be stored."""
    size = (3 << 20) if name in ("quotes", "no text") else (1 << 20)
    started = time.process_time()
    log = logs.read(chunk for part in ([HEADER], flood(FLOODS[name], size)) for chunk in part)
    assert time.process_time() - started < 20
    assert len(to_json(log).encode()) <= logs.CHECKPOINT_LIMIT


def test_a_large_log_takes_no_more_memory_than_a_small_one() -> None:
    """15 MB or 3 MB in one step: the same few megabytes."""
    peaks = []
    for size in (3 << 20, 15 << 20):
        tracemalloc.start()
        log = logs.read(chunk for part in ([HEADER], flood(FLOODS["lines"], size), [RED]) for chunk in part)
        peaks.append(tracemalloc.get_traced_memory()[1])
        tracemalloc.stop()
        assert log.failed is not None
    assert peaks[1] < peaks[0] * 1.2
    assert peaks[1] < 20 << 20


KEY = b"MIIEowIBAAKCAQEA" + b"Ab3" * 16
PEM = b"-----BEGIN RSA PRIVATE KEY-----\n" + (KEY + b"\n") * 24 + b"x3Q==\n-----END RSA PRIVATE KEY-----\n"
QUOTED = b"".join(b"E       | " + line + b"\n" for line in PEM.splitlines())
HALVES = [b"".join(each.splitlines(keepends=True)[:14]) for each in (PEM, QUOTED)]
TOKEN = b"ghp_A1b2C3d4E5f6G7h8I9j0K1l2M3n4O5p6Q7r8"


@pytest.mark.parametrize("pem", [PEM, QUOTED, *HALVES], ids=["bare", "quoted", "bare half", "half"])
def test_a_key_across_the_gap_is_blanked_on_both_sides(pem: bytes) -> None:
    """The head may end, and the tail begin, in the middle of a private key: neither shows a line of it."""
    filler = b"an ordinary line\n"
    for shift in range(0, len(pem), 40):
        kept = Kept(Room(3000, 3000))
        for block in (
            filler * ((3000 - shift) // len(filler)),
            pem,
            filler * 999,
            pem,
            filler * ((3000 - shift) // 17),
        ):
            kept.add(block)
        shown, missing = kept.shown(Redactor())
        assert missing
        assert "Ab3" not in shown
        assert shown.startswith("an ordinary line") or shift > 2900
        assert shown.endswith("an ordinary line") or shift > 2900


@pytest.mark.fault(30)
def test_secrets_go_before_anything_is_kept() -> None:
    """From scripts, environment, inputs, titles, errors, output, and what the runner says; passwords of test databases
    stay where a step may be run again, and go from what is only read."""
    redactor = Redactor("registered-value")
    url = b"postgres://me:hunter2@localhost/x"
    secret = TOKEN + b" registered-value " + url
    data = b"".join(
        (
            secret + b"\n##[group]Run a/b@c\nwith:\n  token: " + secret + b"\n##[endgroup]\n",
            b"##[group]Run echo " + secret + b"\n\x1b[36;1mecho " + secret + b"\x1b[0m\nshell: sh -e {0}\nenv:\n  A: ",
            secret
            + b"\n##[endgroup]\n"
            + secret
            + b"\nAuthorization: Bearer abcdefgh12345678\n##[error]"
            + secret
            + b"\n",
            RED + b"Post job cleanup.\n" + secret + b"\n",
        )
    )
    log = logs.read((data,), redactor)
    stored = to_json(log)
    for gone in (TOKEN.decode(), "registered-value", "abcdefgh12345678"):
        assert gone not in stored
    assert all(one.masked for one in log.steps)
    assert "hunter2" in str(log.steps[1].script)
    assert "hunter2" in log.steps[1].env["A"]
    assert "hunter2" not in log.steps[1].output + log.preamble + log.epilogue + "".join(log.steps[1].errors)


OWN = "registered/value+1"
DRESSES = (OWN, quote(OWN, safe=""), base64.b64encode(OWN.encode()).decode(), TOKEN.decode())
COLOURS = (b"\x1b[0m", b"\x1b[1;31m", b"\x1b]8;;http://x\x07", b"\x00", b"\xe2\x80\x8b")


@pytest.mark.fault(30)
@settings(deadline=None)
@given(
    st.sampled_from(DRESSES),
    st.lists(st.tuples(st.integers(0, 60), st.sampled_from(COLOURS)), max_size=4),
    st.integers(0, 2 * LONGEST_LINE),
    st.lists(st.integers(0, 1 << 20), max_size=9),
)
def test_no_secret_survives_any_cut_or_colour(
    secret: str, colours: list[tuple[int, bytes]], before: int, cuts: list[int]
) -> None:
    """However the log comes in, whatever a terminal is told in the middle of it, and however long the line is."""
    raw = secret.encode()
    for at, colour in sorted(colours, reverse=True):  # none inside another: half a sequence is text like any other
        raw = raw[:at] + colour + raw[at:]
    line = b"x" * before + b" " + raw + b" and more\n"
    log = logs.read(cut(step(line, b"##[error]" + line), cuts), Redactor(OWN))
    assert secret not in to_json(log)
    assert secret[len(secret) // 3 :] not in to_json(log)


@pytest.mark.parametrize("filler", [b"x", b". "])
def test_no_half_of_a_secret_is_left_where_a_line_is_cut(filler: bytes) -> None:
    """A token at the end of what is kept of a line has no shape any more: it goes with the rest."""
    for at in range(LONGEST_LINE // 2 - 60, LONGEST_LINE + 60, 7):
        line = (filler * LONGEST_LINE)[:at] + b" " + TOKEN + b" " + b"tail " * 2000
        assert TOKEN[:12].decode() not in logs.read((step(line + b"\n"),)).text


def test_no_half_of_a_secret_is_left_where_a_title_or_an_error_is_cut() -> None:
    """They are short, whatever was printed, and are cut after the secrets are gone, not before."""
    for at in (*range(60, 180), *range(420, 520)):
        words = b"x" * at + b" " + TOKEN + b" " + b"tail " * 200
        script = (
            b"##[group]Run " + words + b"\n\x1b[36;1m" + words + b"\x1b[0m\n##[endgroup]\n##[error]" + words + b"\n"
        )
        log = logs.read((script + b"Successfully installed " + TOKEN + b"-1.0 fine-1.0\n" + RED,))
        assert TOKEN[:8].decode() not in to_json(log)
        assert max(len(log.steps[0].title), len(log.steps[0].errors[0])) <= 500
        assert logs.versions(log) == {"pypi": {"fine": "1.0"}}


def test_what_only_looks_like_a_key_hides_nothing_else() -> None:
    """An error message about a missing key is read with the lines after it."""
    log = logs.read(
        (step(b"want -----BEGIN PRIVATE KEY----- here\n", b"FAILED tests/test_a.py::test_a\n", b"1 failed\n"),)
    )
    assert "FAILED tests/test_a.py::test_a\n1 failed" in log.steps[0].output
