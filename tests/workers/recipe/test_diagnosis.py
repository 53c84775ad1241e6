"""What is wrong, from what the sandbox saw: class, suspects, fingerprint, and whether CI saw the same."""

from __future__ import annotations

import time
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sandbox.spec import Ending, Evidence, Output, Plan, Result, Step, TestCase
from tests.workers.recipe.trees import MemoryTree
from workers import diagnosis, logs
from workers.domain import Diagnosis, FailureClass, JobReport

TREE = MemoryTree(
    {
        "shop/__init__.py": "",
        "shop/price.py": "",
        "shop/tax.py": "",
        "tests/test_price.py": "from shop.price import total\nfrom shop import tax\nimport pytest\n",
    }
)
ASSERTION = """tests/test_price.py F
_______ test_total[3] _______
>       assert total([3]) == 3
E       assert -3 == 3

tests/test_price.py:6: AssertionError
FAILED tests/test_price.py::test_total[3] - assert -3 == 3
1 failed in 0.12s
"""
DEEP = """_______ test_total _______
tests/test_price.py:9:
shop/price.py:3: in total
    return tax.rate(x)
shop/tax.py:7: ValueError
E       ValueError: no rate
/usr/lib/python3.11/site-packages/shop/price.py:8: in x
FAILED tests/test_price.py::test_total - ValueError: no rate
"""


def result(text: str, ending: Ending = Ending.FAILED, code: int | None = 1, tests: tuple[TestCase, ...] = ()) -> Result:
    return Result(ending, code, Output(text), tests, b"", 1.0, 0, Evidence("", "", "", "", ""))


def read(text: str, script: str = "pytest -q", ending: Ending = Ending.FAILED) -> Diagnosis:
    plan = Plan("python", (), Step("check", script))
    return diagnosis.read(plan, result(text, ending), JobReport("test"), TREE)


def test_an_assertion_suspects_what_the_test_imports() -> None:
    """A wrong value leaves no trace in the source, so the test's own imports come first and the test last."""
    found = read(ASSERTION)
    assert (found.cls, found.tool) == (FailureClass.TEST, "pytest")
    reasons = {one.place: one.reasons for one in found.suspects}
    assert [*reasons] == ["shop/price.py", "shop/tax.py", "shop/__init__.py", "tests/test_price.py:6"]
    assert reasons["shop/price.py"] == ("imported by the failing test",)
    assert reasons["tests/test_price.py:6"] == ("raised here", "named by pytest")


def test_a_trace_suspects_its_deepest_frame_first() -> None:
    """Frames of the repository only, from the place of the error outwards."""
    found = read(DEEP)
    assert found.cls is FailureClass.ERROR
    assert [(one.place, one.reasons[0]) for one in found.suspects[:2]] == [
        ("shop/tax.py:7", "raised here"),
        ("shop/price.py:3", "on the trace of the failure"),
    ]


@pytest.mark.parametrize(
    ("text", "script", "cls"),
    [
        (
            "E   ModuleNotFoundError: No module named 'yaml'\nERROR tests/test_price.py\n",
            "pytest",
            FailureClass.DEPENDENCY,
        ),
        ("E   ModuleNotFoundError: No module named 'shop.new'\n= test session starts =", "pytest", FailureClass.IMPORT),
        ("FAILED tests/test_price.py::t - NameError: name 'os' is not defined", "pytest", FailureClass.IMPORT),
        ("E   SyntaxError: invalid syntax\n", "pytest", FailureClass.SYNTAX),
        ("shop/tax.py:1:8: F401 [*] `os` imported but unused", "ruff check .", FailureClass.LINT),
        ("would reformat shop/tax.py", "black --check .", FailureClass.FORMAT),
        ("shop/tax.py:1: error: bad  [arg-type]", "mypy .", FailureClass.TYPE),
        ("/bin/bash: line 1: pytst: command not found", "pytst", FailureClass.WORKFLOW),
        ("curl: (6) Could not resolve host: example.org", "./run", FailureClass.NETWORK),
        ("ModuleNotFoundError: No module named 'yaml'", "python app.py", FailureClass.DEPENDENCY),
        ("something odd", "./run", FailureClass.UNKNOWN),
        ("", "./run", FailureClass.UNKNOWN),
    ],
)
def test_the_class_follows_from_the_output(text: str, script: str, cls: FailureClass) -> None:
    """An ordered table decides."""
    assert read(text, script).cls is cls


def test_a_timeout_is_a_timeout_whatever_was_printed() -> None:
    """How the command ended goes before what it said."""
    assert read(ASSERTION, ending=Ending.TIMEOUT).cls is FailureClass.TIMEOUT


def test_paths_are_told_as_the_repository_knows_them() -> None:
    """A tool's absolute path becomes the tree's; a path outside becomes none."""
    found = read("would reformat /work/x/shop/tax.py\nwould reformat /etc/passwd", "black --check .")
    assert [finding.path for finding in found.findings] == ["shop/tax.py", None]


def test_the_fingerprint_survives_another_day_and_tells_failures_apart() -> None:
    """Numbers, parameters and roots do not count; another test or exception does."""
    one = read(ASSERTION)
    again = read(ASSERTION.replace("test_total[3]", "test_total[44]").replace("-3 == 3", "-44 == 44"))
    other = read(ASSERTION.replace("test_total", "test_tax"))
    assert one.fingerprint == again.fingerprint != other.fingerprint
    assert len(one.fingerprint) == 64


def test_summary_and_excerpt_are_short() -> None:
    """One sentence with the place, and at most 4 kB of output."""
    found = read("x" * 100_000 + "\n" + ASSERTION)
    assert len(found.excerpt) <= 4000
    assert "tests/test_price.py:6" in found.summary
    assert "assert -3 == 3" in found.summary


def ci(output: str, code: int = 1, script: str = "x") -> JobReport:
    head = f"##[group]Run {script}\n\x1b[36;1m{script}\x1b[0m\n##[endgroup]\n"
    return JobReport("test", logs.parse(f"{head}{output}\n##[error]Process completed with exit code {code}."))


def same(before: Result, job: JobReport, script: str = "x") -> bool:
    return diagnosis.same_failure(script, before, job).same


SUMMARY = "FAILED tests/a.py::test_a - AssertionError: 1\n1 failed, 3 passed in 0.12s"


@pytest.mark.parametrize(
    ("theirs", "ours", "code", "expected"),
    [
        (ASSERTION, ASSERTION.replace("0.12s", "9.99s"), 1, True),
        (ASSERTION, ASSERTION.replace("test_total", "test_tax"), 1, False),
        ("a.py:3:1: F401 error: unused", "a.py:3:1: F401 error: unused", 1, True),
        ("bash: x: command gone", "bash: x: command gone", 1, True),
        ("one thing", "another thing", 1, False),
        ("one thing", "one thing", 2, False),
        ("a.py:3:1: F401 unused\nFound 1 error.", "b.py:9:1: E711 comparison\nFound 1 error.", 1, False),
        (ASSERTION, "ERROR: usage\n1 failed, 3 passed in 0.12s", 1, False),
        (SUMMARY, SUMMARY.replace("AssertionError: 1", "ConnectionError: no route"), 1, False),
        (SUMMARY, f"FAILED tests/a.py::test_net - OSError: x\n{SUMMARY}".replace("1 failed", "2 failed"), 1, False),
        (SUMMARY.replace("1 failed", "2 failed"), f"FAILED tests/a.py::test_b - ValueError: x\n{SUMMARY}", 1, True),
        (f"FAILED tests/a.py::test_b - ValueError: x\n{SUMMARY}".replace("1 failed", "2 failed"), SUMMARY, 1, True),
    ],
)
def test_the_same_failure_is_recognised(theirs: str, ours: str, code: int, expected: bool) -> None:
    """Same tests, else same error lines, else same exit code and last line."""
    assert same(result(ours, code=code), ci(theirs)) is expected


def test_what_a_command_says_comes_before_what_make_says_of_it() -> None:
    """Make only tells that it failed; where nothing else was said, its line is not worth more."""
    said = 'Exception in thread "main" java.lang.AssertionError: want 3\nmake: *** [Makefile:3: test] Error 1\n'
    (found,) = read(said, "make test").findings
    assert found.message == 'Exception in thread "main" java.lang.AssertionError: want 3'


UNITTEST = """F.
======================================================================
FAIL: test_badge (test_names.BadgeTest.test_badge)
----------------------------------------------------------------------
Traceback (most recent call last):
  File "/ws/test_names.py", line 6, in test_badge
    self.assertEqual(badge("Ada"), "ADA")
AssertionError: 'ada' != 'ADA'

----------------------------------------------------------------------
Ran 2 tests in 0.000s

FAILED (failures=1)
"""


@pytest.mark.parametrize("log", [UNITTEST, "\n".join(UNITTEST.splitlines()[2::6])])
def test_what_unittest_prints_is_compared_with_the_tests_it_reports(log: str) -> None:
    """Its last line names no test, whatever it looks like to another runner; a log of a few of its lines will do."""
    report = (TestCase("test_names.BadgeTest.test_badge", "failed", message="AssertionError: 'ada' != 'ADA'"),)
    assert same(result(UNITTEST, tests=report), ci(log))


def test_reported_tests_count_for_the_comparison() -> None:
    """The sandbox's report and CI's printed summary name the same test."""
    report = (TestCase("tests/test_price.py::test_total[3]", "failed"),)
    assert same(result("", tests=report), ci(ASSERTION))


def test_infrastructure_gives_its_line() -> None:
    """The evidence is the line itself, of the failing step only."""
    assert diagnosis.outage(ci("ok\npip: Connection reset by peer\n")) == "pip: Connection reset by peer"
    log = "##[group]Run x\n\x1b[36;1mx\x1b[0m\n##[endgroup]\nRead timed out\n"
    log += "##[group]Run y\n\x1b[36;1my\x1b[0m\n##[endgroup]\n"
    red = logs.parse(f"{log}assert 1 == 503\n##[error]Process completed with exit code 1.")
    assert diagnosis.outage(JobReport("x", red)) is None
    line = "curl: (22) The requested URL returned error: 503"
    red = logs.parse(f"{log}{line}\n##[error]Process completed with exit code 22.")
    assert diagnosis.outage(JobReport("x", red)) == line


@given(st.text(max_size=300), st.sampled_from(["pytest", "ruff check", "x"]))
def test_any_output_has_a_diagnosis(text: str, script: str) -> None:
    """Output is untrusted: reading it never fails."""
    read(text, script)
    diagnosis.outage(JobReport("x", logs.parse(text)), script)
    same(result(text), ci(text, script=script), script)


def test_what_the_runner_prints_after_the_failure_is_not_the_steps_output() -> None:
    """Cleaning up comes after the exit code: it neither hides nor makes a difference."""
    finding = "shop/tax.py:3:8: F401 [*] `os` imported but unused\nFound 1 error.\n"
    printed = (
        "##[group]Run ruff check .\n\x1b[36;1mruff check .\x1b[0m\nshell: /usr/bin/bash -e {0}\n##[endgroup]\n"
        f"{finding}##[error]Process completed with exit code 1.\nCleaning up orphan processes\n"
    )
    job = JobReport("lint", logs.parse(printed))
    other = "shop/tax.py:9:1: E711 comparison to None\nFound 1 problem.\n"
    assert same(result(finding), job, "ruff check .")
    assert not same(result(other), job, "ruff check .")


@pytest.mark.uncounted
@pytest.mark.parametrize("text", ["\n" * 390_000, "FAILED " + "[" * 300_000, "FAILED a[\n" * 30_000, " " * 390_000])
def test_output_made_to_be_slow_is_read_in_time(text: str) -> None:
    """A job's output is untrusted: no shape of it holds a worker up."""
    started = time.process_time()
    read(text)
    assert time.process_time() - started < 20


JEST_SAID = (
    "Error: expect(received).toBe(expected)\n\nExpected: 3\nReceived: -1\n    at toBe (/ws/web/sum.test.js:3:42)"
)
RUST_SAID = "thread 'tests::adds' (7) panicked at src/lib.rs:8:61:\nassertion `left == right` failed: sum\n  left: -1"


@pytest.mark.parametrize(
    ("source", "tool", "test", "place", "message"),
    [
        ("jest reporter", "jest", TestCase("web/sum.test.js::sum > adds", "failed", 0, JEST_SAID),
         ("web/sum.test.js", 3), "expect(received).toBe(expected)"),
        ("log of cargo test", "cargo test", TestCase("shop::tests::adds", "failed", 0, RUST_SAID),
         ("src/lib.rs", 8), "assertion `left == right` failed"),
        ("log of go test", "go test", TestCase("example.com/x::TestAdd", "failed", 0, "  a_test.go:13: got 1, want 3"),
         (None, None), "got 1, want 3"),
        ("JUnit XML", "JUnit XML", TestCase("com.x.CalcTest::adds", "error", 0, ""), (None, None), "failed"),
    ],
)  # fmt: skip
def test_a_runner_without_a_module_gives_findings_from_its_tests(
    source: str, tool: str, test: TestCase, place: tuple[str | None, int | None], message: str
) -> None:
    """Whatever the report was, a failing test is a finding with its id, a message, and a place of the repository."""
    tree = MemoryTree({"web/sum.test.js": "", "src/lib.rs": ""})
    before = replace(result("something failed\n", tests=(test, TestCase("fine", "passed"))), source=source)
    found = diagnosis.read(Plan("node", (), Step("check", "make test")), before, JobReport("test"), tree)
    assert found.tool == tool
    (finding,) = found.findings
    assert (finding.test, finding.path, finding.line) == (test.id, *place)
    assert message in finding.message
    assert found.cls in (FailureClass.TEST, FailureClass.UNKNOWN)


@pytest.mark.parametrize(
    ("ours", "expected"),
    [
        (("web/sum.test.js::sum > adds",), True),
        (("sum > adds",), True),
        (("web/sum.test.js::sum > adds", "web/other.test.js::only here"), False),
    ],
)
def test_other_runners_are_compared_by_the_names_of_their_tests(ours: tuple[str, ...], expected: bool) -> None:
    """The same jest test is red in CI's log and here; one that is red only here is another failure."""
    log = "FAIL web/sum.test.js\n  \u25cf sum \u203a adds\n\n    no\n\nTests: 1 failed, 1 total\n"
    red = tuple(TestCase(name, "failed") for name in ours)
    before = replace(result("other words", tests=red), source="jest reporter")
    assert same(before, ci(log)) is expected
