"""Values as JSON text and back: the frozen dataclasses of `workers.domain` and `sandbox.spec`, bytes as base64."""

from __future__ import annotations

import json
from collections.abc import Mapping
from types import GenericAlias
from typing import Any, TypeVar

from pydantic import ConfigDict, TypeAdapter, ValidationError

T = TypeVar("T")

_CONFIG = ConfigDict(ser_json_bytes="base64", val_json_bytes="base64", ser_json_inf_nan="constants")


_adapters: dict[Any, TypeAdapter[Any]] = {}  # a cache: building an adapter takes milliseconds


def _adapter(kind: Any) -> TypeAdapter[Any]:
    # A TypeAdapter takes no config beside a dataclass; a tuple of one passes its own config on to what it holds.
    found = _adapters.get(kind)
    if found is None:
        holder: Any = GenericAlias(tuple, (kind,))
        found = _adapters[kind] = TypeAdapter(holder, config=_CONFIG)
    return found


def to_json(value: object, kind: Any = None) -> str:
    """The value as JSON text. `kind` names the type where the value alone does not tell it (`tuple[Finding, ...]`)."""
    text = _adapter(kind or type(value)).dump_json((value,)).decode()
    return text[1:-1]


def from_json(text: str, kind: type[T]) -> T:
    """The value again. Raises pydantic's ValidationError when the text was written for another shape."""
    value: T = _adapter(kind).validate_json(f"[{text}]")[0]
    return value


def read(text: str | None, kind: type[T]) -> T | None:
    """A stored value; None when there is none, and when another release wrote it in a shape this one does not know."""
    try:
        return from_json(text, kind) if text is not None else None
    except ValidationError:
        return None


def data_to_json(data: Mapping[str, object]) -> str:
    """Small event data as a JSON object; what JSON does not know is written as text."""
    return json.dumps(dict(data), default=str, ensure_ascii=False)


def data_from_json(text: str) -> dict[str, Any]:
    """The object that `data_to_json` wrote."""
    found: dict[str, Any] = json.loads(text)
    return found


def clean(text: str) -> str:
    """The text as every database takes it: no NUL (PostgreSQL) and no lone surrogates (UTF-8)."""
    return text.replace("\0", "\N{REPLACEMENT CHARACTER}").encode("utf-8", "replace").decode()
