"""Where an import statement goes in a file, and how one name is taken out of another one: as splices."""

from __future__ import annotations

import ast
import sys
from collections.abc import Container, Iterator, Mapping, Sequence

from workers.fixers.source import Source, Splice

Import = ast.Import | ast.ImportFrom


def added(source: Source, statement: str) -> Splice:
    """The import as import sorters have it: the standard library first, `import x` before `from x`."""
    at, text = _place(source, statement)
    return at, at, text


def guarded(source: Source, node: ast.AST) -> bool:
    """The statement stands in a `try`: the file has thought of another version already."""
    at: ast.AST | None = source.parents.get(node)
    while at is not None:
        if isinstance(at, ast.Try):
            return True
        at = source.parents.get(at)
    return False


def importing(source: Source) -> Iterator[Import]:
    """All import statements of the file, also those in functions."""
    return (node for node in ast.walk(source.tree) if isinstance(node, Import))


def moved(source: Source, node: ast.ImportFrom, homes: Mapping[str, str]) -> tuple[Splice, ...]:
    """Some names of a `from` import come from elsewhere: {name: "module.name"}. They keep what the file calls them."""
    gone = [alias for alias in node.names if alias.name in homes]
    modules: dict[str, list[str]] = {}
    for alias in gone:
        home, _, new = homes[alias.name].rpartition(".")
        called = alias.asname or alias.name
        modules.setdefault(home, []).append(new if called == new else f"{new} as {called}")
    lines = [f"from {home} import {', '.join(names)}" for home, names in sorted(modules.items())]
    start, end = source.span(node)
    eol = "\r\n" if b"\r\n" in source.data else "\n"
    if not gone or not source.alone(node):
        return ()
    between = eol + source.indent(node)
    if len(gone) == len(node.names):
        return ((start, end, between.join(lines)),)
    return (*_without(source, node, gone), *((end, end, between + line) for line in lines))


def unimported(source: Source, gone: Container[str]) -> Iterator[Splice]:
    """Takes names, by their full ones, out of the `from` imports of a file that does not use them any more."""
    for node in importing(source):
        if not isinstance(node, ast.ImportFrom) or node.level or not source.alone(node):
            continue
        names = [alias for alias in node.names if f"{node.module}.{alias.name}" in gone]
        if names and len(names) < len(node.names):
            yield from _without(source, node, names)
        elif names and len(_block(source, node)) > 1:
            yield source.line(node)


def _block(source: Source, node: ast.stmt) -> list[ast.stmt]:
    """The statements that a statement is one of."""
    around = source.parents[node]
    blocks: list[list[ast.stmt]] = [getattr(around, name, []) for name in ("body", "orelse", "finalbody")]
    return next((block for block in blocks if node in block), [])


def _without(source: Source, node: ast.ImportFrom, gone: Sequence[ast.alias]) -> Iterator[Splice]:
    """Takes names out of an import that keeps others, with the commas that belong to them."""
    names, last = node.names, max(at for at, alias in enumerate(node.names) if alias not in gone)
    for at, alias in enumerate(names):
        if alias in gone:
            if at < last:
                yield source.span(alias)[0], source.span(names[at + 1])[0], ""
            else:
                yield source.span(names[at - 1])[1], source.span(alias)[1], ""


def _place(source: Source, statement: str) -> tuple[int, str]:
    eol = "\r\n" if b"\r\n" in source.data else "\n"
    imports = [n for n in source.tree.body if isinstance(n, Import) and source.alone(n)]
    future = [n for n in imports if isinstance(n, ast.ImportFrom) and n.module == "__future__"]
    ordinary = [n for n in imports if n not in future]
    joined = _joined(source, ordinary, statement)
    if joined is not None:
        return joined
    section = [n for n in ordinary if _standard(source.text(n)) == _standard(statement)]
    later = [n for n in section if _order(source.text(n)) > _order(statement)]
    if later:
        return source.span(later[0])[0], statement + eol
    if section:
        return source.span(section[-1])[1], eol + statement
    if ordinary:
        if _standard(statement):
            return source.span(ordinary[0])[0], statement + eol * 2
        return source.span(ordinary[-1])[1], eol * 2 + statement
    doc = source.tree.body[0] if source.tree.body and ast.get_docstring(source.tree, clean=False) is not None else None
    after = future[-1] if future else doc
    if after is not None:
        return source.span(after)[1], eol + eol + statement
    return source.start, statement + eol + eol


def _joined(source: Source, imports: Sequence[ast.stmt], statement: str) -> tuple[int, str] | None:
    """At the end of a one-line import from the same module."""
    head, found, name = statement.partition(" import ")
    for node in imports if found else ():
        text = source.text(node)
        if text.startswith(f"{head} import ") and "(" not in text and "*" not in text and "\n" not in text:
            return source.span(node)[1], f", {name}"
    return None


def _standard(statement: str) -> bool:
    return statement.split(" ")[1].split(".")[0].rstrip(",") in sys.stdlib_module_names


def _order(statement: str) -> tuple[bool, str]:
    return statement.startswith("from "), statement.split(" ")[1]
