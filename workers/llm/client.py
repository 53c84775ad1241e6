"""Asks one OpenAI-compatible endpoint for one text, with our own patience and bookkeeping, or a cassette in its place.

What an endpoint cannot do is learnt from its refusal, and one that is out of credit or refuses the key is left alone
for an hour (`standing`). No key is ever logged, and secrets are blanked from everything that leaves.
"""

from __future__ import annotations

import random
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from math import inf

from pydantic import SecretStr

from workers.errors import Retryable
from workers.llm import account, cassettes, requests
from workers.llm.budgets import Worst
from workers.llm.errors import BadAnswer, ContextTooLong, ModelRefused, Unavailable
from workers.llm.exchange import Answer, Message, Schema, sound
from workers.llm.faults import Fault, Kind
from workers.llm.prices import Price, price
from workers.llm.providers import BILLING, Endpoint, endpoint
from workers.llm.purse import MemoryPurse, Purse
from workers.llm.standing import Endpoints, Standing
from workers.llm.wire import Failed, Wire
from workers.redact import redact

__all__ = ["Answer", "Client", "Message"]

_LONGEST_WAIT_S = 30.0
_TRIES = 6
"""An endpoint that fails so often in a row is down: the run is parked and its place given to another."""
_QUIRK_LIMIT = 8
_LEAST_TOKENS = 256


@dataclass
class Client:
    """A model at an endpoint. `spec` is `provider:model`, or names a cassette; raises `UsageError` when it means
    nothing.

    `total_s` bounds one `ask` with all its retries, `call_s` one request, `left` says how many seconds the run has.
    `endpoints` is what the process knows of endpoints; by default this client learns for itself.
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
    clock: Callable[[], float] = time.monotonic
    left: Callable[[], float] = lambda: inf
    endpoints: Endpoints = field(default_factory=Endpoints, repr=False)
    answer_tokens: int = 16_384
    """The most that one answer may have, whoever asks."""
    purse: Purse = field(default_factory=MemoryPurse, repr=False)
    """Pays for what a `Talk` asks; `ask` by itself costs without being counted."""
    endpoint: Endpoint = field(init=False)
    _tape: cassettes.Tape | None = field(default=None, init=False, repr=False)
    _wire: Wire = field(init=False, repr=False)

    def __post_init__(self) -> None:
        played, live = cassettes.named(self.spec, self.redact)
        self.endpoint = endpoint(live, self.base_url) if live else Endpoint("replay", "cassette", "")
        self._tape = played
        self._wire = Wire(self.endpoint, self.api_key)

    @property
    def model(self) -> str:
        """The model's name as the endpoint knows it."""
        return self.endpoint.model

    @property
    def price(self) -> Price | None:
        """The model's price, None when unknown."""
        return self.own_price or price(self.endpoint)

    def most(self, messages: Sequence[Message], max_tokens: int) -> Worst:
        """What an answer to the messages can cost at most."""
        tokens_in, price_, max_tokens = account.most(messages), self.price, min(max_tokens, self.answer_tokens)
        return Worst(tokens_in + max_tokens, price_.of(tokens_in, max_tokens) if price_ else None)

    def ask(
        self, messages: Sequence[Message], max_tokens: int, schema: Schema | None = None, temperature: float = 0.0
    ) -> Answer:
        """One answer. Raises ModelError for what is final and `Retryable` (blame "model") for what passes.

        `schema` is asked of endpoints that can keep to one; the prompt says the form in words too, for those that
        cannot and those that only pretend. `temperature` is a wish too; a cassette does not tell answers apart by it.
        """
        max_tokens = min(max_tokens, self.answer_tokens)
        clean = [Message(message.role, self.redact(sound(message.content))) for message in messages]
        if self._tape is None:
            return self._live(clean, max_tokens, schema, temperature)
        return self._tape.ask(clean, max_tokens, schema, lambda: self._live(clean, max_tokens, schema, temperature))

    def _live(self, messages: Sequence[Message], max_tokens: int, schema: Schema | None, temperature: float) -> Answer:
        standing = self.endpoints.at(self.endpoint.base_url, self.model)
        if shut := standing.shut_at(self.clock()):
            raise Unavailable(shut)
        until = self.clock() + min(self.total_s, self.left())
        tries = 0
        while True:
            try:
                return self._once(messages, max_tokens, schema, temperature, standing, until)
            except Failed as failed:
                tries += 1
                self._pause(failed.fault, tries, until)
                if failed.fault.timeout:  # perhaps it only writes too slowly
                    max_tokens = max(_LEAST_TOKENS, max_tokens // 2)

    def _pause(self, fault: Fault, tries: int, until: float) -> None:
        """Wait before the next try, or park the run when the wait is too long."""
        backoff = random.uniform(0.0, min(_LONGEST_WAIT_S, 0.5 * 2**tries))  # noqa: S311 - full jitter
        wait = max(fault.retry_after, backoff)
        if wait > until - self.clock() or (fault.timeout and tries > 1) or tries >= _TRIES:
            raise Retryable(f"the model's endpoint: {fault.text}", blame="model", after=max(30.0, fault.retry_after))
        self.sleep(wait)

    def _once(
        self,
        messages: Sequence[Message],
        max_tokens: int,
        schema: Schema | None,
        temperature: float,
        standing: Standing,
        until: float,
    ) -> Answer:
        """One request, repeated at once when the endpoint only disliked a parameter. Raises `Failed` for what
        passes."""
        for _ in range(_QUIRK_LIMIT):
            request = requests.body(self.model, messages, max_tokens, schema, standing, temperature)
            timeout = max(1.0, min(self.call_s, until - self.clock()))
            try:
                completion = self._wire.send(request, timeout)
            except Failed as failed:
                fault = failed.fault
                if fault.kind is Kind.PASSES:
                    raise
                if fault.kind is Kind.DISLIKED and standing.learn(fault.said, request):
                    continue
                raise self._final(fault, standing) from None
            bills = self.endpoint.provider in BILLING
            return account.read(completion, messages, self.model, self.price, bills=bills)
        raise BadAnswer("the endpoint refuses every form of the request")

    def _final(self, fault: Fault, standing: Standing) -> Exception:
        """What no patience mends; no credit and no right close the endpoint's door for a while."""
        if fault.kind is Kind.DENIED:
            why = f"the endpoint refuses this key, account or model: {fault.text}"
            standing.shut_out(why, self.clock())
            return Unavailable(why)
        if fault.kind is Kind.TOO_LONG:
            return ContextTooLong(fault.text)
        if fault.kind is Kind.FILTERED:
            return ModelRefused(f"the endpoint's content filter stopped the question: {fault.text}")
        return BadAnswer(f"the endpoint refuses the request: {fault.text}")
