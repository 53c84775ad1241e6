"""The kinds of values that stand in `.github/heal.yml`, beside pydantic's own: switches, times, sizes, patterns, hosts.

Each knows its JSON Schema, so that an editor accepts exactly what the worker does.
"""

from __future__ import annotations

import re
from typing import Annotated, Any, TypeVar

from pydantic import AfterValidator, BeforeValidator, Field, Strict, StringConstraints, WithJsonSchema

T = TypeVar("T")

_WORDS = {"yes": True, "on": True, "no": False, "off": False}
_SPELLED = {spelled: value for word, value in _WORDS.items() for spelled in (word, word.title(), word.upper())}
_HOST = r"(?:\*\.)?(?:[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?\.){1,8}[a-z](?:[a-z0-9-]{0,61}[a-z0-9])?"
_UNITS = {"s": 1, "m": 60, "h": 3600}
_SECONDS = r"(?:[1-9]\d{1,2}|[12]\d{3}|3[0-5]\d{2}|3600)s|(?:[1-9]|[1-5]\d|60)m|1h"
_MEBIBYTES = r"102[4-9]|10[3-9]\d|1[1-9]\d{2}|[2-9]\d{3}|1[0-5]\d{3}|16[0-2]\d{2}|163[0-7]\d|1638[0-4]"
_MEMORY = rf"(?:[1-9]|1[0-6])g|(?:{_MEBIBYTES})m"


def _switch(value: object) -> object:
    """YAML's old words for booleans, which this reader keeps as words, mean what they say where one is expected."""
    return _SPELLED.get(value, value) if isinstance(value, str) else value


def _seconds(value: object) -> object:
    if isinstance(value, str) and re.fullmatch(_SECONDS, value, re.ASCII):
        return int(value[:-1]) * _UNITS[value[-1]]
    return value


def _gibibytes(value: object) -> object:
    if isinstance(value, str) and re.fullmatch(_MEMORY, value.lower(), re.ASCII):
        return int(value[:-1]) / (1024 if value[-1] in "mM" else 1)
    return value


def _auto(value: object) -> object:
    return None if value == "auto" else value


def _host(text: str) -> str:
    """A host name in lower case, or one with `*.` in front for all below it. Addresses and single words are none."""
    host = text.lower()
    if len(host) > 253 or not re.fullmatch(_HOST, host):
        raise ValueError("a host name such as api.example.org or *.example.org")
    return host


def _distinct(items: tuple[T, ...]) -> tuple[T, ...]:
    return tuple(dict.fromkeys(items))


def _or_words(pattern: str, number: dict[str, Any]) -> WithJsonSchema:
    """A number, or a word of the pattern for one."""
    return WithJsonSchema({"anyOf": [number, {"type": "string", "pattern": f"^(?:{pattern})$"}]})


Switch = Annotated[
    bool, Strict(), BeforeValidator(_switch), WithJsonSchema({"enum": [True, False, *_SPELLED]})
]  # fmt: skip
"""True or false, also in YAML's old words."""

Seconds = Annotated[
    int, Strict(), Field(ge=10, le=3600), BeforeValidator(_seconds),
    _or_words(_SECONDS, {"type": "integer", "minimum": 10, "maximum": 3600}),
]  # fmt: skip
"""A number of seconds, or a time such as `90s`, `30m`, `1h`."""

Gibibytes = Annotated[
    float, Strict(), Field(ge=1, le=16), BeforeValidator(_gibibytes),
    _or_words(_MEMORY.replace("g|", "[gG]|").replace("m", "[mM]"), {"type": "number", "minimum": 1, "maximum": 16}),
]  # fmt: skip
"""A number of GiB, or a size such as `4g`, `1536m`."""

Whole = Annotated[int, Strict()]
Number = Annotated[float, Strict()]
Text = Annotated[str, StringConstraints(min_length=1, max_length=4000)]
AutoText = Annotated[Text | None, BeforeValidator(_auto)]
"""A text; `auto` and nothing at all both leave it to Heal."""

Glob = Annotated[str, StringConstraints(min_length=1, max_length=200)]
Globs = Annotated[tuple[Glob, ...], Field(max_length=100), AfterValidator(_distinct)]
"""Patterns of paths (see `workers.globs`) or, under `triggers`, of names (as a shell has them)."""

Names = Annotated[
    tuple[Annotated[str, StringConstraints(min_length=1, max_length=100)], ...],
    Field(max_length=20),
    AfterValidator(_distinct),
]
HostName = Annotated[
    str, AfterValidator(_host),
    WithJsonSchema({"type": "string", "maxLength": 253, "pattern": f"^{_HOST.replace('a-z', 'a-zA-Z')}$"}),
]  # fmt: skip
