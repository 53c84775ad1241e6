"""Functions that are changed while they live: the code of a candidate's functions takes the place of theirs.

Only what is inside functions can be changed so. A candidate that changes what a module does when it is imported, or
what a function closes over, needs a fresh import.
"""

from __future__ import annotations
import __future__

import ast
import gc
import warnings
from pathlib import Path
from types import CodeType, FunctionType
from typing import TYPE_CHECKING, Any

from .project import ROOT

if TYPE_CHECKING:  # Python 3.8 cannot evaluate them
    Place = tuple[tuple[str, int], ...]
    Shape = tuple[list[object], dict[Place, CodeType]]
    Piece = tuple[tuple[int, int, int], list[list[Any]]]
    Change = tuple[str, int, Place, CodeType]
    """File, start of the top-level statement, place of the function in it, and its new code."""

_FUNCTION = 1  # CO_OPTIMIZED: neither a module nor a class body


def shape(code: CodeType) -> Shape:
    """What is executed at import, to be compared, and the functions by their place in the nesting."""
    frame: list[object] = []
    functions: dict[Place, CodeType] = {}

    def walk(inner: CodeType, place: Place) -> None:
        count: dict[str, int] = {}
        plain = [const for const in inner.co_consts if not isinstance(const, CodeType)]
        if not inner.co_flags & _FUNCTION:
            frame.append((place, inner.co_code, inner.co_names, repr(plain), getattr(inner, "co_exceptiontable", b"")))
        for const in inner.co_consts:
            if isinstance(const, CodeType):
                number = count[const.co_name] = count.get(const.co_name, -1) + 1
                at = (*place, (const.co_name, number))
                if const.co_flags & _FUNCTION:
                    functions[at] = const
                walk(const, at)

    walk(code, ())
    return frame, functions


class Original:
    """A file as it is, its top-level statements, and the live functions of each."""

    def __init__(self, path: str) -> None:
        self.name = str((ROOT / path).resolve())
        self.data = (ROOT / path).read_bytes()
        self.tree = ast.parse(self.data)
        self.flags = sum(_flag(node) for node in self.tree.body if isinstance(node, ast.ImportFrom))
        self.starts = [0]
        for line in self.data.splitlines(keepends=True):
            self.starts.append(self.starts[-1] + len(line))
        self.shapes: dict[int, Shape] = {}
        functions = [n for n in ast.walk(self.tree) if isinstance(n, (ast.FunctionDef, ast.AsyncFunctionDef))]
        self.bodies = [(self.starts[n.body[0].lineno - 1], self.starts[n.end_lineno or n.lineno]) for n in functions]
        self.live: list[FunctionType] = []

    def around(self, splices: list[list[Any]]) -> tuple[int, int, int] | None:
        """Start, end and first line of the one top-level statement that holds all the splices."""
        low, high = min(row[0] for row in splices), max(row[1] for row in splices)
        for number, node in enumerate(self.tree.body):
            first = min([node.lineno, *(d.lineno for d in getattr(node, "decorator_list", ()))])
            start, end = self.starts[first - 1], self.starts[node.end_lineno or node.lineno]
            follows = self.tree.body[number + 1] if number + 1 < len(self.tree.body) else None
            if start <= low and high <= end and (follows is None or follows.lineno > (node.end_lineno or 0)):
                return start, end, first
        return None

    def pieces(self, splices: list[list[Any]]) -> list[Piece] | None:
        """The top-level statements that the splices change, each with its own; None when one lies outside of all."""
        found: dict[tuple[int, int, int], list[list[Any]]] = {}
        for row in splices:
            where = self.around([row])
            if where is None:
                return None
            found.setdefault(where, []).append(row)
        return list(found.items())

    def inside(self, splices: list[list[Any]]) -> bool:
        """All splices are in bodies of functions."""
        return all(any(start <= row[0] and row[1] <= end for start, end in self.bodies) for row in splices)

    def shape(self, where: tuple[int, int, int]) -> Shape:
        """Of one top-level statement as it is."""
        start, end, line = where
        if start not in self.shapes:
            self.shapes[start] = shape(self.compiled(self.data[start:end], line))
        return self.shapes[start]

    def compiled(self, text: bytes, line: int) -> CodeType:
        """The statement alone, with the line numbers it has in the file."""
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            code = compile(b"\n" * (line - 1) + text, self.name, "exec", flags=self.flags, dont_inherit=True)
        assert isinstance(code, CodeType)  # noqa: S101 - no flag asks for a tree
        return code


def _flag(node: ast.ImportFrom) -> int:
    if node.module != "__future__":
        return 0
    return sum(getattr(__future__, alias.name).compiler_flag for alias in node.names if hasattr(__future__, alias.name))


class Swapper:
    """Changes live functions and puts them back."""

    def __init__(self) -> None:
        self.files: dict[str, Original] = {}
        self.changed: list[tuple[FunctionType, CodeType]] = []

    def file(self, path: str) -> Original:
        if path not in self.files:
            self.files[path] = Original(path)
        return self.files[path]

    def may(self, edits: dict[str, list[list[Any]]]) -> bool:
        """Whether all edits are inside functions; their original shapes are made, so that no child has to."""
        for path, splices in edits.items():
            original = self.file(path)
            pieces = original.pieces(splices)
            if not pieces or not original.inside(splices):
                return False
            for where, _ in pieces:
                original.shape(where)
        return True

    def plan(self, edits: dict[str, list[list[Any]]]) -> list[Change] | None:
        """The codes that come in; None when the candidate needs a fresh import."""
        found: list[Change] = []
        for path, splices in edits.items():
            original = self.file(path)
            pieces = original.pieces(splices)
            for where, rows in pieces or ():
                changes = self._of(path, where, rows)
                if changes is None:
                    return None
                found += changes
            if pieces is None:
                return None
        return found

    def _of(self, path: str, where: tuple[int, int, int], splices: list[list[Any]]) -> list[Change] | None:
        original = self.file(path)
        start, end, line = where
        text = original.data[start:end]
        for low, high, new in sorted(splices, reverse=True):
            text = text[: low - start] + new.encode() + text[high - start :]
        frame, functions = shape(original.compiled(text, line))
        old_frame, old = original.shape(where)
        first = {(code.co_name, code.co_firstlineno) for code in old.values()}
        if frame != old_frame or len(first) < len(old):  # two lambdas on one line cannot be told apart
            return None
        return [(path, start, place, code) for place, code in functions.items() if place in old]

    def find(self) -> None:
        """Look for the live functions of the files that were planned for, once everything is imported."""
        names = {original.name: original for original in self.files.values()}
        known: dict[str, Original | None] = {}
        for thing in gc.get_objects():
            if type(thing) is FunctionType:
                name = thing.__code__.co_filename
                if name not in known:
                    known[name] = names.get(str(Path(name).resolve()))
                original = known[name]
                if original is not None:
                    original.live.append(thing)

    def apply(self, edits: dict[str, list[list[Any]]]) -> bool:
        """Let the candidate in. False, and nothing is changed, when it cannot be."""
        codes = self.plan(edits)
        for path, start, place, code in codes or ():
            original = self.files[path]
            old = original.shapes[start][1][place]
            for function in original.live:
                here = function.__code__
                if (here.co_name, here.co_firstlineno) != (old.co_name, old.co_firstlineno):
                    continue
                if here.co_freevars != code.co_freevars:
                    self.restore()
                    return False
                self.changed.append((function, here))
                function.__code__ = code
        return bool(self.changed)

    def restore(self) -> None:
        for function, code in reversed(self.changed):
            function.__code__ = code
        self.changed = []
