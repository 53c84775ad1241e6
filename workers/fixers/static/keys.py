"""A key that a dictionary lacks: a slip in it, looked up among the keys that the repository writes down."""

from __future__ import annotations

import ast
from collections.abc import Iterator, Mapping

from workers.fixers.source import Mutation, Source
from workers.fixers.static.near import nearest
from workers.spectrum.evidence import Failure


def absent(source: Source, failure: Failure, line: int, others: Mapping[str, Source]) -> Iterator[Mutation]:
    """`KeyError: 'x'` at a subscript with that very text on the raising line."""
    for node in ast.walk(source.tree):
        if not isinstance(node, ast.Subscript) or not node.lineno <= line <= (node.end_lineno or node.lineno):
            continue
        key = node.slice
        if isinstance(key, ast.Constant) and isinstance(key.value, str) and repr(key.value) == failure.message:
            known = sorted(_keys(source).union(*(_keys(other) for other in others.values())))
            for new, _ in nearest(key.value, known, cutoff=0.8):
                yield from _spelt(source, key, key.value, new, line)


def _spelt(source: Source, key: ast.Constant, old: str, new: str, line: int) -> Iterator[Mutation]:
    """Only letters change: the quotes stay as they are."""
    start, end = source.span(key)
    text = source.text(key)
    if text.count(old) == 1 and new.isprintable() and not set(new) & set("\\'\""):
        what = f"`{text}` became `{text.replace(old, new)}`"
        yield Mutation(source.path, line, ((start, end, text.replace(old, new)),), "key", 1.5, what, key)


def _keys(source: Source) -> frozenset[str]:
    found = set()
    for node in ast.walk(source.tree):
        keys = node.keys if isinstance(node, ast.Dict) else ()
        stored = isinstance(node, ast.Subscript) and isinstance(node.ctx, ast.Store)
        for key in [*keys, *([node.slice] if stored else [])]:  # type: ignore[attr-defined]
            if isinstance(key, ast.Constant) and isinstance(key.value, str):
                found.add(key.value)
    return frozenset(found)
