"""Templates directed by what was raised: the corrections of the fixer `static`, and values that may lack.

They change the raising line or the file's imports and nothing else, so they are the surest ones.
"""

from __future__ import annotations

import ast
from collections.abc import Callable, Iterator, Mapping

from workers.fixers.search.templates import nothing
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
    for node in source.on_line(line):
        if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Div | ast.FloorDiv | ast.Mod):
            text, by = source.text(node), source.text(node.right)
            for value in ("0", "0.0", "None"):
                new = f"({text} if {by} else {value})"
                what = f"`{text}` gives {value} when `{by}` is zero"
                yield Mutation(source.path, line, ((*source.span(node), new),), "guard", 1.0, what, node)


def _key(source: Source, _failure: Failure, line: int, _others: Mapping[str, Source]) -> Iterator[Mutation]:
    for node in source.on_line(line):
        if isinstance(node, ast.Subscript) and isinstance(node.ctx, ast.Load):
            base, key = source.text(node.value), source.text(node.slice)
            for new in (f"{base}.get({key})", f"{base}.get({key}, 0)"):
                what = f"`{base}[{key}]` became `{new}`"
                yield Mutation(source.path, line, ((*source.span(node), new),), "guard", 1.0, what, node)


_Make = Callable[[Source, Failure, int, Mapping[str, Source]], Iterator[Mutation]]
_BY_TYPE: Mapping[str, _Make] = {
    "ZeroDivisionError": _division,
    "KeyError": _key,
    "TypeError": nothing.wanted,
    "AttributeError": nothing.lacking,
}
SURE = frozenset({"import", "name", "attribute name", "imported name", "module name", "keyword", "renamed"})
"""The kinds that only correct a name: with a raising frame they need no second failing test."""
