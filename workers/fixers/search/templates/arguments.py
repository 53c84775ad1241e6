"""Templates for what a call is given: one argument more, less, by keyword, or a part or an item of another one."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from workers.fixers.search.seen import Seen
from workers.fixers.search.templates.values import edit
from workers.fixers.source import Mutation, Source

_WRAPPERS = ("int", "str", "list", "sorted", "len", "abs", "set", "float", "tuple", "sum", "round", "max", "min")
_METHODS = {"str": ("strip()", "lower()", "split()", "upper()"), "dict": ("items()", "values()", "keys()"),
            "list": ("copy()",), "set": ("copy()",)}  # fmt: skip


def dropped(source: Source, node: ast.AST, _seen: Seen) -> Iterator[Mutation]:
    """An argument goes away."""
    if not isinstance(node, ast.Call):
        return
    given: list[ast.expr | ast.keyword] = [*node.args, *node.keywords]
    for gone in given if len(given) > 1 else ():
        rest = ", ".join(source.text(one) for one in given if one is not gone)
        new = f"{source.text(node.func)}({rest})"
        yield edit(source, node, new, "fewer arguments", 0.3)


def added(source: Source, node: ast.AST, seen: Seen) -> Iterator[Mutation]:
    """A parameter that the called function has is given: a variable of its name, or a likely one."""
    if not isinstance(node, ast.Call) or any(isinstance(arg, ast.Starred) for arg in node.args):
        return
    names = _parameters(source, node, seen)
    missing = [name for name in names[len(node.args) :] if name not in {keyword.arg for keyword in node.keywords}]
    variables = seen.names(node)
    parts: list[ast.expr | ast.keyword] = [*node.args, *node.keywords]
    given = [source.text(part) for part in parts]
    for name in missing[:4]:
        values = ([name] if name in variables else []) + [v for v in variables if v != name][:8]
        for value in [*values, "True", "False", "None"]:
            new = f"{source.text(node.func)}({', '.join([*given, f'{name}={value}'])})"
            yield edit(source, node, new, "more arguments", 0.5 if value == name else 0.2)


def _parameters(source: Source, node: ast.Call, seen: Seen) -> list[str]:
    """The parameters that may be given by name: as seen alive, else as the file defines them."""
    if isinstance(node.func, ast.Name) and node.func.id in seen.signatures:
        return [name.removesuffix("=") for name in seen.signatures[node.func.id]]
    name = (
        node.func.id
        if isinstance(node.func, ast.Name)
        else node.func.attr
        if isinstance(node.func, ast.Attribute)
        else ""
    )
    found = [n for n in ast.walk(source.tree) if isinstance(n, ast.FunctionDef) and n.name == name]
    if len(found) != 1:
        return []
    names = [arg.arg for arg in (*found[0].args.args, *found[0].args.kwonlyargs)]
    return names[1:] if names[:1] in (["self"], ["cls"]) else names


def wrapped(source: Source, node: ast.AST, seen: Seen) -> Iterator[Mutation]:
    """A value goes through a function or a method of its own type first."""
    if not isinstance(node, ast.Name | ast.Subscript | ast.Attribute | ast.Call | ast.ListComp | ast.BinOp):
        return
    parent = source.parents.get(node)
    if isinstance(getattr(node, "ctx", None), ast.Store | ast.Del) or isinstance(parent, ast.Expr | ast.Attribute):
        return
    if (isinstance(parent, ast.Call) and parent.func is node) or isinstance(parent, ast.Subscript):
        return
    text = source.text(node)
    known = seen.kinds(node)
    for name in _WRAPPERS:
        likely = isinstance(parent, ast.Return | ast.Assign | ast.Call | ast.Compare | ast.For)
        yield edit(source, node, f"{name}({text})", "wrap", 0.25 if likely else 0.12)
    for kind in known & set(_METHODS):
        for method in _METHODS[kind]:
            yield edit(source, node, f"{text}.{method}", "method call", 0.2)


def hoisted(source: Source, node: ast.AST, seen: Seen) -> Iterator[Mutation]:
    """An argument becomes an item of itself, or an attribute of it that the file reads elsewhere."""
    if not isinstance(node, ast.Name) or not isinstance(node.ctx, ast.Load):
        return
    parent = source.parents.get(node)
    if isinstance(parent, ast.Attribute | ast.Subscript) or (isinstance(parent, ast.Call) and parent.func is node):
        return
    kinds = seen.kinds(node)
    if kinds & {"list", "tuple", "str", "dict"}:
        for index in ("0", "1", "-1"):
            yield edit(source, node, f"{node.id}[{index}]", "item", 0.25)
    for attr, called in sorted(source.reads.get(ast.dump(node), frozenset())):
        if not called:
            yield edit(source, node, f"{node.id}.{attr}", "attribute access", 0.3)
    own = {attr for kind in kinds for attr in seen.attributes.get(kind, ())}
    for attr in sorted(own & source.attributes)[:6]:
        yield edit(source, node, f"{node.id}.{attr}", "attribute access", 0.2)


TEMPLATES = (dropped, added, wrapped, hoisted)
