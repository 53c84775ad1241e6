"""Statements that a patch leaves in the file and takes out of every test: they stand behind a new condition that never
held. As far as the tests can tell, such a patch deletes them, and would be as green if it did.
"""

from __future__ import annotations

import ast
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence, Set

from workers.syntax import parsed

Standing = tuple[str, str, frozenset[str]]
"""A statement: the functions and classes it is in, what it does, and the conditions that it is executed under."""
Placed = tuple[ast.stmt, Standing]
_ALIKE = 50
"""Statements that do the same in one function which are compared by their conditions; a file may have thousands."""


def sidelined(before: bytes, after: bytes, executed: Set[int], raised: Set[int] = frozenset()) -> tuple[int, ...]:
    """The lines, in the file after the patch, of the statements that were there before under fewer conditions, where
    tests came to the new one and never past it. `executed` are the lines that the tests executed, `raised` the lines
    of the file before that raised what the failure is about.

    What raised is not to be executed again, and a condition on a name in it (is there a value?) is how people mend
    that, for it and for what hangs on it. A condition with an `else` puts something else in the statement's place,
    which the tests have tried. One on the same line as what it guards cannot be told apart from it.
    """
    one, other = parsed(before), parsed(after)
    try:
        return _sidelined(one, other, executed, raised) if one is not None and other is not None else ()
    except RecursionError:  # an expression that is too deep to be written out
        return ()


def _sidelined(before: ast.Module, after: ast.Module, executed: Set[int], raised: Set[int]) -> tuple[int, ...]:
    closed = _closed(after, executed)
    if not closed:
        return ()
    old = list(_standing(before))
    broke = {one[:2] for node, one in old if not raised.isdisjoint(range(node.lineno, (node.end_lineno or 0) + 1))}
    behind = [(node, does) for node, does in _moved(old, list(_standing(after))) if node.lineno in closed]
    mended = {
        closed[node.lineno]
        for node, does in behind
        if does in broke and not _names(node).isdisjoint(_names(closed[node.lineno].test))
    }
    return tuple(sorted(node.lineno for node, _ in behind if closed[node.lineno] not in mended))


def _moved(old: Sequence[Placed], new: Sequence[Placed]) -> Iterator[tuple[ast.stmt, tuple[str, str]]]:
    """The statements that were there before and have more conditions now, each with its place and what it does."""
    was, now = (Counter(standing for _, standing in placed) for placed in (old, new))
    gone: dict[tuple[str, str], list[frozenset[str]]] = {}
    for scope, does, conditions in was - now:
        gone.setdefault((scope, does), []).append(conditions)
    added = now - was
    for node, standing in new:
        if standing in added and any(fewer < standing[2] for fewer in gone.get(standing[:2], [])[:_ALIKE]):
            yield node, standing[:2]


def _closed(module: ast.Module, executed: Set[int]) -> Mapping[int, ast.If | ast.While]:
    """The lines behind conditions that were asked and never held, each with what asks."""
    found: dict[int, ast.If | ast.While] = {}
    for node in ast.walk(module):
        if isinstance(node, ast.If | ast.While) and all(isinstance(one, ast.Pass) for one in node.orelse):
            first, last = node.body[0].lineno, node.body[-1].end_lineno or node.lineno
            inside = range(first, last + 1)
            if not executed.isdisjoint(range(node.lineno, first)) and executed.isdisjoint(inside):
                found.update(dict.fromkeys(inside, node))
    return found


def _names(node: ast.AST) -> Set[str]:
    return {one.id for one in ast.walk(node) if isinstance(one, ast.Name)}


def _standing(module: ast.Module) -> Iterator[Placed]:
    """Every statement that holds no others and does something."""
    waiting: list[tuple[ast.AST, str, frozenset[str]]] = [(module, "", frozenset())]
    while waiting:
        node, scope, above = waiting.pop()
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            scope, above = f"{scope}.{node.name}", frozenset()
        for block, conditions in _blocks(node):
            under = above | conditions
            for child in block:
                if _holds_others(child):
                    waiting.append((child, scope, under))
                elif isinstance(child, ast.stmt) and not isinstance(child, ast.Pass):
                    yield child, (scope, ast.dump(child), under)


def _blocks(node: ast.AST) -> Iterator[tuple[Sequence[ast.AST], frozenset[str]]]:
    """The statements that a node holds, and what decides that they are executed, as far as the node says."""
    decided: dict[str, frozenset[str]] = {}
    if isinstance(node, ast.If | ast.While):
        decided["body"] = frozenset(map(ast.dump, _conjuncts(node.test)))
        decided["orelse"] = frozenset({f"not {ast.dump(node.test)}"})
    for name in ("body", "orelse", "finalbody", "handlers", "cases"):
        yield getattr(node, name, ()), decided.get(name, frozenset())


def _holds_others(node: ast.AST) -> bool:
    return hasattr(node, "body") or hasattr(node, "cases")


def _conjuncts(test: ast.expr) -> Iterator[ast.expr]:
    if isinstance(test, ast.BoolOp) and isinstance(test.op, ast.And):
        for value in test.values:
            yield from _conjuncts(value)
    else:
        yield test
