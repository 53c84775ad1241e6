"""Tables in files that strangers wrote: TOML that may be none, and what lies at keys of which each may be missing."""

from __future__ import annotations

import tomllib
from typing import Any


def toml(text: str) -> dict[str, Any] | None:
    """The document. None for what is no TOML, nests too deeply, or holds a number too long for Python."""
    try:
        return tomllib.loads(text)
    except (ValueError, RecursionError):
        return None


def dig(value: object, *keys: str) -> object:
    """What lies at the keys, None where the way there is missing or leads through something else than a table."""
    for key in keys:
        value = value.get(key) if isinstance(value, dict) else None
    return value
