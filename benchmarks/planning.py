"""How long it takes to make a recipe without a log, beside reading the same workflow file as YAML alone.

The workflow is written here: a matrix of 24 combinations, a composite action of the repository, forty steps and
conditions; the repository has 5,000 files. The survey of public workflows measures real ones.
"""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable

from tests.workers.recipe.trees import MemoryTree
from workers import recipe, strict_yaml
from workers.domain import Case, JobReport, RunId, Sha
from workers.repo_config import RepoConfig

ROUNDS = 15
FILES = 5_000
BAR_S = 0.2
WORKFLOW = """\
name: ci
on: [push, pull_request]
env: {LEVEL: one, FLAGS: "-q ${{ github.ref_name }}"}
jobs:
  test:
    name: test ${{ matrix.python }} ${{ matrix.os }} ${{ matrix.extra || 'plain' }}
    runs-on: ${{ matrix.os }}
    strategy:
      matrix:
        python: ["3.9", "3.10", "3.11", "3.12"]
        os: [ubuntu-22.04, ubuntu-24.04]
        extra: [a, b, c]
        exclude: [{python: "3.9", extra: c}]
        include: [{python: "3.13", os: ubuntu-24.04, extra: d}]
    steps:
      - uses: actions/checkout@v5
      - uses: actions/setup-python@v6
        with: {python-version: "${{ matrix.python }}"}
      - uses: ./.github/actions/prepare
        with: {extra: "${{ matrix.extra }}"}
""" + "".join(
    f"""\
      - name: step {number}
        if: ${{{{ matrix.extra != 'z' && contains(fromJSON('["a", "b", "c", "d"]'), matrix.extra) }}}}
        env: {{VALUE: "${{{{ format('{{0}}-{{1}}', matrix.python, env.LEVEL) }}}}"}}
        run: |
          echo {number} "$VALUE"
          python -m pytest ${{{{ env.FLAGS }}}} tests/part_{number}
"""
    for number in range(40)
)
ACTION = """\
name: prepare
inputs: {extra: {default: plain}}
runs:
  using: composite
  steps:
    - run: python -m pip install -e .[${{ inputs.extra }}]
      shell: bash
"""


def measure(rounds: int = ROUNDS) -> dict[str, list[float]]:
    """Seconds of each round, both in turn so that both see the same machine."""
    files = {f"src/part_{number // 50}/file_{number}.py": "" for number in range(FILES)}
    files |= {".github/workflows/ci.yml": WORKFLOW, ".github/actions/prepare/action.yml": ACTION}
    files |= {"pyproject.toml": "[project]\nname = 'shop'\nversion = '1'\n"}
    tree, sha = MemoryTree(files), Sha("a" * 40)
    case = Case(RunId("r1"), "octo/shop", 7, 1, sha, "main", job="test 3.12 ubuntu-24.04 b")
    job = JobReport(case.job, workflow=WORKFLOW, workflow_path=".github/workflows/ci.yml")
    parts: dict[str, Callable[[], object]] = {
        "recipe of one job": lambda: recipe.plan(job, tree, RepoConfig(), case),
        "floor: the file as YAML": lambda: strict_yaml.load(WORKFLOW, max_bytes=1 << 20, max_aliases=10),
    }
    seconds: dict[str, list[float]] = {name: [] for name in parts}
    for _ in range(rounds):
        for name, work in parts.items():
            started = time.perf_counter()
            work()
            seconds[name].append(time.perf_counter() - started)
    return seconds


def table(seconds: dict[str, list[float]]) -> str:
    """The figures as Markdown."""
    lines = ["| what | s, median | min | max |", "| --- | --- | --- | --- |"]
    lines += [
        f"| {name} | {statistics.median(values):.3f} | {min(values):.3f} | {max(values):.3f} |"
        for name, values in seconds.items()
    ]
    recipes, floor = (statistics.median(values) for values in seconds.values())
    held = "held" if recipes < BAR_S else "missed"
    return "\n".join([*lines, "", f"{recipes / floor:.1f}x the floor; under {BAR_S:g} s: {held}"])
