"""Which changed lines the tests of the failing command execute, for Python: a green test proves nothing of the others.

A line counts when it begins or goes on a statement; comments, blank lines, docstrings and lone brackets do nothing.
"""

from __future__ import annotations

import ast
from collections.abc import Iterable, Iterator, Mapping, Set
from dataclasses import replace
from threading import Event

from sandbox.errors import Cancelled
from workers import spectrum
from workers.domain import Coverage, Suite
from workers.gates.sidelined import sidelined
from workers.policy import added_lines, is_test
from workers.ports import Workbench
from workers.syntax import parsed

_SILENT = (ast.Global, ast.Nonlocal, ast.Try, ast.TryStar)
"""Statements without an instruction of their own."""


Lines = Mapping[str, frozenset[int]]
"""The executed lines of files."""


def covered(
    edits: Mapping[str, bytes | None], patch: str, bench: Workbench, cancel: Event, beside: Suite | None = None
) -> Coverage | None:
    """One more run of the failing command with the patch (git's own diff of the edits), traced; None where its tests
    cannot be traced. `beside` is the whole suite, where that command is a part of it: it is asked before a statement is
    called sidelined."""
    if not spectrum.traceable(bench.diagnosis):
        return None
    changed = {path: data for path, data in edits.items() if data is not None and not is_test(path)}
    added = added_lines(patch)
    spans = {path: _changed(added.get(path, frozenset()), data) for path, data in changed.items() if _python(path)}
    elsewhere = tuple(path for path in changed if not _python(path))
    if not any(spans.values()):
        return Coverage(0, (), elsewhere)
    seen = _executed(bench, patch, spans, cancel)
    if seen is None:
        return None
    missed = [
        (path, line)
        for path, lines in sorted(spans.items())
        for line, span in sorted(lines.items())
        if not seen.get(path, frozenset()) & set(span)
    ]
    aside = _sidelined(changed, seen, bench)
    if aside and beside is not None:
        everything = _executed(_with_suite(bench, beside), patch, spans, cancel)
        aside = _sidelined(changed, _both(seen, everything), bench) if everything is not None else ()
    return Coverage(sum(map(len, spans.values())), tuple(missed), elsewhere, aside)


def _executed(bench: Workbench, patch: str, files: Iterable[str], cancel: Event) -> Lines | None:
    seen = spectrum.executed(bench, patch.encode(), sorted(files), cancel)
    if cancel.is_set():
        raise Cancelled("the traced run was cancelled")
    return seen


def _sidelined(changed: Mapping[str, bytes], seen: Lines, bench: Workbench) -> tuple[tuple[str, int], ...]:
    return tuple(
        (path, line)
        for path, after in sorted(changed.items())
        for line in sidelined(bench.tree.read(path) or b"", after, seen.get(path, frozenset()), _raised(path, bench))
    )


def _raised(path: str, bench: Workbench) -> Set[int]:
    """Where the failure was raised in a file."""
    return {found.line for found in bench.diagnosis.findings if found.path == path and found.line}


def _with_suite(bench: Workbench, beside: Suite) -> Workbench:
    """The same bench, with the whole suite as its failing command."""
    found = bench.reproduction
    return replace(bench, reproduction=replace(found, plan=replace(found.plan, check=beside.step)), witness=None)


def _both(one: Lines, other: Lines) -> Lines:
    return {path: one.get(path, frozenset()) | other.get(path, frozenset()) for path in {*one, *other}}


def _python(path: str) -> bool:
    return path.endswith(".py")


def _changed(added: Set[int], after: bytes) -> dict[int, range]:
    """Each new or changed line that does something, with the lines of its statement."""
    module = parsed(after)
    if module is None:
        return {}
    text = after.decode("utf-8", "replace").split("\n")
    busy = {line for line in added if line <= len(text) and any(map(str.isalnum, text[line - 1].split("#")[0]))}
    return {line: span for span in _spans(module) for line in span if line in busy}


def _spans(module: ast.Module) -> Iterator[range]:
    """The lines of each statement without those of its blocks, outer ones first."""
    docs = _docstrings(module)
    for node in ast.walk(module):
        if not isinstance(node, ast.stmt | ast.ExceptHandler) or isinstance(node, _SILENT) or node in docs:
            continue
        first, last = _first(node), node.end_lineno or node.lineno
        blocks = getattr(node, "body", None) or [case.pattern for case in getattr(node, "cases", ())]
        yield range(first, max(first, _first(blocks[0]) - 1 if blocks else last) + 1)


def _first(node: ast.AST) -> int:
    """The line that it begins on, decorators included."""
    decorators = getattr(node, "decorator_list", ())
    return int(min(getattr(one, "lineno", 0) for one in (node, *decorators)))


def _docstrings(module: ast.Module) -> Set[ast.AST]:
    owners = (ast.Module, ast.ClassDef, ast.FunctionDef, ast.AsyncFunctionDef)
    firsts = (node.body[0] for node in ast.walk(module) if isinstance(node, owners) and node.body)
    return {one for one in firsts if isinstance(one, ast.Expr) and isinstance(one.value, ast.Constant)}
