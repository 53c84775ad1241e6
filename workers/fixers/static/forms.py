"""Calls whose new form is more than another name: `has_key`, `utcnow`, `yaml.load`, coroutines made by a decorator."""

from __future__ import annotations

import ast
import re
from collections.abc import Callable, Iterator, Mapping

from workers.fixers.source import Mutation, Source, Splice
from workers.fixers.static.imports import added
from workers.fixers.static.renames import Names
from workers.spectrum.evidence import Failure

_PLAIN = (ast.If, ast.While, ast.IfExp, ast.Assign, ast.Return, ast.BoolOp, ast.Expr, ast.comprehension, ast.Assert)
"""Around these a comparison needs no parentheses."""
_UTC = {"datetime.datetime.utcnow": "now", "datetime.datetime.utcfromtimestamp": "fromtimestamp"}


def reformed(failure: Failure, sources: Mapping[str, Source]) -> tuple[Mutation, ...]:
    """One mutation for each file that has the form which the failure is about."""
    for pattern, make, what, sure in _FORMS:
        if pattern.search(f"{failure.type}: {failure.message}"):
            found = ((source, tuple(make(source))) for source in sources.values())
            return tuple(
                Mutation(source.path, _line(source, splices), splices, "renamed", 2.0, what, sure=sure)
                for source, splices in found
                if splices
            )
    return ()


def _line(source: Source, splices: tuple[Splice, ...]) -> int:
    return source.data[: min(splices)[0]].count(b"\n") + 1


def _has_key(source: Source) -> Iterator[Splice]:
    for node in _calls(source):
        func = node.func
        if isinstance(func, ast.Attribute) and func.attr == "has_key" and len(node.args) == 1 and not node.keywords:
            text = f"{source.text(node.args[0])} in {source.text(func.value)}"
            plain = isinstance(source.parents.get(node), _PLAIN)
            yield (*source.span(node), text if plain else f"({text})")


def _utc(source: Source) -> Iterator[Splice]:
    """The same moment without a time zone, as before: whoever compares it with others must not notice."""
    names = Names(source)
    bare = False
    for node in _calls(source):
        func, new = node.func, _UTC.get(names.full(node.func))
        if new is None or not isinstance(func, ast.Attribute) or node.keywords or len(node.args) != (new != "now"):
            continue
        base = source.text(func.value)
        owner, _, _ = base.rpartition(".")
        bare = bare or not owner
        zone = f"{owner}.timezone.utc" if owner else "timezone.utc"
        given = "".join(f"{source.text(arg)}, " for arg in node.args)
        yield (*source.span(node), f"{base}.{new}({given}{zone}).replace(tzinfo=None)")
    if bare and "timezone" not in source.top:
        yield added(source, "from datetime import timezone")


def _yaml(source: Source) -> Iterator[Splice]:
    names = Names(source)
    for node in _calls(source):
        if names.full(node.func) == "yaml.load" and isinstance(node.func, ast.Attribute):
            end = source.span(node.func)[1]
            if len(node.args) == 1 and not node.keywords:
                yield end - len("load"), end, "safe_load"


def _coroutine(source: Source) -> Iterator[Splice]:
    """`@asyncio.coroutine` over a `def` with `yield from` as an `async def` with `await`."""
    names = Names(source)
    for node in ast.walk(source.tree):
        marks = node.decorator_list if isinstance(node, ast.FunctionDef) else []
        for mark in marks:
            dotted = isinstance(mark, ast.Attribute) and names.full(mark) == "asyncio.coroutine"
            if dotted or (isinstance(mark, ast.Name) and names.known.get(mark.id) == "asyncio.coroutine"):
                start = source.data.rindex(b"@", 0, source.span(mark)[0])
                behind = re.compile(rb"\s*").match(source.data, source.span(mark)[1])
                yield start, behind.end() if behind else source.span(mark)[1], ""
                at = source.span(node)[0]  # type: ignore[arg-type]
                yield at, at, "async "
                yield from _awaited(source, node)


def _awaited(source: Source, function: ast.AST) -> Iterator[Splice]:
    for node in ast.walk(function):
        if isinstance(node, ast.YieldFrom) and source.function(node) is function:
            start, inner = source.span(node)[0], source.span(node.value)[0]
            head = re.compile(rb"yield\s+from\s+").match(source.data, start, inner)
            if head:
                yield start, head.end(), "await "


def _calls(source: Source) -> Iterator[ast.Call]:
    return (node for node in ast.walk(source.tree) if isinstance(node, ast.Call))


_FORMS: tuple[tuple[re.Pattern[str], Callable[[Source], Iterator[Splice]], str, bool], ...] = (
    (re.compile(r"'dict' object has no attribute 'has_key'"), _has_key, "`has_key` became `in`", True),
    (re.compile(r"Warning: .{0,80}\butc(?:now|fromtimestamp)\(\) is deprecated"), _utc,
     "`utcnow` became `now(timezone.utc)` without its time zone", True),
    (re.compile(r"\bload\(\) missing 1 required positional argument: 'Loader'"), _yaml,
     "`yaml.load` became `yaml.safe_load`", False),
    (re.compile(r"module 'asyncio' has no attribute 'coroutine'|cannot import name 'coroutine' from 'asyncio'"),
     _coroutine, "`@asyncio.coroutine` became `async def`", True),
)  # fmt: skip
"""(what the failure says, how a file is changed, in words, whether it means the same)."""
