"""Asks one OpenAI-compatible endpoint for one text, through the openai SDK with our own patience and bookkeeping.

What an endpoint cannot do (a parameter, a role) is learnt from its refusal and remembered. No key is ever logged,
and secrets are blanked from everything that leaves.
"""

from __future__ import annotations

import random
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from pydantic import SecretStr

from workers.domain import Usage
from workers.errors import Retryable, UsageError
from workers.llm import faults
from workers.llm.errors import BadAnswer, ContextTooLong, ModelRefused, OutOfQuota
from workers.llm.prices import Price, price
from workers.llm.providers import Endpoint, endpoint
from workers.redact import redact

if TYPE_CHECKING:
    import openai

_CHARS_PER_TOKEN = 3.5
_LONGEST_WAIT_S = 30.0
_QUIRK_LIMIT = 5


@dataclass(frozen=True)
class Message:
    """One turn: `role` is system, user or assistant."""

    role: str
    content: str


@dataclass(frozen=True)
class Answer:
    """A text, the model that says it wrote it, and what it cost. `estimated`: the endpoint gave no usage."""

    text: str
    model: str
    usage: Usage
    estimated: bool = False


@dataclass
class Client:
    """A model at an endpoint. `spec` is `provider:model`; raises `UsageError` when it means nothing.

    `total_s` bounds one `ask` with all its retries, `call_s` one request.
    """

    spec: str
    api_key: SecretStr | None = None
    base_url: str | None = None
    own_price: Price | None = None
    total_s: float = 300.0
    call_s: float = 120.0
    sleep: Callable[[float], None] = time.sleep
    redact: Callable[[str], str] = redact
    """Blanks secrets from prompts; a worker gives its own, which knows the tokens of the run too."""
    endpoint: Endpoint = field(init=False)
    _quirks: set[str] = field(default_factory=set, init=False)
    _sdk: openai.OpenAI | None = field(default=None, init=False, repr=False)

    def __post_init__(self) -> None:
        self.endpoint = endpoint(self.spec, self.base_url)

    @property
    def model(self) -> str:
        """The model's name as the endpoint knows it."""
        return self.endpoint.model

    @property
    def price(self) -> Price | None:
        """The model's price, None when unknown."""
        return self.own_price or price(self.endpoint)

    def estimate(self, messages: Sequence[Message]) -> int:
        """About how many tokens the messages have."""
        return int(sum(len(message.content) for message in messages) / _CHARS_PER_TOKEN) + 4 * len(messages)

    def ask(self, messages: Sequence[Message], max_tokens: int, json: bool = False) -> Answer:
        """One answer. Raises ModelError for what is final and `Retryable` (blame "model") for what passes."""
        clean = [Message(message.role, self.redact(message.content)) for message in messages]
        until = time.monotonic() + self.total_s
        tries = 0
        while True:
            try:
                return self._once(clean, max_tokens, json, until)
            except faults.passing() as error:
                tries += 1
                self._pause(faults.read(error), tries, until)

    def _pause(self, fault: faults.Fault, tries: int, until: float) -> None:
        """Wait before the next try, or give up: now for good, or for later when the wait is too long."""
        if fault.final:
            raise OutOfQuota(fault.text)
        backoff = random.uniform(0.25, 1.0) * min(_LONGEST_WAIT_S, 0.5 * 2**tries)  # noqa: S311 - jitter
        wait = max(fault.retry_after, backoff)
        if wait > until - time.monotonic() or (fault.timeout and tries > 1) or tries >= 6:
            raise Retryable(f"the model's endpoint: {fault.text}", blame="model", after=max(30.0, fault.retry_after))
        self.sleep(wait)

    def _once(self, messages: Sequence[Message], max_tokens: int, json: bool, until: float) -> Answer:
        """One request, repeated at once when the endpoint only disliked a parameter."""
        import openai

        for _ in range(_QUIRK_LIMIT):
            timeout = max(1.0, min(self.call_s, until - time.monotonic()))
            try:
                reply = self._open().chat.completions.create(
                    **self._request(messages, max_tokens, json), timeout=timeout
                )
            except (openai.BadRequestError, openai.UnprocessableEntityError) as error:
                self._learn(error)
                continue
            except openai.APIResponseValidationError:
                raise BadAnswer("the endpoint's reply is not a chat completion") from None
            except (openai.AuthenticationError, openai.PermissionDeniedError, openai.NotFoundError) as error:
                raise OutOfQuota(f"the endpoint refuses this key or model: {faults.text(error)}") from None
            return self._answer(reply, messages)
        raise BadAnswer("the endpoint refuses every form of the request")

    def _learn(self, error: openai.APIStatusError) -> None:
        """Remember what the endpoint cannot do; raise when that is not what it complained about."""
        if faults.too_long(error):
            raise ContextTooLong(faults.text(error)) from None
        quirk = faults.quirk(error)
        if quirk is None or quirk in self._quirks:
            raise BadAnswer(f"the endpoint refuses the request: {faults.text(error)}") from None
        self._quirks.add(quirk)

    def _request(self, messages: Sequence[Message], max_tokens: int, json: bool) -> dict[str, Any]:
        turns = [{"role": message.role, "content": message.content} for message in messages]
        if "system" in self._quirks and turns[0]["role"] == "system":
            first = turns.pop(0)["content"]
            turns[0] = {"role": "user", "content": f"{first}\n\n{turns[0]['content']}"}
        limit = "max_completion_tokens" if "max_tokens" in self._quirks else "max_tokens"
        request: dict[str, Any] = {"model": self.endpoint.model, "messages": turns, limit: max_tokens}
        if "temperature" not in self._quirks:
            request["temperature"] = 0
        if json and "response_format" not in self._quirks:
            request["response_format"] = {"type": "json_object"}
        return request

    def _answer(self, reply: Any, messages: Sequence[Message]) -> Answer:
        choice = reply.choices[0] if getattr(reply, "choices", None) else None
        if choice is None:
            raise BadAnswer("the endpoint answered with no choice")
        if getattr(choice.message, "refusal", None):
            raise ModelRefused(str(choice.message.refusal)[:500])
        text = choice.message.content or ""
        usage = getattr(reply, "usage", None)
        if usage is None:
            tokens = (self.estimate(messages), int(len(text) / _CHARS_PER_TOKEN), 0)
        else:
            details = getattr(usage, "prompt_tokens_details", None)
            tokens = (usage.prompt_tokens or 0, usage.completion_tokens or 0, getattr(details, "cached_tokens", 0) or 0)
        cost = self.price.of(*tokens) if self.price else None
        if choice.finish_reason == "content_filter":
            raise ModelRefused("the endpoint's content filter stopped the answer")
        if not text.strip():
            raise BadAnswer(f"the answer is empty (finish reason: {choice.finish_reason})")
        return Answer(text, str(reply.model or self.endpoint.model), Usage(tokens[0], tokens[1], cost), usage is None)

    def _open(self) -> openai.OpenAI:
        """The SDK's client, made at the first call: importing it takes a second."""
        if self._sdk is None:
            import openai

            key = self.api_key.get_secret_value() if self.api_key else "none"
            try:
                self._sdk = openai.OpenAI(
                    base_url=self.endpoint.base_url, api_key=key, max_retries=0, timeout=self.call_s
                )
            except ImportError:
                raise UsageError("ALL_PROXY names a SOCKS proxy: install the package socksio for it") from None
        return self._sdk
