"""Templates that exchange names: a variable for another one in scope, an attribute for one of the same object."""

from __future__ import annotations

import ast
import difflib
from collections.abc import Iterator

from workers.fixers.search.seen import Seen
from workers.fixers.source import Mutation, Source

_LIMIT = 6
_TYPED = 12
_UNREAD = 0.5
"""What a variable is worth that takes the place of the only one of its name: nobody would read that any more."""


def _likeness(a: str, b: str) -> float:
    return difflib.SequenceMatcher(None, a, b).ratio()


def variable(source: Source, node: ast.AST, seen: Seen) -> Iterator[Mutation]:
    """A read variable becomes another one of the same function and of the same types, likest name first; any one
    where its types are what is wrong."""
    if not isinstance(node, ast.Name) or not isinstance(node.ctx, ast.Load):
        return
    parent = source.parents.get(node)
    if isinstance(parent, ast.Call) and parent.func is node:
        return
    if node.id not in seen.names(node):
        return
    kinds = seen.kinds(node)
    others = [name for name in seen.alike(node, kinds) if name != node.id]
    others.sort(key=lambda name: -_likeness(name, node.id))
    last = len(source.reading(node)) < 2
    most = len(others) if kinds and seen.wrong(node, kinds) else _TYPED if kinds else _LIMIT
    local = [(name, 0.55 + 0.2 * _likeness(name, node.id)) for name in others[:most]]
    for other, prior in (*local, *((name, 0.25) for name in _outer(source, node))):
        what, worth = f"`{node.id}` became `{other}`", prior * (_UNREAD if last else 1.0)
        yield Mutation(source.path, node.lineno, ((*source.span(node), other),), "variable", worth, what, node)


def _outer(source: Source, node: ast.Name) -> list[str]:
    """The object itself in a method, and variables of the module, likest name first."""
    function = source.function(node)
    first = function.args.args[:1] if function else []
    own = [arg.arg for arg in first if arg.arg in ("self", "cls") and arg.arg != node.id]
    parent = source.parents.get(node)
    alone = not isinstance(parent, ast.Attribute | ast.Subscript)
    constants = sorted(source.constants, key=lambda name: (-_likeness(name.lower(), node.id.lower()), name))[:_LIMIT]
    return (own if alone else []) + constants


def attribute(source: Source, node: ast.AST) -> Iterator[Mutation]:
    """`a.x` becomes `a.y`, where the file reads `a.y` somewhere."""
    if not isinstance(node, ast.Attribute) or not isinstance(node.ctx, ast.Load):
        return
    parent = source.parents.get(node)
    called = isinstance(parent, ast.Call) and parent.func is node
    known = source.reads.get(ast.dump(node.value), frozenset())
    others = {attr for attr, calls in known if calls == called and attr != node.attr}
    end = source.span(node)[1]
    for attr in sorted(others, key=lambda name: (-_likeness(name, node.attr), name))[:_LIMIT]:
        what = f"`.{node.attr}` became `.{attr}`"
        splice = (end - len(node.attr.encode()), end, attr)
        prior = 0.4 + 0.2 * _likeness(attr, node.attr)
        yield Mutation(source.path, node.lineno, (splice,), "attribute", prior, what, node)


def owner(source: Source, node: ast.AST) -> Iterator[Mutation]:
    """`a.x` becomes `b.x`, where the file has `b.x` somewhere and `b` is known here."""
    if not isinstance(node, ast.Attribute) or not isinstance(node.value, ast.Name):
        return
    known = {*source.variables(node), *source.top}
    others = [name for name in source.owners.get(node.attr, ()) if name in known and name != node.value.id]
    for other in others[:_LIMIT]:
        what = f"`{node.value.id}.{node.attr}` became `{other}.{node.attr}`"
        splice = (*source.span(node.value), other)
        yield Mutation(source.path, node.lineno, (splice,), "variable", 0.35, what, node)


def alive(source: Source, node: ast.AST, seen: Seen) -> Iterator[Mutation]:
    """`a.x` becomes another attribute that the live `a` has, when its name is like it."""
    if not isinstance(node, ast.Attribute) or not isinstance(node.ctx, ast.Load):
        return
    have = {attr for kind in seen.kinds(node.value) for attr in seen.attributes.get(kind, ())} - {node.attr}
    known = {attr for attr, _ in source.reads.get(ast.dump(node.value), frozenset())}
    end = source.span(node)[1]
    for attr in difflib.get_close_matches(node.attr, sorted(have - known), n=_LIMIT, cutoff=0.4):
        splice = (end - len(node.attr.encode()), end, attr)
        what = f"`.{node.attr}` became `.{attr}`"
        yield Mutation(source.path, node.lineno, (splice,), "attribute", 0.3, what, node)


TEMPLATES = (attribute, owner)
INFORMED = (variable, alive)
