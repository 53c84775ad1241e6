"""Templates for off-by-one errors in indexes, slices and `range`."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from itertools import pairwise

from workers.fixers.source import Mutation, Source


def _shifts(source: Source, node: ast.expr, kind: str, prior: float) -> Iterator[Mutation]:
    """`n` becomes `n - 1` and `n + 1`; a present shift goes away. Literals are changed by the template for numbers."""
    if isinstance(node, ast.Constant):
        return
    text = source.text(node)
    simple = isinstance(node, ast.Name | ast.Call | ast.Attribute | ast.Subscript)
    news = [f"{text} - 1", f"{text} + 1"] if simple else []
    if isinstance(node, ast.BinOp) and isinstance(node.right, ast.Constant) and node.right.value == 1:
        news = [source.text(node.left)]
    for new in news:
        what = f"`{text}` became `{new}`"
        yield Mutation(source.path, node.lineno, ((*source.span(node), new),), kind, prior, what, node)


def index(source: Source, node: ast.AST) -> Iterator[Mutation]:
    """`a[i]` becomes `a[i - 1]`, `a[i + 1]`."""
    if isinstance(node, ast.Subscript) and not isinstance(node.slice, ast.Slice | ast.Tuple):
        yield from _shifts(source, node.slice, "index", 0.5)
    elif isinstance(node, ast.Subscript) and isinstance(node.slice, ast.Tuple):
        for element in node.slice.elts:
            yield from _shifts(source, element, "index", 0.45)


def exchanged(source: Source, node: ast.AST) -> Iterator[Mutation]:
    """`a, b` becomes `b, a`: in an index, an assignment, what is returned, or a list that is not all literals."""
    if not isinstance(node, ast.Tuple | ast.List) or any(isinstance(element, ast.Starred) for element in node.elts):
        return
    if isinstance(node, ast.List) and all(isinstance(element, ast.Constant) for element in node.elts):
        return
    for left, right in pairwise(node.elts):
        a, b = source.text(left), source.text(right)
        if a != b:
            splices = ((*source.span(left), b), (*source.span(right), a))
            what = f"`{a}` and `{b}` changed places"
            yield Mutation(source.path, node.lineno, splices, "swap elements", 0.35, what, node)


def exchanged_indexes(source: Source, node: ast.AST) -> Iterator[Mutation]:
    """`a[i][j]` becomes `a[j][i]`."""
    if not isinstance(node, ast.Subscript) or not isinstance(node.value, ast.Subscript):
        return
    inner, outer = node.value.slice, node.slice
    a, b = source.text(inner), source.text(outer)
    if a != b and not isinstance(inner, ast.Slice) and not isinstance(outer, ast.Slice):
        splices = ((*source.span(inner), b), (*source.span(outer), a))
        what = f"the indexes `{a}` and `{b}` changed places"
        yield Mutation(source.path, node.lineno, splices, "swap indexes", 0.4, what, node)


def bounds(source: Source, node: ast.AST) -> Iterator[Mutation]:
    """`a[i:j]`: a bound moves by one or goes away."""
    if not isinstance(node, ast.Subscript) or not isinstance(node.slice, ast.Slice):
        return
    for bound in (node.slice.lower, node.slice.upper):
        if bound is None:
            continue
        yield from _shifts(source, bound, "slice", 0.6)
        what = f"the bound `{source.text(bound)}` went away"
        yield Mutation(source.path, bound.lineno, ((*source.span(bound), ""),), "slice", 0.45, what, bound)


def spans(source: Source, node: ast.AST) -> Iterator[Mutation]:
    """`range(n)` becomes `range(n + 1)`, `range(n - 1)`, `range(1, n)`, `range(1, n + 1)`."""
    if not isinstance(node, ast.Call) or not isinstance(node.func, ast.Name) or node.func.id != "range":
        return
    if not node.args or node.keywords or any(isinstance(arg, ast.Starred) for arg in node.args):
        return
    stop = node.args[0] if len(node.args) == 1 else node.args[1]
    yield from _shifts(source, stop, "range", 0.75)
    if len(node.args) == 1:
        text = source.text(stop)
        for new in (f"1, {text}", f"1, {text} + 1"):
            what = f"`range({text})` became `range({new})`"
            yield Mutation(source.path, node.lineno, ((*source.span(stop), new),), "range", 0.5, what, node)


TEMPLATES = (index, exchanged, exchanged_indexes, bounds, spans)
