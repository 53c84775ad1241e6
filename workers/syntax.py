"""Python read as a tree: what names mean after their imports, and who is whose parent. Nothing is ever run."""

from __future__ import annotations

import ast
import warnings
from collections.abc import Mapping


def parse(code: str | bytes) -> ast.Module:
    """`ast.parse` without the warnings of the code that is read: a strange escape in somebody's file is not ours."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return ast.parse(code)


def parsed(code: str | bytes) -> ast.Module | None:
    """The module, or None for what this Python cannot read."""
    try:
        return parse(code)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return None


def same(before: bytes, after: bytes) -> bool:
    """Both are Python and mean the same: only layout and comments differ."""
    one, other = parsed(before), parsed(after)
    try:
        return one is not None and other is not None and ast.dump(one) == ast.dump(other)
    except RecursionError:
        return False


def imported(module: ast.Module) -> dict[str, str]:
    """Local name to the dotted name it stands for, wherever it is imported; simple aliases of those too."""
    names: dict[str, str] = {}
    for node in ast.walk(module):
        if isinstance(node, ast.Import):
            for alias in node.names:
                names[alias.asname or alias.name.split(".")[0]] = (
                    alias.name if alias.asname else alias.name.split(".")[0]
                )
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            names |= {alias.asname or alias.name: f"{node.module}.{alias.name}" for alias in node.names}
    for node in ast.walk(module):
        if isinstance(node, ast.Assign) and len(node.targets) == 1 and isinstance(node.targets[0], ast.Name):
            meant = dotted(node.value, names)
            if meant.split(".")[0] != meant and meant.split(".")[0] in set(names.values()) | {"builtins"}:
                names.setdefault(node.targets[0].id, meant)
    return names


def dotted(node: ast.AST | None, names: Mapping[str, str]) -> str:
    """What `a.b.c` means with the imports put in; empty for anything that is no such chain."""
    if isinstance(node, ast.Name):
        return names.get(node.id, node.id).removeprefix("builtins.")
    if isinstance(node, ast.Attribute):
        before = dotted(node.value, names)
        return f"{before}.{node.attr}".removeprefix("builtins.") if before else f"?.{node.attr}"
    return ""


def parents(module: ast.AST) -> dict[ast.AST, ast.AST]:
    """Each node's parent."""
    return {child: node for node in ast.walk(module) for child in ast.iter_child_nodes(node)}


def constant(node: ast.AST | None) -> object:
    """The value of a literal, minus included; an ellipsis for everything else."""
    try:
        return ast.literal_eval(node) if isinstance(node, ast.expr) else ...
    except (ValueError, TypeError, SyntaxError, MemoryError, RecursionError):
        return ...


def always(test: ast.expr) -> bool:
    """True whatever the program does: a literal, a filled tuple, `x == x`, anything `or True`."""
    if isinstance(test, ast.Tuple | ast.List | ast.Lambda | ast.JoinedStr):
        return not isinstance(test, ast.Tuple | ast.List) or bool(test.elts)
    if isinstance(test, ast.BoolOp) and isinstance(test.op, ast.Or):
        return any(always(value) for value in test.values)
    if isinstance(test, ast.Compare) and len(test.ops) == 1:
        sides = (test.left, test.comparators[0])
        both = all(constant(side) is not ... for side in sides)
        return not both and ast.dump(sides[0]) == ast.dump(sides[1]) and isinstance(test.ops[0], ast.Eq | ast.Is)
    value = constant(test)
    return value is not ... and bool(value)
