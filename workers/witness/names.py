"""What a repository's Python files are called when they are imported, and which of them defines a name."""

from __future__ import annotations

import ast
import builtins
import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import PurePosixPath
from typing import TypeGuard

from workers.policy import is_test
from workers.ports import SourceTree
from workers.syntax import parsed

_ROOTS = ("src", "lib", "python")
"""Folders that are on the path and are no packages themselves."""
_NOT_CODE = re.compile(
    r"(^|/)(docs?|examples?|benchmarks?|scripts?|build|dist|\.[^/]+)/|(^|/)(setup|conftest|noxfile)\.py$"
)
_MOST_FILES, _LARGEST = 1_000, 300_000
_BUILTIN = frozenset(dir(builtins))


@dataclass(frozen=True)
class Names:
    """The importable modules of a tree: its own code, without tests, documents and scripts."""

    tree: SourceTree

    @cached_property
    def modules(self) -> dict[str, str]:
        """Dotted name to path."""
        found: dict[str, str] = {}
        for path in self.tree.paths():
            if path.endswith(".py") and not is_test(path) and not _NOT_CODE.search(path):
                dotted = _dotted(path)
                if dotted and len(found) < _MOST_FILES:
                    found.setdefault(dotted, path)
        return found

    @cached_property
    def packages(self) -> frozenset[str]:
        """The first parts of the modules' names: what an import of the repository's own code begins with."""
        return frozenset(name.split(".")[0] for name in self.modules)

    @cached_property
    def definitions(self) -> dict[str, list[str]]:
        """Name to the modules that define it at their top: functions and classes."""
        found: dict[str, list[str]] = {}
        for dotted, path in self.modules.items():
            for name in self._defined(path):
                found.setdefault(name, []).append(dotted)
        return found

    @cached_property
    def fixtures(self) -> frozenset[str]:
        """The fixtures of the repository's conftest files: what a test gets from them is the repository's own."""
        found: set[str] = set()
        for path in self.tree.paths():
            module = parsed(self.tree.read(path) or b"") if path.split("/")[-1] == "conftest.py" else None
            found |= {node.name for node in ast.walk(module) if _is_fixture(node)} if module else set()
        return frozenset(found)

    def is_ours(self, module: str) -> bool:
        """An import of this module brings code of the repository."""
        return module.split(".")[0] in self.packages

    def importing(self, name: str) -> str:
        """The statement that brings a name: the one module that defines it, or is called so; empty when there is none,
        or more than one."""
        homes = self.definitions.get(name, [])
        if len(homes) == 1:
            return f"from {homes[0]} import {name}"
        return f"import {name}" if not homes and name in self.modules else ""

    def _defined(self, path: str) -> Iterator[str]:
        data = self.tree.read(path) or b""
        module = parsed(data) if len(data) <= _LARGEST else None
        for node in module.body if module else ():
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
                yield node.name


def free(nodes: list[ast.stmt]) -> tuple[str, ...]:
    """The names that statements use and neither bind nor import, builtins left out, in order."""
    bound: set[str] = set()
    used: dict[str, None] = {}
    for node in (inner for one in nodes for inner in ast.walk(one)):
        if isinstance(node, ast.Name):
            if isinstance(node.ctx, ast.Load):
                used.setdefault(node.id)
            else:
                bound.add(node.id)
        elif isinstance(node, ast.alias):
            bound.add((node.asname or node.name).split(".")[0])
        elif isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            bound.add(node.name)
        elif isinstance(node, ast.arg):
            bound.add(node.arg)
        elif isinstance(node, ast.ExceptHandler) and node.name:
            bound.add(node.name)
    return tuple(name for name in used if name not in bound and name not in _BUILTIN)


def _is_fixture(node: ast.AST) -> TypeGuard[ast.FunctionDef | ast.AsyncFunctionDef]:
    return isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and any(
        "fixture" in ast.unparse(decorator) for decorator in node.decorator_list
    )


def _dotted(path: str) -> str:
    parts = PurePosixPath(path).with_suffix("").parts
    parts = parts[1:] if len(parts) > 1 and parts[0] in _ROOTS else parts
    parts = parts[:-1] if parts[-1] in ("__init__", "__main__") else parts
    return ".".join(parts) if parts and all(part.isidentifier() for part in parts) else ""
