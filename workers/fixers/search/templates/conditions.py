"""Templates for conditions and statements: negation, a return inside or behind a loop, returned values."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from workers.fixers.source import Mutation, Source


def negated(source: Source, node: ast.AST) -> Iterator[Mutation]:
    """A condition is turned round."""
    if isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.Not):
        text = source.text(node.operand)
        splice = (*source.span(node), text)
        yield Mutation(source.path, node.lineno, (splice,), "negation", 0.75, f"`not {text}` became `{text}`", node)
    elif isinstance(node, ast.If | ast.While | ast.IfExp) and not isinstance(node.test, ast.Compare | ast.UnaryOp):
        test, text = node.test, source.text(node.test)
        simple = isinstance(test, ast.Name | ast.Call | ast.Attribute | ast.Subscript)
        new = f"not {text}" if simple else f"not ({text})"
        splice = (*source.span(test), new)
        yield Mutation(source.path, test.lineno, (splice,), "negation", 0.7, f"`{text}` became `{new}`", test)


def outdented(source: Source, node: ast.AST) -> Iterator[Mutation]:
    """A `return` at the end of a loop's body moves behind the loop."""
    if not isinstance(node, ast.For | ast.While) or node.orelse or not isinstance(node.body[-1], ast.Return):
        return
    last = node.body[-1]
    if len(node.body) < 2 or not source.alone(last) or not source.alone(node) or source.text(last).count("\n"):
        return
    start, end = source.span(last)
    inner, outer = source.indent(last), source.indent(node)
    splice = (start - len(inner), end, outer + source.text(last))
    what = f"`{source.text(last)}` moved behind the loop"
    yield Mutation(source.path, last.lineno, (splice,), "return behind loop", 0.7, what, last)


def returned(source: Source, node: ast.AST) -> Iterator[Mutation]:
    """Another local value is returned, or the last computed one is returned at all."""
    if isinstance(node, ast.Return) and isinstance(node.value, ast.Constant) and node.value.value is None:
        for name in source.variables(node)[-3:]:
            what = f"`return None` became `return {name}`"
            yield Mutation(
                source.path, node.lineno, ((*source.span(node), f"return {name}"),), "return", 0.4, what, node
            )
    if not isinstance(node, ast.FunctionDef) or any(isinstance(n, ast.Return | ast.Yield) for n in ast.walk(node)):
        return
    last = node.body[-1]
    if isinstance(last, ast.Expr) and not isinstance(last.value, ast.Constant | ast.Await):
        start = source.span(last)[0]
        yield Mutation(
            source.path, last.lineno, ((start, start, "return "),), "return", 0.6, "the value is returned", last
        )
    assigned = [n.id for n in ast.walk(node) if isinstance(n, ast.Name) and isinstance(n.ctx, ast.Store)]
    if assigned and source.alone(node.body[-1]):
        end = source.span(last)[1]
        splice = (end, end, f"\n{source.indent(last)}return {assigned[0]}")
        what = f"`return {assigned[0]}` was added"
        yield Mutation(source.path, last.lineno, (splice,), "return", 0.5, what, last)


def inverted(source: Source, node: ast.AST) -> Iterator[Mutation]:
    """A function that only ever returns `True` or `False` says the opposite."""
    if not isinstance(node, ast.FunctionDef):
        return
    ends = [n for n in ast.walk(node) if isinstance(n, ast.Return) and source.function(n) is node]
    values = [end.value for end in ends if isinstance(end.value, ast.Constant) and isinstance(end.value.value, bool)]
    if len(values) == len(ends) and len({value.value for value in values}) == 2:
        splices = tuple(sorted((*source.span(value), str(not value.value)) for value in values))
        what = "`True` and `False` changed places in what is returned"
        yield Mutation(source.path, ends[0].lineno, splices, "inverted", 0.6, what, ends[0])


TEMPLATES = (negated, outdented, returned, inverted)
