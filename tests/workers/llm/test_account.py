"""What is read out of completions: texts, ends and bills, as endpoints really send them."""

from __future__ import annotations

from typing import Any

import pytest

from workers.domain import Usage
from workers.llm.account import estimate, most, read
from workers.llm.errors import BadAnswer, ModelError, ModelRefused
from workers.llm.exchange import Call, Message
from workers.llm.prices import Price

ASK = [Message("user", "x" * 35)]
PRICE = Price(10.0, 1.0, 100.0)


def completion(usage: Any = None, message: Any = None, finish: Any = "stop") -> dict[str, Any]:
    said = {"content": "fine"} if message is None else message
    return {"id": "r-1", "model": "m-2", "choices": [{"message": said, "finish_reason": finish}], "usage": usage}


def test_cached_and_reasoning_tokens_are_counted_and_priced() -> None:
    """Cached input is cheaper, thoughts are output; both stay known."""
    usage = {
        "prompt_tokens": 1000,
        "completion_tokens": 50,
        "total_tokens": 1050,
        "prompt_tokens_details": {"cached_tokens": 800},
        "completion_tokens_details": {"reasoning_tokens": 30},
    }
    answer = read(completion(usage), ASK, "m", PRICE)
    assert answer.usage == Usage(1000, 50, (200 * 10 + 800 * 1 + 50 * 100) / 1e6)
    assert answer.call == Call("r-1", "stop", 800, 30, estimated=False)
    assert answer.model == "m-2"


def test_thoughts_outside_of_the_completion_are_output_too() -> None:
    """Some endpoints count them in the total alone."""
    usage = {"prompt_tokens": 10, "completion_tokens": 5, "total_tokens": 100}
    assert read(completion(usage), ASK, "m", None).usage == Usage(10, 90, None)


@pytest.mark.parametrize(
    "usage", [None, {}, [], "many", {"prompt_tokens": None}, {"prompt_tokens": 0, "completion_tokens": 0}]
)
def test_what_was_not_counted_is_estimated_and_said_to_be(usage: Any) -> None:
    """From the length of the texts."""
    answer = read(completion(usage), ASK, "m", PRICE)
    assert answer.call.estimated
    assert answer.usage == Usage(14, 1, (14 * 10 + 100) / 1e6)


@pytest.mark.parametrize("count", [-5, 1e300, float("nan"), float("inf"), True, "7", [7], {}])
def test_a_count_that_is_none_costs_no_wonder(count: Any) -> None:
    """Costs stay finite and are never below zero, whatever is counted where."""
    usage = {
        "prompt_tokens": 100,
        "completion_tokens": count,
        "total_tokens": count,
        "prompt_tokens_details": {"cached_tokens": count},
        "completion_tokens_details": {"reasoning_tokens": count},
    }
    cost = read(completion(usage), ASK, "m", PRICE).usage.cost_usd
    assert cost is not None
    assert 0 < cost < 1e6


@pytest.mark.parametrize(
    ("cost", "bills", "known"), [(0.25, True, 0.25), (0.25, False, None), ("0.25", True, None), (-1, True, None)]
)
def test_an_endpoint_s_own_bill_counts_where_it_is_in_dollars(cost: Any, bills: bool, known: float | None) -> None:
    """Else what an unknown model cost stays unknown."""
    usage = {"prompt_tokens": 10, "completion_tokens": 1, "cost": cost}
    assert read(completion(usage), ASK, "m", None, bills=bills).usage.cost_usd == known


def test_a_message_in_parts_is_read() -> None:
    """Thoughts are no text."""
    parts = [{"type": "thinking", "thinking": [{"type": "text", "text": "hm"}]}, {"type": "text", "text": "a"}, None]
    assert read(completion(message={"content": [*parts, {"type": "text", "text": "b"}]}), ASK, "m", None).text == "ab"


@pytest.mark.parametrize(
    ("message", "finish", "error"),
    [
        ({"content": None, "refusal": "no"}, "stop", ModelRefused),
        ({"content": "half"}, "content_filter", ModelRefused),
        ({"content": " \n"}, "length", BadAnswer),
        ({"content": 7}, "stop", BadAnswer),
        ([], None, BadAnswer),
    ],
)
def test_no_answer_has_its_bill(message: Any, finish: Any, error: type[ModelError]) -> None:
    """It was paid for like any other."""
    with pytest.raises(error) as raised:
        read(completion({"prompt_tokens": 10, "completion_tokens": 2}, message, finish), ASK, "m", PRICE)
    assert raised.value.paid is not None
    assert raised.value.paid.usage == Usage(10, 2, 300 / 1e6)
    assert raised.value.paid.text == "" or not raised.value.paid.text.strip()


@pytest.mark.parametrize("body", [None, [], 7, "x", {}, {"choices": {}}, {"choices": []}, {"choices": [None, 3]}])
def test_what_is_no_completion_is_a_bad_answer(body: Any) -> None:
    """Nothing raises anything else."""
    with pytest.raises(BadAnswer):
        read(body, ASK, "m", PRICE)


@pytest.mark.parametrize(
    ("text", "least"),
    [
        ("def area(a, b):\n    return a * b\n" * 40, 500),
        ("0x7f3a1c2d4e5f6a7b" * 40, 360),  # two characters a token
        ("\u4e2d\u6587" * 100, 200),  # one character a token, or more
        ("\U0001f600" * 50, 150),  # up to a byte a token
        ("", 1),
    ],
)
def test_what_is_reserved_is_the_worst_case(text: str, least: int) -> None:
    """No text has more tokens, and the guess for a bill is never above it."""
    asked = [Message("user", text)]
    assert most(asked) >= max(least, estimate(asked))
