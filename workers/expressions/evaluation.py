"""The value of an expression, and its truth where parts of it are unknown.

`&&` and `||` give the operand that decides, and look at the right side only when they must.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

from workers.expressions import syntax
from workers.expressions.functions import call
from workers.expressions.hash_files import Files
from workers.expressions.syntax import Access, All, Call, Chain, Compare, Context, Literal, Node, Not
from workers.expressions.values import (
    Contexts,
    Later,
    Partial,
    Secret,
    Unknown,
    Unresolved,
    as_text,
    equal,
    greater,
    is_primitive,
    number,
    truthy,
)

_MISSING = object()
_COMPARED: Mapping[str, Callable[[object, object], bool]] = {
    "==": equal,
    "!=": lambda one, two: not equal(one, two),
    ">": greater,
    "<": lambda one, two: greater(two, one),
    ">=": lambda one, two: greater(one, two) or equal(one, two),
    "<=": lambda one, two: greater(two, one) or equal(one, two),
}


@dataclass
class Evaluation:
    """One expression on its way to a value. `secrets` are those that were empty in it."""

    contexts: Contexts
    files: Files | None
    secrets: list[str] = field(default_factory=list)

    def value(self, node: Node) -> object:
        """Raises `Unresolved`, also for what is known only while the job runs."""
        value = self.top(node)
        if isinstance(value, Later):
            raise Unresolved(value.path)
        return value

    def top(self, node: Node) -> object:
        """As `value`; a `Later` where the whole expression is one."""
        if isinstance(node, Literal):
            return node.value
        if isinstance(node, Context | Access):
            return self.look_up(node)
        if isinstance(node, Call):
            return call(node.name, [self.value(argument) for argument in node.arguments], self.files)
        if isinstance(node, Not):
            return self.truth(node)
        return self.compare(node) if isinstance(node, Compare) else self.chain(node)

    def compare(self, node: Compare) -> object:
        left = self.value(node.first)
        for sign, right_node in node.rest:
            right = self.value(right_node)
            left = _COMPARED[sign](left, right)
        return left

    def chain(self, node: Chain) -> object:
        value: object = None
        for part in node.parts:
            value = self.value(part)
            if truthy(value) == (node.sign == "||"):
                break
        return value

    def truth(self, node: Node) -> bool:
        """Whether it is true, also where an unknown part makes no difference to that."""
        if isinstance(node, Not):
            return self.truth(node.inner) == (node.times % 2 == 0)
        if not isinstance(node, Chain):
            return truthy(self.value(node))
        decides, unknown = node.sign == "||", None
        for part in node.parts:
            try:
                if self.truth(part) == decides:
                    return decides
            except Unresolved as error:
                unknown = unknown or error
        if unknown is not None:
            raise unknown
        return not decides

    def look_up(self, node: Context | Access) -> object:
        root, path = (node, ()) if isinstance(node, Context) else (node.root, node.path)
        if not isinstance(root, Context):
            return self.walk(self.value(root), path, node, exact=False)
        name = root.name.lower()
        if name == "secrets":
            self.secrets.append(syntax.written(node))
            return {} if not path else [] if isinstance(path[0], All) else "" if len(path) == 1 else None
        if name not in self.contexts:
            raise Unresolved(syntax.written(node))
        return self.walk(self.contexts[name], path, node, exact=name == "env")

    def walk(self, value: object, path: Sequence[Node | All], node: Node, *, exact: bool) -> object:
        """Follow the properties. After a `*` each is asked of every item, and those that lack it are left out."""
        many = False
        for step in path:
            if isinstance(value, Later):
                raise Unresolved(syntax.written(node))
            if isinstance(step, All):
                items = value if many and isinstance(value, list) else [value]
                value, many = [self.plain(inner) for item in items for inner in _items(item, node)], True
                continue
            key = self.value(step)
            if many and isinstance(value, list):
                found = (_item(self.plain(item), key, node, exact) for item in value)
                value = [self.plain(item) for item in found if item is not _MISSING]
            else:
                item = _item(value, key, node, exact)
                value = self.plain(None if item is _MISSING else item)
            exact = False
        return self.plain(value)

    def plain(self, value: object) -> object:
        """Raises for what only GitHub knows; a secret is empty and written down."""
        if isinstance(value, Unknown):
            raise Unresolved(value.what)
        if isinstance(value, Secret):
            self.secrets.append(value.name)
            return ""
        return value


def _items(value: object, node: Node) -> Sequence[object]:
    if isinstance(value, Partial):
        raise Unresolved(syntax.written(node))
    if isinstance(value, Mapping):
        return list(value.values())
    return value if isinstance(value, list) else ()


def _item(value: object, key: object, node: Node, exact: bool) -> object:
    if isinstance(value, Mapping) and is_primitive(key):
        return _named(value, as_text(key), node, exact)
    if isinstance(value, list) and is_primitive(key):
        at = number(key)
        return value[math.floor(at)] if 0 <= at < len(value) else _MISSING
    return _MISSING


def _named(value: Mapping[str, object], name: str, node: Node, exact: bool) -> object:
    if name in value:
        return value[name]
    if not exact:
        wanted = name.lower()
        for other, item in value.items():
            if str(other).lower() == wanted:
                return item
    if isinstance(value, Partial):
        if value.later:
            return Later(f"{value.later}.{name}")
        raise Unresolved(syntax.written(node))
    return _MISSING
