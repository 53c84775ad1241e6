"""Where a check is only a part of the suite, and what the whole of it is."""

from __future__ import annotations

from dataclasses import replace
from threading import Event

import pytest

from sandbox.spec import Ending, Result, Step, TestCase
from tests.workers.fixers.benches import Memory, bench
from tests.workers.made import GREEN, RED, ScriptedEnvironment, candidate
from tests.workers.made import MemoryTree as OneFile
from workers.domain import Verdict
from workers.gates.suite import baseline, whole
from workers.stages.verify import verify

PARTS = {
    "pytest tests/test_a.py": "pytest",
    "python -m pytest -q tests/test_a.py::test_x -x": "python -m pytest -q",
    "cd back && PYTHONPATH=src pytest -k slow -m 'not gpu'": "cd back\nPYTHONPATH=src pytest -m 'not gpu'",
    "uv run pytest -n 2 tests/unit tests/test_b.py --maxfail=1 | tee log": "uv run pytest -n 2 tests/unit",
    "pytest --lf --deselect tests/test_a.py::test_y tests/test_a.py": "pytest --deselect tests/test_a.py::test_y",
}
WHOLE = (
    "pytest", "pytest tests", "pytest -q -k 'not slow' tests/unit", "make test", "python -m unittest tests.test_a",
    "make data && pytest tests/test_a.py", "pytest $FILES tests/test_a.py", 'X="a b" pytest tests/test_a.py', "",
)  # fmt: skip


@pytest.mark.parametrize("script", PARTS)
def test_what_picks_tests_goes(script: str) -> None:
    """Files, single tests, name patterns and early ends; folders and what a job leaves out stay."""
    step = whole(Step("Test", script))
    assert step is not None
    assert step.script == PARTS[script] + "\n"


@pytest.mark.parametrize("script", WHOLE)
def test_a_jobs_own_command_is_the_suite(script: str) -> None:
    """Also where the command is not understood to its end."""
    assert whole(Step("Test", script)) is None


def judged(*suites: Result) -> Verdict:
    """The verdict on a right patch whose check is one file, with these runs of the whole suite, the first before."""
    left = list(suites)

    def answer(step: Step, patch: bytes | None, n: int) -> Result:
        if step.script == "pytest\n":
            return left.pop(0)
        return GREEN if patch else RED

    work = bench({}, ScriptedEnvironment(answer), "pytest tests/test_calc.py", RED, once=Memory())
    return verify(candidate(), replace(work, tree=OneFile()), Event())


def suite(**fates: str) -> Result:
    tests = tuple(TestCase(f"tests/{name}.py::t", fate) for name, fate in fates.items())
    return replace(GREEN if set(fates.values()) == {"passed"} else RED, tests=tests, source="pytest")


def test_a_part_that_is_green_may_not_break_the_rest() -> None:
    """Seen in two runs; what was red before may stay red."""
    before, bad = suite(a="failed", b="passed", c="failed"), suite(a="passed", b="failed", c="failed")
    verdict = judged(before, bad, bad)
    assert (verdict.rejected_by, verdict.regressions) == ("suite", ("tests/b.py::t passed before and is failed now",))
    good = suite(a="passed", b="passed", c="failed")
    verdict = judged(before, good)
    assert verdict.accepted
    assert (verdict.suite, verdict.beside.before if verdict.beside else None) == (good, before)
    assert judged(before, bad, good).accepted


@pytest.mark.parametrize(
    ("script", "more", "compared"),
    [
        ("pytest -q tests/test_calc.py", {}, False),
        ("python -m pytest ./tests/test_calc.py", {"tests/data.py": "", "conftest.py": "import pytest"}, False),
        ("pytest tests/test_calc.py", {"tests/test_more.py": ""}, True),
        ("pytest tests/test_calc.py", {"more_test.py": ""}, True),
        ("pytest tests/test_calc.py -x", {}, True),
        ("pytest tests/test_calc.py --maxfail=1", {}, True),
        ("pytest tests/test_calc.py -k add", {}, True),
        ("pytest tests/test_calc.py::test_add", {}, True),
        ("cd . && pytest tests/test_calc.py", {}, True),
        ("pytest tests/test_calc.py", {"tox.ini": "[pytest]\npython_files = check_*.py\n"}, True),
        ("pytest tests/test_calc.py", {"conftest.py": "def pytest_collect_file(): ..."}, True),
    ],
)
def test_a_file_that_is_the_only_one_is_the_suite(script: str, more: dict[str, str], compared: bool) -> None:
    """By pytest's own names for files of tests, where nothing says otherwise: then nothing is run beside it."""
    files = {"calc.py": "", "tests/test_calc.py": "", **more}
    runs = ScriptedEnvironment(lambda step, patch, n: suite(a="failed"))
    assert bool(baseline(bench(files, runs, script, RED), Event())) is compared
    assert len(runs.asked) == compared


def test_a_suite_that_never_ends_is_not_compared() -> None:
    """Nothing is known of it, and nothing is claimed."""
    hung = replace(RED, ending=Ending.TIMEOUT)
    verdict = judged(hung)
    assert verdict.accepted
    assert verdict.suite is None
