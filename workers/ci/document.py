"""Reads the YAML of other CI systems: merge keys are resolved, and values can be taken in the shape they should have.

Whatever the text holds, reading it either gives a mapping or raises `Unreadable` with a sentence.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Mapping

from workers import strict_yaml
from workers.expressions import as_text

MAX_BYTES = 512 * 1024
_MAX_ALIASES = 400
_MAX_DEPTH = 60
_MAX_LINES = 4_000
_MAX_TEXT = 16_000
_VARIABLE = re.compile(r"\$\$|\$\{([A-Za-z_]\w{0,99})\}|\$([A-Za-z_]\w{0,99})")

Mapped = Mapping[str, object]


class Unreadable(Exception):  # noqa: N818 - a finding about someone's file
    """The file cannot be understood; the message is half a sentence for people."""


def load(text: str, tags: Collection[str] = ()) -> Mapped:
    """The mapping a file holds. A value under one of the `tags` is a `strict_yaml.Tagged`."""
    try:
        document = strict_yaml.load(text, max_bytes=MAX_BYTES, max_aliases=_MAX_ALIASES, tags=tags)
    except strict_yaml.YamlProblem as problem:
        raise Unreadable(f"line {problem.line}, column {problem.column}: {problem.message}") from problem
    root = _merged(document.value, 0)
    if not isinstance(root, dict):
        raise Unreadable("it holds no keys and values")
    return root


def section(raw: Mapped, key: str) -> Mapped:
    """The mapping under the key; empty when there is none."""
    value = raw.get(key)
    return value if isinstance(value, dict) else {}


def listed(raw: Mapped, key: str) -> list[object]:
    """The list under the key; one of a single value, empty when there is none."""
    value = raw.get(key)
    if isinstance(value, list):
        return value
    return [] if value is None else [value]


def word(raw: Mapped, key: str) -> str:
    """The value under the key as a text; empty for none, and for what is no single value."""
    value = raw.get(key)
    return "" if isinstance(value, dict | list) else as_text(value)


def words(value: object) -> dict[str, str]:
    """A mapping of names to single values, as texts; what else stands in it is left out."""
    if not isinstance(value, dict):
        return {}
    return {name: as_text(item) for name, item in value.items() if not isinstance(item, dict | list)}


def lines(value: object) -> tuple[str, ...]:
    """A script as its commands, from a text or a list of texts and lists. Raises `Unreadable` for one without end."""
    found: list[str] = []
    for item in _flat(value):
        if len(found) >= _MAX_LINES:
            raise Unreadable(f"a script has more than {_MAX_LINES} commands")
        if text := as_text(item).strip("\n"):
            found.append(text)
    return tuple(found)


def expand(text: str, values: Mapping[str, str], rounds: int = 3) -> str:
    """The text with `$NAME` and `${NAME}` of known names replaced; the shell does the rest where it runs."""
    for _ in range(rounds):
        found = _VARIABLE.sub(lambda match: values.get(match[1] or match[2] or "", match[0]), text)
        if found == text or len(found) > _MAX_TEXT:
            break
        text = found
    return text


def _flat(value: object) -> Iterator[object]:
    stack = [value]
    while stack:
        item = stack.pop()
        if isinstance(item, list):
            stack.extend(reversed(item))
        elif item is not None and not isinstance(item, dict):
            yield item


def _merged(value: object, depth: int) -> object:
    """The value with `<<` replaced by what it names: own keys win, then the first of several."""
    if depth > _MAX_DEPTH:
        raise Unreadable("it is nested too deeply")
    if isinstance(value, list):
        return [_merged(item, depth + 1) for item in value]
    if isinstance(value, strict_yaml.Tagged):
        return strict_yaml.Tagged(value.tag, _merged(value.value, depth + 1))
    if not isinstance(value, dict):
        return value
    own = {key: _merged(item, depth + 1) for key, item in value.items() if key != "<<"}
    named = value.get("<<")
    for source in named if isinstance(named, list) else [named]:
        merged = _merged(source, depth + 1)
        own = {**merged, **own} if isinstance(merged, dict) else own
    return own
