"""The requirements that a setup.py writes down as plain strings: read off its syntax tree, never run.

What is computed, joined or prefixed is no plain string, and stays as it is.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator
from dataclasses import dataclass

from workers.syntax import parsed

_LONGEST = 200_000
"""Bytes of a file that is looked at."""


@dataclass(frozen=True)
class Written:
    """A requirement's text, and where it stands between its quotes: bytes of the file, from and to."""

    text: str
    start: int
    end: int


def written(data: bytes) -> tuple[Written, ...]:
    """What `install_requires` and `extras_require` of the call of `setup` hold, in the order of the file."""
    tree = _tree(data)
    starts = [0]
    for line in data.splitlines(keepends=True):
        starts.append(starts[-1] + len(line))
    nodes = _lists(tree) if tree is not None else ()
    found = (_plain(node, data, starts) for node in nodes)
    return tuple(sorted((one for one in found if one is not None), key=lambda one: one.start))


def _tree(data: bytes) -> ast.Module | None:
    """Read as UTF-8, whatever the file says of itself: places are counted in its bytes."""
    try:
        return parsed(data.decode("utf-8")) if len(data) <= _LONGEST else None
    except UnicodeDecodeError:
        return None


def _lists(tree: ast.Module) -> Iterator[ast.Constant]:
    bound = {
        target.id: node.value
        for node in tree.body
        if isinstance(node, ast.Assign)
        for target in node.targets
        if isinstance(target, ast.Name)
    }
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and getattr(node.func, "id", getattr(node.func, "attr", "")) == "setup":
            for keyword in node.keywords:
                value = bound.get(keyword.value.id) if isinstance(keyword.value, ast.Name) else keyword.value
                if keyword.arg == "install_requires":
                    yield from _strings(value)
                elif keyword.arg == "extras_require" and isinstance(value, ast.Dict):
                    for extra in value.values:
                        yield from _strings(extra)


def _strings(node: ast.expr | None) -> Iterator[ast.Constant]:
    for one in node.elts if isinstance(node, ast.List | ast.Tuple) else ():
        if isinstance(one, ast.Constant) and isinstance(one.value, str):
            yield one


def _plain(node: ast.Constant, data: bytes, starts: list[int]) -> Written | None:
    if node.end_lineno != node.lineno or node.end_col_offset is None or not isinstance(node.value, str):
        return None
    start, end = starts[node.lineno - 1] + node.col_offset, starts[node.lineno - 1] + node.end_col_offset
    text = node.value.encode("utf-8", "replace")
    quoted = (quote + text + quote for quote in (b'"', b"'"))
    return Written(node.value, start + 1, end - 1) if data[start:end] in quoted else None
