"""`pkg_resources`, which setuptools gave up: what of it means the same in `importlib.metadata` and in
`importlib.resources`.

A file is changed as a whole or not at all, for its import has to go.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator, Mapping

from workers.fixers.source import Source, Splice, module
from workers.fixers.static.form import Form
from workers.fixers.static.imports import Import, guarded, importing
from workers.fixers.static.renames import Names
from workers.spectrum.evidence import Failure

_ROOT = "pkg_resources"
_METADATA, _RESOURCES = "importlib.metadata", "importlib.resources"
_WHOLE = (ast.For, ast.comprehension)
_FILLED = frozenset({"list", "tuple", "sorted", "set"})
"""Around these an iterator and a tuple are the same."""
_NOT_THERE = frozenset({"module_name", "attrs", "extras", "resolve"})
"""What only the old entry points have."""
_READ: Mapping[str, str] = {
    "resource_filename": "str({}.files({}) / {})",
    "resource_string": "({}.files({}) / {}).read_bytes()",
    "resource_stream": '({}.files({}) / {}).open("rb")',
}


def standard(source: Source, failure: Failure, known: Mapping[str, Source]) -> Iterator[Splice]:
    """The uses in their new form, and the import of the modules that they need."""
    del failure
    names = Names(source)
    imports = [node for node in importing(source) if _asks(node)]
    roots = [n for n in ast.walk(source.tree) if isinstance(n, ast.Name) and names.full(n).split(".")[0] == _ROOT]
    packages = frozenset(module(path) for path in known if path.endswith("/__init__.py"))
    written = [_written(source, names, node, packages) for node in roots]
    if not imports or not all(_movable(source, node) for node in imports) or not all(written):
        return
    texts = [text for _, text in filter(None, written)]
    needed = [home for home in (_METADATA, _RESOURCES) if any(home in text for text in texts)]
    eol = "\r\n" if b"\r\n" in source.data else "\n"
    for at, asked in enumerate(imports):
        lines = (eol + source.indent(asked)).join(f"import {home}" for home in needed)
        again = at > 0 and asked in source.tree.body
        yield source.line(asked) if again or not needed else (*source.span(asked), lines)
    for node, text in filter(None, written):
        yield (*source.span(node), text)


def _asks(node: Import) -> bool:
    if isinstance(node, ast.ImportFrom):
        return not node.level and node.module == _ROOT
    return any(alias.name.split(".")[0] == _ROOT for alias in node.names)


def _movable(source: Source, node: Import) -> bool:
    """It stands alone, asks for nothing else, and the file has not thought of another version already."""
    one = isinstance(node, ast.ImportFrom) or (len(node.names) == 1 and node.names[0].name == _ROOT)
    return one and source.alone(node) and not guarded(source, node)


def _written(source: Source, names: Names, root: ast.Name, packages: frozenset[str]) -> tuple[ast.expr, str] | None:
    """The expression around a use and its new text; None for what has no equal."""
    node: ast.expr = root
    around = source.parents[node]
    while isinstance(around, ast.Attribute) and names.full(node).count(".") == 0:
        node, around = around, source.parents[around]
    name = names.full(node).removeprefix(f"{_ROOT}.")
    if name == "DistributionNotFound":
        return node, f"{_METADATA}.PackageNotFoundError"
    if (
        not isinstance(around, ast.Call)
        or around.func is not node
        or any(isinstance(a, ast.Starred) for a in around.args)
    ):
        return None
    if name in ("get_distribution", "require"):
        return _version(source, around, first=name == "require")
    if name == "iter_entry_points":
        return _entry_points(source, around)
    return _resource(source, around, name, packages)


def _version(source: Source, call: ast.Call, *, first: bool) -> tuple[ast.expr, str] | None:
    """`get_distribution(NAME).version`, or `require(NAME)[0].version`."""
    held: ast.AST = source.parents[call]
    if first:
        if not (isinstance(held, ast.Subscript) and isinstance(held.slice, ast.Constant) and held.slice.value == 0):
            return None
        held = source.parents[held]
    plain = len(call.args) == 1 and not call.keywords and _project(call.args[0])
    if not plain or not isinstance(held, ast.Attribute) or held.attr != "version":
        return None
    return held, f"{_METADATA}.version({source.text(call.args[0])})"


def _project(node: ast.expr) -> bool:
    """A name, and no requirement: `get_distribution("x>=1")` asks for more."""
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        return node.value.replace("-", "").replace("_", "").replace(".", "").isalnum()
    return isinstance(node, ast.Name | ast.Attribute)


def _entry_points(source: Source, call: ast.Call) -> tuple[ast.expr, str] | None:
    given = [("group", "name")[at] + f"={source.text(arg)}" for at, arg in enumerate(call.args[:2])]
    given += [f"{word.arg}={source.text(word.value)}" for word in call.keywords if word.arg in ("group", "name")]
    if len(given) != len(call.args) + len(call.keywords) or not given or source.attributes & _NOT_THERE:
        return None
    text = f"{_METADATA}.entry_points({', '.join(given)})"
    around = source.parents[call]
    filled = isinstance(around, ast.Call) and isinstance(around.func, ast.Name) and around.func.id in _FILLED
    whole = isinstance(around, _WHOLE) and around.iter is call
    return call, text if filled or whole else f"iter({text})"


def _resource(source: Source, call: ast.Call, name: str, packages: frozenset[str]) -> tuple[ast.expr, str] | None:
    """A file of a package of the repository: only there is it sure that the package is a folder."""
    form = _READ.get(name)
    if form is None or len(call.args) != 2 or call.keywords:
        return None
    package, path = call.args
    inside = path.value if isinstance(path, ast.Constant) and isinstance(path.value, str) else "/"
    if inside.startswith("/") or ".." in inside or not _package(source, package, packages):
        return None
    return call, form.format(_RESOURCES, source.text(package), source.text(path))


def _package(source: Source, node: ast.expr, packages: frozenset[str]) -> bool:
    if isinstance(node, ast.Name):
        return node.id == "__name__" and source.path.endswith("/__init__.py")
    return isinstance(node, ast.Constant) and node.value in packages


FORMS = (
    Form(
        re.compile(r"No module named 'pkg_resources'|Warning: pkg_resources is deprecated as an API"),
        standard,
        "`pkg_resources` became `importlib`",
        True,
    ),
)
