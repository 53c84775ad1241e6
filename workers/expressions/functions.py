"""The functions of expressions, each from a list of values to a value. Texts they make are bounded.

The status functions are answered for a job that is followed up to its first red step: until there it is successful,
never cancelled, and the steps after it are looked at as if it had been green.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping, Sequence

from workers.expressions.hash_files import Files, hash_files
from workers.expressions.values import (
    Invalid,
    Partial,
    Unknown,
    Unresolved,
    as_text,
    equal,
    folded,
    is_primitive,
)

STATUS: Mapping[str, bool] = {"success": True, "always": True, "failure": False, "cancelled": False}
_MAX_TEXT = 1 << 20
_MAX_DEPTH = 50
_ESCAPED_TOO = {"\u0085": "\\u0085", "\u2028": "\\u2028", "\u2029": "\\u2029"}
_FIELD = re.compile(r"\{\{|\}\}|\{([0-9]{1,3})\}|[{}]")
_LENIENT = re.compile(
    r"""
    "(?:[^"\\]|\\.)*+"?                          # as it is
    | '(?P<single>(?:[^'\\]|\\.)*+)'?
    | (?P<name>[A-Za-z_$][\w$-]*+)(?P<colon>\s*+:)?
    | ,\s*+(?P<end>[\]}])?
    """,
    re.VERBOSE | re.DOTALL,
)
"""Every part takes what it began with, closed or not, so that no character is looked at twice."""
_ESCAPED = re.compile(r'\\.|"', re.DOTALL)
Function = Callable[[Sequence[object]], object]


def call(name: str, arguments: Sequence[object], files: Files | None) -> object:
    """The function's value. Raises `Unresolved`; `Invalid` for a function or arguments that GitHub refuses as well."""
    key = name.lower()
    least, most = _ARITY.get(key, (1, 0))
    if key not in _ARITY:
        raise Invalid(f"there is no function {name}()")
    if not least <= len(arguments) <= most:
        raise Invalid(f"{name}() does not take {len(arguments)} values")
    if key == "hashfiles":
        if files is None:
            raise Unresolved("hashFiles()")
        return hash_files([as_text(pattern) for pattern in arguments], files)
    return STATUS[key] if key in STATUS else _FUNCTIONS[key](arguments)


def known(value: object, depth: int = 0) -> object:
    """The value, when nothing in it is unknown here. Raises `Unresolved`."""
    if isinstance(value, Unknown):
        raise Unresolved(value.what)
    if depth > _MAX_DEPTH or isinstance(value, Partial) or not (is_primitive(value) or isinstance(value, dict | list)):
        raise Unresolved("the whole of an object")
    for item in value.values() if isinstance(value, dict) else value if isinstance(value, list) else ():
        known(item, depth + 1)
    return value


def _contains(arguments: Sequence[object]) -> object:
    where, what = arguments
    if isinstance(where, list):
        return any(equal(known(item), what) for item in where)
    if is_primitive(where) and is_primitive(what):
        return folded(as_text(what)) in folded(as_text(where))
    return False


def _starts(arguments: Sequence[object]) -> object:
    text, start = arguments
    return is_primitive(text) and is_primitive(start) and folded(as_text(text)).startswith(folded(as_text(start)))


def _ends(arguments: Sequence[object]) -> object:
    text, end = arguments
    return is_primitive(text) and is_primitive(end) and folded(as_text(text)).endswith(folded(as_text(end)))


def _format(arguments: Sequence[object]) -> object:
    room = _MAX_TEXT

    def value(match: re.Match[str]) -> str:
        nonlocal room
        if match[0] in ("{{", "}}"):
            return match[0][0]
        if match[1] is None:
            raise Invalid("format() has a single brace in its text")
        if int(match[1]) + 1 >= len(arguments):
            raise Invalid(f"format() has no value for {match[0]}")
        text = as_text(arguments[int(match[1]) + 1])
        room -= len(text)
        if room < 0:
            raise Invalid("format() makes a text that is too long")
        return text

    return _FIELD.sub(value, _bounded(as_text(arguments[0])))


def _join(arguments: Sequence[object]) -> object:
    items, between = arguments[0], as_text(arguments[1]) if arguments[1:] and is_primitive(arguments[1]) else ","
    if not isinstance(items, list):
        return as_text(items) if is_primitive(items) else ""
    texts = [as_text(known(item)) for item in items]
    if sum(map(len, texts)) + len(between) * len(texts) > _MAX_TEXT:
        raise Invalid("join() makes a text that is too long")
    return between.join(texts)


def _to_json(arguments: Sequence[object]) -> object:
    return _bounded(_json(known(arguments[0]), ""))


def _json(value: object, indent: str) -> str:
    """As GitHub prints it: two spaces deeper each time, one item a line, nothing but quotes and controls escaped."""
    deeper = indent + "  "
    if isinstance(value, dict) and value:
        items = [f"{deeper}{_quoted(name)}: {_json(item, deeper)}" for name, item in value.items()]
        return "{\n" + ",\n".join(items) + f"\n{indent}}}"
    if isinstance(value, list) and value:
        return "[\n" + ",\n".join(f"{deeper}{_json(item, deeper)}" for item in value) + f"\n{indent}]"
    if isinstance(value, dict | list):
        return "{}" if isinstance(value, dict) else "[]"
    if isinstance(value, str):
        return _quoted(value)
    return "null" if value is None else as_text(value)


def _quoted(text: str) -> str:
    quoted = json.dumps(text, ensure_ascii=False)
    return quoted if quoted.isascii() else "".join(_ESCAPED_TOO.get(char, char) for char in quoted)


def _from_json(arguments: Sequence[object]) -> object:
    text = as_text(arguments[0])
    try:
        value = _loaded(_bounded(text))
    except (ValueError, RecursionError) as error:
        raise Invalid("fromJSON() has a text that is no JSON") from error
    if _depth(value) > _MAX_DEPTH:
        raise Invalid("fromJSON() has a text that is nested too deeply")
    return value


def _loaded(text: str) -> object:
    """GitHub's reader also takes single quotes, names without quotes and a comma before the end."""
    try:
        value: object = json.loads(text, parse_int=float)
    except ValueError:
        value = json.loads(_LENIENT.sub(_strict, text), parse_int=float)
    return value


def _strict(match: re.Match[str]) -> str:
    if match["single"] is not None:
        inside = _ESCAPED.sub(lambda part: {"\\'": "'", '"': '\\"'}.get(part[0], part[0]), match["single"])
        return f'"{inside}"'
    if match["colon"] is not None:
        return f'"{match["name"]}"{match["colon"]}'
    return match["end"] if match["end"] is not None else match[0]


def _depth(value: object) -> int:
    """How deep arrays and objects are nested, counted level by level: JSON may be deeper than a function may call."""
    depth, level = 0, [value]
    while level := [
        item
        for outer in level
        if isinstance(outer, dict | list)
        for item in (outer.values() if isinstance(outer, dict) else outer)
    ]:
        depth += 1
    return depth


def _bounded(text: str) -> str:
    if len(text) > _MAX_TEXT:
        raise Invalid("it makes a text that is too long")
    return text


_MANY = 255
_ARITY: Mapping[str, tuple[int, int]] = {
    "contains": (2, 2),
    "startswith": (2, 2),
    "endswith": (2, 2),
    "format": (1, _MANY),
    "join": (1, 2),
    "tojson": (1, 1),
    "fromjson": (1, 1),
    "hashfiles": (1, _MANY),
    **dict.fromkeys(STATUS, (0, 0)),
}
_FUNCTIONS: Mapping[str, Function] = {
    "contains": _contains,
    "startswith": _starts,
    "endswith": _ends,
    "format": _format,
    "join": _join,
    "tojson": _to_json,
    "fromjson": _from_json,
}
