"""Answers written down for a test's inputs: a value of the failing tests returned where one of theirs is asked for."""

from __future__ import annotations

import ast
from collections import Counter
from collections.abc import Iterator

from workers.cheats.syntax import constant, parsed
from workers.domain import Diagnosis
from workers.policy import Violation, is_test
from workers.ports import SourceTree

_COMMON = frozenset(map(repr, (None, True, False, ..., 0, 1, -1, 2, 0.0, 1.0, "", b"", (), [], {}, 10, 100)))


def of_tests(tree: SourceTree, diagnosis: Diagnosis) -> frozenset[str]:
    """The literals of the test files that fail, but for those that stand in any program."""
    named = {f.path for f in diagnosis.findings if f.path} | {
        f.test.split("::")[0] for f in diagnosis.findings if f.test
    }
    found: set[str] = set()
    for path in sorted({*named, *(suspect.path for suspect in diagnosis.suspects)}):
        module = parsed(tree.read(path) or b"") if path.endswith(".py") and is_test(path) else None
        if module is not None:
            found |= {_shown(node) for node in ast.walk(module) if isinstance(node, ast.expr)}
    return frozenset(found) - _COMMON


def review(path: str, before: ast.Module, after: ast.Module, literals: frozenset[str]) -> Iterator[Violation]:
    """New pairs of question and answer that both stand in the failing tests, and functions that only answer."""
    had = Counter(key for key, _ in _answers(before, literals))
    for key, line in _answers(after, literals):
        if had[key]:
            had[key] -= 1
        else:
            yield Violation("has literals copied from tests", path, line, key[:200])
    had = Counter(_fixed(before, literals, only_new=False))
    for name in _fixed(after, literals, only_new=True):
        if not had[name]:
            yield Violation("has literals copied from tests", path, 0, f"{name} always returns one value of the tests")


def _answers(module: ast.Module, literals: frozenset[str]) -> Iterator[tuple[str, int]]:
    for node in ast.walk(module):
        if isinstance(node, ast.If) and _asks(node.test, literals):
            results = [
                part.value for one in node.body for part in ast.walk(one) if isinstance(part, ast.Return | ast.Assign)
            ]
        elif isinstance(node, ast.IfExp) and _asks(node.test, literals):
            results = [node.body, node.orelse]
        elif isinstance(node, ast.match_case) and _pattern(node.pattern, literals):
            results = [
                part.value for one in node.body for part in ast.walk(one) if isinstance(part, ast.Return | ast.Assign)
            ]
        elif isinstance(node, ast.Dict) and _pairs(node, literals) >= 1:
            results = [*node.values]
        else:
            continue
        if any(_shown(result) in literals for result in results):
            where = node.body[0] if isinstance(node, ast.match_case) else node
            shown = where.test if isinstance(where, ast.If | ast.IfExp) else where
            yield ast.unparse(shown), where.lineno


def _asks(test: ast.expr, literals: frozenset[str]) -> bool:
    return any(
        _shown(side) in literals
        or (isinstance(side, ast.List | ast.Tuple | ast.Set) and any(_shown(one) in literals for one in side.elts))
        for node in ast.walk(test)
        if isinstance(node, ast.Compare) and isinstance(node.ops[0], ast.Eq | ast.In | ast.Is)
        for side in (node.left, *node.comparators)
    )


def _pattern(pattern: ast.pattern, literals: frozenset[str]) -> bool:
    return any(_shown(node.value) in literals for node in ast.walk(pattern) if isinstance(node, ast.MatchValue))


def _pairs(node: ast.Dict, literals: frozenset[str]) -> int:
    return sum(
        _shown(key) in literals and _shown(value) in literals for key, value in zip(node.keys, node.values, strict=True)
    )


def _fixed(module: ast.Module, literals: frozenset[str], *, only_new: bool) -> Iterator[str]:
    """Functions with arguments all of whose returns are literals; with `only_new` those of the tests."""
    for node in ast.walk(module):
        if not isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) or not node.args.args:
            continue
        returned = [_shown(part.value) for part in ast.walk(node) if isinstance(part, ast.Return)]
        if returned and repr(...) not in returned and (not only_new or any(one in literals for one in returned)):
            yield node.name


def _shown(node: ast.AST | None) -> str:
    """A literal's value, a list and a tuple of the same things alike."""
    return repr(_frozen(constant(node)))


def _frozen(value: object) -> object:
    return tuple(map(_frozen, value)) if isinstance(value, list | tuple) else value
