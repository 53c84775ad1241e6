"""An import that fails: a slip in the spelling of a module or name, or something that moved within the repository."""

from __future__ import annotations

import ast
import re
import sys
from collections.abc import Iterator, Mapping

from workers.fixers.source import Mutation, Source, defines, module
from workers.fixers.static.imports import Import, importing, moved
from workers.fixers.static.near import nearest, quoted, slip, suggested
from workers.spectrum.evidence import Failure

_SHORTEST = 3
"""Letters of a module's name that a slip can be told from another package by. One letter more may be another package
all the same (`json5`), so only swapped letters are sure."""


def unimportable(source: Source, failure: Failure, line: int, others: Mapping[str, Source]) -> Iterator[Mutation]:
    """`cannot import name 'x' from 'm'` and `No module named 'm'`, at the statement that raised."""
    names = quoted(failure.message)
    if not names or "circular import" in failure.message:
        return
    for node in importing(source):
        if node.lineno <= line <= (node.end_lineno or node.lineno):
            if "cannot import name" not in failure.message:
                yield from _module(source, node, names[0], others)
            elif isinstance(node, ast.ImportFrom):
                yield from _name(source, node, names[0], failure, others)


def _name(
    source: Source, node: ast.ImportFrom, name: str, failure: Failure, others: Mapping[str, Source]
) -> Iterator[Mutation]:
    alias = next((alias for alias in node.names if alias.name == name), None)
    if alias is None:
        return
    asked = _absolute(source, node)
    homes = [module(path) for path, other in others.items() if defines(other, name) and module(path) != asked]
    for home in homes:
        what = f"`from {'.' * node.level}{node.module or ''} import {name}` became `from {home} import {name}`"
        splices = moved(source, node, {name: f"{home}.{name}"})
        if splices:
            yield Mutation(source.path, node.lineno, splices, "import", 2.0, what, node, sure=len(homes) == 1)
    target = next((other for path, other in others.items() if module(path) == asked), None)
    likely = dict(nearest(name, sorted(target.top) if target else failure.near, cutoff=0.6))
    for new in [*suggested(failure.message), *failure.near]:
        likely.setdefault(new, False)
    for new, sure in likely.items():
        if new != name and new.isidentifier():
            yield _renamed(source, node, alias, new, sure=sure)


def _renamed(source: Source, node: ast.ImportFrom, alias: ast.alias, new: str, *, sure: bool) -> Mutation:
    start = source.span(alias)[0]
    splices = [(start, start + len(alias.name.encode()), new)]
    if not alias.asname:
        splices += [(*source.span(n), new) for n in source.free(alias.name)]
    what = f"`{alias.name}` became `{new}`"
    return Mutation(source.path, node.lineno, tuple(splices), "imported name", 1.9, what, node, sure)


def _absolute(source: Source, node: ast.ImportFrom) -> str:
    """The dotted module that a `from` asks; relative ones are counted from the file's own package."""
    if not node.level:
        return node.module or ""
    package = module(source.path).split(".")
    up = node.level - source.path.endswith("__init__.py")
    return ".".join([*package[: len(package) - up], *([node.module] if node.module else [])])


def _module(source: Source, node: Import, name: str, others: Mapping[str, Source]) -> Iterator[Mutation]:
    own = sorted(module(path) for path in others)
    inside = [one for one in own if one.endswith(f".{name}")]
    alone = not any(_asks(other, name) for other in others.values())
    for new in inside:
        yield from _remodule(source, node, name, new, sure=alone and len(inside) == 1)
    for new, sure in nearest(name, own, cutoff=0.7):
        yield from _remodule(source, node, name, new, sure=sure)
    if alone:
        for new, _ in nearest(name, (one for one in sorted(sys.stdlib_module_names) if one[0] != "_")):
            if slip(name, new) and len(name) >= _SHORTEST:
                yield from _remodule(source, node, name, new, sure=sorted(name) == sorted(new))


def _asks(source: Source, name: str) -> bool:
    """Another file imports it too: it is a package that is not installed, and no slip."""
    root = name.split(".")[0]
    asked = (a.name for node in importing(source) if isinstance(node, ast.Import) for a in node.names)
    named = (node.module or "" for node in importing(source) if isinstance(node, ast.ImportFrom) and not node.level)
    return any(one.split(".")[0] == root for one in (*asked, *named))


def _remodule(source: Source, node: Import, name: str, new: str, *, sure: bool) -> Iterator[Mutation]:
    """The module under another name; a plain import of a whole module keeps the name that the file uses."""
    start, end = source.span(node)
    text = source.text(node)
    splices = []
    if isinstance(node, ast.ImportFrom):
        if node.level or not node.module or not re.match(rf"{re.escape(name)}(\.|$)", node.module):
            return
        changed = re.sub(rf"^(from\s+){re.escape(name)}(?![\w])", lambda match: match[1] + new, text, count=1)
    elif len(node.names) > 1:
        return
    elif "." in new and "." not in name and not node.names[0].asname:
        package, _, last = new.rpartition(".")
        changed = f"from {package} import {last}"
    else:
        changed = re.sub(rf"(?<![\w.]){re.escape(name)}(?!\w)", new, text, count=1)
        if not node.names[0].asname and "." not in name:
            splices = [(*source.span(n), new) for n in source.free(name)]
    if changed != text:
        what = f"`{text}` became `{changed}`"
        yield Mutation(
            source.path, node.lineno, ((start, end, changed), *splices), "module name", 1.7, what, node, sure
        )
