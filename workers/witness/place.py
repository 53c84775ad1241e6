"""Where a new test file goes: beside the repository's own tests, under a name that none of its files has."""

from __future__ import annotations

import ast
import re
from collections import Counter
from collections.abc import Iterable
from pathlib import PurePosixPath

from workers.domain import IssueReport
from workers.ports import SourceTree
from workers.syntax import parsed
from workers.witness.runner import Runner
from workers.witness.writing import name_of

_TEST = re.compile(r"(^|/)(test_[^/]*|[^/]*_test)\.py$")
_MOST_READ = 300


def tests(tree: SourceTree) -> list[str]:
    """The repository's Python test files."""
    return [path for path in tree.paths() if _TEST.search(path)]


def path_for(report: IssueReport, tree: SourceTree, runner: Runner, modules: Iterable[str] = ()) -> str:
    """The path of the file for this report: in the folder whose tests import one of the modules, else where most tests
    are. Named as most of its neighbours are."""
    known, taken = tests(tree), frozenset(tree.paths())
    folder = _folder(known, _importing(known, tree, frozenset(modules)), tree)
    beside = [path for path in known if str(PurePosixPath(path).parent) == folder]
    ends = sum(path.endswith("_test.py") for path in beside) * 2 > len(beside) and runner is Runner.PYTEST
    name = name_of(report)
    for number in range(1, 1_000):
        stem = name if number == 1 else f"{name}_{number}"
        path = str(PurePosixPath(folder) / (f"{stem}_test.py" if ends else f"test_{stem}.py"))
        if path not in taken:
            return path
    raise ValueError("a thousand tests of one report")


def _folder(known: list[str], importing: list[str], tree: SourceTree) -> str:
    chosen = Counter(str(PurePosixPath(path).parent) for path in importing or known)
    if chosen:
        return min(chosen, key=lambda folder: (-chosen[folder], len(folder), folder))
    return "tests" if any(path.startswith("tests/") for path in tree.paths()) else "."


def _importing(known: list[str], tree: SourceTree, modules: frozenset[str]) -> list[str]:
    return [path for path in known[:_MOST_READ] if modules & imports(tree.read(path) or b"")] if modules else []


def imports(content: bytes) -> frozenset[str]:
    """The modules that a Python file imports by their full names."""
    module = parsed(content)
    found: set[str] = set()
    for node in ast.walk(module) if module else ():
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            found |= {node.module, *(f"{node.module}.{alias.name}" for alias in node.names)}
    return frozenset(found)
