"""What the client promises about endpoints as they are: patience, honesty about cost, no secret in what leaves."""

from __future__ import annotations

import subprocess
import sys
import time
from typing import Any

import pytest
from pydantic import SecretStr

from tests.model import replies
from tests.model.process import Model
from workers.errors import Retryable, UsageError
from workers.llm.client import Client, Message
from workers.llm.errors import BadAnswer, ContextTooLong, ModelRefused, OutOfQuota
from workers.llm.providers import endpoint

ASK = [Message("system", "be brief"), Message("user", "hello")]


class Waits(list[float]):
    """A clock's place: remembers how long was waited, waits not."""

    def __call__(self, seconds: float) -> None:
        self.append(seconds)


def client(model: Model, spec: str = "openai:gpt-5-mini", **options: Any) -> tuple[Client, Waits]:
    waits = Waits()
    return Client(spec, SecretStr("test-key"), model.url, sleep=waits, **options), waits


def test_an_answer_comes_with_its_cost(model: Model) -> None:
    """Text, tokens as the endpoint counts them, dollars by the table."""
    model.script([replies.text("hi there, how are you")])
    answer = client(model)[0].ask(ASK, 100)
    assert answer.text == "hi there, how are you"
    assert answer.usage.cost_usd == pytest.approx(
        (answer.usage.input_tokens * 0.25 + answer.usage.output_tokens * 2) / 1e6
    )
    assert not answer.estimated
    assert model.requests()[0]["headers"]["authorization"] == "Bearer test-key"


def test_an_unknown_model_has_an_unknown_cost(model: Model) -> None:
    """None, never a guess; a missing usage is estimated and said to be."""
    model.script([replies.text("hello again", usage=False)])
    answer = client(model, "openai:something-new")[0].ask(ASK, 100)
    assert answer.usage.cost_usd is None
    assert answer.estimated
    assert answer.usage.input_tokens > 0


@pytest.mark.parametrize(
    "fault",
    [replies.rate_limited(), replies.failed(500, "oops"), replies.html(502), replies.dropped(), replies.cut()],
    ids=lambda fault: f"{fault['kind']}-{fault.get('status', '')}",
)
def test_what_passes_is_tried_again(model: Model, fault: replies.Reply) -> None:
    """One bad reply costs one short wait."""
    model.script([fault, replies.text("now")])
    asked, waits = client(model)
    assert asked.ask(ASK, 100).text == "now"
    assert len(waits) == 1
    assert len(model.requests()) == 2


def test_the_servers_wish_to_wait_is_kept(model: Model) -> None:
    """Retry-After is the least that is waited, and a wish beyond the deadline parks the run for that long."""
    model.script([replies.rate_limited(7), replies.text("now"), replies.rate_limited(900)])
    asked, waits = client(model)
    asked.ask(ASK, 100)
    assert waits[0] >= 7
    with pytest.raises(Retryable) as parked:
        asked.ask(ASK, 100)
    assert parked.value.blame == "model"
    assert parked.value.after == 900


@pytest.mark.parametrize(
    "fault", [replies.out_of_quota(), replies.unauthorized(), replies.failed(402, "Payment Required")]
)
def test_what_does_not_pass_is_asked_once(model: Model, fault: replies.Reply) -> None:
    """No credit and no right are final at once, and the message holds no key."""
    model.script([fault, replies.text("never")])
    asked, waits = client(model)
    with pytest.raises(OutOfQuota) as final:
        asked.ask(ASK, 100)
    assert not waits
    assert len(model.requests()) == 1
    assert "test-key" not in str(final.value)


@pytest.mark.parametrize("param", ["max_tokens", "temperature", "response_format", "system"])
def test_a_parameter_the_endpoint_does_not_know_is_learnt(model: Model, param: str) -> None:
    """Refused once, left out from then on."""
    words = f"Unsupported value: '{param}' is not supported with this model."
    model.script([replies.unsupported(param, words), replies.text("one"), replies.text("two")])
    asked, _ = client(model)
    assert asked.ask(ASK, 100, json=True).text == "one"
    assert asked.ask(ASK, 100, json=True).text == "two"
    bodies = [request["body"] for request in model.requests()]
    assert len(bodies) == 3
    assert all("max_completion_tokens" in body for body in bodies[1:]) == (param == "max_tokens")
    assert param not in bodies[2]
    assert any(turn["role"] == "system" for turn in bodies[2]["messages"]) == (param != "system")


def test_a_prompt_that_is_too_long_says_so(model: Model) -> None:
    """The caller shortens it; asking again would not help."""
    model.script([replies.too_long(3)])
    with pytest.raises(ContextTooLong):
        client(model)[0].ask(ASK, 100)


@pytest.mark.parametrize("fault", [replies.no_choices(), replies.text(""), replies.text("", finish="length")])
def test_an_answer_without_text_is_a_bad_one(model: Model, fault: replies.Reply) -> None:
    """Never an empty patch."""
    model.script([fault])
    with pytest.raises(BadAnswer):
        client(model)[0].ask(ASK, 100)


def test_a_refusal_is_told_apart(model: Model) -> None:
    """With the model's words."""
    model.script([replies.refusal("not this")])
    with pytest.raises(ModelRefused, match="not this"):
        client(model)[0].ask(ASK, 100)


def test_a_slow_endpoint_is_left_after_one_more_try(model: Model) -> None:
    """Time limits are ours, and the run is parked instead of failed."""
    model.script([replies.text("late", delay=3), replies.text("late", delay=3)])
    started = time.monotonic()
    with pytest.raises(Retryable):
        client(model, call_s=1.0)[0].ask(ASK, 100)
    assert time.monotonic() - started < 6
    assert len(model.requests()) == 2


def test_secrets_are_blanked_before_they_leave(model: Model) -> None:
    """A token in a log never reaches the endpoint."""
    token = "ghp_" + "a1B2" * 9
    model.script([replies.text("ok")])
    client(model)[0].ask([Message("user", f"log: {token}")], 100)
    assert token not in model.prompts()[0]


def test_the_key_is_in_no_representation(model: Model) -> None:
    """Printing a client shows stars."""
    assert "test-key" not in repr(client(model)[0])


@pytest.mark.parametrize("spec", ["gpt-5", "openai:", "nobody:model", "", "azure:gpt"])
def test_a_wrong_model_name_is_explained(spec: str) -> None:
    """One line that says how to write it."""
    with pytest.raises(UsageError, match=r"provider:model|address"):
        endpoint(spec)


def test_importing_the_client_does_not_import_the_sdk() -> None:
    """The SDK takes a second to import; only a question pays it."""
    code = "import sys, workers.llm.client, workers.fixers; sys.exit('openai' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
