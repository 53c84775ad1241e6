"""Templates for texts: what an assertion wanted instead of what it got, written into the literal it came from.

The failure says what the literal should be, so this is near to copying the test's answer: never a sure candidate.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator, Sequence

from workers.fixers.source import Mutation, Source
from workers.spectrum.evidence import Failure

_TEXT = r"('(?:[^'\\\n]|\\.){0,300}'|\"(?:[^\"\\\n]|\\.){0,300}\")"
_EQUAL = re.compile(rf"assert {_TEXT} == {_TEXT}|At index \d{{1,9}} diff: {_TEXT} != {_TEXT}")
_PUNCTUATION = re.compile(r"[^\w]{1,3}")
_SHORTEST = 3
"""A part of a literal that is shorter stands in too many places."""


def wanted(source: Source, failures: Sequence[Failure]) -> Iterator[Mutation]:
    """The texts in which the two sides of a failed comparison differ, put right where the file has them."""
    for got, want in dict.fromkeys(pair for failure in failures for pair in _pairs(failure.message)):
        start = _common(got, want)
        end = _common(got[start:][::-1], want[start:][::-1])
        old, new = got[start : len(got) - end], want[start : len(want) - end]
        for node in source.nodes():
            if isinstance(node, ast.Constant) and isinstance(node.value, str) and _holds(source, node):
                changed = _changed(node.value, got, start, old, new)
                if changed is not None and changed != node.value:
                    splice = (*source.span(node), repr(changed))
                    what = f"`{node.value!r}` became `{changed!r}`"
                    yield Mutation(source.path, node.lineno, (splice,), "literal", 0.6, what, node)
            elif not old and _PUNCTUATION.fullmatch(new):
                yield from _between(source, node, new)


def _between(source: Source, node: ast.AST, new: str) -> Iterator[Mutation]:
    """`a + b` becomes `a + "." + b`: two texts lack what stands between them."""
    if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Add):
        at = source.span(node.left)[1]
        what = f"`{new!r}` was put between `{source.text(node.left)}` and `{source.text(node.right)}`"
        yield Mutation(source.path, node.lineno, ((at, at, f" + {new!r}"),), "literal", 0.5, what, node)


def _common(one: str, two: str) -> int:
    """How many letters both begin with."""
    return next((at for at, (a, b) in enumerate(zip(one, two, strict=False)) if a != b), min(len(one), len(two)))


def _holds(source: Source, node: ast.Constant) -> bool:
    """A literal of its own: no docstring, no piece of an f-string."""
    parent = source.parents.get(node)
    return not isinstance(parent, ast.Expr | ast.JoinedStr | ast.FormattedValue)


def _changed(value: str, got: str, start: int, old: str, new: str) -> str | None:
    """The literal with the difference in it, when what it contributes to the text covers the place."""
    if value == got:
        return got[:start] + new + got[start + len(old) :]
    at = got.find(value)
    if len(value) < _SHORTEST or at < 0 or not at <= start <= at + len(value) - len(old):
        return None
    inside = start - at
    return value[:inside] + new + value[inside + len(old) :]


def _pairs(message: str) -> Iterator[tuple[str, str]]:
    for found in _EQUAL.finditer(message):
        one, two = (text for text in found.groups() if text is not None)
        try:
            left, right = ast.literal_eval(one), ast.literal_eval(two)
        except (SyntaxError, ValueError):
            continue
        yield left, right
        yield right, left
