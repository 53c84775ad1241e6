"""Templates for whole statements: one that is missing, one at the wrong place or depth, one that needs a condition."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from itertools import pairwise

from workers.fixers.search.seen import Seen
from workers.fixers.search.templates.atoms import atoms
from workers.fixers.source import Mutation, Source

_GROWERS = {"list": ("append",), "set": ("add",), "deque": ("append",), "dict": (), "OrderedSet": ("add",)}
_STEP = "    "
_ELSE = 8
"""Variables that are tried in a new `else`."""


def missing(source: Source, node: ast.AST, seen: Seen) -> Iterator[Mutation]:
    """A line is put in before or behind a statement: something collected, or a variable moved on."""
    if not isinstance(node, ast.stmt) or not _movable(source, node) or source.function(node) is None:
        return
    indent = source.indent(node)
    simple = not hasattr(node, "body")
    start, end = source.span(node)
    for line, prior in _lines(source, node, seen):
        before = (start - len(indent), start - len(indent), f"{indent}{line}\n")
        yield Mutation(source.path, node.lineno, (before,), "missing", prior, f"`{line}` was added", node)
        if _last(source, node) and not isinstance(node, ast.Return | ast.Raise | ast.Continue | ast.Break):
            behind = (end, end, f"\n{indent}{line}")
            at = node.lineno if simple else node.end_lineno or node.lineno
            yield Mutation(source.path, at, (behind,), "missing", prior, f"`{line}` was added", node)


def _lines(source: Source, node: ast.stmt, seen: Seen) -> Iterator[tuple[str, float]]:
    types = seen.variables(node)
    names = seen.names(node)[:12]
    grown = _grown(source, node)
    for group in names:
        for kind in types.get(group, ()):
            for method in _GROWERS.get(kind, ()):
                for value in names:
                    if value != group and "function" not in types.get(value, ()):
                        yield f"{group}.{method}({value})", 0.25 if group in grown else 0.55
    for one in names:
        for two in names:
            if one != two and set(types.get(one, ())) & set(types.get(two, ())):
                yield f"{one} = {two}", 0.25
    for number in seen.numbers(node):
        yield f"{number} += 1", 0.2
        yield f"{number} -= 1", 0.15


def _grown(source: Source, node: ast.stmt) -> set[str]:
    """The collections that the function fills somewhere."""
    function = source.function(node)
    calls = [n.func for n in ast.walk(function) if isinstance(n, ast.Call)] if function else []
    return {f.value.id for f in calls if isinstance(f, ast.Attribute) and isinstance(f.value, ast.Name)}


def indented(source: Source, node: ast.AST, _seen: Seen) -> Iterator[Mutation]:
    """The last line of a block moves behind the block; the line behind a block moves into it."""
    if not isinstance(node, ast.For | ast.While | ast.If | ast.With) or not _movable(source, node):
        return
    last = node.body[-1]
    outer = source.indent(node)
    if len(node.body) > 1 and not getattr(node, "orelse", ()) and _line(source, last):
        start, end = source.span(last)
        splice = (start - len(source.indent(last)), end, outer + source.text(last))
        what = f"`{source.text(last)}` moved out of the block"
        yield Mutation(source.path, last.lineno, (splice,), "outdent", 0.4, what, last)
    after = _next(source, node)
    if after is not None and _line(source, after) and not getattr(node, "orelse", ()) and _line(source, last):
        start, end = source.span(after)
        splice = (start - len(source.indent(after)), end, source.indent(last) + source.text(after))
        what = f"`{source.text(after)}` moved into the block"
        yield Mutation(source.path, after.lineno, (splice,), "indent", 0.35, what, after)


def swapped(source: Source, node: ast.AST, _seen: Seen) -> Iterator[Mutation]:
    """Two neighbouring lines change places."""
    for block in _blocks(node):
        for one, two in pairwise(block):
            if not (_line(source, one) and _line(source, two)) or isinstance(two, ast.Return | ast.Raise):
                continue
            a, b = source.text(one), source.text(two)
            splices = ((*source.span(one), b), (*source.span(two), a))
            what = f"`{a}` and `{b}` changed places"
            yield Mutation(source.path, one.lineno, splices, "swap statements", 0.25, what, one)


def conditional(source: Source, node: ast.AST, seen: Seen) -> Iterator[Mutation]:
    """A line runs only under a condition."""
    if not isinstance(node, ast.stmt) or not _line(source, node) or isinstance(node, ast.Return | ast.Pass):
        return
    if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant):
        return
    indent, text = source.indent(node), source.text(node)
    for atom, prior in atoms(node, seen):
        new = f"if {atom}:\n{indent}{_STEP}{text}"
        what = f"`{text}` runs only if `{atom}`"
        yield Mutation(
            source.path, node.lineno, ((*source.span(node), new),), "condition added", prior * 0.4, what, node
        )


def guarded(source: Source, node: ast.AST, _seen: Seen) -> Iterator[Mutation]:
    """A function or loop begins with an early end for a border case, as it ends elsewhere."""
    if not isinstance(node, ast.FunctionDef) or not node.body:
        return
    first = next((n for n in node.body if not (isinstance(n, ast.Expr) and isinstance(n.value, ast.Constant))), None)
    if first is None or not _movable(source, first):
        return
    indent = source.indent(first)
    start = source.span(first)[0] - len(indent)
    ends = [source.text(n) for n in ast.walk(node) if isinstance(n, ast.Return) and source.function(n) is node]
    ends = [text for text in dict.fromkeys((*ends, "return 0", "return []", "return None")) if "\n" not in text][:5]
    names = [arg.arg for arg in node.args.args if arg.arg not in ("self", "cls")]
    for name in names:
        for end in ends:
            new = f"{indent}if not {name}:\n{indent}{_STEP}{end}\n"
            what = f"`{end}` if not `{name}` was put first"
            yield Mutation(source.path, first.lineno, ((start, start, new),), "guard", 0.2, what, first)


def otherwise(source: Source, node: ast.AST, seen: Seen) -> Iterator[Mutation]:
    """What an `if` does for one variable, its new `else` does for another one of the same types."""
    if not isinstance(node, ast.If) or node.orelse or len(node.body) != 1 or not _movable(source, node):
        return
    only = node.body[0]
    place = next((n for n in ast.walk(only) if isinstance(n, ast.Name)), None)
    if place is None or not _line(source, only) or isinstance(only, ast.Return | ast.Raise):
        return
    (begun, end), (start, stop) = source.span(only), source.span(place)
    for name in [name for name in seen.alike(node, seen.kinds(place)) if name != place.id][:_ELSE]:
        text = (source.data[begun:start] + name.encode() + source.data[stop:end]).decode()
        new = f"\n{source.indent(node)}else:\n{source.indent(only)}{text}"
        yield Mutation(source.path, only.lineno, ((end, end, new),), "missing", 0.25, f"`else: {text}` was added", only)


def _blocks(node: ast.AST) -> Iterator[list[ast.stmt]]:
    for name in ("body", "orelse", "finalbody"):
        block = getattr(node, name, None)
        if isinstance(block, list):
            yield block


def _line(source: Source, node: ast.stmt) -> bool:
    """A statement of one line that stands alone on it."""
    return not hasattr(node, "body") and _movable(source, node) and node.lineno == node.end_lineno


def _movable(source: Source, node: ast.stmt) -> bool:
    return source.alone(node) and not isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef)


def _last(source: Source, node: ast.stmt) -> bool:
    return _next(source, node) is None


def _next(source: Source, node: ast.stmt) -> ast.stmt | None:
    parent = source.parents.get(node)
    for block in _blocks(parent) if parent is not None else ():
        if node in block:
            at = block.index(node) + 1
            return block[at] if at < len(block) else None
    return None


TEMPLATES = (missing, indented, swapped, conditional, guarded, otherwise)
