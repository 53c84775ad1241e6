"""Templates that make a condition more or less specific: one more test over the variables in scope, or another one."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from itertools import combinations

from workers.fixers.search.seen import Seen
from workers.fixers.search.templates.values import edit
from workers.fixers.source import Mutation, Source


def atoms(node: ast.AST, seen: Seen) -> Iterator[tuple[str, float]]:
    """Small tests over what the function has, each with how likely it is; both ways round."""
    variables = seen.variables(node)
    for name in seen.names(node)[:12]:
        kinds = set(variables.get(name, ()))
        if kinds == {"function"}:
            continue
        yield f"not {name}", 0.3
        yield name, 0.25
        if not kinds or "NoneType" in kinds:
            yield f"{name} is None", 0.35
            yield f"{name} is not None", 0.3
        if kinds & {"int", "float"}:
            for test in ("== 0", "< 0", "> 0"):
                yield f"{name} {test}", 0.15
    yield from _pairs(node, seen)


def _pairs(node: ast.AST, seen: Seen) -> Iterator[tuple[str, float]]:
    numbers, many = seen.numbers(node)[:6], seen.many(node)[:4]
    for one in numbers:
        for two in numbers:
            if one != two:
                yield f"{one} < {two}", 0.1
                yield f"{one} <= {two}", 0.1
    for one, two in combinations(numbers, 2):
        yield f"{one} == {two}", 0.1
    for name in [name for name in seen.names(node)[:8] if name not in many]:
        for group in many:
            yield f"{name} not in {group}", 0.2
            yield f"{name} in {group}", 0.2


def joined(source: Source, node: ast.AST, seen: Seen) -> Iterator[Mutation]:
    """`if c` becomes `if c and atom`, `if c or atom`, `if atom or c`."""
    if not isinstance(node, ast.If | ast.While | ast.IfExp):
        return
    test, text = node.test, source.text(node.test)
    plain = f"({text})" if isinstance(test, ast.IfExp | ast.Lambda | ast.NamedExpr) else text
    for atom, prior in atoms(node, seen):
        if atom in (text, f"not {text}", text.removeprefix("not ")):
            continue
        strong = f"({plain})" if isinstance(test, ast.BoolOp) and isinstance(test.op, ast.Or) else plain
        yield edit(source, test, f"{atom} or {plain}", "less specific", prior)
        yield edit(source, test, f"{plain} or {atom}", "less specific", prior)
        yield edit(source, test, f"{strong} and {atom}", "more specific", prior * 1.1)
        yield edit(source, test, f"{atom} and {strong}", "more specific", prior)


def replaced(source: Source, node: ast.AST, seen: Seen) -> Iterator[Mutation]:
    """A condition becomes another one; an endless loop ends when a collection is empty."""
    if not isinstance(node, ast.If | ast.While | ast.IfExp):
        return
    endless = isinstance(node, ast.While) and isinstance(node.test, ast.Constant)
    for name in seen.many(node) if endless else ():
        yield edit(source, node.test, name, "condition", 0.6)
    for atom, prior in atoms(node, seen):
        if atom != source.text(node.test):
            yield edit(source, node.test, atom, "condition", prior * (0.8 if endless else 0.5))


def bordered(source: Source, node: ast.AST, _seen: Seen) -> Iterator[Mutation]:
    """`n == 0` becomes `n <= 1` or `n <= 0`: the border case next to it counts, too. `n < 0` becomes `n == 0`, or the
    other way round: nothing but the border counts, or nothing but what is beyond it."""
    if not isinstance(node, ast.Compare) or len(node.ops) != 1:
        return
    op, right = node.ops[0], node.comparators[0]
    left, border = source.text(node.left), source.text(right)
    if isinstance(op, ast.Lt | ast.LtE | ast.Gt | ast.GtE):
        yield edit(source, node, f"{left} == {border}", "border", 0.3)
    elif isinstance(op, ast.Eq):
        others = [f"< {border}", f"> {border}"]
        if isinstance(right, ast.Constant) and type(right.value) is int:
            others += [f"<= {right.value + 1}", f"<= {right.value}", f">= {right.value}"]
        for other in others:
            yield edit(source, node, f"{left} {other}", "border", 0.4)


def checked(source: Source, node: ast.AST, _seen: Seen) -> Iterator[Mutation]:
    """Before an attribute of something is compared, the thing itself is tested in the same way, or for None."""
    if not isinstance(node, ast.Compare | ast.Attribute | ast.Call) or not _is_test(source, node):
        return
    bases = {source.text(n.value): n for n in ast.walk(node) if isinstance(n, ast.Attribute | ast.Subscript)}
    text = source.text(node)
    for base in bases:
        yield edit(source, node, f"{base} is None or {text}", "guard", 0.45)
        yield edit(source, node, f"{base} is not None and {text}", "guard", 0.45)
        yield edit(source, node, f"not {base} or {text}", "guard", 0.3)
        yield edit(source, node, f"{base} and {text}", "guard", 0.3)


def _is_test(source: Source, node: ast.AST) -> bool:
    parent = source.parents.get(node)
    return isinstance(parent, ast.If | ast.While | ast.IfExp) and parent.test is node


TEMPLATES = (joined, replaced, bordered, checked)
