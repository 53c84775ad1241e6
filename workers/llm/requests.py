"""Writes the body of a chat completion for an endpoint as it is: without what it is known not to take.

A pure function of the turns, the wanted form and what was learnt.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from workers.llm.exchange import Message, Schema
from workers.llm.standing import Quirk, Standing


def body(
    model: str,
    messages: Sequence[Message],
    max_tokens: int,
    schema: Schema | None,
    standing: Standing,
    temperature: float = 0.0,
) -> dict[str, Any]:
    """The request. `schema` goes down the ladder: a strict schema, any JSON object, nothing but the prompt's words."""
    quirks = standing.quirks
    limit = "max_completion_tokens" if Quirk.LIMIT in quirks else "max_tokens"
    most = min(max_tokens, standing.most or max_tokens)
    request: dict[str, Any] = {"model": model, "messages": _turns(messages, Quirk.SYSTEM not in quirks), limit: most}
    if Quirk.TEMPERATURE not in quirks:
        request["temperature"] = temperature
    if schema is not None and not {Quirk.SCHEMA, Quirk.JSON} <= quirks:
        request["response_format"] = _form(schema, quirks)
    return request


def _form(schema: Schema, quirks: set[Quirk]) -> dict[str, Any]:
    if Quirk.SCHEMA in quirks:
        return {"type": "json_object"}
    return {"type": "json_schema", "json_schema": {"name": "answer", "schema": schema, "strict": True}}


def _turns(messages: Sequence[Message], system: bool) -> list[dict[str, str]]:
    turns = [{"role": message.role, "content": message.content} for message in messages]
    if system or len(turns) < 2 or turns[0]["role"] != "system":
        return turns
    first, second, *rest = turns
    return [{"role": "user", "content": f"{first['content']}\n\n{second['content']}"}, *rest]
