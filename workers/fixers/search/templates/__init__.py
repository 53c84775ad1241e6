"""What one edit can be: the templates by kind, in one explicit tuple.

A new template is a function and a place in a tuple."""

from __future__ import annotations

import ast
from collections.abc import Callable, Iterator

from workers.fixers.search.seen import Seen
from workers.fixers.search.templates import (
    arguments,
    atoms,
    calls,
    conditions,
    constants,
    names,
    operators,
    statements,
    subscripts,
    values,
)
from workers.fixers.source import Mutation, Source

TEMPLATES: tuple[Callable[[Source, ast.AST], Iterator[Mutation]], ...] = (
    *operators.TEMPLATES,
    *constants.TEMPLATES,
    *conditions.TEMPLATES,
    *subscripts.TEMPLATES,
    *calls.TEMPLATES,
    *names.TEMPLATES,
)
INFORMED: tuple[Callable[[Source, ast.AST, Seen], Iterator[Mutation]], ...] = (
    *names.INFORMED,
    *values.TEMPLATES,
    *atoms.TEMPLATES,
    *statements.TEMPLATES,
    *arguments.TEMPLATES,
)
"""Those that ask what the code handled at run time."""


def mutations(
    source: Source, wanted: Callable[[ast.AST], bool] = lambda _: True, seen: Seen | None = None
) -> Iterator[Mutation]:
    """Every candidate of every template for the wanted nodes of one file."""
    known = seen or Seen(source)
    for node in source.nodes():
        if wanted(node):
            for template in TEMPLATES:
                yield from template(source, node)
            for informed in INFORMED:
                yield from informed(source, node, known)
