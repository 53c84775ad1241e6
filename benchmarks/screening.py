"""Candidates tried in a warm test process, beside the same candidates tried by the plain command in waiting containers.

One at a time in both. The warm process is that of the offline search (`workers/spectrum/sandboxed`); it runs
the failing test of each candidate in a fork that has pytest imported already. Every candidate stays red.
"""

from __future__ import annotations

import argparse
import json
import statistics
import time
from dataclasses import dataclass

from benchmarks.event import opened
from benchmarks.results import keep
from sandbox.checks import DockerEnvironment
from sandbox.spec import Limits, Plan, Step, Tree
from tests.workers.fixers.trees import MemoryTree
from workers.bench.machine import describe
from workers.spectrum.archive import NAME, archive

ROUNDS = 15
FEW, MANY = 2, 10
BAR = 0.3
_LINE = "VALUE = 1000\n"
_FILES = {
    "calc.py": _LINE,
    "test_calc.py": "import requests\n\nfrom calc import VALUE\n\n\ndef test_red():\n    assert VALUE == 'never'\n",
}
_PLAIN = Step("plain", "python -m pytest -q test_calc.py")
_WARM = Step("screen", f"python /heal/in/{NAME} /heal/in/plan.json")
_INSTALL = Step("install", "python -m pip install -q pytest requests")


@dataclass(frozen=True)
class Round:
    """Seconds for one candidate more, each way."""

    warm: float
    plain: float


def measure(rounds: int = ROUNDS) -> list[Round]:
    """All rounds after one for warming up."""
    tree = MemoryTree(_FILES).tar()
    with opened() as sandbox:
        environment = sandbox.prepare(Plan("python", (_INSTALL,), _PLAIN), tree)
        return [Round(_warm(environment, tree), _plain(environment, tree)) for _ in range(rounds + 1)][1:]


def _plain(environment: DockerEnvironment, tree: Tree) -> float:
    """From the patch to the verdict in a container that already waits."""
    environment.warm(tree, 1)
    time.sleep(1.5)  # it is waiting for certain: what is measured begins with the patch
    began = time.perf_counter()
    result = environment.run(_PLAIN, tree, _patch(7).encode())
    seconds = time.perf_counter() - began
    _must(not result.green and result.count("failed") == 1, result.output.text)
    return seconds


def _warm(environment: DockerEnvironment, tree: Tree) -> float:
    """What one candidate more costs in the same warm process: many candidates against few."""
    seconds = {count: _screen(environment, tree, count) for count in (FEW, MANY)}
    return (seconds[MANY] - seconds[FEW]) / (MANY - FEW)


def _screen(environment: DockerEnvironment, tree: Tree, count: int) -> float:
    plan = {
        "mode": "screen", "runner": "pytest", "instead": None, "args": ["-q", "test_calc.py"], "options": ["-q"],
        "folder": ".", "cwd_on_path": True, "failing": ["test_calc.py::test_red"], "passing": [], "uncollected": [],
        "rootdir": "/ws", "quick_s": 2.0, "full_s": 2.0,
        "budget_s": 60.0, "grace_s": 1.0, "grace_n": 1, "procs": 1,
        "candidates": [
            {"id": str(n), "edits": {"calc.py": [[0, len(_LINE), f"VALUE = {n}\n"]]}} for n in range(count)
        ],
    }  # fmt: skip
    inputs = {NAME: archive(), "plan.json": json.dumps(plan).encode()}
    result = environment.run(_WARM, tree, None, Limits(wall_s=120), inputs)
    tried = [json.loads(line) for line in result.report.splitlines() if line]
    _must(any(row.get("tried") == count for row in tried), f"{tried} {result.output.text}")
    return result.wall_s


def _patch(value: int) -> str:
    return f"--- a/calc.py\n+++ b/calc.py\n@@ -1 +1 @@\n-{_LINE}+VALUE = {value}\n"


def _must(held: bool, said: str) -> None:
    if not held:
        raise SystemExit(f"this measures something else than it says: {said[-800:]}")


def table(rounds: list[Round]) -> str:
    """The figures as Markdown."""
    warm, plain = [one.warm for one in rounds], [one.plain for one in rounds]
    saved = 1 - statistics.median(one.warm / one.plain for one in rounds)
    lines = [
        f"{len(rounds)} rounds; a test that imports requests; one candidate at a time",
        "",
        "| one candidate | s, median | min | max |",
        "| --- | --- | --- | --- |",
    ]
    for name, values in (("plain command, waiting container", plain), ("warm test process", warm)):
        lines.append(f"| {name} | {statistics.median(values):.3f} | {min(values):.3f} | {max(values):.3f} |")
    held = "held" if saved >= BAR else "**not held**"
    return "\n".join([*lines, "", f"Screening in a warm process is {saved:.0%} faster (bar: {BAR:.0%}, {held})."])


def main() -> None:
    """Measure, print, and keep the table."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.screening", description=__doc__)
    parser.add_argument("--rounds", type=int, default=ROUNDS)
    machine = describe()
    text = table(measure(parser.parse_args().rounds))
    print(text)
    keep("Sandbox: screening", f"On {machine}.\n\n{text}")


if __name__ == "__main__":
    main()
