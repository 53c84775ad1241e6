"""Calls whose new form is more than another name: which failure asks for which form, one module for each family."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator, Mapping

from workers.fixers.source import Mutation, Source, Splice
from workers.fixers.static import coroutines, distributions, moments, pydantic_two, sqlalchemy_two
from workers.fixers.static.form import Form
from workers.fixers.static.renames import Names
from workers.spectrum.evidence import Failure

_PLAIN = (ast.If, ast.While, ast.IfExp, ast.Assign, ast.Return, ast.BoolOp, ast.Expr, ast.comprehension, ast.Assert)
"""Around these a comparison needs no parentheses."""


def reformed(failure: Failure, sources: Mapping[str, Source]) -> tuple[Mutation, ...]:
    """One mutation for each file that has the form which the failure is about."""
    for form in _FORMS:
        if form.says.search(f"{failure.type}: {failure.message}"):
            found = ((source, tuple(form.make(source, failure, sources))) for source in sources.values())
            return tuple(
                Mutation(source.path, _line(source, splices), splices, "renamed", 2.0, form.what, sure=form.sure)
                for source, splices in found
                if splices
            )
    return ()


def _line(source: Source, splices: tuple[Splice, ...]) -> int:
    return source.data[: min(splices)[0]].count(b"\n") + 1


def _has_key(source: Source, failure: Failure, known: Mapping[str, Source]) -> Iterator[Splice]:
    del failure, known
    for node in source.calls:
        func = node.func
        if isinstance(func, ast.Attribute) and func.attr == "has_key" and len(node.args) == 1 and not node.keywords:
            text = f"{source.text(node.args[0])} in {source.text(func.value)}"
            plain = isinstance(source.parents.get(node), _PLAIN)
            yield (*source.span(node), text if plain else f"({text})")


def _yaml(source: Source, failure: Failure, known: Mapping[str, Source]) -> Iterator[Splice]:
    del failure, known
    names = Names(source)
    for node in source.calls:
        if names.full(node.func) == "yaml.load" and isinstance(node.func, ast.Attribute):
            end = source.span(node.func)[1]
            if len(node.args) == 1 and not node.keywords:
                yield end - len("load"), end, "safe_load"


_FORMS = (
    Form(re.compile(r"'dict' object has no attribute 'has_key'"), _has_key, "`has_key` became `in`", True),
    Form(re.compile(r"\bload\(\) missing 1 required positional argument: 'Loader'"), _yaml,
         "`yaml.load` became `yaml.safe_load`", False),
    *moments.FORMS, *coroutines.FORMS, *distributions.FORMS, *pydantic_two.FORMS, *sqlalchemy_two.FORMS,
)  # fmt: skip
