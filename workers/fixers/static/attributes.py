"""An attribute that an object lacks: a slip in its name, looked up in the class or module that the message names."""

from __future__ import annotations

import ast
import builtins
import re
from collections.abc import Iterator, Mapping

from workers.fixers.source import Mutation, Source, module
from workers.fixers.static.names import members
from workers.fixers.static.near import nearest, suggested
from workers.spectrum.evidence import Failure

_OF_MODULE = re.compile(r"module '([\w.]{1,200})' has no attribute")
_OF_OBJECT = re.compile(r"'([\w.]{1,200})' object has no attribute|type object '([\w.]{1,200})' has no attribute")
_DEPTH = 20


def lacking(source: Source, failure: Failure, line: int, others: Mapping[str, Source]) -> Iterator[Mutation]:
    """`'C' object has no attribute 'x'` and `module 'm' has no attribute 'x'`."""
    found = re.search(r"has no attribute '(\w{1,200})'", failure.message)
    name = found[1] if found else ""
    at = [n for n in ast.walk(source.tree) if isinstance(n, ast.Attribute) and n.attr == name]
    nearby = [n for n in at if n.lineno <= line <= (n.end_lineno or n.lineno)]
    if not name or not nearby or "circular import" in failure.message:
        return
    node, end = nearby[0], source.span(nearby[0])[1]
    for new, sure in _likely(source, name, failure, others).items():
        if new != name and new.isidentifier():
            splice = (end - len(name.encode()), end, new)
            what = f"`.{name}` became `.{new}`"
            yield Mutation(source.path, line, (splice,), "attribute name", 1.7, what, node, sure)


def _likely(source: Source, name: str, failure: Failure, others: Mapping[str, Source]) -> dict[str, bool]:
    """The object's own names first: only those are sure. Any attribute of the repository is a guess."""
    known = _known(source, failure.message, others)
    likely = dict(nearest(name, [*known, *([] if known else failure.near)], cutoff=0.6))
    for new in [*suggested(failure.message), *failure.near]:
        likely.setdefault(new, False)
    if not known:
        anywhere = set(source.attributes).union(*(other.attributes for other in others.values()))
        for new, _ in nearest(name, sorted(anywhere), cutoff=0.7):
            likely.setdefault(new, False)
    return likely


def _known(source: Source, message: str, others: Mapping[str, Source]) -> list[str]:
    """What the class or the module has, where it is the repository's own or built in; empty when nobody knows."""
    everything = {source.path: source, **others}
    if found := _OF_MODULE.search(message):
        return sorted(n for path, one in everything.items() if module(path) == found[1] for n in one.top)
    if not (found := _OF_OBJECT.search(message)):
        return []
    name = (found[1] or found[2]).rpartition(".")[2]
    kind = getattr(builtins, name, None)
    if isinstance(kind, type):
        return dir(kind)
    return sorted(set(_of_class(name, {c.name: c for one in everything.values() for c in one.classes}, _DEPTH)))


def _of_class(name: str, classes: Mapping[str, ast.ClassDef], depth: int) -> Iterator[str]:
    owner = classes.get(name)
    if owner is None or not depth:
        return
    yield from members(owner)
    for base in owner.bases:
        if isinstance(base, ast.Name) and base.id != name:
            yield from _of_class(base.id, classes, depth - 1)
