"""QuixBugs (github.com/jkoppel/QuixBugs): 40 small Python programs with one wrong line each, and tests for all.

Each becomes a repository of the program and its tests; a patch is right when the program answers as the correct one of
the data set does. The fixers were written knowing these programs.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from workers.bench.case import PYTEST, BenchCase, limit_file, limited
from workers.bench.dataset import opened, read, text
from workers.bench.differential import Differential
from workers.bench.quixbugs_inputs import inputs
from workers.bench.values import Args, luck
from workers.git.tree import MirrorTree

REPOSITORY = "jkoppel/QuixBugs"
_PROGRAMS, _CORRECT, _TESTS, _CASES = "python_programs", "correct_python_programs", "python_testcases", "json_testcases"
_SHARED = ("conftest.py", f"{_TESTS}/load_testdata.py", f"{_TESTS}/node.py")
_ADAPTER = Path(__file__).with_name("inside") / "quixbugs_adapter.py"
_SPARE = 3
"""Inputs per wanted one: the reference refuses some."""
_WANTED = 400
_TEST_S = 2
"""Of processor time: some programs loop for ever, and the slowest test of a right one takes about a quarter of that."""


@dataclass(frozen=True)
class QuixBugs:
    """`workers.bench.case.Suite` over a clone of the repository."""

    dataset: Path | None
    seed: int = 1
    name: str = "quixbugs"
    in_sample: bool = True

    @property
    def options(self) -> Mapping[str, str]:
        """The seed draws the inputs that patches are judged on."""
        return {"seed": str(self.seed)}

    def cases(self) -> Iterator[BenchCase]:
        """The programs that have a test file, in order of name."""
        data = opened(self.dataset, REPOSITORY, (*_SHARED, f"{_PROGRAMS}/gcd.py"))
        known = set(data.paths())
        for path in data.paths():
            folder, _, file = path.rpartition("/")
            if folder == _PROGRAMS and f"{_TESTS}/test_{file}" in known and f"{_CORRECT}/{file}" in known:
                yield self._case(data, file.removesuffix(".py"))

    def _case(self, data: MirrorTree, name: str) -> BenchCase:
        program, cases = f"{_PROGRAMS}/{name}.py", f"{_CASES}/{name}.json"
        paths = [*_SHARED, program, f"{_TESTS}/test_{name}.py"]
        paths += [cases] if cases in data.paths() else []
        paths += [f"{_PROGRAMS}/node.py"] if f"{_PROGRAMS}/node.py" in data.paths() else []
        files = {path: read(data, path) for path in paths}
        samples = _samples(text(data, cases)) if cases in files else []
        rng = luck(self.seed, name)
        calls = [(name, repr(args)) for args in inputs(name, samples, _WANTED * _SPARE, rng)]
        correct = read(data, f"{_CORRECT}/{name}.py")
        judge = Differential(program, correct, calls, _WANTED, _ADAPTER.read_bytes(), (_PROGRAMS, "."))
        check = limited(_TEST_S, f"{_TESTS}/test_{name}.py")
        return BenchCase(name, {**files, **limit_file()}, check, image="python", setup=PYTEST, judge=judge)


def _samples(lines: str) -> list[Args]:
    """The arguments of the test cases: a line of JSON each, arguments and answer."""
    found: list[Args] = []
    for line in lines.splitlines():
        try:
            args = json.loads(line)[0]
        except (ValueError, LookupError, TypeError):
            continue
        found.append(tuple(args) if isinstance(args, list) else (args,))
    return found
