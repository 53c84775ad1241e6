"""What goes to a model and what comes back, whichever endpoint or tape it comes from.

Knows no endpoint: plain values that the client, the talk and the cassettes share.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from workers.domain import Usage

Schema = Mapping[str, object]
"""A JSON schema, as `schemas.strict` makes it. A wish: many endpoints ignore it, so answers are read with care."""


def sound(text: str) -> str:
    """The text without halves of characters, which no endpoint takes and no file or database keeps."""
    return text.encode(errors="replace").decode()


@dataclass(frozen=True)
class Message:
    """One turn: `role` is system, user or assistant."""

    role: str
    content: str


@dataclass(frozen=True)
class Call:
    """What an endpoint says about one answer, kept with everything that is stored of it.

    `cached_tokens` are part of the input, `reasoning_tokens` of the output. `estimated`: it counted no tokens, so ours
    are a guess from the length of the texts.
    """

    response: str = ""
    finish: str = ""
    cached_tokens: int = 0
    reasoning_tokens: int = 0
    estimated: bool = False


@dataclass(frozen=True)
class Answer:
    """A text, the model that says it wrote it, and what it cost. The text is empty where there is only the bill."""

    text: str
    model: str
    usage: Usage
    call: Call = field(default_factory=Call)
