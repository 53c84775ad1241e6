"""What pydantic 2 warns of or refuses and what has an equal there: methods, validators, `Config`, settings, bounds.

A class has to be a model by its bases, a decorator or a function has to be pydantic's by its import. What cannot be
written anew with the same meaning stays as it is.
"""

from __future__ import annotations

import ast
import io
import re
import tokenize
from collections.abc import Iterator, Mapping

from workers.fixers.source import Source, Splice
from workers.fixers.static import pydantic_classes as classes
from workers.fixers.static.form import Form, covers, raising
from workers.fixers.static.imports import added, importing, moved
from workers.fixers.static.pydantic_models import Models
from workers.fixers.static.renames import Names
from workers.spectrum.evidence import Failure

_DUMPED = frozenset({"include", "exclude", "by_alias", "exclude_unset", "exclude_defaults", "exclude_none"})
_RENAMED: Mapping[str, tuple[str, frozenset[str], int]] = {
    "dict": ("model_dump", _DUMPED, 0),
    "json": ("model_dump_json", _DUMPED, 0),
    "parse_obj": ("model_validate", frozenset({"obj"}), 1),
    "copy": ("model_copy", frozenset({"update", "deep"}), 0),
    "schema": ("model_json_schema", frozenset({"by_alias", "ref_template"}), 0),
}
"""By old name: the new one, the keywords that both have, and how many positional arguments."""
_METHOD = re.compile(r"The `(dict|json|parse_obj|copy|schema)` method is deprecated")
_BOUNDS: Mapping[str, str] = {"min_items": "min_length", "max_items": "max_length", "regex": "pattern"}
_BOUND = re.compile(
    r"`(min_items|max_items|regex)` is (?:deprecated|removed)|keyword argument '(min_items|max_items|regex)'"
)
_BOUNDED = frozenset(f"pydantic.{name}" for name in ("Field", "constr", "conlist", "conset"))


def methods(source: Source, failure: Failure, known: Mapping[str, Source]) -> Iterator[Splice]:
    """Calls of the method on the raising line, and all others on what the file says is a model."""
    said = _METHOD.search(failure.message)
    old = said[1] if said else ""
    own = (f.name for one in known.values() for f in one.functions)
    if not old or old in own or _aliased(known) or not _raises(known, failure, old):
        return
    models, line = Models(known), raising(source, failure)
    calls = [call for call in source.calls if _method(call) == old and _same(call, old)]
    on_line = [call for call in calls if covers(call, line)]
    for call in calls:
        if isinstance(call.func, ast.Attribute) and (on_line == [call] or models.holds(source, call.func.value)):
            end = source.span(call.func)[1]
            yield end - len(old), end, _RENAMED[old][0]


def _aliased(known: Mapping[str, Source]) -> bool:
    """Models may be written by alias without being told to, which the new methods do and the old ones did not."""
    words = (word.arg for one in known.values() for call in one.calls for word in call.keywords)
    return "serialize_by_alias" in words


def _raises(known: Mapping[str, Source], failure: Failure, old: str) -> bool:
    """The raising line has a call that can be changed: else the others are not what is wrong."""
    at = ((one, raising(one, failure)) for one in known.values())
    return any(covers(c, line) and _method(c) == old and _same(c, old) for one, line in at if line for c in one.calls)


def _method(call: ast.Call) -> str:
    return call.func.attr if isinstance(call.func, ast.Attribute) else ""


def _same(call: ast.Call, old: str) -> bool:
    _, words, most = _RENAMED[old]
    given = {word.arg for word in call.keywords}
    return given <= words and len(call.args) <= most and not any(isinstance(a, ast.Starred) for a in call.args)


def bounds(source: Source, failure: Failure, known: Mapping[str, Source]) -> Iterator[Splice]:
    """Keywords of fields under their new name. A `regex` had to fit from the start, a `pattern` may fit anywhere."""
    del known
    said = _BOUND.search(failure.message)
    old = (said[1] or said[2]) if said else ""
    names = Names(source)
    calls = (call for call in source.calls if names.full(call.func) in _BOUNDED)
    words = [word for call in calls for word in call.keywords if word.arg == old]
    anchors = [_anchored(source, word.value) if old == "regex" else () for word in words]
    if any(anchor is None for anchor in anchors):
        return
    for word, anchor in zip(words, anchors, strict=True):
        start = source.span(word)[0]
        yield start, start + len(old), _BOUNDS[old]
        yield from anchor or ()


def _anchored(source: Source, node: ast.expr) -> tuple[Splice, ...] | None:
    """What makes an expression fit from the start only; None where that cannot be told."""
    if not isinstance(node, ast.Constant) or not isinstance(node.value, str):
        return None
    text, (start, end) = source.text(node), source.span(node)
    if node.value.startswith("^") and "|" not in node.value:
        return ()
    strings = [one for one in tokenize.generate_tokens(io.StringIO(text).readline) if one.type == tokenize.STRING]
    if len(strings) != 1 or node.value.startswith("(?"):
        return None
    quotes = 3 if text.endswith(('"""', "'''")) and len(text) > 5 else 1
    first = start + len(text) - len(text.lstrip("rRuU")) + quotes
    return (first, first, "^(?:"), (end - quotes, end - quotes, ")")


def settings(source: Source, failure: Failure, known: Mapping[str, Source]) -> Iterator[Splice]:
    """`BaseSettings` from its own package. A field with `env=` would silently read another variable there."""
    del failure, known
    if any(word.arg == "env" for call in source.calls for word in call.keywords):
        return
    for node in importing(source):
        if isinstance(node, ast.ImportFrom) and node.module == "pydantic" and not node.level:
            yield from moved(source, node, {"BaseSettings": "pydantic_settings.BaseSettings"})
    splices, needed = Names(source).uses({"pydantic.BaseSettings": "pydantic_settings.BaseSettings"})
    yield from splices
    yield from (added(source, f"import {home}") for home in needed)


FORMS = (
    Form(_METHOD, methods, "methods of pydantic models have their new names", True),
    Form(re.compile(r"`@validator` validators are deprecated"), classes.validators,
         "`@validator` became `@field_validator`", True),
    Form(re.compile(r"you MUST specify `skip_on_failure=True`"), classes.skipping,
         "`@root_validator` has `skip_on_failure=True`", False),
    Form(re.compile(r"`@root_validator` validators are deprecated"), classes.before,
         "`@root_validator` became `@model_validator`", True),
    Form(re.compile(r"class-based `config` is deprecated|Valid config keys have changed in V2"), classes.configs,
         "`class Config` became `model_config`", True),
    Form(re.compile(r"`(?:min|max)_items` is deprecated|keyword argument '(?:min|max)_items'"), bounds,
         "bounds of fields have their new names", True),
    Form(re.compile(r"`regex` is removed|constr\(\) got an unexpected keyword argument 'regex'"), bounds,
         "`regex` became `pattern`", False),
    Form(re.compile(r"`BaseSettings` has been moved to the `pydantic-settings` package"), settings,
         "`BaseSettings` comes from `pydantic_settings`", False),
)  # fmt: skip
