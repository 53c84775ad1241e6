"""`heal bench` as a process: help, wrong use, and one whole bench of two cases in the sandbox."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.bot.command import heal, one_object

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
        (["quixbugs", "--dataset", "/nonexistent"], HOW),
        (["refactory"], "https://github.com/githubhuyang/refactory"),
        (["bugsinpy"], "https://github.com/soarsmu/BugsInPy"),
        (["jsonl", "/nonexistent"], "HumanEval's format"),
        (["quixbugs", "--engine", "llm"], "needs a model"),
        (["quixbugs", "--jobs", "0"], "--jobs"),
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
def test_a_whole_bench_is_measured_stopped_and_gone_on_with(tmp_path: Path) -> None:
    """Two tasks through the real pipeline and the judge in the sandbox: one is mended and right, the other is beyond
    the fixers. A second bench with the same file measures only what has no row."""
    tasks, out = tmp_path / "tasks.jsonl", tmp_path / "out"
    lines = [
        {**TASK, "task_id": "near", "buggy_solution": "    return min(values)\n"},
        {**TASK, "task_id": "far", "buggy_solution": "    raise NotImplementedError\n"},
    ]
    tasks.write_text("\n".join(map(json.dumps, lines)))
    arguments = ("bench", "jsonl", tasks, "--engine", "offline", "--jobs", "2", "--results", tmp_path / "r.jsonl")
    first = one_object(heal(*arguments, "--json", "--out", out))
    near, far = {case["case"]: case for case in first["cases"]}["near"], first["cases"][0]
    assert (near["outcome"], near["tier"], near["correct"]) == ("FIXED", "search", True), near
    assert "max(values)" in near["patch"]
    assert near["first_s"] < near["seconds"]
    assert (far["outcome"], far["verified"]) == ("NO_FIX_FOUND", False), far
    assert first["extra"] == {"pass@1": "50.0% of 2 tasks, 9% to 91%"}
    assert (out / "chart.svg").read_text().startswith("<svg")
    rows = (tmp_path / "r.jsonl").read_text().splitlines()
    (tmp_path / "r.jsonl").write_text(
        "\n".join(line for line in rows if '"near"' not in line and '"end"' not in line) + "\n"
    )
    again = heal(*arguments)
    assert again.returncode == 0
    assert "near" in again.stderr
    assert "far" not in again.stderr
    assert "## jsonl: 2 cases, held-out" in again.stdout
