"""Reads a chat completion as endpoints really send it: the text, why it ended, what it cost.

The completion is a stranger's JSON: every field may be missing or of another type, and none of that raises more than a
`ModelError`. A cost is known from the price table or from the endpoint's own bill, and else unknown, never 0.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from workers.domain import Usage
from workers.llm.errors import BadAnswer, ModelRefused
from workers.llm.exchange import Answer, Call, Message, sound
from workers.llm.prices import Price

_CHARS_PER_TOKEN = 3.5
_MOST_TOKENS = 100_000_000
_LARGEST = 1e300


def estimate(messages: Sequence[Message]) -> int:
    """About how many tokens the messages have."""
    return int(sum(len(message.content) for message in messages) / _CHARS_PER_TOKEN) + 4 * len(messages)


def most(messages: Sequence[Message]) -> int:
    """How many tokens the messages have at most: two characters of ASCII make one in dense text, and of other scripts
    every byte may be one."""
    sizes = [(len(message.content), len(message.content.encode(errors="replace"))) for message in messages]
    # Of n characters in b bytes at least b - n bytes are more than ASCII would have needed.
    return sum(chars // 2 + 1 + (size - chars) for chars, size in sizes) + 8 * len(messages)


def read(
    completion: Any, messages: Sequence[Message], model: str, price: Price | None, *, bills: bool = False
) -> Answer:
    """The answer in a completion to `messages`. Raises `ModelRefused` and `BadAnswer`, both with the bill.

    `bills`: the endpoint's `usage.cost` is what it charged, in US dollars.
    """
    choices = _part(completion).get("choices")
    choice = _part(choices[0]) if isinstance(choices, list) and choices else None
    if choice is None:
        raise BadAnswer("the endpoint answered with no choice")
    message = _part(choice.get("message"))
    answer = _billed(_part(completion), _text(message.get("content")), messages, model, price)
    if bills and price is None:
        charged = _dollars(_part(_part(completion).get("usage")).get("cost"))
        answer = replace(answer, usage=replace(answer.usage, cost_usd=charged))
    answer = replace(answer, call=replace(answer.call, finish=_word(choice.get("finish_reason"))))
    if refusal := message.get("refusal"):
        raise ModelRefused(sound(str(refusal)[:500]), replace(answer, text=""))
    if answer.call.finish == "content_filter":
        raise ModelRefused("the endpoint's content filter stopped the answer", replace(answer, text=""))
    if not answer.text.strip():
        raise BadAnswer(f"the answer is empty (finish reason: {answer.call.finish or 'none'})", answer)
    return answer


def _billed(
    completion: Mapping[str, Any], text: str, messages: Sequence[Message], model: str, price: Price | None
) -> Answer:
    said = _part(completion.get("usage"))
    tokens_in, tokens_out = _count(said.get("prompt_tokens")), _count(said.get("completion_tokens"))
    estimated = not tokens_in
    if estimated:
        tokens_in, tokens_out = estimate(messages), int(len(text) / _CHARS_PER_TOKEN)
    else:
        # Some endpoints leave a model's thoughts out of the completion's tokens; they are paid for all the same.
        tokens_out = max(tokens_out, _count(said.get("total_tokens")) - tokens_in)
    cached = min(tokens_in, _count(_part(said.get("prompt_tokens_details")).get("cached_tokens")))
    thoughts = min(tokens_out, _count(_part(said.get("completion_tokens_details")).get("reasoning_tokens")))
    cost = price.of(tokens_in, tokens_out, cached) if price else None
    call = Call(_word(completion.get("id")), "", cached, thoughts, estimated)
    return Answer(text, _word(completion.get("model")) or model, Usage(tokens_in, tokens_out, cost), call)


def _text(content: Any) -> str:
    """The text of a message: a string, or parts of which some are texts and others thoughts."""
    if isinstance(content, list):
        parts = [_part(part) for part in content]
        texts = [part.get("text") for part in parts if part.get("type") in ("text", "output_text")]
        return sound("".join(text for text in texts if isinstance(text, str)))
    return sound(content) if isinstance(content, str) else ""


def _part(value: Any) -> Mapping[str, Any]:
    return value if isinstance(value, dict) else {}


def _word(value: Any) -> str:
    return sound(value[:200]) if isinstance(value, str) else ""


def _count(value: Any) -> int:
    """A number of tokens; 0 for what is none."""
    return int(min(max(0, value), _MOST_TOKENS)) if _is_number(value) else 0


def _dollars(value: Any) -> float | None:
    """What the endpoint says that it charged, None when it does not say."""
    return float(value) if _is_number(value) and value >= 0 else None


def _is_number(value: Any) -> bool:
    """One that can be counted with: JSON's may be larger than any float."""
    return isinstance(value, int | float) and not isinstance(value, bool) and abs(value) < _LARGEST
