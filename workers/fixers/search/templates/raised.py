"""Templates directed by what was raised: a missing import, a mistyped name, attribute or module, a value that may lack.

They change the raising line or the file's imports and nothing else, so they are the surest ones.
"""

from __future__ import annotations

import ast
import builtins
import difflib
import re
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence

from workers.fixers.search.source import Mutation, Source, bound
from workers.spectrum.evidence import Failure

HOMES: Mapping[str, str] = {
    **dict.fromkeys(("defaultdict", "Counter", "OrderedDict", "deque", "namedtuple", "ChainMap"), "collections"),
    **dict.fromkeys(("Iterable", "Iterator", "Mapping", "Sequence", "Callable", "Generator"), "collections.abc"),
    **dict.fromkeys(("dataclass", "field", "asdict", "replace", "astuple"), "dataclasses"),
    **dict.fromkeys(("datetime", "timedelta", "timezone", "date"), "datetime"),
    **dict.fromkeys(("partial", "reduce", "lru_cache", "wraps", "cached_property", "cache"), "functools"),
    **dict.fromkeys(("chain", "product", "permutations", "combinations", "groupby", "islice", "count"), "itertools"),
    **dict.fromkeys(("Any", "Optional", "Union", "List", "Dict", "Tuple", "Set", "Protocol", "cast"), "typing"),
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
MOVED = {"collections": "collections.abc"}
"""Names that left a module for another one in Python 3.10."""


def directed(source: Source, failure: Failure, others: Mapping[str, Source]) -> Iterator[Mutation]:
    """The candidates for one raised exception in the file where it was raised."""
    line = next((line for path, line, _ in reversed(failure.frames) if path == source.path), 0)
    make = _BY_TYPE.get(failure.type)
    if line and make:
        yield from make(source, failure, line, others)


def _quoted(message: str) -> list[str]:
    return re.findall(r"'([^']*)'", message)


def _missing_name(source: Source, failure: Failure, line: int, others: Mapping[str, Source]) -> Iterator[Mutation]:
    name = next(iter(_quoted(failure.message)), "")
    if not name.isidentifier():
        return
    yield from _imports(source, name, line, others)
    at = [n for n in ast.walk(source.tree) if isinstance(n, ast.Name) and n.id == name]
    nearby = [n for n in at if n.lineno == line] or at
    for node in nearby[:1]:
        scope = [*source.variables(node), *sorted(source.top), *dir(builtins)]
        likely = difflib.get_close_matches(name, dict.fromkeys(scope), n=3, cutoff=0.6)
        for new in dict.fromkeys([*likely, *failure.near]):
            if new != name and new.isidentifier():
                everywhere = tuple((*source.span(n), new) for n in at)
                what = f"`{name}` became `{new}`"
                yield Mutation(source.path, line, everywhere, "name", 1.8, what, node)


def _imports(source: Source, name: str, line: int, others: Mapping[str, Source]) -> Iterator[Mutation]:
    """Imports that would bring the name, the repository's own habit first."""
    statements: list[str] = []
    for other in others.values():
        statements += [text for node in other.tree.body for text in _importing(node, name)]
    statements += [f"from {_module(path)} import {name}" for path, other in others.items() if _defines(other, name)]
    if name in sys.stdlib_module_names:
        statements.append(f"import {name}")
    if name in HOMES:
        statements.append(f"from {HOMES[name]} import {name}")
    for rank, text in enumerate(dict.fromkeys(statements)):
        at, new = _place(source, text)
        yield Mutation(source.path, line, ((at, at, new),), "import", 2.0 - 0.05 * rank, f"`{text}` was added")


def _importing(node: ast.stmt, name: str) -> Iterator[str]:
    if isinstance(node, ast.Import | ast.ImportFrom):
        for alias in node.names:
            if (alias.asname or alias.name) == name:
                as_ = f" as {alias.asname}" if alias.asname else ""
                if isinstance(node, ast.Import):
                    yield f"import {alias.name}{as_}"
                elif not node.level and node.module:
                    yield f"from {node.module} import {alias.name}{as_}"


def _defines(source: Source, name: str) -> bool:
    kinds = (ast.FunctionDef, ast.ClassDef, ast.AsyncFunctionDef, ast.Assign)
    return any(isinstance(node, kinds) and name in bound(node) for node in source.tree.body)


def _module(path: str) -> str:
    parts = path.removesuffix(".py").removeprefix("src/").split("/")
    return ".".join(parts[:-1] if parts[-1] == "__init__" and len(parts) > 1 else parts)


def _place(source: Source, statement: str) -> tuple[int, str]:
    """Where an import goes, as import sorters have it: the standard library first, `import x` before `from x`."""
    eol = "\r\n" if b"\r\n" in source.data else "\n"
    imports = [n for n in source.tree.body if isinstance(n, ast.Import | ast.ImportFrom) and source.alone(n)]
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
        first = _standard(statement)
        return (
            (source.span(ordinary[0])[0], statement + eol * 2)
            if first
            else (source.span(ordinary[-1])[1], eol * 2 + statement)
        )
    doc = source.tree.body[0] if source.tree.body and ast.get_docstring(source.tree, clean=False) is not None else None
    after = future[-1] if future else doc
    if after is not None:
        return source.span(after)[1], eol + eol + statement
    return source.at(1, 0), statement + eol + eol


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


def _missing_attribute(source: Source, failure: Failure, line: int, others: Mapping[str, Source]) -> Iterator[Mutation]:
    name = next(iter(reversed(_quoted(failure.message))), "")
    at = [n for n in ast.walk(source.tree) if isinstance(n, ast.Attribute) and n.attr == name]
    nearby = [n for n in at if n.lineno <= line <= (n.end_lineno or n.lineno)] or at
    known = set(source.attributes).union(*(other.attributes for other in others.values())) - {name}
    likely = [*failure.near, *difflib.get_close_matches(name, sorted(known), n=3, cutoff=0.7)]
    for node in nearby[:1]:
        end = source.span(node)[1]
        for new in dict.fromkeys(likely):
            what = f"`.{name}` became `.{new}`"
            splice = (end - len(name.encode()), end, new)
            yield Mutation(source.path, line, (splice,), "attribute name", 1.7, what, node)


def _missing_import(source: Source, failure: Failure, line: int, others: Mapping[str, Source]) -> Iterator[Mutation]:
    quoted = _quoted(failure.message)
    for node in ast.walk(source.tree):
        if not isinstance(node, ast.Import | ast.ImportFrom) or not node.lineno <= line <= (node.end_lineno or 0):
            continue
        if "cannot import name" in failure.message and isinstance(node, ast.ImportFrom) and quoted:
            yield from _imported_name(source, node, quoted[0], failure.near, line)
        elif failure.type == "ModuleNotFoundError" and quoted:
            yield from _module_name(source, node, quoted[0], line, others)


def _imported_name(
    source: Source, node: ast.ImportFrom, name: str, near: Sequence[str], line: int
) -> Iterator[Mutation]:
    start, end = source.span(node)
    text = source.text(node)
    for new in near:
        rest = [n for n in ast.walk(source.tree) if isinstance(n, ast.Name) and n.id == name]
        renamed = any(alias.name == name and alias.asname for alias in node.names)
        splices = [(start, end, re.sub(rf"\b{re.escape(name)}\b", new, text))]
        splices += [] if renamed else [(*source.span(n), new) for n in rest]
        yield Mutation(source.path, line, tuple(splices), "imported name", 1.9, f"`{name}` became `{new}`", node)
    if node.module in MOVED and len(node.names) == 1:
        new = text.replace(f"from {node.module} ", f"from {MOVED[node.module]} ", 1)
        yield Mutation(source.path, line, ((start, end, new),), "import", 2.0, f"`{text}` became `{new}`", node)


def _module_name(
    source: Source, node: ast.Import | ast.ImportFrom, name: str, line: int, others: Mapping[str, Source]
) -> Iterator[Mutation]:
    known = {*sys.stdlib_module_names, *(_module(path) for path in others)}
    start, end = source.span(node)
    text = source.text(node)
    for new in difflib.get_close_matches(name, sorted(known), n=3, cutoff=0.7):
        changed = re.sub(rf"(?<![\w.]){re.escape(name)}\b", new, text, count=1)
        splices = [(start, end, changed)]
        if isinstance(node, ast.Import) and "." not in name:
            splices += [
                (*source.span(n), new) for n in ast.walk(source.tree) if isinstance(n, ast.Name) and n.id == name
            ]
        what = f"`{text}` became `{changed}`"
        yield Mutation(source.path, line, tuple(splices), "module name", 1.7, what, node)


def _division(source: Source, _failure: Failure, line: int, _others: Mapping[str, Source]) -> Iterator[Mutation]:
    for node in _on_line(source, line):
        if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Div | ast.FloorDiv | ast.Mod):
            text, by = source.text(node), source.text(node.right)
            for value in ("0", "0.0", "None"):
                new = f"({text} if {by} else {value})"
                what = f"`{text}` gives {value} when `{by}` is zero"
                yield Mutation(source.path, line, ((*source.span(node), new),), "guard", 1.0, what, node)


def _key(source: Source, _failure: Failure, line: int, _others: Mapping[str, Source]) -> Iterator[Mutation]:
    for node in _on_line(source, line):
        if isinstance(node, ast.Subscript) and isinstance(node.ctx, ast.Load):
            base, key = source.text(node.value), source.text(node.slice)
            for new in (f"{base}.get({key})", f"{base}.get({key}, 0)"):
                what = f"`{base}[{key}]` became `{new}`"
                yield Mutation(source.path, line, ((*source.span(node), new),), "guard", 1.0, what, node)


def _none(source: Source, failure: Failure, line: int, _others: Mapping[str, Source]) -> Iterator[Mutation]:
    """`x` may be None where something is wanted: an empty value instead."""
    if "NoneType" not in failure.message:
        return
    empty = "[]" if re.search("iterable|len|not subscriptable", failure.message) else "0"
    for node in _on_line(source, line):
        if isinstance(node, ast.Name | ast.Attribute) and isinstance(node.ctx, ast.Load):
            text = source.text(node)
            parent = source.parents.get(node)
            if isinstance(parent, ast.Call) and parent.func is node:
                continue
            what = f"`{text}` counts as `{empty}` when it is None"
            yield Mutation(source.path, line, ((*source.span(node), f"({text} or {empty})"),), "guard", 0.9, what, node)


def _on_line(source: Source, line: int) -> Iterator[ast.expr | ast.stmt]:
    return (node for node in source.nodes() if node.lineno <= line <= (node.end_lineno or node.lineno))


_Make = Callable[[Source, Failure, int, Mapping[str, Source]], Iterator[Mutation]]
_BY_TYPE: Mapping[str, _Make] = {
    "NameError": _missing_name,
    "UnboundLocalError": _missing_name,
    "AttributeError": _missing_attribute,
    "ImportError": _missing_import,
    "ModuleNotFoundError": _missing_import,
    "ZeroDivisionError": _division,
    "KeyError": _key,
    "TypeError": _none,
}
SURE = frozenset({"import", "name", "attribute name", "imported name", "module name"})
"""The kinds that only correct a name: with a raising frame they need no second failing test."""
