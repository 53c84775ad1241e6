"""Function-repair sets in HumanEval's format: a JSON line per task, with the prompt, a wrong body and a test.

Each becomes a repository of the wrong function and a test per assertion; a sample is a run of its own.
"""

from __future__ import annotations

import ast
import copy
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from workers.bench.case import PYTEST, BenchCase
from workers.bench.differential import Differential
from workers.bench.row import Row
from workers.bench.score import pass_at
from workers.bench.values import Args, drawn, luck
from workers.errors import UsageError

_FUNCTION, _TESTS = "solution.py", "test_solution.py"
_TEST_S, _WANTED = 10, 300
_SPARE = 4
_KS = (1, 5, 10)


class Task(BaseModel):
    """One line. `declaration` stands in the place of a prompt whose description would not be code."""

    model_config = ConfigDict(extra="ignore")

    task_id: str = Field(min_length=1, max_length=200)
    prompt: str
    entry_point: str = Field(pattern=r"^[A-Za-z_][A-Za-z0-9_]*$")
    test: str
    buggy_solution: str
    canonical_solution: str = ""
    declaration: str = ""

    def code(self, body: str) -> bytes:
        """The function with this body."""
        return f"{(self.declaration or self.prompt).rstrip()}\n{body.rstrip()}\n".lstrip("\n").encode()


@dataclass(frozen=True)
class JsonLines:
    """`workers.bench.case.Suite` over a file, each task `samples` times; also `Figured`, for pass@k."""

    file: Path
    samples: int = 1
    in_sample: bool = False
    name: str = "jsonl"

    @property
    def options(self) -> Mapping[str, str]:
        """The file and the number of samples."""
        return {"file": self.file.name, "samples": str(self.samples)}

    def cases(self) -> Iterator[BenchCase]:
        """Every sample of every task, in the file's order. Raises `UsageError` for a line that is no task."""
        for number, line in enumerate(self._lines(), start=1):
            if not line.strip():
                continue
            try:
                task = Task.model_validate_json(line)
            except ValidationError as error:
                first = error.errors()[0]
                where = ".".join(map(str, first["loc"])) or "the line"
                raise UsageError(f"{self.file}, line {number}: {where}: {first['msg']}") from error
            for sample in range(1, self.samples + 1):
                yield case(task, f"{task.task_id}#{sample}" if self.samples > 1 else task.task_id)

    def _lines(self) -> Iterator[str]:
        try:
            with self.file.open(encoding="utf-8", errors="replace") as file:
                yield from file
        except OSError as error:
            raise UsageError(
                f"{self.file} cannot be read: {error.strerror}; give a set in HumanEval's format, such as the Python "
                "part of bigcode-project/humanevalpack"
            ) from error

    def figures(self, rows: Sequence[Row]) -> Sequence[tuple[str, str]]:
        """pass@k for every k that there are samples for."""
        told = []
        for k in (k for k in _KS if k <= self.samples):
            one = pass_at(k, rows)
            if one.value is not None:
                low, high = one.interval
                told.append((f"pass@{k}", f"{one.value:.1%} of {one.cases} tasks, {low:.0%} to {high:.0%}"))
        return told


def case(task: Task, name: str) -> BenchCase:
    """The repository of a task. Right is what answers as the canonical solution, where the test's own calls say enough
    to draw inputs from; without a canonical solution nothing is judged."""
    test = split(task.test, task.entry_point)
    judge = None
    if task.canonical_solution:
        judge = Differential(_FUNCTION, task.code(task.canonical_solution), calls(task.test, task.entry_point), _WANTED)
    return BenchCase(
        name,
        {_FUNCTION: task.code(task.buggy_solution), _TESTS: test.encode()},
        f"python -m pytest -q --timeout={_TEST_S} {_TESTS}",
        image="python",
        setup=PYTEST,
        group=task.task_id,
        judge=judge,
    )


def split(test: str, entry_point: str) -> str:
    """The test file: one test for each assertion of `check`, so that it is seen how many hold; a test of another form
    is one function."""
    head = f"from solution import *\nfrom solution import {entry_point}\n\n"
    whole = f"{head}{test.strip()}\n\n\ndef test_check():\n    check({entry_point})\n"
    try:
        tree = ast.parse(test)
    except (SyntaxError, ValueError, MemoryError, RecursionError):
        return whole
    check = next((one for one in tree.body if isinstance(one, ast.FunctionDef) and one.name == "check"), None)
    if check is None or len(check.args.args) != 1:
        return f"{head}def test_all():\n" + "".join(f"    {line}\n" for line in test.strip().splitlines())
    others = [one for one in tree.body if one is not check and not _calls_check(one)]
    parts = [ast.unparse(one) for one in others]
    for number, body in enumerate(_bodies(check), start=1):
        made = copy.copy(check)
        candidate = check.args.args[0].arg
        bound = ast.parse(f"{candidate} = {entry_point}").body if candidate != entry_point else []
        made.name, made.body = f"test_{number}", [*bound, *body]
        made.args = ast.arguments(posonlyargs=[], args=[], kwonlyargs=[], kw_defaults=[], defaults=[])
        parts.append(ast.unparse(ast.fix_missing_locations(made)))
    return head + "\n\n\n".join(parts) + "\n"


def _bodies(check: ast.FunctionDef) -> Iterator[list[ast.stmt]]:
    """For each assertion itself and what comes before it without the other assertions; all at once where some of them
    stand deeper."""
    deeper = any(isinstance(one, ast.Assert) for top in check.body for one in ast.walk(top) if one is not top)
    asserts = [one for one in check.body if isinstance(one, ast.Assert)]
    if deeper or not asserts:
        yield check.body
        return
    for wanted in asserts:
        before = check.body[: check.body.index(wanted)]
        yield [*(one for one in before if not isinstance(one, ast.Assert)), wanted]


def _calls_check(statement: ast.stmt) -> bool:
    call = statement.value if isinstance(statement, ast.Expr) else None
    return isinstance(call, ast.Call) and isinstance(call.func, ast.Name) and call.func.id == "check"


def calls(test: str, entry_point: str) -> tuple[tuple[str, str], ...]:
    """Calls like those of the test that have literal arguments."""
    try:
        tree = ast.parse(test)
    except (SyntaxError, ValueError, MemoryError, RecursionError):
        return ()
    samples = [args for node in ast.walk(tree) if (args := _literal(node, entry_point)) is not None]
    rng = luck(entry_point)
    return tuple((entry_point, repr(args)) for args in drawn(samples, _WANTED * _SPARE, rng))


def _literal(node: ast.AST, entry_point: str) -> Args | None:
    if not isinstance(node, ast.Call) or not isinstance(node.func, ast.Name) or node.keywords:
        return None
    if node.func.id not in ("candidate", entry_point):
        return None
    try:
        return tuple(ast.literal_eval(one) for one in node.args)
    except (ValueError, TypeError, MemoryError, RecursionError):
        return None
