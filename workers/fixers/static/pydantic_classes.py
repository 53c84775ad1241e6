"""What stands in the body of a model of pydantic 1: validators by decorator, and `Config` as a class."""

from __future__ import annotations

import ast
from collections.abc import Iterator, Mapping

from workers.fixers.source import Source, Splice
from workers.fixers.static.imports import added, importing, unimported
from workers.fixers.static.pydantic_models import Models
from workers.fixers.static.renames import Names
from workers.spectrum.evidence import Failure

_RENAMED: Mapping[str, str] = {
    "orm_mode": "from_attributes", "allow_population_by_field_name": "populate_by_name",
    "anystr_lower": "str_to_lower", "anystr_upper": "str_to_upper", "anystr_strip_whitespace": "str_strip_whitespace",
    "max_anystr_length": "str_max_length", "min_anystr_length": "str_min_length", "keep_untouched": "ignored_types",
    "schema_extra": "json_schema_extra", "validate_all": "validate_default",
}  # fmt: skip
_KEPT = frozenset({
    "title", "extra", "frozen", "use_enum_values", "validate_assignment", "arbitrary_types_allowed", "alias_generator",
    "json_encoders", "populate_by_name", "from_attributes", "str_to_lower", "str_to_upper", "str_strip_whitespace",
    "str_max_length", "str_min_length", "ignored_types", "json_schema_extra", "validate_default", "strict",
    "protected_namespaces", "hide_input_in_errors", "allow_inf_nan", "loc_by_alias", "validate_return",
})  # fmt: skip
"""Settings that have their name in both, and those that are new already. Any other one leaves its `Config` alone."""
_LINE = 88


def validators(source: Source, failure: Failure, known: Mapping[str, Source]) -> Iterator[Splice]:
    """`@validator` as `@field_validator`; one that sees other fields, items or defaults has no equal."""
    del failure, known
    yield from _decorated(source, "pydantic.validator", "field_validator", frozenset({"pre", "check_fields"}))


def before(source: Source, failure: Failure, known: Mapping[str, Source]) -> Iterator[Splice]:
    """`@root_validator(pre=True)` as `@model_validator(mode="before")`; one that runs later gets an object there."""
    del failure, known
    yield from _decorated(source, "pydantic.root_validator", "model_validator", frozenset({"pre"}))


def skipping(source: Source, failure: Failure, known: Mapping[str, Source]) -> Iterator[Splice]:
    """`@root_validator` with the `skip_on_failure=True` that pydantic 2 wants to read."""
    del failure, known
    names = Names(source)
    for function in source.functions:
        for mark in function.decorator_list:
            call = mark if isinstance(mark, ast.Call) else None
            if names.full(call.func if call else mark) != "pydantic.root_validator":
                continue
            if call is None or not (call.args or call.keywords):
                yield (*source.span(mark), f"{source.text(call.func if call else mark)}(skip_on_failure=True)")


def _decorated(source: Source, old: str, new: str, words: frozenset[str]) -> Iterator[Splice]:
    names = Names(source)
    everywhere = [n for n in ast.walk(source.tree) if isinstance(n, ast.Name | ast.Attribute) and names.full(n) == old]
    marked = [
        (function, mark)
        for function in source.functions
        for mark in function.decorator_list
        if isinstance(mark, ast.Call) and names.full(mark.func) == old
    ]
    given = [_given(source, mark, words, new) for function, mark in marked if _simple(names, function, old)]
    if len(given) != len(everywhere) or None in given:
        return
    for (function, mark), text in zip(marked, given, strict=True):
        yield (*source.span(mark), f"{_called(source, mark.func, new)}({text})")
        own = [one for one in function.decorator_list if isinstance(one, ast.Name) and one.id == "classmethod"]
        if not own and mark is function.decorator_list[-1]:
            at = source.span(function)[0]
            eol = "\r\n" if b"\r\n" in source.data else "\n"
            yield at, at, f"@classmethod{eol}{source.indent(function)}"
    yield from _imported(source, old, new)


def _called(source: Source, node: ast.expr, new: str) -> str:
    return f"{source.text(node.value)}.{new}" if isinstance(node, ast.Attribute) else new


def _simple(names: Names, function: ast.FunctionDef | ast.AsyncFunctionDef, old: str) -> bool:
    """A function of the class and the value, under nothing but such decorators."""
    args = function.args
    marks = [mark.func if isinstance(mark, ast.Call) else mark for mark in function.decorator_list]
    alone = all(names.full(mark) == old or (isinstance(mark, ast.Name) and mark.id == "classmethod") for mark in marks)
    more = args.vararg or args.kwarg or args.kwonlyargs or args.defaults
    return alone and not more and len([*args.posonlyargs, *args.args]) == 2


def _given(source: Source, mark: ast.Call, words: frozenset[str], new: str) -> str | None:
    """The arguments of the new decorator; None where one has no equal."""
    said = {word.arg: word.value for word in mark.keywords if word.arg != "allow_reuse"}
    values = {name: value.value for name, value in said.items() if isinstance(value, ast.Constant)}
    pre = values.get("pre", False)
    if not set(said) <= words or len(values) != len(said) or not isinstance(pre, bool):
        return None
    if (new == "model_validator") != (not mark.args) or (new == "model_validator" and not pre):
        return None
    given = [source.text(arg) for arg in mark.args]
    given += ['mode="before"'] if pre else []
    given += [f"check_fields={source.text(said['check_fields'])}"] if "check_fields" in said else []
    return ", ".join(given)


def _imported(source: Source, old: str, new: str) -> Iterator[Splice]:
    """The decorator's new name in the statement that imports it; an `as` is dropped, for its uses are written anew."""
    home, _, name = old.rpartition(".")
    for node in importing(source):
        if isinstance(node, ast.ImportFrom) and node.module == home and not node.level:
            for alias in node.names:
                if alias.name == name:
                    yield (*source.span(alias), new)


def configs(source: Source, failure: Failure, known: Mapping[str, Source]) -> Iterator[Splice]:
    """`class Config:` of every model of the file as `model_config = ConfigDict(…)`, or of none."""
    del failure
    models, names = Models(known), Names(source)
    found = [
        (inner, _settings(source, names, inner) if owner.name in models.names and _free(owner) else None)
        for owner in source.classes
        for inner in owner.body
        if isinstance(inner, ast.ClassDef) and inner.name == "Config"
    ]
    if any(settings is None for _, settings in found):
        return
    eol = "\r\n" if b"\r\n" in source.data else "\n"
    called = next((local for local, full in names.known.items() if full == "pydantic.ConfigDict"), "ConfigDict")
    for inner, settings in found:
        indent, rows = source.indent(inner), [f"{name}={value}" for name, value in settings or ()]
        text = f"model_config = {called}({', '.join(rows)})"
        if len(indent) + len(text) > _LINE or "\n" in text:
            inside = "".join(f"{eol}{indent}    {row}," for row in rows)
            text = f"model_config = {called}({inside}{eol}{indent})"
        yield (*source.span(inner), text)
    if found and called not in names.known:
        yield added(source, "from pydantic import ConfigDict")
    if found and not _extra_elsewhere(source, names, [inner for inner, _ in found]):
        yield from unimported(source, {"pydantic.Extra"})


def _free(owner: ast.ClassDef) -> bool:
    """The class has no settings of the new kind, with which `Config` would not go together."""
    targets = (t for n in owner.body if isinstance(n, ast.Assign) for t in n.targets if isinstance(t, ast.Name))
    return all(target.id != "model_config" for target in targets)


def _settings(source: Source, names: Names, inner: ast.ClassDef) -> list[tuple[str, str]] | None:
    """Name and value of each setting; None where the class holds anything else, or a comment that would be lost."""
    start, end = source.span(inner)
    if (
        inner.bases
        or inner.keywords
        or inner.decorator_list
        or b"#" in source.data[start:end]
        or not source.alone(inner)
    ):
        return None
    found = []
    for node in inner.body:
        target = node.targets[0] if isinstance(node, ast.Assign) and len(node.targets) == 1 else None
        if not isinstance(node, ast.Assign) or not isinstance(target, ast.Name):
            return None
        name = _RENAMED.get(target.id, target.id)
        if name not in _KEPT:
            return None
        full = names.full(node.value)
        extra = full.removeprefix("pydantic.Extra.") if full.startswith("pydantic.Extra.") else ""
        found.append((name, f'"{extra}"' if extra else source.text(node.value)))
    return found


def _extra_elsewhere(source: Source, names: Names, inside: list[ast.ClassDef]) -> bool:
    within = {node for one in inside for node in ast.walk(one)}
    uses = (n for n in ast.walk(source.tree) if isinstance(n, ast.Name) and names.full(n) == "pydantic.Extra")
    return any(node not in within for node in uses)
