"""Which handlers that do nothing only say that something need not be there, read in the syntax tree."""

from __future__ import annotations

import ast
from collections.abc import Mapping

from workers.absences import LOOKUPS, OPERATIONS
from workers.syntax import dotted

_OF_MODULES = frozenset({"os"})


def expected(
    node: ast.Try | ast.TryStar,
    names: Mapping[str, str],
    above: Mapping[ast.AST, ast.AST],
    own: frozenset[str] = frozenset(),
) -> bool:
    """`try` holds one operation on plain names, and nothing else can raise what is caught. `own` are names of functions
    of the project: an error of theirs is no answer of Python's."""
    if isinstance(node, ast.TryStar) or len(node.handlers) != 1 or node.orelse or node.finalbody or len(node.body) != 1:
        return False
    (statement,), (handler,) = node.body, node.handlers
    call = statement.value if isinstance(statement, ast.Expr | ast.Assign) else None
    if not isinstance(call, ast.Call) or not isinstance(call.func, ast.Attribute):
        return False
    name = call.func.attr
    if name in own or not isinstance(handler.body[0], ast.Pass) or len(handler.body) != 1:
        return False
    error = dotted(handler.type, names)
    plain = all(map(_plain, (call.func.value, *call.args, *(keyword.value for keyword in call.keywords))))
    return (
        plain
        and error in OPERATIONS.get(name, ())
        and _fits(call.func.value, error, names)
        and _left(statement, name, node, above)
    )


def _fits(owner: ast.expr, error: str, names: Mapping[str, str]) -> bool:
    """Of a module's functions only those of `os`, which tell of files and of nothing else."""
    root = owner
    while isinstance(root, ast.Attribute):
        root = root.value
    module = names.get(root.id, "") if isinstance(root, ast.Name) else ""
    return not module or (module in _OF_MODULES and dotted(owner, names) in _OF_MODULES and error.startswith("File"))


def _left(statement: ast.stmt, name: str, node: ast.Try, above: Mapping[ast.AST, ast.AST]) -> bool:
    """What is true after it where nothing was found: no value is missing then."""
    if isinstance(statement, ast.Expr):
        return name not in LOOKUPS
    target = statement.targets[0] if isinstance(statement, ast.Assign) and len(statement.targets) == 1 else None
    return isinstance(target, ast.Name) and _had(target.id, node, above.get(node))


def _had(name: str, node: ast.Try, parent: ast.AST | None) -> bool:
    """The same block gave the name a value before."""
    blocks = [block for _, block in ast.iter_fields(parent) if isinstance(block, list)] if parent is not None else []
    block = next((block for block in blocks if node in block), [])
    earlier = [one for one in block[: block.index(node)] if isinstance(one, ast.Assign)] if block else []
    return any(isinstance(target, ast.Name) and target.id == name for one in earlier for target in one.targets)


def _plain(node: ast.AST) -> bool:
    """Nothing is called or looked up in it."""
    allowed = (ast.Name, ast.Attribute, ast.Constant, ast.UnaryOp, ast.USub, ast.expr_context)
    return all(isinstance(part, allowed) for part in ast.walk(node))
