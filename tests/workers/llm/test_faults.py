"""What endpoints' refusals mean, in the words that they really use."""

from __future__ import annotations

import time
from email.utils import formatdate

import pytest

from tests.workers.hostile import HOSTILE
from workers.llm.faults import Kind, judge, wish
from workers.llm.standing import Quirk, Standing

ALL = {
    "response_format": {"type": "json_schema"},
    "messages": [{"role": "system", "content": ""}, {"role": "user", "content": ""}],
    "max_tokens": 4096,
    "temperature": 0,
}


@pytest.mark.parametrize(
    ("status", "code", "words", "kind"),
    [
        (429, "rate_limit_exceeded", "Rate limit reached for requests", Kind.PASSES),
        (429, "insufficient_quota", "whatever", Kind.DENIED),
        (429, "", "You exceeded your current quota, please check your plan and billing details.", Kind.DENIED),
        (429, "rate_limit_exceeded", "Request too large for gpt-4o on tokens per min (TPM)", Kind.TOO_LONG),
        (429, "", "Too many tokens, please wait before trying again.", Kind.PASSES),
        (429, "", "You exceeded your current quota, see your plan and billing. Please retry in 34.07s.", Kind.PASSES),
        (429, "insufficient_quota", "Please retry in 34s.", Kind.DENIED),
        (408, "", "", Kind.PASSES),
        (409, "", "", Kind.PASSES),
        (500, "", "", Kind.PASSES),
        (502, "", "<html>Bad Gateway</html>", Kind.PASSES),
        (503, "", "The context window service is overloaded", Kind.PASSES),
        (529, "overloaded_error", "Overloaded", Kind.PASSES),
        (501, "", "not implemented", Kind.DISLIKED),
        (401, "invalid_api_key", "", Kind.DENIED),
        (402, "", "Payment Required", Kind.DENIED),
        (403, "", "Country not supported", Kind.DENIED),
        (404, "model_not_found", "", Kind.DENIED),
        (400, "invalid_request_error", "Your credit balance is too low to access the API.", Kind.DENIED),
        (400, "context_length_exceeded", "", Kind.TOO_LONG),
        (400, "", "prompt is too long: 210000 tokens > 200000 maximum", Kind.TOO_LONG),
        (413, "", "Request Entity Too Large", Kind.TOO_LONG),
        (400, "content_filter", "The response was filtered", Kind.FILTERED),
        (403, "", "Your chosen model requires moderation and your input was flagged", Kind.FILTERED),
        (400, "", "Unsupported parameter: temperature", Kind.DISLIKED),
        (422, "", "extra fields not permitted", Kind.DISLIKED),
    ],
)
def test_a_refusal_means_one_thing(status: int, code: str, words: str, kind: Kind) -> None:
    """Codes first, then words: money is never waited for, and a rate limit never ends a run."""
    assert judge(status, frozenset({code} - {""}), words).kind is kind


@pytest.mark.parametrize(
    ("header", "least", "most"),
    [
        ({"retry-after": "7"}, 7, 7),
        ({"retry-after-ms": "1500", "retry-after": "9"}, 1.5, 1.5),
        ({"retry-after": "inf"}, 86_400, 86_400),
        ({"retry-after": "nan"}, 0, 0),
        ({"retry-after": "-4"}, 0, 0),
        ({"retry-after": "soon"}, 0, 0),
        ({}, 0, 0),
    ],
)
def test_the_wish_to_wait_is_read(header: dict[str, str], least: float, most: float) -> None:
    """Seconds, milliseconds or a date, within a day; nothing else is believed."""
    assert least <= wish(header) <= most


def test_a_date_to_wait_for_is_read() -> None:
    """As seconds from now; one that is over asks for nothing."""
    assert 2900 <= wish({"retry-after": formatdate(time.time() + 3000, usegmt=True)}) <= 3001
    assert wish({"retry-after": formatdate(time.time() - 3000, usegmt=True)}) == 0


@pytest.mark.parametrize(
    ("words", "seconds"),
    [("Please retry in 34.5s.", 34.5), ("Please try again in 20ms", 0.02), ("try again in 6m0s", 360), ("later", 0)],
)
def test_a_wish_in_words_is_read_too(words: str, seconds: float) -> None:
    """A header comes first."""
    assert judge(429, frozenset(), words).retry_after == pytest.approx(seconds)
    assert judge(429, frozenset(), words, 5.0).retry_after == 5.0


@pytest.mark.parametrize(
    ("words", "quirk"),
    [
        ("Unsupported parameter: 'max_tokens'. Use 'max_completion_tokens' instead.", Quirk.LIMIT),
        ("Unsupported value: 'temperature' does not support 0 with this model.", Quirk.TEMPERATURE),
        ("response_format json_schema not supported", Quirk.SCHEMA),
        ("either json_schema or grammar can be specified, not both", Quirk.SCHEMA),
        ("System role not supported", Quirk.SYSTEM),
        ("Developer instruction is not enabled for models/gemma", Quirk.SYSTEM),
        ("Conversation roles must alternate user/assistant/user/assistant/...", Quirk.SYSTEM),
    ],
)
def test_what_is_disliked_is_found_in_the_words(words: str, quirk: Quirk) -> None:
    """Once; what goes on being refused is another matter."""
    standing = Standing()
    assert standing.learn(words, ALL)
    assert standing.quirks == {quirk}
    assert not standing.learn(words, ALL)


@pytest.mark.parametrize("words", ["no", "temperature"])
def test_what_was_not_sent_cannot_be_left_out(words: str) -> None:
    """Then the request is refused for good."""
    assert not Standing().learn(words, {"messages": [], "max_tokens": 5})


@pytest.mark.parametrize("text", HOSTILE, ids=range(len(HOSTILE)))
def test_no_words_raise(text: str) -> None:
    """Whatever a server says is judged, shown in one short line, and learnt from or not."""
    fault = judge(400, frozenset({text}), text)
    assert len(fault.text) <= 204
    assert "\n" not in fault.text
    Standing().learn(fault.said, ALL)
    wish({"retry-after": text})
