"""The failure that is mended has to be the one CI saw: each pair of outputs is one decision, in both its senses."""

from __future__ import annotations

import random
import time
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sandbox.spec import Ending, Evidence, Output, Result, TestCase
from tests.workers.recipe.same import PAIRS, Pair, failed
from workers import diagnosis, logs
from workers.diagnosis import fingerprint
from workers.domain import Finding, JobReport


def result(text: str, code: int | None = 1, ending: Ending = Ending.FAILED) -> Result:
    return Result(ending, code, Output(text), (), b"", 1.0, 0, Evidence("", "", "", "", ""))


def printed(text: str, script: str, code: int = 1) -> str:
    head = f"##[group]Run {script}\n\x1b[36;1m{script}\x1b[0m\n##[endgroup]\n"
    return f"{head}{text}\n##[error]Process completed with exit code {code}."


def job(text: str, script: str, code: int = 1) -> JobReport:
    return JobReport("test", logs.parse(printed(text, script, code)))


@pytest.mark.parametrize("pair", PAIRS, ids=lambda pair: pair.why.replace(" ", "-"))
def test_each_pair_is_decided(pair: Pair) -> None:
    """Same or not, with a reason; where not, both sides are there to be shown."""
    found = diagnosis.same_failure(pair.script, result(pair.here, pair.code), job(pair.ci, pair.script, pair.code))
    assert found.same is pair.same, found.why
    assert found.why
    if not found.same:
        assert all(line in found.ci for line in pair.ci.strip().split("\n")[-1:])
        assert all(line in found.here for line in pair.here.strip().split("\n")[-1:])


@pytest.mark.parametrize("pair", PAIRS, ids=lambda pair: pair.why.replace(" ", "-"))
def test_time_stamps_and_colours_of_cis_log_do_not_count(pair: Pair) -> None:
    """The runner writes a stamp before each line, and tools colour theirs."""
    plain = printed(pair.ci, pair.script, pair.code)
    stamped = "\n".join(f"2026-03-02T08:10:11.0000000Z {line}" for line in plain.split("\n"))
    before = result(f"\x1b[31m{pair.here}\x1b[0m", pair.code)
    assert diagnosis.same_failure(pair.script, before, JobReport("test", logs.parse(stamped))).same is pair.same


def test_both_out_of_time_is_the_same() -> None:
    """The runner ended CI's step at its limit, the sandbox at its own: neither names a test."""
    limit = "##[error]The job running on runner GitHub Actions 3 has exceeded the maximum execution time of 6 minutes."
    log = f"##[group]Run ./wait\n\x1b[36;1m./wait\x1b[0m\n##[endgroup]\nwaiting\n{limit}\n"
    slow = result("still waiting\n", None, Ending.TIMEOUT)
    assert diagnosis.same_failure("./wait", slow, JobReport("test", logs.parse(log))).same
    assert not diagnosis.same_failure("./wait", result("no such queue\n"), JobReport("test", logs.parse(log))).same


def test_a_log_that_names_no_step_is_compared_with_nothing() -> None:
    """Nothing is known then that could differ."""
    assert diagnosis.same_failure("x", result("red"), JobReport("test", logs.parse("words\n"))).same


@pytest.mark.uncounted
def test_thousands_of_failing_tests_are_compared_in_time() -> None:
    """The names are looked up, not tried with each other; lines made to be slow are read in time too."""
    many = [f"tests/unit/test_{n % 50}.py::test_case_{n} - ValueError: x" for n in range(6_000)]
    started = time.process_time()
    shuffled = sorted(many, key=lambda name: name[::-1])
    assert diagnosis.same_failure("pytest", result(failed(*shuffled)), job(failed(*many), "pytest")).same
    for text in (
        "a/b.py:1: x\n" * 20_000,
        "error " * 60_000,
        "'" * 300_000,
        "a.b/" * 90_000,
        "error: " + "x: " * 90_000,
    ):
        diagnosis.same_failure("./x", result(text), job(text[::-1] + text, "./x"))
        diagnosis.outage(job(text, "./x"))
    assert time.process_time() - started < 20


MESSAGES = st.sampled_from(
    [
        "cannot open {path} at {address}",
        "took {time}, limit {number}",
        "no rate for {number} in {path}",
        "id {id} is gone at {pointer}",
    ]
)
PLACES = {
    "path": [
        "/home/runner/work/shop/shop/rates.csv",
        "/ws/rates.csv",
        "/builds/a/rates.csv",
        "C:\\work\\shop\\rates.csv",
    ],
    "address": ["127.0.0.1:4000", "10.1.2.3:81", "localhost:5432"],
    "time": ["0.1 s", "3 ms", "12.5s"],
    "number": ["1", "40962", "3.25"],
    "pointer": ["0x7f3a", "0x55aa01"],
    "id": ["5f0c7a1e-3b1d-4a55-9d3f-0123456789ab", "aaaaaaaa-bbbb-cccc-dddd-eeeeeeeeeeee"],
}


@given(st.lists(st.tuples(st.integers(0, 9), MESSAGES), min_size=1, max_size=6), st.randoms(use_true_random=False))
def test_another_day_and_another_machine_have_the_same_fingerprint(
    failures: list[tuple[int, str]], chance: random.Random
) -> None:
    """Roots, addresses, ports, durations, numbers, ids, repeated and reordered findings change nothing."""

    def day() -> list[Finding]:
        found = [
            Finding(
                text.format_map({key: chance.choice(values) for key, values in PLACES.items()}),
                "shop/rates.py",
                chance.randrange(1, 400),
                f"tests/test_rates.py::test_{number}[{chance.randrange(9)}]",
                "ValueError",
            )
            for number, text in failures
        ]
        return chance.sample([*found, *found[:1]], len(found) + 1)

    assert fingerprint.of("pytest", day()) == fingerprint.of("pytest", day())


@pytest.mark.parametrize(
    "other",
    [
        Finding("No module named 'requests'", "shop/a.py", 3, "tests/a.py::test_a", "ModuleNotFoundError"),
        Finding("No module named 'yaml'", "shop/a.py", 3, "tests/a.py::test_b", "ModuleNotFoundError"),
        Finding("No module named 'yaml'", "shop/b.py", 3, "tests/a.py::test_a", "ModuleNotFoundError"),
        Finding("No module named 'yaml'", "shop/a.py", 3, "tests/a.py::test_a", "ImportError"),
    ],
)
def test_another_name_test_file_or_kind_has_another_fingerprint(other: Finding) -> None:
    """What tells two failures apart is kept: a masked name would make all missing modules one."""
    one = Finding("No module named 'yaml'", "shop/a.py", 3, "tests/a.py::test_a", "ModuleNotFoundError")
    assert fingerprint.of("pytest", [one]) != fingerprint.of("pytest", [other])
    assert fingerprint.of("pytest", [one]) != fingerprint.of("unittest", [one])
    assert fingerprint.of("pytest", [one], "shop/a.py:load") != fingerprint.of("pytest", [one], "shop/b.py:load")


@given(st.text(max_size=200), st.text(max_size=60))
def test_any_message_has_a_fingerprint(message: str, test: str) -> None:
    """Messages are untrusted text."""
    assert len(fingerprint.of("x", [Finding(message, test=test)])) == 64


def test_a_reported_test_is_compared_with_what_cis_log_prints() -> None:
    """The sandbox's reporter and CI's summary name the same test; a second one that is red only here does not fit."""
    red = TestCase("tests/test_a.py::test_a", "failed", message="AssertionError: 3")
    before = replace(result("other words"), tests=(red, TestCase("tests/test_a.py::test_b", "passed")))
    ci = job(failed("tests/test_a.py::test_a - AssertionError: 3"), "pytest")
    assert diagnosis.same_failure("pytest", before, ci).same
    more = replace(before, tests=(red, TestCase("tests/test_a.py::test_net", "failed", message="OSError: x")))
    assert not diagnosis.same_failure("pytest", more, ci).same
