"""`heal bench`: help, wrong use, and one whole bench of two cases in the sandbox, as a process."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.bot.command import heal, one_object, process

DEAD = {"HEAL_DOCKER_HOST": "unix:///nonexistent/docker.sock"}
HOW = "git clone https://github.com/jkoppel/QuixBugs, and give its folder with --dataset"


def test_help_names_every_suite_and_what_it_measures() -> None:
    """Each with whether the fixers know its cases."""
    done = heal("bench", "--help")
    assert done.returncode == 0
    for words in ("quixbugs", "(in-sample)", "refactory", "(held out)", "mutants", "bugsinpy", "jsonl", "pass@k"):
        assert words in done.stdout
    told = heal("bench", "quixbugs", "--help").stdout
    for words in ("--dataset", "--jobs", "--engine", "--json", "--out", "--results", "--fresh", "400 inputs"):
        assert words in told


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["quixbugs"], HOW),
        (["refactory"], "https://github.com/githubhuyang/refactory"),
        (["bugsinpy"], "https://github.com/soarsmu/BugsInPy"),
        (["jsonl", "/nonexistent"], "HumanEval's format"),
        (["quixbugs", "--engine", "llm"], "needs a model"),
    ],
)
def test_wrong_use_is_one_sentence(tmp_path: Path, arguments: list[str], words: str) -> None:
    """Exit code 2, nothing on standard output, and no engine is needed to be told."""
    done = heal("bench", *arguments, **DEAD, HEAL_STATE_DIR=str(tmp_path))
    assert (done.returncode, done.stdout) == (2, "")
    assert words in done.stderr


TASK = {
    "prompt": "def largest(values):\n",
    "entry_point": "largest",
    "canonical_solution": "    return max(values)\n",
    "test": "def check(candidate):\n    assert candidate([3, 1, 2]) == 3\n    assert candidate([1, 5]) == 5\n"
    "    assert candidate([4]) == 4\n",
}


@pytest.mark.engine
def test_a_whole_bench_goes_through_the_pipeline_and_the_judge(tmp_path: Path) -> None:
    """Two tasks side by side: one is mended, verified and judged in the sandbox, the other is not red at all. The
    report is printed and written, and every row is in the file of results."""
    tasks, out, results = tmp_path / "tasks.jsonl", tmp_path / "out", tmp_path / "r.jsonl"
    lines = [
        {**TASK, "task_id": "red", "buggy_solution": "    return min(values)\n"},
        {**TASK, "task_id": "green", "buggy_solution": TASK["canonical_solution"]},
    ]
    tasks.write_text("\n".join(map(json.dumps, lines)))
    more = ("--engine", "offline", "--jobs", "2", "--results", results, "--out", out, "--json")
    found = one_object(process("bench", "jsonl", tasks, *more))
    green, red = found["cases"]
    assert (red["outcome"], red["tier"], red["correct"]) == ("FIXED", "search", True), red
    assert "max(values)" in red["patch"]
    assert red["first_s"] < red["seconds"]
    assert green["outcome"] == "NOT_REPRODUCED", green
    assert found["extra"]["pass@1"].startswith("100.0% of 1 tasks")
    assert (out / "chart.svg").read_text().startswith("<svg")
    assert [next(iter(json.loads(line))) for line in results.read_text().splitlines()] == [
        "bench",
        "case",
        "case",
        "end",
    ]
