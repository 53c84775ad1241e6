"""Templates for what a call is given: one argument more, less, by keyword, or a part or an item of another one."""

from __future__ import annotations

import ast
from collections.abc import Iterator, Sequence

from workers.fixers.search.seen import Seen
from workers.fixers.search.templates.values import edit
from workers.fixers.source import Mutation, Source, Splice

_WRAPPERS = ("int", "str", "list", "sorted", "len", "abs", "set", "float", "tuple", "sum", "round", "max", "min")
_METHODS = {"str": ("strip()", "lower()", "split()", "upper()"), "dict": ("items()", "values()", "keys()"),
            "list": ("copy()",), "set": ("copy()",)}  # fmt: skip
_CALLS, _VARIABLES, _OWN = 6, 10, 6
"""How many alike calls, variables and functions of the file are tried for one place."""
_ALIKE = 3
"""Methods of one name whose parameters are known for a call of it."""


def dropped(source: Source, node: ast.AST, _seen: Seen) -> Iterator[Mutation]:
    """An argument goes away; the only one where a method is called: `text.split()`, `xs.pop()`."""
    if not isinstance(node, ast.Call):
        return
    given: list[ast.expr | ast.keyword] = [*node.args, *node.keywords]
    for gone in given if len(given) > 1 or isinstance(node.func, ast.Attribute) else ():
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


def given(source: Source, node: ast.AST, seen: Seen) -> Iterator[Mutation]:
    """One more argument in some place: what a call of the same function has there, else a variable or a constant."""
    if not isinstance(node, ast.Call) or any(isinstance(arg, ast.Starred) for arg in node.args):
        return
    names = _parameters(source, node, seen)
    if names and len(node.args) + len(node.keywords) >= len(names):
        return
    places = len(node.args) + 1
    tried = {(at, source.text(arg)) for at, arg in enumerate(node.args)}
    for at, text, prior in (*_alike(source, node, places), *_likely(source, node, seen, names)):
        if (at, text) not in tried:
            tried.add((at, text))
            what = f"`{text}` is argument {at + 1} of `{source.text(node.func)}`"
            yield Mutation(
                source.path, node.lineno, (_inserted(source, node, at, text),), "more arguments", prior, what, node
            )


def _alike(source: Source, node: ast.Call, places: int) -> Iterator[tuple[int, str, float]]:
    """Arguments of other calls in the file of what is called here, with their places."""
    others = [one for one in source.calls_of[ast.dump(node.func)] if one is not node and len(one.args) >= places]
    for other in others[:_CALLS]:
        for at, arg in enumerate(other.args[:places]):
            if not isinstance(arg, ast.Starred):
                yield at, source.text(arg), 0.5


def _likely(source: Source, node: ast.Call, seen: Seen, names: Sequence[str]) -> Iterator[tuple[int, str, float]]:
    places = len(node.args) + 1
    variables = seen.names(node)[:_VARIABLES]
    for at in range(places):
        wanted = names[at] if at < len(names) else ""
        for name in variables:
            yield at, name, 0.5 if name == wanted else 0.2 if at == places - 1 else 0.15
    function = source.function(node)
    for text in source.expressions(function).get(ast.Attribute, ())[:_VARIABLES] if function else ():
        yield places - 1, text, 0.12
    for text in ("None", "0", "1", "True", "False"):
        yield places - 1, text, 0.1


def _inserted(source: Source, node: ast.Call, at: int, text: str) -> Splice:
    """Before the argument in that place, else behind the last one."""
    following: list[ast.expr | ast.keyword] = [*node.args[at:], *node.keywords]
    if following:
        start = source.span(following[0])[0]
        return start, start, f"{text}, "
    end = source.span(node.args[-1])[1] if node.args else source.span(node)[1] - 1
    return end, end, f", {text}" if node.args else text


def _parameters(source: Source, node: ast.Call, seen: Seen) -> list[str]:
    """The parameters that may be given by name: as seen alive, else as the functions of that name in the file have
    them."""
    if isinstance(node.func, ast.Name) and node.func.id in seen.signatures:
        return [name.removesuffix("=") for name in seen.signatures[node.func.id]]
    name = (
        node.func.id
        if isinstance(node.func, ast.Name)
        else node.func.attr
        if isinstance(node.func, ast.Attribute)
        else ""
    )
    found = [n.args for n in source.functions if isinstance(n, ast.FunctionDef) and n.name == name]
    names = dict.fromkeys(arg.arg for args in found[:_ALIKE] for arg in (*args.args, *args.kwonlyargs))
    return [name for name in names if name not in ("self", "cls")]


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
    for name in _converting(source, node):
        yield edit(source, node, f"{name}({text})", "wrap", 0.2)
    for kind in known & set(_METHODS):
        for method in _METHODS[kind]:
            yield edit(source, node, f"{text}.{method}", "method call", 0.2)


def both(source: Source, node: ast.AST, seen: Seen) -> Iterator[Mutation]:
    """Both sides of a comparison go through the same function or method first; they were compared as they came."""
    if not isinstance(node, ast.Compare) or len(node.ops) != 1 or not isinstance(node.ops[0], ast.Eq | ast.NotEq):
        return
    left, right = node.left, node.comparators[0]
    if isinstance(left, ast.Constant) or isinstance(right, ast.Constant):
        return
    one, two = source.text(left), source.text(right)
    pairs = [(f"{name}({one})", f"{name}({two})") for name in _WRAPPERS]
    if all(isinstance(side, ast.Name | ast.Subscript | ast.Attribute | ast.Call) for side in (left, right)):
        shared = sorted(seen.kinds(left) & seen.kinds(right) & set(_METHODS))
        pairs += [(f"{one}.{method}", f"{two}.{method}") for kind in shared for method in _METHODS[kind]]
    for new, other in pairs:
        splices = ((*source.span(left), new), (*source.span(right), other))
        yield Mutation(source.path, node.lineno, splices, "wrap", 0.2, f"`{new}` and `{other}` are compared", node)


def _converting(source: Source, node: ast.AST) -> list[str]:
    """What the file calls with one argument, but for the usual functions and the one around the node."""
    function = source.function(node)
    left_out = {*_WRAPPERS, function.name if function else ""}
    return [name for name in source.conversions(function) if name not in left_out][:_OWN]


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
    for text in source.methods.get(node.id, ())[:_CALLS]:
        yield edit(source, node, text, "method call", 0.25)
    own = {attr for kind in kinds for attr in seen.attributes.get(kind, ())}
    for attr in sorted(own & source.attributes)[:6]:
        yield edit(source, node, f"{node.id}.{attr}", "attribute access", 0.2)


TEMPLATES = (dropped, added, given, wrapped, both, hoisted)
