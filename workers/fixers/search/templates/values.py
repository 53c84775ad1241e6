"""Templates for values: another expression of the function, a part of one, a corrected sum, an extreme instead of the
last one, another thing returned."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from workers.fixers.search.seen import Seen
from workers.fixers.source import Mutation, Source, Splice

_ITEMS = 8
"""Variables that are tried as one more item."""


def edit(source: Source, node: ast.expr | ast.stmt, new: str, kind: str, prior: float) -> Mutation:
    """One node becomes another text."""
    text = source.text(node)
    splice: Splice = (*source.span(node), new)
    return Mutation(source.path, node.lineno, (splice,), kind, prior, f"`{_short(text)}` became `{_short(new)}`", node)


def _short(text: str) -> str:
    one = " ".join(text.split())
    return one if len(one) <= 80 else one[:77] + "..."


def copied(source: Source, node: ast.AST, seen: Seen) -> Iterator[Mutation]:
    """A call, item or attribute becomes another expression, or a variable of the same types."""
    if not isinstance(node, ast.Call | ast.Subscript | ast.Attribute) or not source.read(node):
        return
    function = source.function(node)
    if function is None:
        return
    text = source.text(node)
    for name in seen.alike(node, seen.kinds(node)):
        prior = 0.25 if isinstance(node, ast.Call) else 0.2
        yield edit(source, node, name, "expression", prior)
    for other in source.expressions(function).get(type(node), ()):
        if other != text:
            yield edit(source, node, other, "expression", 0.2)


def target(source: Source, node: ast.AST, seen: Seen) -> Iterator[Mutation]:
    """Another variable, or an item of another collection, is assigned to; an update becomes an assignment."""
    if isinstance(node, ast.Assign) and len(node.targets) == 1:
        old = node.targets[0]
        function = source.function(node)
        if function is None or not isinstance(old, ast.Subscript | ast.Name | ast.Attribute):
            return
        places = [n for n in ast.walk(function) if isinstance(n, ast.Subscript | ast.Name | ast.Attribute)]
        texts = dict.fromkeys(
            source.text(n) for n in places if type(n) in (type(old), ast.Subscript) and _place(source, n)
        )
        for text in list(texts)[:40]:
            if text != source.text(old) and len(text) < 60:
                yield edit(source, old, text, "target", 0.3)
        if isinstance(old, ast.Subscript):
            for name in seen.alike(node, seen.kinds(old.value)):
                if name != source.text(old.value):
                    yield edit(source, old.value, name, "target", 0.3)
    elif isinstance(node, ast.Expr) and isinstance(node.value, ast.Call) and isinstance(node.value.func, ast.Attribute):
        call, base = node.value, node.value.func
        if base.attr in ("update", "extend") and len(call.args) == 1 and not call.keywords:
            new = f"{source.text(base.value)} = {source.text(call.args[0])}"
            yield edit(source, node, new, "target", 0.35)


def _place(source: Source, node: ast.AST) -> bool:
    parent = source.parents.get(node)
    return not (isinstance(parent, ast.Call) and parent.func is node) and not isinstance(parent, ast.Attribute)


def part(source: Source, node: ast.AST, _seen: Seen) -> Iterator[Mutation]:
    """One side of a sum or another operation alone; a call becomes what it is given."""
    if isinstance(node, ast.BinOp):
        for kept in (node.right, node.left):
            if not isinstance(kept, ast.Constant):
                yield edit(source, node, source.text(kept), "drop term", 0.45)
    elif isinstance(node, ast.Call) and len(node.args) == 1 and not node.keywords:
        argument = node.args[0]
        if isinstance(argument, ast.GeneratorExp | ast.Starred) or not source.read(node):
            return
        yield edit(source, node, source.text(argument), "unwrap", 0.35)


def term(source: Source, node: ast.AST, seen: Seen) -> Iterator[Mutation]:
    """A number gets a term or factor: `n` becomes `n - k`, `n + 1`, `n * n`."""
    if not isinstance(node, ast.Name | ast.Call | ast.Subscript) or not source.read(node):
        return
    parent = source.parents.get(node)
    if isinstance(parent, ast.Subscript | ast.Attribute) and parent.value is node:
        return
    kinds = seen.kinds(node)
    if kinds and not kinds & {"int", "float"}:
        return
    if not kinds and isinstance(node, ast.Name):
        return
    text = source.text(node)
    terms = [(f"{text} - 1", 0.35), (f"{text} + 1", 0.35), (f"{text} ** 2", 0.2)]
    terms += [(f"{text} {op} {name}", 0.2) for name in seen.numbers(node) if name != text for op in ("-", "+")]
    for new, prior in terms:
        inner = f"({new})" if isinstance(parent, ast.BinOp | ast.UnaryOp) and " ** " not in new else new
        yield edit(source, node, inner, "term", prior)


def factor(source: Source, node: ast.AST, seen: Seen) -> Iterator[Mutation]:
    """A number that is returned or assigned is doubled or halved."""
    if not isinstance(node, ast.Return | ast.Assign) or not isinstance(node.value, ast.Name | ast.Call | ast.BinOp):
        return
    if seen.kinds(node.value) & {"int", "float"}:
        text = source.text(node.value)
        whole = f"({text})" if isinstance(node.value, ast.BinOp) else text
        for by in ("* 2", "/ 2", "// 2"):
            yield edit(source, node.value, f"{whole} {by}", "factor", 0.2)


def extreme(source: Source, node: ast.AST, seen: Seen) -> Iterator[Mutation]:
    """`best = x` becomes `best = max(best, x)`, or is kept from falling below zero."""
    if not isinstance(node, ast.Assign) or len(node.targets) != 1 or not isinstance(node.targets[0], ast.Name):
        return
    if isinstance(node.value, ast.List | ast.Dict | ast.Tuple | ast.JoinedStr | ast.Set):
        return
    name, value = node.targets[0].id, source.text(node.value)
    kinds = frozenset(seen.variables(node).get(name, ()))
    if kinds and not kinds & {"int", "float"}:
        return
    for function in ("max", "min"):
        for other in dict.fromkeys((name, "0", *seen.numbers(node)[:3])):
            prior = 0.5 if other == name else 0.4 if (function, other) == ("max", "0") else 0.15
            yield edit(source, node.value, f"{function}({other}, {value})", "extreme", prior)


def returned(source: Source, node: ast.AST, seen: Seen) -> Iterator[Mutation]:
    """Another thing is returned or yielded: a variable, a comparison, something in a list."""
    if not isinstance(node, ast.Return | ast.Yield) or node.value is None:
        return
    value, text = node.value, source.text(node.value)
    variables = seen.names(node)
    if isinstance(value, ast.List) and not value.elts:
        for name in variables:
            yield edit(source, value, f"[{name}]", "result", 0.45)
        for literal in ("[[]]", "[()]", "None"):
            yield edit(source, value, literal, "result", 0.35)
    elif isinstance(value, ast.Constant) and isinstance(value.value, bool):
        yield from _decided(source, value, seen)
    elif isinstance(value, ast.Constant | ast.Name):
        for name in variables[-8:]:
            if name != text:
                yield edit(source, value, name, "result", 0.3)


def _decided(source: Source, value: ast.Constant, seen: Seen) -> Iterator[Mutation]:
    """In place of True or False, what a variable says."""
    for name in seen.names(value):
        known = set(seen.variables(value).get(name, ()))
        if not known or known & {"int", "float"}:
            yield edit(source, value, f"{name} == 0", "result", 0.4)
        yield edit(source, value, f"not {name}", "result", 0.4)
        yield edit(source, value, f"bool({name})" if known - {"bool"} else name, "result", 0.35)


def sliced(source: Source, node: ast.AST, seen: Seen) -> Iterator[Mutation]:
    """A collection becomes a part of itself: as the function takes parts elsewhere, from one or a variable on."""
    if not isinstance(node, ast.Name | ast.ListComp | ast.Call) or not source.read(node):
        return
    kinds = seen.kinds(node)
    if not kinds & {"list", "tuple", "str", "bytes", "array"}:
        return
    parent = source.parents.get(node)
    if isinstance(parent, ast.Subscript | ast.Attribute) or (isinstance(parent, ast.Call) and parent.func is node):
        return
    if isinstance(parent, ast.Call) and source.text(parent.func) == "len":
        return
    function = source.function(node)
    used = [n.slice for n in ast.walk(function) if isinstance(n, ast.Subscript)] if function else []
    own = dict.fromkeys(source.text(index) for index in used if isinstance(index, ast.Slice))
    text = source.text(node)
    for bounds, prior in [*((own_bounds, 0.4) for own_bounds in own), ("1:", 0.35), (":-1", 0.3), ("::-1", 0.2)]:
        yield edit(source, node, f"{text}[{bounds}]", "part", prior)
    if not isinstance(node, ast.Name):
        return
    for name in [name for name in seen.numbers(node) if name != node.id]:
        yield edit(source, node, f"{node.id}[{name}:]", "part", 0.35)
        yield edit(source, node, f"{node.id}[:{name}]", "part", 0.3)
    for copy in (f"list({node.id})", f"sorted({node.id})", f"set({node.id})"):
        yield edit(source, node, copy, "wrap", 0.2)


def concatenated(source: Source, node: ast.AST, seen: Seen) -> Iterator[Mutation]:
    """`a + b` becomes `b + a` where they are no numbers; a list's one element is put into it."""
    if not isinstance(node, ast.BinOp) or not isinstance(node.op, ast.Add):
        return
    kinds = seen.kinds(node.left) | seen.kinds(node.right)
    if kinds and kinds <= {"int", "float", "bool"}:
        return
    left, right = source.text(node.left), source.text(node.right)
    if left != right and not isinstance(node.left, ast.BinOp):
        splices = ((*source.span(node.left), right), (*source.span(node.right), left))
        what = f"`{_short(left)}` and `{_short(right)}` changed sides"
        yield Mutation(source.path, node.lineno, splices, "swap operands", 0.5, what, node)
    for side in (node.left, node.right):
        if isinstance(side, ast.Name | ast.Subscript | ast.Call | ast.Attribute):
            yield edit(source, side, f"[{source.text(side)}]", "wrap", 0.25)


def element(source: Source, node: ast.AST, seen: Seen) -> Iterator[Mutation]:
    """A written collection gets a variable as its last item, or its first."""
    if not isinstance(node, ast.Tuple | ast.List | ast.Set) or not node.elts or not source.read(node):
        return
    (start, _), (_, end) = source.span(node.elts[0]), source.span(node.elts[-1])
    known = {source.text(item) for item in node.elts}
    for name in [name for name in seen.names(node) if name not in known][:_ITEMS]:
        for splice, prior in (((end, end, f", {name}"), 0.25), ((start, start, f"{name}, "), 0.15)):
            yield Mutation(source.path, node.lineno, (splice,), "more elements", prior, f"`{name}` was put in", node)


def joined(source: Source, node: ast.AST, seen: Seen) -> Iterator[Mutation]:
    """A collection that is returned or assigned gets another one in front of it or behind it."""
    if not isinstance(node, ast.Return | ast.Assign) or node.value is None:
        return
    kinds = seen.kinds(node.value) & {"list", "tuple", "str"}
    text = source.text(node.value)
    others = [name for name in seen.names(node) if kinds & set(seen.variables(node).get(name, ()))]
    for name in others if kinds else ():
        if name != text:
            yield edit(source, node.value, f"{name} + {text}", "more elements", 0.35)
            yield edit(source, node.value, f"{text} + {name}", "more elements", 0.35)


TEMPLATES = (copied, target, part, term, factor, extreme, returned, sliced, concatenated, element, joined)
