"""Function-repair sets in HumanEval's format."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from tests.workers.bench.rows import fixed, row
from workers.bench.differential import Differential
from workers.bench.jsonl import JsonLines, calls, split
from workers.errors import UsageError

TASK = {
    "task_id": "Made/0",
    "prompt": 'def add(a, b):\n    """Add."""\n',
    "entry_point": "add",
    "canonical_solution": "    return a + b\n",
    "buggy_solution": "    return a - b\n",
    "test": """\
def check(candidate):
    zero = 0
    assert candidate(1, zero) == 1
    assert candidate(1, 2) == 3

check(add)
""",
    "docstring": "left alone",
}


def written(place: Path, *lines: object) -> Path:
    """A file of lines."""
    file = place / "tasks.jsonl"
    file.write_text("\n".join(line if isinstance(line, str) else json.dumps(line) for line in lines) + "\n")
    return file


def test_a_task_is_a_repository_with_a_test_per_assertion(tmp_path: Path) -> None:
    """The tests are red for the wrong body and green for the right one, each for itself."""
    (case,) = JsonLines(written(tmp_path, TASK, "")).cases()
    assert isinstance(case.judge, Differential)
    for name, content in case.files.items():
        (tmp_path / name).write_bytes(content)
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "test_solution.py"]
    wrong = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True)
    assert "1 failed, 1 passed" in wrong.stdout
    (tmp_path / "solution.py").write_bytes(case.judge.reference)
    assert "2 passed" in subprocess.run(command, cwd=tmp_path, capture_output=True, text=True).stdout


@pytest.mark.parametrize(
    ("test", "tests"),
    [
        ("def check(add):\n    assert add(1, 2) == 3\n\ncheck(add)", ["test_1"]),
        (
            "def check(candidate):\n    for n in (1, 2):\n        assert candidate(n, 0) == n\n    assert True",
            ["test_1"],
        ),
        ("assert add(1, 2) == 3\nassert add(2, 2) == 4", ["test_all"]),
        ("def check(candidate):\n  assert (", ["test_check"]),
    ],
)
def test_other_forms_of_tests_stay_whole(test: str, tests: list[str]) -> None:
    """Assertions in loops belong together, and a name is not bound to itself."""
    made = split(test, "add")
    assert [
        line.split("(")[0].removeprefix("def ") for line in made.splitlines() if line.startswith("def test")
    ] == tests
    assert "add = add" not in made


def test_inputs_are_like_the_calls_of_the_test() -> None:
    """Those with literal arguments; none where there are none."""
    made = calls(str(TASK["test"]), "add")
    assert made[0] == ("add", "(1, 2)")
    assert len(made) > 20
    assert calls("def check(", "add") == calls("assert x(y)", "add") == ()


def test_samples_are_runs_of_their_own_and_make_pass_at_k(tmp_path: Path) -> None:
    """Tasks share their group; k goes up to the number of samples."""
    suite = JsonLines(written(tmp_path, TASK), samples=5)
    assert [case.id for case in suite.cases()] == [f"Made/0#{n}" for n in range(1, 6)]
    rows = [fixed("Made/0#1", None, group="Made/0"), *(row(f"Made/0#{n}", group="Made/0") for n in range(2, 6))]
    assert [(label, words[:16]) for label, words in suite.figures(rows)] == [
        ("pass@1", "20.0% of 1 tasks"),
        ("pass@5", "100.0% of 1 task"),
    ]


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ("{", "line 2"),
        ({**TASK, "entry_point": "a b"}, "line 2: entry_point"),
        ({name: value for name, value in TASK.items() if name != "buggy_solution"}, "line 2: buggy_solution"),
    ],
)
def test_a_line_that_is_no_task_is_said(tmp_path: Path, line: object, words: str) -> None:
    """By its number and its field."""
    with pytest.raises(UsageError, match=words):
        list(JsonLines(written(tmp_path, TASK, line)).cases())


def test_a_file_that_is_not_there_is_said(tmp_path: Path) -> None:
    """With what to give instead."""
    with pytest.raises(UsageError, match="HumanEval's format"):
        list(JsonLines(tmp_path / "none").cases())
