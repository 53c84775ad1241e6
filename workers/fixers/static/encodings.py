"""Text that cannot be read or written in the machine's own encoding: files are opened as UTF-8, by name."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterable, Iterator

from workers.fixers.source import Mutation, Source
from workers.fixers.static.renames import Names
from workers.spectrum.evidence import Failure

_NARROW = re.compile(r"^'(?:ascii|charmap|latin-1|cp\d{1,5}|gbk|mbcs)' codec can't (?:de|en)code\b")
"""Encodings that a machine falls back on. What is not UTF-8 either has an encoding that nobody knows here."""
_ASCII = frozenset({"ascii", "us-ascii"})
_METHODS = frozenset({"read_text", "write_text"})
_PLACE = {"open": 3, "read_text": 0, "write_text": 1}
"""How many positional arguments stand before the encoding."""


def undecodable(source: Source, failure: Failure, line: int) -> Iterator[Mutation]:
    """Calls without an encoding in the function that raised, those on the line first."""
    if not _NARROW.match(failure.message):
        return
    names = Names(source)
    calls = [n for n in ast.walk(source.tree) if isinstance(n, ast.Call) and _near(source, n, line)]
    calls = [n for n in calls if names.full(n.func) in ("", "io.open")]  # `gzip.open` opens bytes
    calls.sort(key=lambda call: abs(call.lineno - line))
    yield from _widened(source, failure, calls)
    for call in filter(_silent, calls):
        end = source.span(call)[1] - 1
        before = source.data[:end].rstrip()
        at = len(before)
        comma = "" if before.endswith(b"(") else " " if before.endswith(b",") else ", "
        what = f'`{source.text(call.func)}` has `encoding="utf-8"`'
        yield Mutation(source.path, call.lineno, ((at, at, f'{comma}encoding="utf-8"'),), "encoding", 1.6, what, call)


def _widened(source: Source, failure: Failure, calls: Iterable[ast.Call]) -> Iterator[Mutation]:
    """Calls that ask for ASCII: UTF-8 reads all of it, and more. Other encodings are asked for with a reason."""
    said = [(call, word.value) for call in calls for word in call.keywords if word.arg == "encoding"]
    for call, word in said if failure.message.startswith("'ascii'") else ():
        if isinstance(word, ast.Constant) and str(word.value).lower() in _ASCII:
            what = f'`{source.text(call.func)}` has `encoding="utf-8"`'
            splice = (*source.span(word), '"utf-8"')
            yield Mutation(source.path, call.lineno, (splice,), "encoding", 1.6, what, call)


def _silent(call: ast.Call) -> bool:
    """It opens text and leaves the encoding to the machine."""
    func = call.func
    name = func.id if isinstance(func, ast.Name) else func.attr if isinstance(func, ast.Attribute) else ""
    method = isinstance(func, ast.Attribute) and not (isinstance(func.value, ast.Name) and func.value.id == "io")
    if name not in _PLACE or (name in _METHODS) > method:
        return False
    if any(keyword.arg in ("encoding", None) for keyword in call.keywords):
        return False
    if len(call.args) > _PLACE[name] - (method and name == "open") or any(
        isinstance(a, ast.Starred) for a in call.args
    ):
        return False
    return name != "open" or "b" not in _mode(call, 0 if method else 1)


def _mode(call: ast.Call, at: int) -> str:
    """The mode as it is written; one that is computed may be a binary one."""
    given = [k.value for k in call.keywords if k.arg == "mode"] or call.args[at : at + 1]
    if not given:
        return "r"
    return given[0].value if isinstance(given[0], ast.Constant) and isinstance(given[0].value, str) else "b"


def _near(source: Source, call: ast.Call, line: int) -> bool:
    function = source.function(call)
    if function is None:
        return call.lineno <= line
    return function.lineno <= line <= (function.end_lineno or function.lineno)
