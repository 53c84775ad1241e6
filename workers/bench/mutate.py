"""Puts one wrong statement into a Python file, of the kinds and as often as people make them. Pure.

The weights are the counts of `workers.slips`, taken backwards: where a mend adds an argument, one is taken away.
"""

from __future__ import annotations

import ast
import random
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from itertools import pairwise

from workers.fixers.source import Source, Splice
from workers.slips import Slip, count


@dataclass(frozen=True)
class Mutant:
    """A file with one wrong statement: its kind, the line (from 1), and what was written there before."""

    path: str
    kind: str
    line: int
    data: bytes


Sites = Callable[[Source, ast.AST], Iterator[Splice]]

_OPERATORS: Mapping[type[ast.AST], tuple[str, str]] = {
    ast.Add: ("+", "-"), ast.Sub: ("-", "+"), ast.Mult: ("*", "+"), ast.FloorDiv: ("//", "*"), ast.Div: ("/", "*"),
    ast.Lt: ("<", "<="), ast.LtE: ("<=", "<"), ast.Gt: (">", ">="), ast.GtE: (">=", ">"), ast.Eq: ("==", "!="),
    ast.NotEq: ("!=", "=="), ast.In: ("in", "not in"), ast.Is: ("is", "is not"), ast.IsNot: ("is not", "is"),
}  # fmt: skip


def mutant(path: str, data: bytes, rng: random.Random) -> Mutant | None:
    """One mutant of the file; None when nothing of it can be changed, or it is no Python."""
    try:
        source = Source(path, data)
    except (SyntaxError, ValueError):
        return None
    sites = {kind: found for kind in KINDS if (found := _sites(source, kind))}
    while sites:
        kind = rng.choices(list(sites), [KINDS[kind][0] for kind in sites])[0]
        line, (start, end, text) = sites[kind].pop(rng.randrange(len(sites[kind])))
        made = data[:start] + text.encode() + data[end:]
        if _differs(source, made):
            return Mutant(path, kind, line, made)
        if not sites[kind]:
            del sites[kind]
    return None


def _sites(source: Source, kind: str) -> list[tuple[int, Splice]]:
    """The places inside functions, in order; no docstring and no decorator is one."""
    found = []
    for node in ast.walk(source.tree):
        if isinstance(node, ast.expr) and source.function(node) is not None and _runs(source, node):
            found += [(node.lineno, splice) for splice in KINDS[kind][1](source, node)]
    return found


def _runs(source: Source, node: ast.expr) -> bool:
    """It is part of what a function does, not of its signature."""
    statement = source.statement(node)
    return not isinstance(statement, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef)


def _differs(source: Source, made: bytes) -> bool:
    try:
        return ast.dump(ast.parse(made)) != ast.dump(source.tree)
    except (SyntaxError, ValueError):
        return False


def _names(source: Source, node: ast.AST, but: str) -> list[str]:
    """What is bound in the function around the node, in order of appearance."""
    function = source.function(node)
    if function is None:
        return []
    bound = [arg.arg for arg in (*function.args.posonlyargs, *function.args.args, *function.args.kwonlyargs)]
    bound += [one.id for one in ast.walk(function) if isinstance(one, ast.Name) and isinstance(one.ctx, ast.Store)]
    return [name for name in dict.fromkeys(bound) if name not in (but, "self", "cls")]


def _called(source: Source, node: ast.AST) -> bool:
    parent = source.parents.get(node)
    return isinstance(parent, ast.Call) and parent.func is node


def _identifier(source: Source, node: ast.AST) -> Iterator[Splice]:
    if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Load) and not _called(source, node):
        yield from ((*source.span(node), name) for name in _names(source, node, node.id))


def _operand(source: Source, node: ast.AST) -> Iterator[Splice]:
    sides = [node.left, node.right] if isinstance(node, ast.BinOp) else []
    sides = [node.left, *node.comparators] if isinstance(node, ast.Compare) else sides
    for side in sides:
        if isinstance(side, ast.Name):
            yield from ((*source.span(side), name) for name in _names(source, side, side.id))


def _fewer_arguments(source: Source, node: ast.AST) -> Iterator[Splice]:
    """Taken away with the comma before them."""
    if isinstance(node, ast.Call):
        given = sorted([*node.args, *(word.value for word in node.keywords if word.arg)], key=source.span)
        for before, last in pairwise(given):
            yield source.span(before)[1], source.span(last)[1], ""


def _more_arguments(source: Source, node: ast.AST) -> Iterator[Splice]:
    if isinstance(node, ast.Call) and node.args and not node.keywords:
        end = source.span(node.args[-1])[1]
        yield from ((end, end, f", {name}") for name in _names(source, node, ""))


def _function(source: Source, node: ast.AST) -> Iterator[Splice]:
    """Another function of the module that takes as many arguments."""
    if isinstance(node, ast.Call) and isinstance(node.func, ast.Name):
        here = {one.name: len(one.args.args) for one in source.tree.body if isinstance(one, ast.FunctionDef)}
        count = here.get(node.func.id)
        alike = [name for name, size in here.items() if size == count and name != node.func.id]
        yield from ((*source.span(node.func), name) for name in alike)


def _unwrapped(source: Source, node: ast.AST) -> Iterator[Splice]:
    if not isinstance(node, ast.Call) or not isinstance(node.func, ast.Name) or node.keywords or len(node.args) != 1:
        return
    if not isinstance(node.args[0], ast.Starred | ast.GeneratorExp):
        yield *source.span(node), source.text(node.args[0])


def _attribute(source: Source, node: ast.AST) -> Iterator[Splice]:
    """Another attribute that the file asks of the same name."""
    if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name):
        owner = node.value.id
        known = [
            one.attr
            for one in ast.walk(source.tree)
            if isinstance(one, ast.Attribute) and isinstance(one.value, ast.Name) and one.value.id == owner
        ]
        end = source.span(node)[1]
        others = (name for name in dict.fromkeys(known) if name != node.attr)
        yield from ((end - len(node.attr.encode()), end, name) for name in others)


def _number(source: Source, node: ast.AST) -> Iterator[Splice]:
    if isinstance(node, ast.Constant) and type(node.value) is int:
        yield from ((*source.span(node), str(number)) for number in (node.value + 1, max(0, node.value - 1)))


def _truth(source: Source, node: ast.AST) -> Iterator[Splice]:
    if isinstance(node, ast.Constant) and isinstance(node.value, bool):
        yield *source.span(node), str(not node.value)


def _clause(kind: type[ast.boolop]) -> Sites:
    """One part of a condition is gone."""

    def sites(source: Source, node: ast.AST) -> Iterator[Splice]:
        if isinstance(node, ast.BoolOp) and isinstance(node.op, kind) and len(node.values) == 2:
            yield from ((*source.span(node), source.text(value)) for value in node.values)

    return sites


def _without_method(source: Source, node: ast.AST) -> Iterator[Splice]:
    if (
        isinstance(node, ast.Call)
        and isinstance(node.func, ast.Attribute)
        and not isinstance(source.parents.get(node), ast.Expr)
    ):
        yield *source.span(node), source.text(node.func.value)


def _without_attribute(source: Source, node: ast.AST) -> Iterator[Splice]:
    if isinstance(node, ast.Attribute) and isinstance(node.ctx, ast.Load) and not _called(source, node):
        yield *source.span(node), source.text(node.value)


def _element(source: Source, node: ast.AST) -> Iterator[Splice]:
    if isinstance(node, ast.List | ast.Tuple) and isinstance(node.ctx, ast.Load) and len(node.elts) > 1:
        yield source.span(node.elts[-2])[1], source.span(node.elts[-1])[1], "," if len(node.elts) == 2 else ""


def _operator(source: Source, node: ast.AST) -> Iterator[Splice]:
    if isinstance(node, ast.BinOp):
        yield from _replaced(source, node.left, node.op, node.right)
    elif isinstance(node, ast.Compare) and len(node.ops) == 1:
        yield from _replaced(source, node.left, node.ops[0], node.comparators[0])


def _replaced(source: Source, left: ast.expr, op: ast.AST, right: ast.expr) -> Iterator[Splice]:
    was, now = _OPERATORS.get(type(op), ("", ""))
    start, end = source.between(left, right)
    gap = source.data[start:end].decode()
    if was and gap.strip() == was:
        yield start, end, gap.replace(was, now)


def _caller(source: Source, node: ast.AST) -> Iterator[Splice]:
    if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name) and _called(source, node):
        yield from ((*source.span(node.value), name) for name in _names(source, node, node.value.id))


def _sign(source: Source, node: ast.AST) -> Iterator[Splice]:
    if isinstance(node, ast.UnaryOp):
        yield *source.span(node), source.text(node.operand)


def _swapped(source: Source, node: ast.AST) -> Iterator[Splice]:
    if isinstance(node, ast.Call):
        for left, right in pairwise(node.args):
            start, end = source.span(left)[0], source.span(right)[1]
            between = source.data[slice(*source.between(left, right))].decode()
            yield start, end, f"{source.text(right)}{between}{source.text(left)}"


def _type(source: Source, node: ast.AST) -> Iterator[Splice]:
    if isinstance(node, ast.Constant) and type(node.value) is int:
        yield *source.span(node), f'"{node.value}"'


KINDS: Mapping[str, tuple[int, Sites]] = {
    "identifier": (count(Slip.IDENTIFIER), _identifier),
    "operand": (count(Slip.OPERAND), _operand),
    "fewer arguments": (count(Slip.MORE_ARGUMENTS, Slip.KEYWORD), _fewer_arguments),
    "function": (count(Slip.FUNCTION), _function),
    "unwrapped": (count(Slip.WRAPPED), _unwrapped),
    "attribute": (count(Slip.ATTRIBUTE), _attribute),
    "number": (count(Slip.NUMBER), _number),
    "wider condition": (count(Slip.MORE_SPECIFIC), _clause(ast.And)),
    "method left out": (count(Slip.METHOD_CALL), _without_method),
    "element left out": (count(Slip.MORE_ELEMENTS), _element),
    "more arguments": (count(Slip.FEWER_ARGUMENTS), _more_arguments),
    "truth value": (count(Slip.TRUTH), _truth),
    "attribute left out": (count(Slip.ATTRIBUTE_ACCESS), _without_attribute),
    "operator": (count(Slip.OPERATOR), _operator),
    "caller": (count(Slip.CALLER), _caller),
    "narrower condition": (count(Slip.LESS_SPECIFIC), _clause(ast.Or)),
    "sign": (count(Slip.UNARY), _sign),
    "swapped arguments": (count(Slip.SWAPPED_ARGUMENTS), _swapped),
    "type": (count(Slip.TYPE), _type),
}
"""The weight of each kind, and where it can be done."""
