"""Signed deliveries as GitHub sends them, and small hand-made payloads with only the fields that matter."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from bot.webhook import signed_headers

SECRET = "0123456789abcdef0123456789abcdef"
PAYLOADS = Path(__file__).parent / "payloads"
REAL_PAYLOADS = Path(__file__).parents[2].parent / "shared" / "github" / "payloads"
SHA = "a" * 40


def payload(name: str, **changes: Any) -> dict[str, Any]:
    """A hand-made payload by file name; `changes` replace values at "a__b__c" paths."""
    body: dict[str, Any] = json.loads((PAYLOADS / f"{name}.json").read_text())
    for path, value in changes.items():
        *parents, last = path.split("__")
        target = body
        for parent in parents:
            target = target[parent]
        target[last] = value
    return body


def encoded(body: object) -> bytes:
    """The bytes that are signed and sent."""
    return json.dumps(body).encode()


def headers(event: str, body: bytes, guid: str = "", secret: str = SECRET) -> dict[str, str]:
    """The headers of a signed delivery."""
    return signed_headers(secret, event, body, guid)
