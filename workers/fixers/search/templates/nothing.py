"""Templates for a None where something was wanted: an empty value, or a constant of the module, in its place.

What is empty follows from what was done with it: the method that None lacks, or the operation it cannot take part in.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator, Mapping, Sequence

from workers.fixers.source import Mutation, Source
from workers.spectrum.evidence import Failure

_LACKS = re.compile(r"'NoneType' object has no attribute '(\w{1,200})'")
_EMPTY: tuple[tuple[type, str], ...] = ((str, '""'), (list, "[]"), (dict, "{}"), (set, "set()"))
"""The empty values whose types may have the method, likeliest first."""
_OPERATIONS = (
    (re.compile(r"concatenate str|argument of type"), ('""', "[]")),
    (re.compile(r"concatenate list|iterable"), ("[]",)),
    (re.compile(r"has no len|not subscriptable"), ("[]", '""', "{}")),
    (re.compile(r"item assignment|must be a mapping"), ("{}",)),
)
_CONSTANTS = 4
"""Constants of the module that are tried."""


def lacking(source: Source, failure: Failure, line: int, _others: Mapping[str, Source]) -> Iterator[Mutation]:
    """`x.strip()` where `x` is None: `(x or "").strip()`."""
    found = _LACKS.search(failure.message)
    if found is None:
        return
    empty = [text for kind, text in _EMPTY if hasattr(kind, found[1])][:2]
    for node in source.on_line(line):
        if isinstance(node, ast.Attribute) and node.attr == found[1] and isinstance(node.ctx, ast.Load):
            yield from _instead(source, node.value, line, empty)


def wanted(source: Source, failure: Failure, line: int, _others: Mapping[str, Source]) -> Iterator[Mutation]:
    """A name or an attribute takes part in what None cannot: `x + 1`, `len(x)`, `for y in x`."""
    if "NoneType" not in failure.message:
        return
    empty = next((texts for pattern, texts in _OPERATIONS if pattern.search(failure.message)), ("0", '""'))
    for node in source.on_line(line):
        parent = source.parents.get(node)
        called = isinstance(parent, ast.Call) and parent.func is node
        if isinstance(node, ast.Name | ast.Attribute) and isinstance(node.ctx, ast.Load) and not called:
            yield from _instead(source, node, line, empty)


def _instead(source: Source, node: ast.expr, line: int, empty: Sequence[str]) -> Iterator[Mutation]:
    text = source.text(node)
    for number, value in enumerate([*empty, *_constants(source)]):
        prior = 0.9 if not number else 0.7 if number < len(empty) else 0.5
        splice = (*source.span(node), f"({text} or {value})")
        what = f"`{text}` counts as `{value}` when it is None"
        yield Mutation(source.path, line, (splice,), "guard", prior, what, node)


def _constants(source: Source) -> list[str]:
    """Names in capitals that the module binds at its top."""
    return [name for name in sorted(source.top) if name.isupper() and not name.startswith("_")][:_CONSTANTS]
