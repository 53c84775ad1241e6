"""Coroutines used as values: an `await` that is missing before a call, one too many, or `async` left out of a loop."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator, Mapping, Sequence

from workers.fixers.source import Mutation, Source, Splice
from workers.spectrum.evidence import Failure

_NEVER = re.compile(r"coroutine '([\w.<>]{1,200})' was never awaited")
_AS_VALUE = re.compile(r"'coroutine'|\bcoroutine object\b")
_NOT_AWAITABLE = re.compile(r"^object .{1,200} can't be used in 'await' expression")
_HANDED_ON = (
    ast.Await, ast.Call, ast.keyword, ast.List, ast.Tuple, ast.Set, ast.Dict, ast.Starred, ast.ListComp,
    ast.GeneratorExp,
)  # fmt: skip
_GENERATOR = re.compile(r"'async_generator' object is not iterable")


def forgotten(failure: Failure, sources: Mapping[str, Source]) -> tuple[Mutation, ...]:
    """`coroutine 'f' was never awaited`: every bare call of `f` in an `async def`, one mutation for each file."""
    said = _NEVER.search(failure.message)
    name = said[1].rpartition(".")[2] if said else ""
    if not name or _defined(name, sources, ast.FunctionDef):
        return ()
    calls = {s.path: [c for c in _unawaited(s) if _called(c) == name and _in_async(s, c)] for s in sources.values()}
    dropped = {path: [c for c in found if _dropped(sources[path], c)] for path, found in calls.items()}
    chosen = dropped if any(dropped.values()) else calls
    return tuple(
        Mutation(path, found[0].lineno, _all_awaited(sources[path], found), "await", 1.6, f"`{name}(…)` is awaited")
        for path, found in chosen.items()
        if found
    )


def _dropped(source: Source, call: ast.Call) -> bool:
    """It stands for itself, so that nobody can await it later."""
    return isinstance(source.parents.get(call), ast.Expr)


def _all_awaited(source: Source, calls: Sequence[ast.Call]) -> tuple[Splice, ...]:
    return tuple(splice for call in calls for splice in _awaiting(source, call))


def misused(source: Source, failure: Failure, line: int, others: Mapping[str, Source]) -> Iterator[Mutation]:
    """A coroutine where its result is wanted, a result that is awaited, a loop over an asynchronous generator."""
    if _NOT_AWAITABLE.match(failure.message):
        yield from _needless(source, line)
    elif _GENERATOR.search(failure.message):
        yield from _loops(source, line)
    elif _AS_VALUE.search(failure.message):
        yield from _results(source, line, {source.path: source, **others})


def _results(source: Source, line: int, everything: Mapping[str, Source]) -> Iterator[Mutation]:
    """Calls of the repository's coroutines in the function that raised: those on the line first."""
    calls = [c for c in _unawaited(source) if _in_async(source, c) and _inside(source, c, line)]
    known = [c for c in calls if _defined(_called(c), everything, ast.AsyncFunctionDef)]
    for call in sorted(known, key=lambda call: (abs(call.lineno - line), call.col_offset)):
        splices = _awaiting(source, call)
        yield Mutation(source.path, call.lineno, splices, "await", 1.7, f"`{_called(call)}(…)` is awaited", call)


def _needless(source: Source, line: int) -> Iterator[Mutation]:
    for node in ast.walk(source.tree):
        if isinstance(node, ast.Await) and node.lineno == line:
            splice = (source.span(node)[0], source.span(node.value)[0], "")
            if b"(" not in source.data[splice[0] : splice[1]]:
                what = f"`{source.text(node.value)}` is not awaited"
                yield Mutation(source.path, line, (splice,), "await", 1.6, what, node)


def _loops(source: Source, line: int) -> Iterator[Mutation]:
    for node in ast.walk(source.tree):
        if isinstance(node, ast.For) and node.lineno == line and _in_async(source, node):
            start = source.span(node)[0]
            yield Mutation(source.path, line, ((start, start, "async "),), "await", 1.7, "the loop is `async`", node)


def _unawaited(source: Source) -> Iterator[ast.Call]:
    """Calls that nothing awaits and that are not handed on, as to `gather`: whoever gets them may await them."""
    for node in ast.walk(source.tree):
        around = source.parents.get(node)
        callee = isinstance(around, ast.Call) and around.func is node
        if isinstance(node, ast.Call) and (callee or not isinstance(around, _HANDED_ON)):
            yield node


def _awaiting(source: Source, call: ast.Call) -> tuple[Splice, ...]:
    start, end = source.span(call)
    around = source.parents.get(call)
    plain = isinstance(around, ast.Assign | ast.AnnAssign | ast.AugAssign | ast.Expr | ast.Return)
    return ((start, start, "await "),) if plain else ((start, start, "(await "), (end, end, ")"))


def _called(call: ast.Call) -> str:
    func = call.func
    return func.attr if isinstance(func, ast.Attribute) else func.id if isinstance(func, ast.Name) else ""


def _defined(name: str, sources: Mapping[str, Source], kind: type[ast.AST]) -> bool:
    return any(isinstance(n, kind) and n.name == name for s in sources.values() for n in ast.walk(s.tree))  # type: ignore[attr-defined]


def _in_async(source: Source, node: ast.AST) -> bool:
    return isinstance(source.function(node), ast.AsyncFunctionDef)


def _inside(source: Source, node: ast.AST, line: int) -> bool:
    function = source.function(node)
    return function is not None and function.lineno <= line <= (function.end_lineno or function.lineno)
