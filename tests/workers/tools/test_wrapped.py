"""Tools that other tools run: seen in what make, tox, nox, pre-commit and a tracing shell print, and called again."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sandbox.spec import Ending, Evidence, Output, Plan, Result, Step, TestCase
from tests.workers.recipe.trees import MemoryTree
from workers import diagnosis, tools
from workers.domain import FailureClass, JobReport
from workers.tools import TOOLS, WRAPPERS

LINE = "shop/a.py:1:1: F401 'os' imported but unused"
RUFF = "shop/a.py:1:8: F401 [*] `os` imported but unused\nFound 1 error.\n"


@pytest.mark.parametrize(
    ("check", "output", "called"),
    [
        ("make lint", f"flake8 shop\n{LINE}\nmake: *** [Makefile:2: lint] Error 1", ["flake8 shop"]),
        ("make", "/opt/v/bin/python -m flake8 shop", ["/opt/v/bin/python -m flake8 shop"]),
        ("scripts/lint.sh", "+ ruff check .\n+ ruff format --check .", ["ruff check .", "ruff format --check ."]),
        ("bash -ex ci.sh", "++ mypy src", ["mypy src"]),
        ("tox -e lint", "lint: commands[0]> flake8 shop", [".tox/lint/bin/flake8 shop"]),
        ("tox", "py3: commands_pre[0] /work> python -m mypy .", [".tox/py3/bin/python -m mypy ."]),
        ("tox", "lint run-test: commands[1] | black --check .", [".tox/lint/bin/black --check ."]),
        (
            "nox",
            "nox > Creating virtual environment (virtualenv) using python3.11 in .nox/lint\nnox > ruff check .",
            [".nox/lint/bin/ruff check ."],
        ),
        ("nox", "nox > Re-using existing virtual environment at .nox/ty-3-11.\nnox > mypy", [".nox/ty-3-11/bin/mypy"]),
        ("pre-commit run -a", "- hook id: ruff-format\n- duration: 0s\n- exit code: 1\n", ["ruff format"]),
        ("pre-commit run -a", "- hook id: black\n- files were modified by this hook\n", []),
        ("pytest", "flake8 shop\nblack is a colour", []),
        ("make", "echo hello\nrm -rf build\ncc -c a.c", []),
    ],
)
def test_the_commands_that_were_printed_are_seen(check: str, output: str, called: list[str]) -> None:
    """Lines of a wrapper, of `set -x`, or bare ones where the step calls what echoes its commands."""
    assert tools.script(check, output).split("\n") == [check, *called]


def test_a_tool_in_a_wrapper_is_called_again_where_it_lives() -> None:
    """The repair uses the environment of tox, whose version made the finding."""
    ruff = next(tool for tool in TOOLS if tool.NAME == "ruff")
    script = tools.script("tox -e lint", f"lint: commands[0]> ruff check shop\n{RUFF}")
    assert ruff.fix_commands(script, ruff.findings(RUFF, ())) == (".tox/lint/bin/ruff check --fix -- shop/a.py",)


def read(check: str, output: str, tests: tuple[TestCase, ...] = (), source: str = "") -> tuple[str, FailureClass, int]:
    before = Result(Ending.FAILED, 1, Output(output), tests, b"", 1.0, 0, Evidence("", "", "", "", ""), source=source)
    found = diagnosis.read(
        Plan("python", (), Step("check", check)),
        before,
        JobReport("x"),
        MemoryTree({"shop/a.py": "", "tests/t.py": ""}),
    )
    return found.tool, found.cls, len(found.findings)


@pytest.mark.parametrize(
    ("check", "output", "expected"),
    [
        ("make lint", f"flake8 shop\n{LINE}\nmake: *** [Makefile:2: lint] Error 1", ("flake8", FailureClass.LINT, 1)),
        (
            "tox -e lint",
            f"lint: commands[0]> flake8 shop\n{LINE}\nlint: exit 1 (0.1 seconds) /w> flake8 shop pid=1\n"
            "  lint: FAIL code 1 (0.10 seconds)\n  evaluation failed :( (0.1 seconds)",
            ("flake8", FailureClass.LINT, 1),
        ),
        (
            "docker build .",
            "#8 0.512 ERROR: No matching distribution found for nosuch==1\n------\n"
            'ERROR: failed to solve: process "/bin/sh -c pip install nosuch==1" did not complete '
            "successfully: exit code: 1",
            ("pip", FailureClass.RESOLUTION, 1),
        ),
        ("make", "own tool: it is wrong\nmake: *** [Makefile:2: all] Error 3", ("make", FailureClass.UNKNOWN, 1)),
        ("cmake --build b", "a.c:1:2: error: no\nninja: build stopped: x.", ("gcc", FailureClass.BUILD, 1)),
    ],
)
def test_the_tool_inside_speaks_first(check: str, output: str, expected: tuple[str, FailureClass, int]) -> None:
    """A wrapper's own words count only where nobody else said anything."""
    assert read(check, output) == expected


def test_a_report_of_single_tests_beats_a_wrapper() -> None:
    """JUnit XML of a runner without a module says more than make's last line."""
    tests = (TestCase("com.shop.A::adds", "failed", 0.0, "want 3"),)
    assert read("make test", "make: *** [Makefile:2: test] Error 1", tests, "JUnit XML")[0] == "JUnit XML"


def test_wrappers_stand_behind_all_others() -> None:
    """The order of the tuple decides who is asked first."""
    names = [tool.NAME for tool in TOOLS]
    first = min(names.index(name) for name in WRAPPERS)
    assert set(names[first:]) == WRAPPERS


@given(check=st.text(max_size=60), output=st.text(max_size=300))
def test_any_text_gives_a_script_that_begins_with_the_steps_own(check: str, output: str) -> None:
    """What was printed only adds to it."""
    assert tools.script(check, output).startswith(check)
