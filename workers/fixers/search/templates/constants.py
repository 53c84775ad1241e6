"""Templates that change literals: numbers by one, signs, truth values, and what stands between joined texts.

Other strings are left alone: changing them invites special cases."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from workers.fixers.source import Mutation, Source

_SEPARATORS = ("", " ", ", ", ",", "\n")


def number(source: Source, node: ast.AST) -> Iterator[Mutation]:
    """An integer becomes its neighbour; 0 and 1 change places."""
    if not isinstance(node, ast.Constant) or type(node.value) is not int:
        return
    if isinstance(source.parents.get(node), ast.JoinedStr | ast.FormattedValue):
        return
    for rank, value in enumerate((node.value - 1, node.value + 1)):
        text = str(value)
        if value < 0 and isinstance(source.parents.get(node), ast.BinOp | ast.UnaryOp):
            text = f"({value})"
        what = f"`{node.value}` became `{value}`"
        splice = (*source.span(node), text)
        yield Mutation(source.path, node.lineno, (splice,), "number", 0.7 - 0.05 * rank, what, node)


def truth(source: Source, node: ast.AST) -> Iterator[Mutation]:
    """`True` becomes `False` and back."""
    if isinstance(node, ast.Constant) and isinstance(node.value, bool):
        what = f"`{node.value}` became `{not node.value}`"
        splice = (*source.span(node), str(not node.value))
        yield Mutation(source.path, node.lineno, (splice,), "truth", 0.7, what, node)


def sign(source: Source, node: ast.AST) -> Iterator[Mutation]:
    """`-x` becomes `x`."""
    if isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.USub):
        text = source.text(node.operand)
        splice = (*source.span(node), text)
        yield Mutation(source.path, node.lineno, (splice,), "sign", 0.5, f"`-{text}` became `{text}`", node)


def shift(source: Source, node: ast.AST) -> Iterator[Mutation]:
    """`n + 1` becomes `n`: a correction by one that is not needed."""
    if not isinstance(node, ast.BinOp) or not isinstance(node.op, ast.Add | ast.Sub):
        return
    if isinstance(node.right, ast.Constant) and node.right.value == 1:
        left = source.text(node.left)
        what = f"`{source.text(node)}` became `{left}`"
        yield Mutation(source.path, node.lineno, ((*source.span(node), left),), "shift", 0.75, what, node)


def separator(source: Source, node: ast.AST) -> Iterator[Mutation]:
    """`" ".join(...)` becomes `"".join(...)`, and the other way round."""
    if not isinstance(node, ast.Attribute) or node.attr != "join" or not isinstance(node.value, ast.Constant):
        return
    between = node.value.value
    for other in _SEPARATORS if isinstance(between, str) else ():
        if other != between:
            what = f"`{source.text(node.value)}` became `{other!r}`"
            splice = (*source.span(node.value), repr(other))
            yield Mutation(source.path, node.lineno, (splice,), "literal", 0.4, what, node)


TEMPLATES = (number, truth, sign, shift, separator)
