"""What one edit can be: the templates by kind, in one explicit tuple.

A new template is a function and a place in a tuple."""

from __future__ import annotations

import ast
from collections.abc import Callable, Iterator

from workers.fixers.search.templates import calls, conditions, constants, names, operators, subscripts
from workers.fixers.source import Mutation, Source

TEMPLATES: tuple[Callable[[Source, ast.AST], Iterator[Mutation]], ...] = (
    *operators.TEMPLATES,
    *constants.TEMPLATES,
    *conditions.TEMPLATES,
    *subscripts.TEMPLATES,
    *calls.TEMPLATES,
    *names.TEMPLATES,
)


def mutations(source: Source, wanted: Callable[[ast.AST], bool] = lambda _: True) -> Iterator[Mutation]:
    """Every candidate of every template for the wanted nodes of one file."""
    for node in source.nodes():
        if wanted(node):
            for template in TEMPLATES:
                yield from template(source, node)
