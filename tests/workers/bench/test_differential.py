"""The judge that compares with a reference: its script run as a process, and what follows from its words."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from workers.bench import differential
from workers.bench.differential import ruled
from workers.bench.quixbugs import _ADAPTER

REFERENCE = "def double(n):\n    if n < 0:\n        raise ValueError(n)\n    return 2 * n\n"


def said(
    folder: Path, candidate: str, inputs: list[tuple[str, str]], adapter: str = "", reference: str = REFERENCE
) -> Any:
    """What the script says of a candidate."""
    (folder / "reference.py").write_text(reference)
    (folder / "candidate.py").write_text(candidate)
    plan = {
        "candidate": "candidate.py", "reference": "reference.py", "adapter": adapter, "module": "m", "path": ["."],
        "inputs": inputs, "wanted": 5,
    }  # fmt: skip
    (folder / "plan.json").write_text(json.dumps(plan))
    script = Path(differential.__file__).with_name("inside") / "compare.py"
    environment = {**os.environ, "HEAL_REPORT": str(folder / "report")}
    subprocess.run([sys.executable, str(script), "plan.json"], cwd=folder, env=environment, check=True)
    return json.loads((folder / "report").read_text())


NUMBERS = [("double", f"({n},)") for n in (-2, 3, -1, 4, 5, 6, 7, 8)]


@pytest.mark.parametrize(
    ("candidate", "different"),
    [
        ("def double(n):\n    return n + n\n", 0),
        ("def double(n):\n    return n + n if n < 6 else 0\n", 2),
        ("def double(n):\n    return 2.0 * n\n", 0),
        ("def double(n):\n    raise KeyError\n", 5),
        ("import sys\nsys.exit(0)\n", 5),
        ("def double(n):\n    import os\n    os._exit(0)\n", 5),
    ],
)
def test_only_what_the_reference_answers_is_compared(tmp_path: Path, candidate: str, different: int) -> None:
    """Five of the six numbers that it takes, by value; a candidate that ends the process is wrong, not lucky."""
    found = said(tmp_path, candidate, NUMBERS)
    assert (found["compared"], found["different"]) == (5, different)
    assert len(found["examples"]) == min(3, different)


def test_sets_and_generators_are_compared_by_what_they_hold(tmp_path: Path) -> None:
    """Order of a set is no difference; a generator is its values."""
    reference = "def f(n):\n    return [{3, 1, 2}, (1, n)]\n"
    candidate = "def f(n):\n    yield {1, 2, 3}\n    yield (1, n)\n"
    assert said(tmp_path, candidate, [("f", "(1,)")], reference=reference)["different"] == 0


def test_an_adapter_builds_graphs(tmp_path: Path) -> None:
    """Any order that keeps to the edges is right; another is not."""
    inputs = [("topological_ordering", "(3, [(2, 1), (1, 0)])")]
    right = "def topological_ordering(nodes):\n    return sorted(nodes, key=lambda node: -node.value)\n"
    wrong = "def topological_ordering(nodes):\n    return nodes\n"
    assert said(tmp_path, right, inputs, str(_ADAPTER), right)["different"] == 0
    assert said(tmp_path, wrong, inputs, str(_ADAPTER), right)["different"] == 1


@pytest.mark.parametrize(
    ("report", "correct", "words"),
    [
        ({"compared": 400}, True, "equal to the reference on 400 inputs"),
        (
            {"compared": 400, "different": 2, "examples": [["f(1)", "2", "value 3"]]},
            False,
            "2 of 400 inputs differ: f(1) is 2",
        ),
        ({"compared": 400, "different": 2}, False, "2 of 400"),
        ({"compared": 3}, None, "only 3 inputs"),
        ({"problem": "no reference"}, None, "no reference"),
        ({"compared": "many"}, None, "without an answer (timeout)"),
        ({"compared": -1, "different": 0}, None, "without an answer"),
    ],
)
def test_the_ruling(report: dict[str, object], correct: bool | None, words: str) -> None:
    """Nothing is called right that was not compared on enough inputs."""
    ruling = ruled(json.dumps(report).encode(), "timeout")
    assert (ruling.correct, words in ruling.why) == (correct, True)
    assert ruled(b"", "oom").correct is None
