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
from workers.llm.errors import BadAnswer, ContextTooLong, ModelRefused, Unavailable
from workers.llm.providers import endpoint
from workers.llm.standing import SHUT_S, Endpoints

ANY = {"type": "object"}
ASK = [Message("system", "be brief"), Message("user", "hello")]


class Waits(list[float]):
    """A clock's place: remembers how long was waited, waits not, and lets the time go on all the same."""

    past = 0.0

    def __call__(self, seconds: float) -> None:
        self.append(seconds)

    def clock(self) -> float:
        """Seconds of a monotonic clock."""
        return time.monotonic() + sum(self) + self.past


def client(model: Model, spec: str = "openai:gpt-5-mini", **options: Any) -> tuple[Client, Waits]:
    waits = Waits()
    return Client(spec, SecretStr("test-key"), model.url, sleep=waits, clock=waits.clock, **options), waits


def test_an_answer_comes_with_its_cost(model: Model) -> None:
    """Text, tokens as the endpoint counts them, dollars by the table."""
    model.script([replies.text("hi there, how are you")])
    answer = client(model)[0].ask(ASK, 100)
    assert answer.text == "hi there, how are you"
    assert answer.usage.cost_usd == pytest.approx(
        (answer.usage.input_tokens * 0.25 + answer.usage.output_tokens * 2) / 1e6
    )
    assert not answer.call.estimated
    assert (answer.call.response, answer.call.finish) == ("chatcmpl-test", "stop")
    assert model.requests()[0]["headers"]["authorization"] == "Bearer test-key"


@pytest.mark.fault(45)
def test_an_unknown_model_has_an_unknown_cost(model: Model) -> None:
    """None, never a guess; a missing usage is estimated and said to be."""
    model.script([replies.text("hello again", usage=False)])
    answer = client(model, "openai:something-new")[0].ask(ASK, 100)
    assert answer.usage.cost_usd is None
    assert answer.call.estimated
    assert answer.usage.input_tokens > 0


@pytest.mark.fault(40)
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


@pytest.mark.fault(40)
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
    with pytest.raises(Unavailable) as final:
        asked.ask(ASK, 100)
    assert not waits
    assert len(model.requests()) == 1
    assert "test-key" not in str(final.value)


@pytest.mark.parametrize("param", ["max_tokens", "temperature", "response_format", "system"])
def test_a_parameter_the_endpoint_does_not_know_is_learnt(model: Model, param: str) -> None:
    """Refused once (for a form: once for each kind of it), left out from then on."""
    words = f"Unsupported value: '{param}' is not supported with this model."
    refused = [replies.unsupported(param, words)] * (2 if param == "response_format" else 1)
    model.script([*refused, replies.text("one"), replies.text("two")])
    asked, _ = client(model)
    assert asked.ask(ASK, 100, schema=ANY).text == "one"
    assert asked.ask(ASK, 100, schema=ANY).text == "two"
    bodies = [request["body"] for request in model.requests()]
    assert len(bodies) == (4 if param == "response_format" else 3)
    assert all("max_completion_tokens" in body for body in bodies[1:]) == (param == "max_tokens")
    assert param not in bodies[-1]
    assert any(turn["role"] == "system" for turn in bodies[-1]["messages"]) == (param != "system")


def test_a_prompt_that_is_too_long_says_so(model: Model) -> None:
    """The caller shortens it; asking again would not help."""
    model.script([replies.too_long(3)])
    with pytest.raises(ContextTooLong):
        client(model)[0].ask(ASK, 100)


@pytest.mark.fault(41)
@pytest.mark.parametrize("fault", [replies.no_choices(), replies.text(""), replies.text("", finish="length")])
def test_an_answer_without_text_is_a_bad_one(model: Model, fault: replies.Reply) -> None:
    """Never an empty patch."""
    model.script([fault])
    with pytest.raises(BadAnswer):
        client(model)[0].ask(ASK, 100)


@pytest.mark.fault(41)
def test_a_refusal_is_told_apart(model: Model) -> None:
    """With the model's words."""
    model.script([replies.refusal("not this")])
    with pytest.raises(ModelRefused, match="not this"):
        client(model)[0].ask(ASK, 100)


@pytest.mark.fault(40)
def test_a_slow_endpoint_is_left_after_one_more_try(model: Model) -> None:
    """Time limits are ours, and the run is parked instead of failed."""
    model.script([replies.text("late", delay=15), replies.text("late", delay=15)])
    started = time.monotonic()
    with pytest.raises(Retryable):
        client(model, call_s=1.0)[0].ask(ASK, 100)
    assert time.monotonic() - started < 15
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


# The loop


def test_the_waits_grow_with_full_jitter(model: Model) -> None:
    """Each between nothing and twice the one before, and an endpoint that stays down parks the run."""
    model.script([replies.failed(503, "overloaded")] * 10)
    asked, waits = client(model)
    with pytest.raises(Retryable):
        asked.ask(ASK, 100)
    assert len(model.requests()) == len(waits) + 1 == 6
    assert all(0 <= wait <= 2**n for n, wait in enumerate(waits))


def test_a_run_that_ends_soon_is_parked_instead_of_waiting(model: Model) -> None:
    """The run's own end counts, not only the patience with one question."""
    model.script([replies.rate_limited(20), replies.text("late")])
    asked, waits = client(model, left=lambda: 10.0)
    with pytest.raises(Retryable) as parked:
        asked.ask(ASK, 100)
    assert (parked.value.after, waits) == (30.0, [])


def test_after_a_timeout_less_is_asked_for(model: Model) -> None:
    """Perhaps it only writes too slowly."""
    model.script([replies.text("late", delay=2), replies.text("short")])
    assert client(model, call_s=1.0)[0].ask(ASK, 2000).text == "short"
    assert [request["body"]["max_tokens"] for request in model.requests()] == [2000, 1000]


# The door that closes


@pytest.mark.fault(44)
@pytest.mark.parametrize("fault", [replies.out_of_quota(), replies.unauthorized(), replies.failed(404, "no model")])
def test_a_closed_account_is_left_alone_for_an_hour(model: Model, fault: replies.Reply) -> None:
    """Whoever asks this model in the process is told why at once, other models are asked, and then it is tried anew."""
    endpoints = Endpoints()
    model.script([fault, replies.text("another"), replies.text("paid again")])
    first, _ = client(model, endpoints=endpoints)
    with pytest.raises(Unavailable):
        first.ask(ASK, 100)
    second, waits = client(model, endpoints=endpoints)
    with pytest.raises(Unavailable, match=r"refuses this key.*asked again in 60 min"):
        second.ask(ASK, 100)
    assert client(model, "openai:gpt-5", endpoints=endpoints)[0].ask(ASK, 100).text == "another"
    assert len(model.requests()) == 2
    waits.past = SHUT_S + 60
    assert second.ask(ASK, 100).text == "paid again"


def test_trouble_that_passes_closes_no_door(model: Model) -> None:
    """A rate limit is no lost account."""
    model.script([replies.rate_limited(900), replies.text("fine")])
    asked, _ = client(model)
    with pytest.raises(Retryable):
        asked.ask(ASK, 100)
    assert asked.ask(ASK, 100).text == "fine"


def test_what_was_learnt_is_known_to_the_next_client(model: Model) -> None:
    """A run does not pay again for what the one before learnt."""
    endpoints = Endpoints()
    model.script([replies.unsupported("temperature"), replies.text("one"), replies.text("two")])
    client(model, endpoints=endpoints)[0].ask(ASK, 100)
    client(model, endpoints=endpoints)[0].ask(ASK, 100)
    assert ["temperature" in request["body"] for request in model.requests()] == [True, False, False]


def test_a_form_goes_down_the_ladder(model: Model) -> None:
    """A strict schema, any object, words alone."""
    no = replies.failed(400, "response_format json_schema is not supported")
    model.script([no, replies.failed(422, "response_format: unknown field"), replies.text("{}")])
    client(model)[0].ask(ASK, 100, ANY)
    forms = [request["body"].get("response_format", {}).get("type") for request in model.requests()]
    assert forms == ["json_schema", "json_object", None]


def test_a_smaller_limit_is_learnt(model: Model) -> None:
    """What the endpoint says it can write at most is asked for."""
    words = "max_tokens is too large: 9000. This model supports at most 4096 completion tokens."
    model.script([replies.failed(400, words), replies.text("ok")])
    client(model)[0].ask(ASK, 9000)
    assert [request["body"]["max_tokens"] for request in model.requests()] == [9000, 4096]


def test_an_endpoint_that_dislikes_everything_is_left(model: Model) -> None:
    """Nothing is learnt twice, so no refusal goes round for ever."""
    model.script([replies.failed(400, "bad temperature")] * 9)
    with pytest.raises(BadAnswer, match="refuses the request"):
        client(model)[0].ask(ASK, 100)
    assert len(model.requests()) == 2


def test_an_error_with_a_good_status_is_an_error(model: Model) -> None:
    """As routers send it when the model behind them fails."""
    late = {"error": {"code": 429, "message": "Provider returned error"}}
    broke = {"error": {"code": 402, "message": "Insufficient credits"}}
    model.script([replies.raw(late), replies.text("now"), replies.raw(broke)])
    asked, waits = client(model)
    assert asked.ask(ASK, 100).text == "now"
    assert len(waits) == 1
    with pytest.raises(Unavailable):
        asked.ask(ASK, 100)


def test_a_page_instead_of_json_is_a_bad_answer(model: Model) -> None:
    """A captive portal answers 200."""
    model.script([replies.html(200)])
    with pytest.raises(BadAnswer, match="not a chat completion"):
        client(model)[0].ask(ASK, 100)


def test_an_empty_answer_is_paid_for(model: Model) -> None:
    """Its bill comes with the error."""
    model.script([replies.truncated("")])
    with pytest.raises(BadAnswer) as bad:
        client(model)[0].ask(ASK, 100)
    assert bad.value.paid is not None
    assert (bad.value.paid.usage.input_tokens > 0, bad.value.paid.call.finish) == (True, "length")


# The way


@pytest.mark.parametrize(
    ("proxy", "hint"),
    [("socks5://user:hidden@127.0.0.1:9", r"heal-bot\[socks\]|connection failed"), ("gopher://hidden:1", "is none")],
)
def test_a_proxy_that_cannot_be_used_is_explained(monkeypatch: pytest.MonkeyPatch, proxy: str, hint: str) -> None:
    """What to install or to write; never the address, which may hold a password. The account is not blamed."""
    monkeypatch.setenv("ALL_PROXY", proxy)
    monkeypatch.delenv("NO_PROXY", raising=False)
    monkeypatch.delenv("no_proxy", raising=False)
    asked = Client("openai:gpt-5", SecretStr("k"), "http://model.example/v1", sleep=lambda _: None)
    with pytest.raises((Unavailable, Retryable), match=hint) as told:
        asked.ask(ASK, 10)
    assert "hidden" not in str(told.value)
    assert asked.endpoints.at("http://model.example/v1", "gpt-5").shut == ""


@pytest.mark.parametrize("key", ["ключ-ключ", "sk-a\nb"])
def test_a_key_that_is_none_is_told(key: str) -> None:
    """Not a crash of the HTTP client, and not in the words."""
    with pytest.raises(Unavailable, match="character") as told:
        Client("openai:gpt-5", SecretStr(key), "http://127.0.0.1:9/v1").ask(ASK, 10)
    assert key not in str(told.value)


@pytest.mark.parametrize("address", ["model.example/v1", "ftp://x/v1", "http://", "http://[x", "http://x:99999999"])
def test_a_wrong_address_is_explained(address: str) -> None:
    """Before anything is asked."""
    with pytest.raises(UsageError, match="no address"):
        endpoint("openai:gpt-5", address)


@pytest.mark.parametrize(
    "provider", ["openai", "gemini", "anthropic", "mistral", "openrouter", "ollama", "vllm", "llamacpp"]
)
def test_a_provider_is_enough(provider: str) -> None:
    """Each has its address, and a model's name may hold colons and slashes."""
    known = endpoint(f"{provider}:maker/name:7b")
    assert (known.provider, known.model) == (provider, "maker/name:7b")
    assert known.base_url.startswith("http")


def test_azure_gets_its_own_header(model: Model) -> None:
    """At the resource's address."""
    model.script([replies.text("hi")])
    client(model, "azure:deployed")[0].ask(ASK, 10)
    assert model.requests()[0]["headers"]["api-key"] == "test-key"
