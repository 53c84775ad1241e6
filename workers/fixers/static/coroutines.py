"""Coroutines that a decorator made of generators, `asyncio.coroutine`: the same as `async def` with `await`."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator, Mapping

from workers.fixers.source import Source, Splice
from workers.fixers.static.form import Form
from workers.fixers.static.imports import unimported
from workers.fixers.static.renames import Names
from workers.spectrum.evidence import Failure

Function = ast.FunctionDef | ast.AsyncFunctionDef
_GONE = "asyncio.coroutine"
_PRIMARY = ast.Name | ast.Attribute | ast.Call | ast.Subscript
"""What `await` takes as it is; around everything else it needs parentheses."""
_ITERABLE = ast.List | ast.Tuple | ast.Set | ast.Dict | ast.Constant | ast.JoinedStr | ast.ListComp | ast.GeneratorExp
"""What a generator may hand on and nobody can await."""
_BLANK = re.compile(rb"[ \t]*(?:[\r\n]\s*)?")


def native(source: Source, failure: Failure, known: Mapping[str, Source]) -> Iterator[Splice]:
    """Every coroutine of the file, or none: one that also has a plain `yield` is no coroutine under `async def`."""
    del failure, known
    names = Names(source)
    marked = [(function, mark) for function in source.functions for mark in _marks(names, function)]
    uses = [n for n in ast.walk(source.tree) if isinstance(n, ast.Name | ast.Attribute) and names.full(n) == _GONE]
    if len(marked) != len(uses) or not all(_fits(source, function) for function, _ in marked):
        return
    for function, mark in marked:
        yield from _unmarked(source, function, mark)
        yield from _awaited(source, function)
    yield from unimported(source, {_GONE})


def _marks(names: Names, function: Function) -> list[ast.expr]:
    return [mark for mark in function.decorator_list if names.full(mark) == _GONE]


def _own(source: Source, function: Function) -> list[ast.AST]:
    return [node for node in ast.walk(function) if source.function(node) is function]


def _fits(source: Source, function: Function) -> bool:
    own = _own(source, function)
    handed = [node.value for node in own if isinstance(node, ast.YieldFrom)]
    within = [inner for node in own if isinstance(node, ast.Lambda) for inner in ast.walk(node)]
    later = any(isinstance(node, ast.YieldFrom) for node in within)  # in a `lambda`, which cannot wait
    plain = any(isinstance(node, ast.Yield) for node in own)
    return not plain and not later and not any(isinstance(value, _ITERABLE) for value in handed)


def _unmarked(source: Source, function: Function, mark: ast.expr) -> Iterator[Splice]:
    """The decorator goes with its line, unless a comment stands behind it."""
    start, end = source.data.rindex(b"@", 0, source.span(mark)[0]), source.span(mark)[1]
    blank = _BLANK.match(source.data, end)
    yield start, blank.end() if blank else end, ""
    if isinstance(function, ast.FunctionDef):
        at = source.span(function)[0]
        yield at, at, "async "


def _awaited(source: Source, function: Function) -> Iterator[Splice]:
    for node in _own(source, function):
        if isinstance(node, ast.YieldFrom):
            start, (inner, end) = source.span(node)[0], source.span(node.value)
            head = source.data.index(b"from", start) + len(b"from")  # nothing but blanks can stand before it
            yield start, head, "await"
            if not isinstance(node.value, _PRIMARY) and b"(" not in source.data[head:inner]:
                yield inner, inner, "("
                yield end, end, ")"


_SAYS = re.compile(
    r"module 'asyncio' has no attribute 'coroutine'|cannot import name 'coroutine' from 'asyncio'"
    r'|Warning: "@coroutine" decorator is deprecated'
)
FORMS = (Form(_SAYS, native, "`@asyncio.coroutine` became `async def`", True),)
