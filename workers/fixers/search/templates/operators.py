"""Templates that exchange operators: comparisons, arithmetic, and/or, augmented assignment, and swapped operands."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator, Mapping

from workers.fixers.source import Mutation, Source, Span

COMPARE: Mapping[type[ast.cmpop], tuple[str, tuple[str, ...]]] = {
    ast.Lt: ("<", ("<=", ">", ">=")),
    ast.LtE: ("<=", ("<", ">=", ">")),
    ast.Gt: (">", (">=", "<", "<=")),
    ast.GtE: (">=", (">", "<=", "<")),
    ast.Eq: ("==", ("!=", "<=", ">=")),
    ast.NotEq: ("!=", ("==",)),
    ast.Is: ("is", ("is not", "==")),
    ast.IsNot: ("is not", ("is", "!=")),
    ast.In: ("in", ("not in",)),
    ast.NotIn: ("not in", ("in",)),
}
BINARY: Mapping[type[ast.operator], tuple[str, tuple[str, ...]]] = {
    ast.Add: ("+", ("-", "*")),
    ast.Sub: ("-", ("+", "/", "*")),
    ast.Mult: ("*", ("/", "+", "**", "//", "-")),
    ast.Div: ("/", ("//", "*", "-")),
    ast.FloorDiv: ("//", ("/", "%", "*")),
    ast.Mod: ("%", ("//", "/", "*")),
    ast.Pow: ("**", ("*",)),
    ast.BitAnd: ("&", ("|", "^")),
    ast.BitOr: ("|", ("&", "^")),
    ast.BitXor: ("^", ("|", "&")),
    ast.LShift: ("<<", (">>",)),
    ast.RShift: (">>", ("<<",)),
}


def token(source: Source, gap: Span, symbol: str) -> Span | None:
    """Where an operator stands between its operands, comments and line ends aside."""
    text = source.data[gap[0] : gap[1]]
    text = re.sub(rb"#[^\r\n]*", lambda match: b" " * len(match.group()), text)
    pattern = rb"\s+".join(re.escape(part.encode()) for part in symbol.split())
    found = re.search(pattern, text)
    return (gap[0] + found.start(), gap[0] + found.end()) if found else None


def compare(source: Source, node: ast.AST) -> Iterator[Mutation]:
    """`<` becomes `<=` and so on."""
    if not isinstance(node, ast.Compare):
        return
    left = node.left
    for op, right in zip(node.ops, node.comparators, strict=True):
        symbol, others = COMPARE[type(op)]
        where = token(source, source.between(left, right), symbol)
        left = right
        if where is None:
            continue
        for rank, other in enumerate(others):
            what = f"`{symbol}` became `{other}`"
            yield Mutation(source.path, right.lineno, ((*where, other),), "compare", 0.95 - 0.1 * rank, what, node)


def binary(source: Source, node: ast.AST) -> Iterator[Mutation]:
    """`+` becomes `-` and so on."""
    if not isinstance(node, ast.BinOp) or type(node.op) not in BINARY:
        return
    if isinstance(node.op, ast.Mod) and isinstance(node.left, ast.Constant) and isinstance(node.left.value, str):
        return
    symbol, others = BINARY[type(node.op)]
    if isinstance(node.right, ast.Constant) and node.right.value == 1:
        others = tuple(other for other in others if other in {"+", "-", "<<", ">>"})  # times one says nothing
    where = token(source, source.between(node.left, node.right), symbol)
    if where is None:
        return
    for rank, other in enumerate(others):
        what = f"`{symbol}` became `{other}`"
        yield Mutation(source.path, node.lineno, ((*where, other),), "binary", 0.9 - 0.1 * rank, what, node)


def augmented(source: Source, node: ast.AST) -> Iterator[Mutation]:
    """`+=` becomes `-=`, `=` and so on."""
    if not isinstance(node, ast.AugAssign) or type(node.op) not in BINARY:
        return
    symbol, others = BINARY[type(node.op)]
    where = token(source, source.between(node.target, node.value), f"{symbol}=")
    if where is None:
        return
    for rank, other in enumerate((*others, "")):
        what = f"`{symbol}=` became `{other}=`"
        yield Mutation(source.path, node.lineno, ((*where, f"{other}="),), "augmented", 0.8 - 0.1 * rank, what, node)


def boolean(source: Source, node: ast.AST) -> Iterator[Mutation]:
    """`and` becomes `or` and back; one operand is dropped."""
    if not isinstance(node, ast.BoolOp):
        return
    symbol, other = ("and", "or") if isinstance(node.op, ast.And) else ("or", "and")
    places = [token(source, source.between(a, b), symbol) for a, b in zip(node.values, node.values[1:], strict=False)]
    if all(places):
        splices = tuple((*place, other) for place in places if place)
        yield Mutation(source.path, node.lineno, splices, "boolean", 0.85, f"`{symbol}` became `{other}`", node)
    if len(node.values) == 2:
        for dropped, kept in ((node.values[1], node.values[0]), (node.values[0], node.values[1])):
            what = f"`{symbol} {source.text(dropped)}` went away"
            splice = (*source.span(node), source.text(kept))
            yield Mutation(source.path, node.lineno, (splice,), "drop operand", 0.3, what, node)


def swapped(source: Source, node: ast.AST) -> Iterator[Mutation]:
    """`a - b` becomes `b - a`, for operators where it matters."""
    sided = (ast.Sub, ast.Div, ast.FloorDiv, ast.Mod, ast.Pow)
    if not isinstance(node, ast.BinOp) or not isinstance(node.op, sided):
        return
    left, right = source.text(node.left), source.text(node.right)
    if left == right or (isinstance(node.left, ast.Constant) and isinstance(node.left.value, str)):
        return
    splices = ((*source.span(node.left), right), (*source.span(node.right), left))
    what = f"`{left}` and `{right}` changed sides"
    yield Mutation(source.path, node.lineno, splices, "swap operands", 0.6, what, node)


TEMPLATES = (compare, binary, augmented, boolean, swapped)
