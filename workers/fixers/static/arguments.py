"""A call that does not fit its function: a slip in a keyword, or a method that was written without its `self`."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator, Mapping

from workers.fixers.source import Mutation, Source
from workers.fixers.static.near import nearest, suggested
from workers.spectrum.evidence import Failure

Function = ast.FunctionDef | ast.AsyncFunctionDef
_KEYWORD = re.compile(r"^([\w.<>]{1,200})\(\) got an unexpected keyword argument '(\w{1,200})'")
_ONE_MORE = re.compile(r"^([\w.<>]{1,200})\(\) takes (\d{1,3}) positional arguments? but (\d{1,3}) (?:was|were) given")


def misspelt_keyword(source: Source, failure: Failure, line: int, others: Mapping[str, Source]) -> Iterator[Mutation]:
    """`f() got an unexpected keyword argument 'x'`, in the call on the raising line."""
    found = _KEYWORD.match(failure.message)
    if not found:
        return
    called, name = found[1], found[2]
    known = _parameters({source.path: source, **others}, called)
    likely = dict(nearest(name, known, cutoff=0.6))
    likely.update({new: likely.get(new, False) for new in suggested(failure.message)})
    for node in ast.walk(source.tree):
        if not isinstance(node, ast.Call) or not node.lineno <= line <= (node.end_lineno or node.lineno):
            continue
        given = {keyword.arg: keyword for keyword in node.keywords if keyword.arg}
        if name in given:
            start = source.span(given[name])[0]
            for new in (new for new in likely if new not in given):
                splice = (start, start + len(name.encode()), new)
                what = f"`{name}=` became `{new}=`"
                yield Mutation(source.path, line, (splice,), "keyword", 1.8, what, node, likely[new])
            return


def _parameters(sources: Mapping[str, Source], called: str) -> list[str]:
    """The parameters of the repository's functions of that name; a class's are its constructor's or its fields."""
    *owners, name = called.split(".")
    found: dict[str, None] = {}
    for source in sources.values():
        for node in ast.walk(source.tree):
            owner = source.parents.get(node)
            if isinstance(node, Function) and node.name == name and (not owners or _is(owner, owners[-1])):
                args = node.args
                found.update(dict.fromkeys(a.arg for a in (*args.posonlyargs, *args.args, *args.kwonlyargs)))
            elif name == "__init__" and owners and isinstance(node, ast.ClassDef) and node.name == owners[-1]:
                fields = (n.target for n in node.body if isinstance(n, ast.AnnAssign))
                found.update(dict.fromkeys(n.id for n in fields if isinstance(n, ast.Name)))
    return [name for name in found if name not in ("self", "cls")]


def _is(owner: ast.AST | None, name: str) -> bool:
    return isinstance(owner, ast.ClassDef) and owner.name == name


def selfless(source: Source, failure: Failure) -> Iterator[Mutation]:
    """`f() takes 1 positional argument but 2 were given`, where `f` is a method that does not take its object."""
    found = _ONE_MORE.match(failure.message)
    if not found or int(found[3]) != int(found[2]) + 1:
        return
    *owners, name = found[1].split(".")
    for owner in source.classes:
        for node in owner.body if not owners or owner.name == owners[-1] else ():
            if isinstance(node, Function) and node.name == name and len(node.args.args) == int(found[2]):
                yield from _with_self(source, node)


def _with_self(source: Source, node: Function) -> Iterator[Mutation]:
    taken = [*node.args.posonlyargs, *node.args.args]
    marks = {mark.id for mark in node.decorator_list if isinstance(mark, ast.Name)}
    if marks & {"staticmethod"} or (taken and taken[0].arg in ("self", "cls")):
        return
    first = "cls" if "classmethod" in marks else "self"
    head = re.compile(rb"def\s+\w+\s*\(").search(source.data, source.span(node)[0])
    if head is None:
        return
    more = taken or node.args.vararg or node.args.kwonlyargs or node.args.kwarg
    splice = (head.end(), head.end(), f"{first}, " if more else first)
    yield Mutation(source.path, node.lineno, (splice,), "parameter", 1.6, f"`{node.name}` takes `{first}`", node)
