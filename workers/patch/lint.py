"""The gate before any sandbox run: what a change brings that a parser or a linter did not find before it.

Findings are told apart by rule and name, never by line. Only what cannot work wherever it is reached holds an answer
back. Everything else is a note: an import may be there for its effect, and a second definition may be meant.
"""

from __future__ import annotations

import ast
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from pathlib import PurePosixPath

from workers.patch import names, syntax
from workers.patch.edits import PatchError
from workers.patch.linter import Flaw, flaws
from workers.ports import Files
from workers.suspects import is_test
from workers.syntax import parsed

_RAISES = frozenset({
    "F501", "F502", "F503", "F505", "F506", "F507", "F508", "F509",  # "%" that does not fit its values
    "F521", "F524", "F525",  # `.format` that does not fit its arguments
})  # fmt: skip
"""Rules whose findings raise as soon as their line is reached."""
_UNBOUND = "F823"
"""A local name is read before it is bound, unless a loop comes round to the reading."""
_UNREADABLE = frozenset(
    {"invalid-syntax", "F404", "F406", "F407", "F621", "F622", "F701", "F702", "F704", "F706", "F707"}
)
"""No Python can read it. Asked where ours cannot, as it is with a language that is newer than the worker's."""
_FILES = 20
_TOLD = 5


def gate(edits: Mapping[str, bytes | None], before: Files) -> None:
    """Raise `PatchError` for a change that fails for certain, with the lines that do.

    That is a file that cannot be parsed any more, a name that nothing defines, a severe finding of the linter that is
    new. Tests may raise on purpose, and so may the files beside them.
    """
    for path, after in edits.items():
        if after is not None:
            syntax.gate(path, before.read(path), after)
    own = {path: after for path, after in edits.items() if not is_test(path)}
    names.gate(own, before)
    told = [
        f"{path} after this change: line {flaw.line}: {flaw.text} ({flaw.rule}){syntax.shown(after, flaw.line)}"
        for path, after, found in _new(own, before)
        for flaw in _severe(after, found)
    ]
    if told:
        raise PatchError("\n".join(told[:_TOLD]))


def notes(edits: Mapping[str, bytes | None], before: Files) -> tuple[str, ...]:
    """The new findings of a change that passed, a line each: what a reviewer would ask about."""
    found = [f"{path}:{flaw.line}: {flaw.text} ({flaw.rule})" for path, _, more in _new(edits, before) for flaw in more]
    return tuple(found[:_TOLD])


def new(path: str, before: bytes, after: bytes) -> tuple[Flaw, ...]:
    """The findings of a file that are more than there were of the same rule about the same names, in their order."""
    package = PurePosixPath(path).name == "__init__.py"
    now = flaws(after, package)
    then = flaws(before, package) if now else ()
    if any(flaw.rule in _UNREADABLE for flaw in then):
        return ()  # the linter could not read it before either: a language of another time
    was = Counter(flaw.symbol for flaw in then)
    old, rows = frozenset(before.splitlines()), after.splitlines()
    more = []
    for flaw in sorted(now, key=lambda flaw: not old.issuperset(rows[flaw.line - 1 : flaw.line])):
        if was[flaw.symbol]:  # of equal ones, those on lines that were there are the old ones
            was[flaw.symbol] -= 1
        else:
            more.append(flaw)
    return tuple(sorted(more, key=lambda flaw: flaw.line))


def _new(edits: Mapping[str, bytes | None], before: Files) -> Iterator[tuple[str, bytes, tuple[Flaw, ...]]]:
    python = [(path, after) for path, after in edits.items() if after and PurePosixPath(path).suffix == ".py"]
    for path, after in python[:_FILES]:
        yield path, after, new(path, before.read(path) or b"", after)


def _severe(after: bytes, found: tuple[Flaw, ...]) -> Iterator[Flaw]:
    """Those that fail for certain: not where the file waits for it, and no reading that a loop comes round to."""
    tree = parsed(after)
    if tree is None:
        yield from (flaw for flaw in found if flaw.rule in _UNREADABLE)
        return
    nodes = list(ast.walk(tree))
    waited = _lines(node for node in nodes if _waits(node))
    loops = _lines(node for node in nodes if isinstance(node, ast.For | ast.AsyncFor | ast.While))
    for flaw in found:
        certain = flaw.rule in _RAISES or (flaw.rule == _UNBOUND and flaw.line not in loops)
        if certain and flaw.line not in waited:
            yield flaw


def _waits(node: ast.AST) -> bool:
    """A `try`, or a `with` that expects or swallows what is raised in it."""
    if not isinstance(node, ast.With | ast.AsyncWith):
        return isinstance(node, ast.Try | ast.TryStar)
    called = [item.context_expr.func for item in node.items if isinstance(item.context_expr, ast.Call)]
    words = [func.attr if isinstance(func, ast.Attribute) else getattr(func, "id", "") for func in called]
    return any("raises" in word.lower() or word == "suppress" for word in words)


def _lines(nodes: Iterable[ast.AST]) -> frozenset[int]:
    """The lines of statements, from 1."""
    return frozenset(
        line for node in nodes if isinstance(node, ast.stmt) for line in range(node.lineno, (node.end_lineno or 0) + 1)
    )
