"""What a file's code handled while the tests ran: types of variables, attributes of types, parameters of callables.

Where nothing was seen, nothing is ruled out.
"""

from __future__ import annotations

import ast
from collections.abc import Mapping
from dataclasses import dataclass, field

from workers.fixers.source import Source
from workers.spectrum.evidence import Trace

_NUMBERS = frozenset({"int", "float", "bool", "Decimal", "Fraction", "complex"})
_MANY = frozenset(
    {"list", "tuple", "set", "frozenset", "dict", "deque", "defaultdict", "OrderedDict", "Counter", "str"}
)
_ABOUT_TYPES = frozenset({"TypeError", "AttributeError"})
_BY_LITERAL: Mapping[type[ast.AST], str] = {
    ast.List: "list", ast.ListComp: "list", ast.Dict: "dict", ast.DictComp: "dict", ast.Set: "set", ast.Tuple: "tuple",
    ast.SetComp: "set", ast.JoinedStr: "str", ast.Compare: "bool",
}  # fmt: skip
_BY_CALL = {"len": "int", "sum": "int", "abs": "int", "list": "list", "sorted": "list", "set": "set", "dict": "dict",
            "str": "str", "int": "int", "float": "float", "tuple": "tuple", "range": "range"}  # fmt: skip


@dataclass(frozen=True)
class Seen:
    """The trace, asked about one file."""

    source: Source
    types: Mapping[str, Mapping[str, tuple[str, ...]]] = field(default_factory=dict)
    attributes: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    signatures: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    mistyped: frozenset[int] = frozenset()
    """The lines that an error about a type came through."""

    def variables(self, node: ast.AST) -> Mapping[str, tuple[str, ...]]:
        """The variables of the functions around a node with the types they had."""
        found: dict[str, tuple[str, ...]] = {}
        function = self.source.function(node)
        while function is not None:
            first = min([function.lineno, *(decorator.lineno for decorator in function.decorator_list)])
            found = {**self.types.get(f"{function.name}:{first}", {}), **found}
            function = self.source.function(function)
        return found

    def names(self, node: ast.AST) -> list[str]:
        """The variables of the functions around a node, innermost first, but for the object itself."""
        found: list[str] = []
        at: ast.AST | None = node
        while at is not None and self.source.function(at) is not None:
            found += self.source.variables(at)
            at = self.source.function(at)
        return [name for name in dict.fromkeys(found) if name not in ("self", "cls")]

    def kinds(self, node: ast.expr) -> frozenset[str]:
        """The types an expression may have; empty when nothing is known."""
        if isinstance(node, ast.Name):
            return frozenset(self.variables(node).get(node.id, ()))
        if isinstance(node, ast.Constant):
            return frozenset({type(node.value).__name__})
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in _BY_CALL:
            return frozenset({_BY_CALL[node.func.id]})
        if isinstance(node, ast.Subscript):  # a slice is what it was cut from, and so is an item of a text
            whole = self.kinds(node.value)
            return whole if isinstance(node.slice, ast.Slice) or whole == {"str"} else frozenset()
        if isinstance(node, ast.BinOp):
            return self.kinds(node.left) or self.kinds(node.right)
        kind = _BY_LITERAL.get(type(node))
        return frozenset({kind}) if kind else frozenset()

    def alike(self, node: ast.AST, kinds: frozenset[str]) -> list[str]:
        """The variables that may stand where something of these types stands, parameters and locals in their order.

        The types that were seen there rule nothing out where they are what is wrong.
        """
        known = self.variables(node)
        names = self.names(node)
        if not kinds or not known or self.wrong(node, kinds):
            return names
        return [name for name in names if name not in known or _fit(frozenset(known[name]), kinds)]

    def wrong(self, node: ast.AST, kinds: frozenset[str]) -> bool:
        """These types are not what is meant here: an error about types came through, or none of them has what is asked
        of the object."""
        parent = self.source.parents.get(node)
        asked = parent.attr if isinstance(parent, ast.Attribute) and parent.value is node else None
        lacking = asked is not None and all(asked not in self.attributes.get(kind, (asked,)) for kind in kinds)
        return lacking or bool(self.mistyped & self.source.header(node))

    def many(self, node: ast.AST) -> list[str]:
        """The variables that hold collections."""
        return [name for name, kinds in self.variables(node).items() if _MANY & set(kinds)]

    def numbers(self, node: ast.AST) -> list[str]:
        """The variables that hold numbers and nothing else, except None."""
        found = self.variables(node).items()
        return [
            name for name, kinds in found if kinds and set(kinds) <= {*_NUMBERS, "NoneType"} and _NUMBERS & set(kinds)
        ]


def _fit(one: frozenset[str], other: frozenset[str]) -> bool:
    return bool(one & other) or bool(one & _NUMBERS and other & _NUMBERS) or "NoneType" in one | other


def seen(source: Source, trace: Trace) -> Seen:
    """What the trace saw of one file."""
    path = source.path
    about_types = [failure for failure in trace.exceptions.values() if failure.type in _ABOUT_TYPES]
    mistyped = frozenset(line for failure in about_types for at, line, _ in failure.frames if at == path)
    return Seen(source, trace.types.get(path, {}), trace.attributes, trace.signatures.get(path, {}), mistyped)
