"""Annotations that this Python cannot evaluate: newer syntax, or a class that is defined further down."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator

from workers.fixers.source import Mutation, Source
from workers.fixers.static.imports import added
from workers.fixers.static.near import quoted
from workers.spectrum.evidence import Failure

_LATER = "from __future__ import annotations"
_NEWER = re.compile(
    r"^unsupported operand type\(s\) for \|: "
    r"'(?:type|NoneType|ABCMeta|Enum(?:Meta|Type)|_GenericAlias|types\.\w{1,40})'"
    r"|^'(?:type|ABCMeta|function)' object is not subscriptable"
)


def unevaluable(source: Source, failure: Failure, line: int) -> Iterator[Mutation]:
    """The annotations of the file are left unevaluated, where one of them stands on the raising line."""
    forward = failure.type == "NameError" and any(name in source.top for name in quoted(failure.message)[:1])
    if not forward and not (failure.type == "TypeError" and _NEWER.match(failure.message)):
        return
    imports = (n for n in source.tree.body if isinstance(n, ast.ImportFrom) and n.module == "__future__")
    if any(alias.name == "annotations" for node in imports for alias in node.names):
        return
    if any(node.lineno <= line <= (node.end_lineno or node.lineno) for node in source.annotations()):
        where = _first(source)
        yield Mutation(source.path, line, (where,), "import", 2.0, f"`{_LATER}` was added", None, sure=True)


def _first(source: Source) -> tuple[int, int, str]:
    """Behind the docstring and the other imports from the future, before anything else."""
    body = source.tree.body
    future = [n for n in body if isinstance(n, ast.ImportFrom) and n.module == "__future__"]
    documented = ast.get_docstring(source.tree, clean=False) is not None
    rest = body[1:] if documented else body
    if future or not rest or not source.alone(rest[0]):
        return added(source, _LATER)
    eol = "\r\n" if b"\r\n" in source.data else "\n"
    if documented:
        at = source.span(body[0])[1]
        return at, at, f"{eol}{eol}{_LATER}"
    return source.start, source.start, f"{_LATER}{eol}{eol}"
