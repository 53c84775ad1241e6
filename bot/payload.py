"""How fields are read from the raw JSON of a delivery, which dies here: leniently, and never longer than we can store.

A field that is missing, null or of the wrong type becomes 0, "" or nothing; 26 of 91 recorded deliveries do not fit a
strict model.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from datetime import datetime

from workers.tables import dig

LONGEST_NAME = 255
LONGEST_URL = 2000
LONGEST_TEXT = 70_000
LARGEST_ID = 2**63 - 1

_UNSTORABLE = re.compile("[\x00\ud800-\udfff]")  # PostgreSQL text holds no NUL, UTF-8 no lone surrogates

Json = Mapping[str, object]


class UnreadableEvent(Exception):  # noqa: N818 - a verdict on the input, with its reason
    """The body is not a JSON object; `reason` says what it is instead."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


def load(body: bytes) -> Json:
    """The payload of a delivery. Raises only `UnreadableEvent`."""
    try:
        payload = _JSON.decode(body.decode("utf-8"))
    except UnicodeDecodeError as error:
        raise UnreadableEvent("the body is not UTF-8") from error
    except ValueError as error:
        raise UnreadableEvent(f"the body is not JSON: {str(error)[:120]}") from error
    except RecursionError as error:
        raise UnreadableEvent("the body is nested too deeply") from error
    if not isinstance(payload, dict):
        raise UnreadableEvent(f"the body is a JSON {type(payload).__name__}, not an object")
    return payload


def _refuse_constant(name: str) -> object:
    raise ValueError(f"{name} is not JSON")


_JSON = json.JSONDecoder(parse_constant=_refuse_constant)
"""Made once: `json.loads` makes one for every text that it is not to read in its own way."""


def clean(found: str, longest: int = LONGEST_NAME) -> str:
    """Text that every database can hold, cut."""
    return _UNSTORABLE.sub("\N{REPLACEMENT CHARACTER}", found[:longest])


def text(value: object, *keys: str, longest: int = LONGEST_NAME) -> str:
    """A text, "" when there is none."""
    found = dig(value, *keys)
    return clean(found, longest) if isinstance(found, str) else ""


def number(value: object, *keys: str) -> int:
    """A positive number, also one written as text; 0 when there is none."""
    found = dig(value, *keys)
    if isinstance(found, str) and re.fullmatch(r"[0-9]{1,19}", found):
        found = int(found)
    return found if type(found) is int and 0 < found <= LARGEST_ID else 0


def items(value: object, *keys: str) -> list[object]:
    """A list, empty when there is none."""
    found = dig(value, *keys)
    return found if isinstance(found, list) else []


def moment(value: object, *keys: str) -> float:
    """A time in seconds since 1970: GitHub writes it as a number or in ISO form. 0 when there is none."""
    found = dig(value, *keys)
    if not isinstance(found, str):
        return float(number(found))
    try:
        at = datetime.fromisoformat(found[:40])
    except (ValueError, OverflowError):
        return 0.0
    return max(0.0, at.timestamp()) if at.tzinfo else 0.0
