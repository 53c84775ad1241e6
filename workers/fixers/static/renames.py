"""Corrects what a release renamed, in all files at once: the failure tells which group of names is gone.

Only names that the file really imports from there are touched, and no import that stands in a `try`.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator, Mapping
from functools import cached_property

from workers.fixers.source import Mutation, Source, Splice
from workers.fixers.static import tables
from workers.fixers.static.imports import added, guarded, importing, moved
from workers.fixers.static.near import quoted
from workers.spectrum.evidence import Failure

_DEEPEST = 8
_ATTRIBUTE = re.compile(r"module '([\w.]{1,200})' has no attribute '(\w{1,200})'")
_OBJECT = re.compile(r"object has no attribute '(\w{1,200})'")
_NAME = re.compile(r"cannot import name '(\w{1,200})' from '([\w.]{1,200})'")
_NUMPY = re.compile(r"`np\.(\w{1,80})` (?:was|is|has been) (?:removed|a deprecated)")
_DOTTED = re.compile(r"(?<![\w.])(?:[A-Za-z_]\w{0,60}\.){1,6}[A-Za-z_]\w{0,60}")


def renamed(failure: Failure, sources: Mapping[str, Source]) -> tuple[Mutation, ...]:
    """One mutation for each file that has a name of the group that the failure names; none when no group is meant."""
    keys = _keys(failure)
    names = {old: new for group in tables.NAMES if _meant(group, keys) for old, new in group.items()}
    modules = {old: new for old, new in tables.MODULES.items() if old in keys}
    found = (_imports(Names(source), names, modules) for source in sources.values())
    changes = [change for change in found if change is not None]
    if failure.type == "NameError":
        changes += _builtins(failure, sources)
    elif failure.type == "AttributeError":
        changes += _methods(failure, sources)
    return tuple(changes)


def _keys(failure: Failure) -> frozenset[str]:
    """The full names that a message may be about."""
    message = failure.message
    found = [f"{module}.{name}" for module, name in _ATTRIBUTE.findall(message)]
    found += [f"{module}.{name}" for name, module in _NAME.findall(message)]
    found += [f"numpy.{name}" for name in _NUMPY.findall(message)]
    if failure.type == "ModuleNotFoundError":
        found += quoted(message)[:1]
    if failure.type.endswith("Warning"):
        found += _DOTTED.findall(message)
    return frozenset(found)


def _meant(group: Mapping[str, str], keys: frozenset[str]) -> bool:
    """A message names what is gone, its module where that went as a whole, or, in a warning, where it is now."""
    gone = any(old in keys or any(old.startswith(f"{key}.") for key in keys & tables.GONE) for old in group)
    return gone or any(new in keys for new in group.values())


class Names:
    """What the names of one file stand for, and the edits that give them other homes."""

    def __init__(self, source: Source) -> None:
        self.source = source

    @cached_property
    def known(self) -> Mapping[str, str]:
        """{local name: full name} of all imports that are not relative."""
        found: dict[str, str] = {}
        for node in importing(self.source):
            for alias in node.names:
                if isinstance(node, ast.ImportFrom):
                    if node.module and not node.level:
                        found[alias.asname or alias.name] = f"{node.module}.{alias.name}"
                elif alias.asname:
                    found[alias.asname] = alias.name
                else:
                    root = alias.name.split(".")[0]
                    found[root] = root
        return found

    def full(self, node: ast.expr) -> str:
        """`np.float` as `numpy.float`; empty for what does not begin with an imported name."""
        root, dot, rest = dotted(node).partition(".")
        return f"{self.known[root]}{dot}{rest}" if root in self.known else ""

    def uses(self, names: Mapping[str, str]) -> tuple[list[Splice], list[str]]:
        """Each `module.old` as its new name, and the modules that have to be imported for that."""
        splices: list[Splice] = []
        needed: dict[str, None] = {}
        for node in ast.walk(self.source.tree):
            old = self.full(node) if isinstance(node, ast.Attribute) else ""
            if not isinstance(node, ast.Attribute) or old not in names:
                continue
            home, _, name = names[old].rpartition(".")
            start, end = self.source.span(node)
            if home == old.rpartition(".")[0]:
                splices.append((end - len(node.attr.encode()), end, name))
            elif home in ("", "str"):
                if not self._shadowed(node, names[old]):
                    splices.append((start, end, names[old]))
            else:
                known = next((local for local, full in self.known.items() if full == home), "")
                needed.update({} if known else {home: None})
                splices.append((start, end, f"{known or home}.{name}"))
        return splices, list(needed)

    def _shadowed(self, node: ast.AST, name: str) -> bool:
        root = name.split(".")[0]
        return root in self.source.top or root in self.source.variables(node)


def dotted(node: ast.expr) -> str:
    """`a.b.c` as it is meant; empty for what is no name, or longer than any name of a library."""
    parts: list[str] = []
    while isinstance(node, ast.Attribute) and len(parts) < _DEEPEST:
        parts.append(node.attr)
        node = node.value
    return ".".join([node.id, *reversed(parts)]) if isinstance(node, ast.Name) else ""


def _imports(file: Names, names: Mapping[str, str], modules: Mapping[str, str]) -> Mutation | None:
    source = file.source
    splices, needed = file.uses(names)
    for node in importing(source):
        if guarded(source, node):
            continue
        if isinstance(node, ast.Import) and node.names[0].name in tables.GONE & {n.rpartition(".")[0] for n in names}:
            if len(node.names) > 1 or len(splices) < _count(source, node.names[0].asname or node.names[0].name):
                return None  # something of the module is used that went nowhere
            eol = "\r\n" if b"\r\n" in source.data else "\n"
            splices.append((*source.span(node), (eol + source.indent(node)).join(f"import {home}" for home in needed)))
            needed = []
        else:
            splices += _statement(source, node, names, modules)
    if not splices:
        return None
    line = source.data[: min(splices)[0]].count(b"\n") + 1
    told = _told(source, splices)
    splices += [added(source, f"import {home}") for home in needed]
    return Mutation(source.path, line, tuple(splices), "renamed", 2.0, told, sure=True)


def _count(source: Source, name: str) -> int:
    return sum(isinstance(n, ast.Name | ast.Attribute) and dotted(n) == name for n in ast.walk(source.tree))


def _statement(
    source: Source, node: ast.Import | ast.ImportFrom, names: Mapping[str, str], modules: Mapping[str, str]
) -> tuple[Splice, ...]:
    """One import statement, changed where it asks for what is gone."""
    if isinstance(node, ast.Import):
        return tuple(splice for alias in node.names for splice in _module(source, alias, modules))
    if node.level or not node.module:
        return ()
    if node.module in modules:
        at = source.data.index(node.module.encode(), source.span(node)[0] + 4)
        return ((at, at + len(node.module.encode()), modules[node.module]),)
    everything = {**names, **modules}
    homes = {
        a.name: everything[f"{node.module}.{a.name}"] for a in node.names if f"{node.module}.{a.name}" in everything
    }
    return moved(source, node, {old: new for old, new in homes.items() if "." in new and not new.startswith("str.")})


def _module(source: Source, alias: ast.alias, modules: Mapping[str, str]) -> Iterator[Splice]:
    """`import Old` as `import new`, and its uses; `import Old as x` keeps its `x`."""
    new = modules.get(alias.name)
    if new is None:
        return
    start = source.span(alias)[0]
    yield start, start + len(alias.name.encode()), new
    for use in ast.walk(source.tree) if not alias.asname else ():
        if isinstance(use, ast.Name | ast.Attribute) and dotted(use) == alias.name:
            yield (*source.span(use), new)


def _builtins(failure: Failure, sources: Mapping[str, Source]) -> list[Mutation]:
    name = next(iter(quoted(failure.message)), "")
    if name not in tables.BUILTINS:
        return []
    found = []
    for source in sources.values():
        if source.top & set(tables.BUILTINS):
            continue  # the file makes them itself
        uses = [n for n in ast.walk(source.tree) if isinstance(n, ast.Name) and n.id in tables.BUILTINS]
        free = [n for n in uses if isinstance(n.ctx, ast.Load) and n.id not in source.variables(n)]
        splices = [(*source.span(n), tables.BUILTINS[n.id]) for n in free if not guarded(source, n)]
        if splices:
            what = _told(source, splices)
            found.append(Mutation(source.path, free[0].lineno, tuple(splices), "renamed", 2.0, what, sure=True))
    return found


def _methods(failure: Failure, sources: Mapping[str, Source]) -> list[Mutation]:
    name = next(iter(_OBJECT.findall(failure.message)), "")
    group = next((group for group in tables.METHODS if name in group), None)
    own = {n.name for s in sources.values() for n in ast.walk(s.tree) if isinstance(n, ast.FunctionDef)}
    if group is None or own & set(group):
        return []
    found = []
    for source in sources.values():
        known = Names(source).known
        uses = [n for n in ast.walk(source.tree) if isinstance(n, ast.Attribute) and n.attr in group]
        uses = [n for n in uses if not (isinstance(n.value, ast.Name) and n.value.id in known)]
        ends = [(source.span(n)[1], n.attr) for n in uses]
        splices = [(end - len(attr.encode()), end, group[attr]) for end, attr in ends]
        if splices:
            what = _told(source, splices)
            found.append(Mutation(source.path, uses[0].lineno, tuple(splices), "renamed", 2.0, what, sure=True))
    return found


def _told(source: Source, splices: list[Splice]) -> str:
    """The first change in words, for all of them are of one kind."""
    changed = ((source.data[start:end].decode("utf-8", "replace"), text) for start, end, text in splices if end > start)
    old, new = next(((old, new) for old, new in changed if new and "\n" not in old + new), ("", ""))
    return f"`{old}` became `{new}`" if old else "names that moved come from their new home"
