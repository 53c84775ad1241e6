"""How one test file is run with the repository's own runner, and which of its commands is the whole suite."""

from __future__ import annotations

import pytest

from sandbox.spec import Plan, Step
from tests.workers.recipe.trees import MemoryTree
from tests.workers.witness import shop
from workers.witness.runner import Runner, bed

PATH = "tests/test_issue_12.py"


def planned(command: str) -> Plan:
    return Plan("python", (Step("made for", command),), Step("guess", command))


@pytest.mark.parametrize(
    ("script", "alone"),
    [
        ("python -m pytest -q", f"python -m pytest {PATH}"),
        ("pytest", f"pytest {PATH}"),
        ("pytest tests/unit -k fast --cov shop -n 4", f"pytest {PATH}"),
        ("uv run pytest -x", f"uv run pytest {PATH}"),
        ("pytest -c ci.ini --import-mode=importlib", f"pytest -c ci.ini --import-mode=importlib {PATH}"),
        ("SHOP=1 pytest -q", f"SHOP=1 pytest {PATH}"),
        ("export A=1\ncd backend\npytest", f"export A=1\ncd backend\npytest ../{PATH}"),
        ("python -m unittest", "python -m unittest discover -p test_issue_12.py"),
        ("python -m unittest discover -s tests -v", "python -m unittest discover -s tests -p test_issue_12.py"),
    ],
)
def test_one_file_alone(script: str, alone: str) -> None:
    """The same program, folder and variables; without what chooses other tests."""
    found = bed(Plan("python", (), Step("Test", script)), shop.tree(), planned)
    assert found is not None
    assert found.alone(PATH).check.script == alone
    assert found.suite.check.script == script


def test_the_steps_before_are_kept_and_those_after_are_not() -> None:
    """What a build left belongs to the set-up; a linter leaves nothing."""
    lint, build, test, docs = (
        Step("l", "ruff check ."),
        Step("b", "make ext"),
        Step("t", "pytest"),
        Step("d", "make docs"),
    )
    found = bed(Plan("python", (Step("i", "pip install x"),), lint, (build, test, docs)), shop.tree(), planned)
    assert found is not None
    assert [step.name for step in found.suite.setup] == ["i", "b"]
    assert (found.suite.check, found.suite.after) == (test, ())


def test_a_wrapper_is_looked_through() -> None:
    """Where make or tox hides the runner, the repository's files say which it is."""
    found = bed(Plan("python", (), Step("Test", "make test")), shop.tree(), planned)
    assert found is not None
    assert (found.runner, found.suite.check.script) == (Runner.PYTEST, "python -m pytest")


def test_without_python_tests_there_is_no_bed() -> None:
    """Nothing is made up for other languages."""
    plan = Plan("node", (), Step("Test", "npm test"))
    assert bed(plan, MemoryTree({"package.json": "{}", "index.js": ""}), planned) is None
