"""A name that is not defined: an import that is missing, a slip in a name that is in scope, or `self.` left out."""

from __future__ import annotations

import ast
import builtins
import sys
from collections.abc import Iterator, Mapping

from workers.fixers.source import Mutation, Source, Splice, bound, defines, module
from workers.fixers.static.imports import added
from workers.fixers.static.near import nearest, quoted, suggested
from workers.spectrum.evidence import Failure

HOMES: Mapping[str, str] = {
    **dict.fromkeys(("defaultdict", "Counter", "OrderedDict", "deque", "namedtuple", "ChainMap"), "collections"),
    **dict.fromkeys(("Iterable", "Iterator", "Mapping", "Sequence", "Callable", "Generator"), "collections.abc"),
    **dict.fromkeys(("dataclass", "field", "asdict", "replace", "astuple"), "dataclasses"),
    **dict.fromkeys(("datetime", "timedelta", "timezone", "date"), "datetime"),
    **dict.fromkeys(("partial", "reduce", "lru_cache", "wraps", "cached_property", "cache"), "functools"),
    **dict.fromkeys(("chain", "product", "permutations", "combinations", "groupby", "islice", "count"), "itertools"),
    **dict.fromkeys(("Any", "Optional", "Union", "List", "Dict", "Tuple", "Set", "Protocol", "cast"), "typing"),
    **dict.fromkeys(("ClassVar", "Literal", "NamedTuple", "TypedDict", "TypeVar", "TYPE_CHECKING"), "typing"),
    **dict.fromkeys(("Enum", "IntEnum", "auto"), "enum"),
    **dict.fromkeys(("sqrt", "floor", "ceil", "log", "pi", "isclose", "gcd"), "math"),
    **dict.fromkeys(("contextmanager", "suppress", "closing"), "contextlib"),
    **dict.fromkeys(("ABC", "abstractmethod"), "abc"),
    **dict.fromkeys(("mean", "median", "stdev"), "statistics"),
    "Path": "pathlib", "Decimal": "decimal", "Fraction": "fractions", "deepcopy": "copy", "uuid4": "uuid",
    "urlparse": "urllib.parse", "urlencode": "urllib.parse", "quote": "urllib.parse", "StringIO": "io",
    "BytesIO": "io", "sleep": "time", "dedent": "textwrap", "itemgetter": "operator", "attrgetter": "operator",
    "glob": "glob",
}  # fmt: skip
"""Names that people import from the standard library, and the module each is best known from."""
_USUAL = {"np": "import numpy as np", "pd": "import pandas as pd", "plt": "import matplotlib.pyplot as plt"}


def missing(source: Source, failure: Failure, line: int, others: Mapping[str, Source]) -> Iterator[Mutation]:
    """`name 'x' is not defined`, in the order of how sure each correction is."""
    name = next(iter(quoted(failure.message)), "")
    if not name.isidentifier() or name in source.top:
        return
    if failure.type == "NameError":
        yield from _imported(source, name, line, others)
    everywhere = source.free(name) if failure.type == "NameError" else _read_on(source, name, line)
    node = next((n for n in everywhere if n.lineno == line), next(iter(everywhere), None))
    if node is None:
        return
    if name in _own(source, node):
        splices = tuple((*source.span(n), f"self.{name}") for n in everywhere if n.lineno == line)
        yield Mutation(source.path, line, splices, "name", 1.9, f"`{name}` became `self.{name}`", node, sure=True)
    yield from _respelt(source, failure, name, node, everywhere)


def _read_on(source: Source, name: str, line: int) -> list[ast.Name]:
    names = (n for n in ast.walk(source.tree) if isinstance(n, ast.Name) and n.id == name and n.lineno == line)
    return [n for n in names if isinstance(n.ctx, ast.Load)]


def _respelt(
    source: Source, failure: Failure, name: str, node: ast.Name, everywhere: list[ast.Name]
) -> Iterator[Mutation]:
    near = nearest(name, [*source.variables(node), *sorted(source.top), *dir(builtins)], cutoff=0.6)
    likely = dict(near)
    for new in [*suggested(failure.message), *failure.near]:
        likely.setdefault(new, False)
    for new, sure in likely.items():
        if new != name and new.isidentifier():
            splices = tuple((*source.span(n), new) for n in everywhere)
            what = f"`{name}` became `{new}`"
            yield Mutation(source.path, node.lineno, splices, "name", 1.8, what, node, sure)


def _imported(source: Source, name: str, line: int, others: Mapping[str, Source]) -> Iterator[Mutation]:
    """Imports that would bring the name, the repository's own habit first."""
    habits = [text for other in others.values() for node in other.tree.body for text in _importing(node, name)]
    homes = [f"from {module(path)} import {name}" for path, other in others.items() if defines(other, name)]
    library = [f"import {name}"] if name in sys.stdlib_module_names else []
    library += [f"from {HOMES[name]} import {name}"] if name in HOMES else []
    library += [_USUAL[name]] if name in _USUAL else []
    statements = list(dict.fromkeys([*habits, *homes, *library]))
    for rank, text in enumerate(statements):
        splices: tuple[Splice, ...] = (added(source, text),)
        sure = len(statements) == 1 or (rank == 0 and len(set(habits)) == 1)
        yield Mutation(source.path, line, splices, "import", 2.0 - 0.05 * rank, f"`{text}` was added", None, sure)


def _importing(node: ast.stmt, name: str) -> Iterator[str]:
    if isinstance(node, ast.Import | ast.ImportFrom):
        for alias in node.names:
            if (alias.asname or alias.name) == name:
                as_ = f" as {alias.asname}" if alias.asname else ""
                if isinstance(node, ast.Import):
                    yield f"import {alias.name}{as_}"
                elif not node.level and node.module:
                    yield f"from {node.module} import {alias.name}{as_}"


def _own(source: Source, node: ast.AST) -> frozenset[str]:
    """The attributes of the object whose method a node stands in; none outside of methods that have a `self`."""
    function = source.function(node)
    owner = source.parents.get(function) if function is not None else None
    if function is None or not isinstance(owner, ast.ClassDef) or not any(a.arg == "self" for a in function.args.args):
        return frozenset()
    return frozenset(members(owner))


def members(owner: ast.ClassDef) -> Iterator[str]:
    """The names that a class gives its objects: methods, fields, and what is stored on `self`."""
    for statement in owner.body:
        yield from bound(statement)
    for node in ast.walk(owner):
        stored = isinstance(node, ast.Attribute) and isinstance(node.ctx, ast.Store)
        if stored and isinstance(node.value, ast.Name) and node.value.id == "self":  # type: ignore[attr-defined]
            yield node.attr  # type: ignore[attr-defined]
