"""Templates directed by what was raised: the corrections of the fixer `static`, and values that may lack.

They change the raising line or the file's imports and nothing else, so they are the surest ones.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Callable, Iterator, Mapping

from workers.fixers.source import Mutation, Source
from workers.fixers.static import corrected, renames
from workers.spectrum.evidence import Failure


def directed(source: Source, failure: Failure, others: Mapping[str, Source]) -> Iterator[Mutation]:
    """The candidates for one raised exception in the file where it was raised."""
    line = next((line for path, line, _ in reversed(failure.frames) if path == source.path), 0)
    if line:
        yield from renames.renamed(failure, {source.path: source})
        yield from corrected(source, failure, line, others)
        make = _BY_TYPE.get(failure.type)
        yield from make(source, failure, line, others) if make else ()


def _division(source: Source, _failure: Failure, line: int, _others: Mapping[str, Source]) -> Iterator[Mutation]:
    for node in _on_line(source, line):
        if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Div | ast.FloorDiv | ast.Mod):
            text, by = source.text(node), source.text(node.right)
            for value in ("0", "0.0", "None"):
                new = f"({text} if {by} else {value})"
                what = f"`{text}` gives {value} when `{by}` is zero"
                yield Mutation(source.path, line, ((*source.span(node), new),), "guard", 1.0, what, node)


def _key(source: Source, _failure: Failure, line: int, _others: Mapping[str, Source]) -> Iterator[Mutation]:
    for node in _on_line(source, line):
        if isinstance(node, ast.Subscript) and isinstance(node.ctx, ast.Load):
            base, key = source.text(node.value), source.text(node.slice)
            for new in (f"{base}.get({key})", f"{base}.get({key}, 0)"):
                what = f"`{base}[{key}]` became `{new}`"
                yield Mutation(source.path, line, ((*source.span(node), new),), "guard", 1.0, what, node)


def _none(source: Source, failure: Failure, line: int, _others: Mapping[str, Source]) -> Iterator[Mutation]:
    """`x` may be None where something is wanted: an empty value instead."""
    if "NoneType" not in failure.message:
        return
    empty = "[]" if re.search("iterable|len|not subscriptable", failure.message) else "0"
    for node in _on_line(source, line):
        if isinstance(node, ast.Name | ast.Attribute) and isinstance(node.ctx, ast.Load):
            text = source.text(node)
            parent = source.parents.get(node)
            if isinstance(parent, ast.Call) and parent.func is node:
                continue
            what = f"`{text}` counts as `{empty}` when it is None"
            yield Mutation(source.path, line, ((*source.span(node), f"({text} or {empty})"),), "guard", 0.9, what, node)


def _on_line(source: Source, line: int) -> Iterator[ast.expr | ast.stmt]:
    return (node for node in source.nodes() if node.lineno <= line <= (node.end_lineno or node.lineno))


_Make = Callable[[Source, Failure, int, Mapping[str, Source]], Iterator[Mutation]]
_BY_TYPE: Mapping[str, _Make] = {"ZeroDivisionError": _division, "KeyError": _key, "TypeError": _none}
SURE = frozenset({"import", "name", "attribute name", "imported name", "module name", "keyword", "renamed"})
"""The kinds that only correct a name: with a raising frame they need no second failing test."""
