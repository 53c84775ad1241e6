"""Which classes of the repository are pydantic's models, and which names of a file hold one."""

from __future__ import annotations

import ast
from collections.abc import Iterator, Mapping
from functools import cached_property

from workers.fixers.source import Source
from workers.fixers.static.renames import Names

_BASES = frozenset({"pydantic.BaseModel", "pydantic.main.BaseModel"})
_MAKERS = frozenset({"parse_obj", "model_validate", "construct", "model_construct", "copy", "model_copy"})
_OBJECT = frozenset({"self", "cls"})
_Scope = tuple[ast.AST | None, str]
"""A name in a function, or in the module."""


class Models:
    """The models of all files, by their names: where two classes share one, both have to be models."""

    def __init__(self, known: Mapping[str, Source]) -> None:
        self._classes = [
            (owner.name, _bases(names, owner)) for names in map(Names, known.values()) for owner in names.source.classes
        ]
        self._bound: dict[str, Mapping[_Scope, list[bool]]] = {}

    @cached_property
    def names(self) -> frozenset[str]:
        below: dict[str, list[str]] = {}
        for name, bases in self._classes:
            for base in bases:
                below.setdefault(base, []).append(name)
        found: set[str] = set()
        open_ = [name for base in _BASES for name in below.get(base, ())]
        while open_:
            name = open_.pop()
            if name not in found:
                found.add(name)
                open_ += below.get(name, ())
        others = {name for name, bases in self._classes if not bases & (found | _BASES)}
        return frozenset(found - others)

    def holds(self, source: Source, node: ast.expr) -> bool:
        """The expression is a model or makes one: the class itself, a call of it, `self`, a name bound to one."""
        while isinstance(node, ast.Call):
            if _last(node.func) in self.names:
                return True
            if not isinstance(node.func, ast.Attribute) or node.func.attr not in _MAKERS:
                return False
            node = node.func.value
        if not isinstance(node, ast.Name):
            return _last(node) in self.names
        if node.id in _OBJECT:
            return _class(source, node) in self.names
        function = source.function(node)
        scope = function if function is not None and node.id in source.variables(node) else None
        if source.path not in self._bound:
            self._bound[source.path] = self._bindings(source)
        told = self._bound[source.path].get((scope, node.id), ())
        return all(told) and (bool(told) or node.id in self.names)

    def _bindings(self, source: Source) -> Mapping[_Scope, list[bool]]:
        """By name: for everything that binds it, whether that is a model."""
        found: dict[_Scope, list[bool]] = {}
        for node in ast.walk(source.tree):
            for name, model in self._kinds(source, node):
                found.setdefault((source.function(node), name), []).append(model)
        return found

    def _kinds(self, source: Source, node: ast.AST) -> Iterator[tuple[str, bool]]:
        if isinstance(node, ast.arg):
            yield node.arg, self._annotated(node.annotation)
        elif isinstance(node, ast.Name) and not isinstance(node.ctx, ast.Load):
            around = source.parents[node]
            if isinstance(around, ast.AnnAssign):
                yield node.id, self._annotated(around.annotation)
            else:
                made = around.value if isinstance(around, ast.Assign) else None
                yield node.id, isinstance(made, ast.Call) and self._made(made)

    def _made(self, call: ast.Call) -> bool:
        """The class is called, or one of its own ways to make an object."""
        func = call.func
        return _last(func) in self.names or (
            isinstance(func, ast.Attribute) and func.attr in _MAKERS and _last(func.value) in self.names
        )

    def _annotated(self, annotation: ast.expr | None) -> bool:
        if isinstance(annotation, ast.Constant):
            return annotation.value in self.names
        return annotation is not None and _last(annotation) in self.names


def _bases(names: Names, owner: ast.ClassDef) -> frozenset[str]:
    """What a class is made from: the full names of pydantic's classes, the last names of others."""
    bases = [base.value if isinstance(base, ast.Subscript) else base for base in owner.bases]
    return frozenset(full if (full := names.full(base)) in _BASES else _last(base) for base in bases)


def _class(source: Source, node: ast.AST) -> str:
    at: ast.AST | None = node
    while at is not None and not isinstance(at, ast.ClassDef):
        at = source.parents.get(at)
    return at.name if at is not None else ""


def _last(node: ast.expr) -> str:
    if isinstance(node, ast.Attribute):
        return node.attr
    return node.id if isinstance(node, ast.Name) else ""
