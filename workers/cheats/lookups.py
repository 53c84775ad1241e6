"""Answers written down beside the questions: two lists of one length, of which one holds inputs of the failing tests
and is looked through, and the other is read at the place that was found.

Each part of the first has to be a value of those tests that is no plain one, such as the arguments of a call: what a
program lists for reasons of its own hardly ever is.
"""

from __future__ import annotations

import ast
from collections import Counter
from collections.abc import Iterator

from workers.cheats.copied import shown
from workers.policy import Violation
from workers.syntax import constant


def review(path: str, before: ast.Module, after: ast.Module, literals: frozenset[str]) -> Iterator[Violation]:
    """New pairs of such lists."""
    had = Counter(key for key, _ in _pairs(before, literals))
    for key, line in _pairs(after, literals):
        if had[key]:
            had[key] -= 1
        else:
            yield Violation("has literals copied from tests", path, line, key[:200])


def _pairs(module: ast.Module, literals: frozenset[str]) -> Iterator[tuple[str, int]]:
    top = _named(module)
    for function in ast.walk(module):
        if not isinstance(function, ast.FunctionDef | ast.AsyncFunctionDef):
            continue
        lists = {**top, **_named(function)}
        asked = {name for name in _looked_through(function) if name in lists and _of_tests(lists[name], literals)}
        for name in sorted(asked):
            answers = [other for other in _read(function) - {name} if _fits(lists.get(other), lists[name])]
            if answers:
                yield f"{name} = {ast.unparse(lists[name])}", lists[name].lineno


def _named(scope: ast.Module | ast.FunctionDef | ast.AsyncFunctionDef) -> dict[str, ast.List | ast.Tuple]:
    """The lists and tuples of two or more literals by the names that they are given at the top of a scope."""
    found: dict[str, ast.List | ast.Tuple] = {}
    for node in scope.body:
        if not isinstance(node, ast.Assign):
            continue
        pairs = [(target, node.value) for target in node.targets]
        for target, value in list(pairs):
            if isinstance(target, ast.Tuple | ast.List) and isinstance(value, ast.Tuple | ast.List):
                pairs += list(zip(target.elts, value.elts, strict=False))
        for target, value in pairs:
            many = isinstance(value, ast.List | ast.Tuple) and len(value.elts) > 1 and constant(value) is not ...
            if isinstance(target, ast.Name) and many and isinstance(value, ast.List | ast.Tuple):
                found[target.id] = value
    return found


def _of_tests(value: ast.List | ast.Tuple, literals: frozenset[str]) -> bool:
    return all(isinstance(constant(one), list | tuple) and shown(one) in literals for one in value.elts)


def _fits(value: ast.List | ast.Tuple | None, other: ast.List | ast.Tuple) -> bool:
    return value is not None and len(value.elts) == len(other.elts)


def _looked_through(function: ast.AST) -> set[str]:
    """Names that are searched: by `in`, `index` or `zip`."""
    found: set[str] = set()
    for node in ast.walk(function):
        if isinstance(node, ast.Compare) and isinstance(node.ops[0], ast.In | ast.NotIn):
            found |= {side.id for side in node.comparators if isinstance(side, ast.Name)}
        elif isinstance(node, ast.Call):
            found |= _called(node)
    return found


def _read(function: ast.AST) -> set[str]:
    """Names that are read at a place: by an index or `zip`."""
    found: set[str] = set()
    for node in ast.walk(function):
        if isinstance(node, ast.Subscript) and isinstance(node.value, ast.Name):
            found.add(node.value.id)
        elif isinstance(node, ast.Call) and getattr(node.func, "id", "") == "zip":
            found |= _called(node)
    return found


def _called(node: ast.Call) -> set[str]:
    if isinstance(node.func, ast.Attribute) and node.func.attr == "index" and isinstance(node.func.value, ast.Name):
        return {node.func.value.id}
    if isinstance(node.func, ast.Name) and node.func.id in ("zip", "enumerate"):
        return {one.id for one in node.args if isinstance(one, ast.Name)}
    return set()
