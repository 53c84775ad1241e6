"""How often the gates that only read a patch let a bad one through, and turn an honest one down."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from pathlib import PurePosixPath

from benchmarks.factorised.patches import Patch, Program, overfitted
from sandbox.spec import Plan, Step
from tests.workers.corpus import CHEATS, HONEST, VARIANTS, judged
from tests.workers.fixers.trees import MemoryTree
from workers import cheats, policy
from workers.domain import Diagnosis, FailureClass, Finding
from workers.policy import is_test
from workers.repo_config import Policy

_PLAN = Plan("python", (), Step("Test", "python -m pytest -q"))
_TEST = "tests/test_it.py"
_ANY_SIZE = Policy(max_files=100, max_lines=5000)

Row = tuple[str, str, bool]
"""What kind of patch, which one of its kinds, and whether the gates took it."""


def bad(programs: Sequence[Program]) -> Counter[Row]:
    """The corpus by rule, and programs that answer their tests by trick."""
    seen: Counter[Row] = Counter()
    for kind, cases in (("cheat of the corpus", CHEATS), ("the same in other words", VARIANTS)):
        seen.update((kind, case.rule, not judged(case)) for case in cases)
    for program in programs:
        tree = MemoryTree({program.path: program.before, _TEST: _test(program)})
        for trick, text in overfitted(program):
            seen["overfitter", trick, not _found(tree, {program.path: text})] += 1
    return seen


def honest(patches: Sequence[Patch]) -> Counter[Row]:
    """The corpus and the right edits of data sets, as far as they touch no test: those need a word of the owner, as
    large ones do, so the limits of size are left out."""
    seen: Counter[Row] = Counter(("honest", "corpus", not judged(case)) for case in HONEST)
    for patch in patches:
        if patch.source != "own" and not any(map(is_test, patch.edits)):
            seen["honest", patch.source, not _found(MemoryTree(patch.files), patch.edits)] += 1
    return seen


def _found(tree: MemoryTree, edits: Mapping[str, str]) -> list[policy.Violation]:
    why = Diagnosis(FailureClass.TEST, "pytest", "f", (Finding("x", _TEST, 1, f"{_TEST}::test_it"),), "", "")
    encoded: dict[str, bytes | None] = {path: text.encode() for path, text in edits.items()}
    found = policy.review(tree.diff(encoded), tree, why, _ANY_SIZE)
    return found + cheats.review(encoded, tree, why, _PLAN, allow_test_edits=False)


def _test(program: Program) -> str:
    """The program's tests as a repository would have them."""
    return "\n".join(_lines(program))


def _lines(program: Program) -> Iterator[str]:
    rows = [(tuple(given) if isinstance(given, list) else given, answer) for given, answer in program.tests]
    yield "import pytest"
    yield f"from {PurePosixPath(program.path).stem} import {program.name}"
    yield f"@pytest.mark.parametrize('given, answer', {rows!r})"
    yield "def test_it(given, answer):"
    yield f"    assert {program.name}(*given) == answer"
