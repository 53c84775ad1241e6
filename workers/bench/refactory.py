"""Refactory (github.com/githubhuyang/refactory): wrong programs of students for five exercises, with input and output
files. Held out: the fixers were written without them.

Each becomes a repository of the program and a test per input file; a patch is right when the program answers as the
data set's reference does.
"""

from __future__ import annotations

import ast
import io
import zipfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from workers.bench.case import PYTEST, BenchCase, limit_file, limited
from workers.bench.dataset import opened, read
from workers.bench.differential import Differential
from workers.bench.refactory_inputs import inputs
from workers.bench.values import Args, luck
from workers.errors import UsageError

REPOSITORY = "githubhuyang/refactory"
_ARCHIVE = "data.zip"
_PROGRAM, _TESTS = "program.py", "test_program.py"
_WANTED, _SPARE = 300, 2
_TEST_S = 2
_BIGGEST = 1 << 20


@dataclass(frozen=True)
class Refactory:
    """`workers.bench.case.Suite` over a clone of the repository: `sample` wrong programs drawn by `seed`, 0 for all.

    A few of them pass every test of the data set; such a case ends as NOT_REPRODUCED, and says nothing of the fixers.
    """

    dataset: Path | None
    sample: int = 200
    seed: int = 1
    name: str = "refactory"
    in_sample: bool = False

    @property
    def options(self) -> Mapping[str, str]:
        """The sample and its seed, which draws the judge's inputs too."""
        return {"sample": str(self.sample), "seed": str(self.seed)}

    def cases(self) -> Iterator[BenchCase]:
        """The drawn programs, in order of exercise and name."""
        data = _Archive.of(read(opened(self.dataset, REPOSITORY, (_ARCHIVE,)), _ARCHIVE))
        wrong = sorted(path for path in data.names if "/code/wrong/" in path and path.endswith(".py"))
        if 0 < self.sample < len(wrong):
            wrong = sorted(luck(self.seed).sample(wrong, self.sample))
        exercises: dict[str, _Exercise] = {}
        for path in wrong:
            name = path.split("/code/")[0].rpartition("/")[2]
            if name not in exercises:
                exercises[name] = _Exercise.read(data, path.split("/code/")[0], name, self.seed)
            yield exercises[name].case(path.rpartition("/")[2], data.read(path))


@dataclass(frozen=True)
class _Archive:
    """The zip of the data set; members are read in memory, and no larger than a program can be."""

    file: zipfile.ZipFile
    names: frozenset[str]

    @classmethod
    def of(cls, content: bytes) -> _Archive:
        try:
            file = zipfile.ZipFile(io.BytesIO(content))
        except zipfile.BadZipFile as error:
            raise UsageError(f"{_ARCHIVE} of the data set is no zip file: is it a pointer of Git LFS?") from error
        return cls(file, frozenset(file.namelist()))

    def read(self, path: str) -> bytes:
        with self.file.open(path) as member:
            return member.read(_BIGGEST)


@dataclass(frozen=True)
class _Exercise:
    """What the programs of one exercise share."""

    name: str
    shared: bytes
    reference: bytes
    tests: bytes
    calls: tuple[tuple[str, str], ...]

    @classmethod
    def read(cls, data: _Archive, folder: str, name: str, seed: int) -> _Exercise:
        given = sorted(path for path in data.names if path.startswith(f"{folder}/ans/input_"))
        pairs = [(data.read(path).decode(), data.read(path.replace("/input_", "/output_")).decode()) for path in given]
        shared = f"{folder}/code/global.py"
        return cls(
            name,
            data.read(shared) if shared in data.names else b"",
            data.read(f"{folder}/code/reference/reference.py"),
            tests(pairs).encode(),
            calls([call for call, _ in pairs], _WANTED * _SPARE, seed),
        )

    def case(self, file: str, program: bytes) -> BenchCase:
        content = self._whole(program)
        judge = Differential(_PROGRAM, self._whole(self.reference), self.calls, _WANTED)
        return BenchCase(
            f"{self.name}/{file.removesuffix('.py')}",
            {_PROGRAM: content, _TESTS: self.tests, **limit_file()},
            limited(_TEST_S, _TESTS),
            image="python",
            setup=PYTEST,
            group=self.name,
            judge=judge,
        )

    def _whole(self, program: bytes) -> bytes:
        """The program with what the exercise gave its students before it."""
        return self.shared.rstrip() + b"\n\n\n" + program if self.shared.strip() else program


def tests(pairs: list[tuple[str, str]]) -> str:
    """A test for every different pair of a call and its printed answer."""
    lines = ["import program", ""]
    different = dict.fromkeys((call.strip(), answer.strip()) for call, answer in pairs)
    for number, (call, answer) in enumerate(different, start=1):
        lines += ["", f"def test_{number}():", f"    assert program.{call} == {answer}", ""]
    return "\n".join(lines)


def calls(texts: list[str], wanted: int, seed: int) -> tuple[tuple[str, str], ...]:
    """Calls like those in the texts, each function with its share of them."""
    samples: dict[str, list[Args]] = {}
    for text in texts:
        read = _call(text)
        if read is not None:
            samples.setdefault(read[0], []).append(read[1])
    made: list[tuple[str, str]] = []
    for name, known in sorted(samples.items()):
        rng = luck(seed, name)
        for args in inputs(name, known, wanted // len(samples), rng):
            made.append((name, repr(args)))  # noqa: PERF401 - two loops read better than one line
    luck(seed).shuffle(made)
    return tuple(made)


def _call(text: str) -> tuple[str, Args] | None:
    """A call with literal arguments, as the data set writes it."""
    try:
        call = ast.parse(text.strip(), mode="eval").body
        if isinstance(call, ast.Call) and isinstance(call.func, ast.Name):
            return call.func.id, tuple(ast.literal_eval(one) for one in call.args)
    except (ValueError, SyntaxError, MemoryError, RecursionError):
        pass
    return None
