"""The commit that broke a branch, among 64, found by a check of one second: in the real sandbox, from a real history.

The floor is the rounds that were needed, each as long as one run of the check alone in a container of its own.
"""

from __future__ import annotations

import argparse
import statistics
import subprocess
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from threading import Event
from typing import TypeVar

from benchmarks.event import opened
from benchmarks.results import keep
from sandbox.environments import DockerSandbox
from sandbox.spec import Plan, Step
from workers import diagnosis
from workers.bench.machine import describe
from workers.domain import JobReport, Reproduction, RunId
from workers.local import LocalForge
from workers.ports import Workbench
from workers.repo_config import RepoConfig
from workers.stages.blame import blame

T = TypeVar("T")

ROUNDS = 5
COMMITS = 64
BAR_S = 15.0
_CHECK = Step("check", "sleep 1; grep -q right value.txt || { echo 'error: the value is wrong'; exit 1; }")
_FILES = 230
"""Files beside the one that is checked, as in the other benchmarks."""


@dataclass(frozen=True)
class Round:
    """One search: where the first red commit was, seconds, rounds of runs, runs, and seconds of one run alone."""

    first_red: int
    seconds: float
    rounds: int
    runs: int
    alone: float

    @property
    def floor(self) -> float:
        return self.rounds * self.alone


@dataclass
class _Rounds:
    """`Once` that counts how many rounds were really run."""

    keys: list[str] = field(default_factory=list)

    def __call__(self, key: str, kind: type[T], compute: Callable[[], T]) -> T:
        del kind
        self.keys.append(key)
        return compute()


def measure(rounds: int = ROUNDS) -> list[Round]:
    """Searches for culprits all over the history, after one for warming up."""
    places = [1 + (2 * n + 1) * COMMITS // (2 * rounds) for n in range(rounds)]
    with opened() as sandbox:
        return [_round(sandbox, place) for place in (places[0], *places)][1:]


def _round(sandbox: DockerSandbox, first_red: int) -> Round:
    """A repository of its own, so that no mirror knows its commits; its past is read, its commits are run."""
    with tempfile.TemporaryDirectory(prefix="heal-bench-") as folder:
        good = _repository(Path(folder) / "repo", first_red)
        forge = LocalForge(Path(folder) / "repo", Path(folder) / "state", good=good)
        case = forge.case(RunId("bench"))
        tree, plan, job = forge.tree(case), Plan("debian", (), _CHECK), JobReport("check")
        environment = sandbox.prepare(plan, tree.tar())
        began = time.perf_counter()
        before = environment.run(_CHECK, tree.tar())
        alone = time.perf_counter() - began
        once = _Rounds()
        found = Reproduction(plan, before, 0, 0)
        bench = Workbench(tree, diagnosis.read(plan, before, job, tree), found, environment, RepoConfig(), once)
        seconds, result = _timed(lambda: blame(case, bench, forge, sandbox, Event()))
    if result.culprit is None or result.culprit.subject != f"Commit {first_red}":
        raise SystemExit(f"the wrong commit was blamed, not {first_red}: {result}")
    return Round(first_red, seconds, len(once.keys), result.runs, alone)


def _timed(work: Callable[[], T]) -> tuple[float, T]:
    began = time.perf_counter()
    answer = work()
    return time.perf_counter() - began, answer


def _repository(path: Path, first_red: int) -> str:
    """A green commit and 64 more, of which one breaks the check; the green one's sha. Written as one stream."""
    lines = ["commit refs/heads/main", "committer Bench <bench@localhost> 1700000000 +0000", _data("Commit 0")]
    lines += [f"M 644 inline src/module_{n}.py\n{_data(f'VALUE = {n}' * 40)}" for n in range(_FILES)]
    lines += [f"M 644 inline value.txt\n{_data('right')}"]
    for number in range(1, COMMITS + 1):
        lines += ["commit refs/heads/main", f"committer Bench <bench@localhost> {1_700_000_000 + number} +0000"]
        lines += [_data(f"Commit {number}"), f"M 644 inline src/module_0.py\n{_data(f'VALUE = {number}')}"]
        lines += [f"M 644 inline value.txt\n{_data('wrong')}"] if number == first_red else []
    _git(path.parent, "init", "--quiet", "--initial-branch=main", str(path))
    _git(path, "fast-import", "--quiet", stdin="\n".join(lines) + "\n")
    _git(path, "reset", "--quiet", "--hard", "main")
    return _git(path, "rev-parse", f"main~{COMMITS}").strip()


def _data(text: str) -> str:
    return f"data {len(text.encode())}\n{text}"


def _git(path: Path, *args: str, stdin: str = "") -> str:
    return subprocess.run(["git", *args], cwd=path, input=stdin, text=True, check=True, capture_output=True).stdout


def table(rounds: list[Round]) -> str:
    """The figures as Markdown."""
    seconds = [one.seconds for one in rounds]
    slower = statistics.median(one.seconds / one.floor for one in rounds)
    held = "held" if max(seconds) <= BAR_S else "**not held**"
    lines = [
        f"{len(rounds)} searches over {COMMITS} commits of {_FILES + 1} files, a check of one second, two at a time",
        "",
        "| first red commit | s | rounds | runs | one run alone, s | x floor |",
        "| --- | --- | --- | --- | --- | --- |",
    ]
    for one in rounds:
        cells = (one.first_red, f"{one.seconds:.1f}", one.rounds, one.runs, f"{one.alone:.2f}",
                 f"{one.seconds / one.floor:.2f}")  # fmt: skip
        lines.append(f"| {' | '.join(map(str, cells))} |")
    told = f"Median {statistics.median(seconds):.1f} s, slowest {max(seconds):.1f} s (bar: {BAR_S:g} s, {held}); "
    return "\n".join([*lines, "", f"{told}{slower:.2f}x the rounds that were needed, each as long as one run alone."])


def main() -> None:
    """Measure, print, and keep the table."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.bisect", description=__doc__)
    parser.add_argument("--rounds", type=int, default=ROUNDS)
    machine = describe()
    text = table(measure(parser.parse_args().rounds))
    print(text)
    keep("Bisect", f"On {machine}.\n\n{text}")


if __name__ == "__main__":
    main()
