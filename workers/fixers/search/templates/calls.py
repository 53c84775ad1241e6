"""Templates for calls: a sibling function (min for max), two arguments in the wrong order, one wrapper too many."""

from __future__ import annotations

import ast
import difflib
from collections.abc import Iterator

from workers.fixers.source import Mutation, Source

FUNCTIONS = (
    ("min", "max"), ("any", "all"), ("floor", "ceil"), ("list", "set", "sorted"), ("int", "float", "round"),
    ("sum", "len", "max"), ("str", "repr"),
)  # fmt: skip
METHODS = (
    ("append", "extend"), ("startswith", "endswith"), ("strip", "lstrip", "rstrip"), ("lower", "upper", "swapcase"),
    ("split", "rsplit"), ("keys", "values", "items"), ("find", "rfind", "index"), ("union", "intersection"),
    ("add", "update"), ("popleft", "pop"), ("insert", "append"), ("floor", "ceil"), ("min", "max"),
    ("title", "capitalize"), ("removeprefix", "removesuffix"), ("appendleft", "append"),
    ("isdigit", "isalpha", "isalnum"), ("islower", "isupper"), ("ljust", "rjust"), ("partition", "rpartition"),
)  # fmt: skip


_OWN = 12
"""Functions of the file that are tried in place of one."""


def _siblings(name: str, groups: tuple[tuple[str, ...], ...]) -> list[str]:
    return list(dict.fromkeys(other for group in groups if name in group for other in group if other != name))


def _callable(source: Source, node: ast.Call, name: str) -> list[str]:
    """Functions of the file that can be called with as many arguments, likest name first."""
    count = len(node.args) + len(node.keywords)
    own = [n for n in source.tree.body if isinstance(n, ast.FunctionDef) and n.name != name and _takes(n.args, count)]
    return sorted((n.name for n in own), key=lambda other: -difflib.SequenceMatcher(None, name, other).ratio())[:_OWN]


def _takes(parameters: ast.arguments, count: int) -> bool:
    most = len(parameters.posonlyargs) + len(parameters.args)
    least = most - len(parameters.defaults)
    return least <= count and (count <= most + len(parameters.kwonlyargs) or parameters.vararg is not None)


def sibling(source: Source, node: ast.AST) -> Iterator[Mutation]:
    """`min(...)` becomes `max(...)`, `.append(...)` becomes `.extend(...)`, a function one of like name."""
    if not isinstance(node, ast.Call):
        return
    if isinstance(node.func, ast.Name):
        name, (start, end) = node.func.id, source.span(node.func)
        others = _siblings(name, FUNCTIONS) + (_callable(source, node, name) if name in source.top else [])
    elif isinstance(node.func, ast.Attribute):
        name, end = node.func.attr, source.span(node.func)[1]
        start = end - len(name.encode())
        others = _siblings(name, METHODS)
    else:
        return
    for other in others:
        what = f"`{name}` became `{other}`"
        yield Mutation(source.path, node.lineno, ((start, end, other),), "sibling", 0.65, what, node)


def arguments(source: Source, node: ast.AST) -> Iterator[Mutation]:
    """Two neighbouring positional arguments change places."""
    if not isinstance(node, ast.Call) or any(isinstance(arg, ast.Starred) for arg in node.args):
        return
    for left, right in zip(node.args, node.args[1:], strict=False):
        a, b = source.text(left), source.text(right)
        if a != b:
            splices = ((*source.span(left), b), (*source.span(right), a))
            what = f"the arguments `{a}` and `{b}` changed places"
            yield Mutation(source.path, node.lineno, splices, "swap arguments", 0.5, what, node)


def unwrapped(source: Source, node: ast.AST) -> Iterator[Mutation]:
    """`int(x)` becomes `x`."""
    if not isinstance(node, ast.Call) or not isinstance(node.func, ast.Name) or len(node.args) != 1 or node.keywords:
        return
    if node.func.id in {"int", "str", "abs", "round", "sorted", "list", "set", "reversed", "float"}:
        text = source.text(node.args[0])
        if isinstance(node.args[0], ast.GeneratorExp | ast.Starred):
            return
        what = f"`{node.func.id}({text})` became `{text}`"
        yield Mutation(source.path, node.lineno, ((*source.span(node), text),), "unwrap", 0.35, what, node)


TEMPLATES = (sibling, arguments, unwrapped)
