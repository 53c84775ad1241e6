"""Names that a Python module uses and nothing binds: the one finding of a linter that needs no other file.

What cannot be told from the text alone is not told: an unused import may be there for its effect or for others to
import, so only names are looked at, and none in a module that makes names in ways of its own.
"""

from __future__ import annotations

import ast
import builtins
import symtable
import warnings
from collections.abc import Iterator, Mapping
from pathlib import PurePosixPath

from workers.patch.edits import PatchError
from workers.patch.syntax import shown
from workers.ports import Files

_LIMIT = 1 << 20
_OWN_WAYS = frozenset({"NameError", "globals", "exec", "eval", "builtins", "__builtins__", "locals"})
"""Words of modules whose names may come from elsewhere."""
_GIVEN = frozenset(dir(builtins)) | {
    "_",  # as gettext installs it
    "WindowsError",
    "PythonFinalizationError",
    "reveal_type",
    "reveal_locals",
}


def gate(edits: Mapping[str, bytes | None], before: Files) -> None:
    """Raise `PatchError` when a change uses a name that nothing defines: it would be a NameError in the sandbox.

    A name that was unknown before is left alone: the module may get it in a way of its own.
    """
    for path, after in edits.items():
        if after is None or PurePosixPath(path).suffix != ".py" or len(after) > _LIMIT:
            continue
        known = unbound((before.read(path) or b"").decode("utf-8", "replace"))
        for name, line in unbound(after.decode("utf-8", "replace")).items():
            if name not in known:
                told = f"the name {name} is used in line {line}, and nothing defines or imports it"
                raise PatchError(f"{path} after this change: {told}{shown(after, line)}")


def unbound(text: str) -> Mapping[str, int]:
    """By name the line (from 1) of its first use. Empty for a text that is no Python."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            tree = ast.parse(text.removeprefix("\ufeff"))
            top = symtable.symtable(text.removeprefix("\ufeff"), "file", "exec")
        except (SyntaxError, ValueError, RecursionError, MemoryError):
            return {}
    uses: dict[str, int] = {}
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom) and any(alias.name == "*" for alias in node.names):
            return {}
        if isinstance(node, ast.Name):
            uses[node.id] = min(node.lineno, uses.get(node.id, node.lineno))
    if uses.keys() & _OWN_WAYS:
        return {}
    free, bound = _names(top)
    return {name: uses[name] for name in sorted(free - bound - _GIVEN) if name in uses and not _dunder(name)}


def _names(top: symtable.SymbolTable) -> tuple[set[str], set[str]]:
    """What is looked up in the module, and what the module binds, also from inside of its functions."""
    free, bound = set(), set()
    for table in _tables(top):
        for one in table.get_symbols():
            binds = one.is_assigned() or one.is_imported() or one.is_namespace()
            if binds and (table is top or one.is_declared_global()):
                bound.add(one.get_name())
            if one.is_referenced() and (table is top or one.is_global()):
                free.add(one.get_name())
    return free, bound


def _tables(top: symtable.SymbolTable) -> Iterator[symtable.SymbolTable]:
    open_ = [top]
    while open_:
        table = open_.pop()
        yield table
        open_.extend(table.get_children())


def _dunder(name: str) -> bool:
    return name.startswith("__") and name.endswith("__")
