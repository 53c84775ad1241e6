"""A conversation with a model that a run pays for: each question asked once however often the run is taken up, and none
that could cost more than is allowed.

This is the one place that asks a client: the purse reserves before each call and settles after it.
"""

from __future__ import annotations

import hashlib
import json
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, field, fields, replace
from functools import partial
from math import inf

from workers.domain import Usage
from workers.errors import Retryable
from workers.llm.budgets import Limit, Purpose, Span, Spent, Unit, refused
from workers.llm.client import Client
from workers.llm.errors import BadAnswer, ContextTooLong, ModelError, ModelRefused, Unavailable
from workers.llm.exchange import Answer, Call, Message, Schema
from workers.llm.purse import Asked, Paid, stop
from workers.ports import Once

LEVELS = (1.0, 0.5, 0.2)
"""Shares of the full budgets of a prompt, used one after the other when the endpoint says that it is too long."""

ANSWER, PROMPT = "llm:", "prompt:"
"""What the keys begin with that answers, and the words that they are to, are kept under."""

Shorter = Callable[[float], list[Message]]
"""The opening of a conversation with a share of its budgets."""


@dataclass(frozen=True)
class Budget:
    """What one conversation may take of its run's money and tokens, and how long an answer may be. What the run may
    spend in all is the purse's business."""

    usd: float = inf
    tokens: int = 200_000
    answers: int = 3
    """In one conversation."""
    answer_tokens: int = 4096


@dataclass(frozen=True)
class Reply:
    """A journaled answer. `problem` is set when there is no text: a refusal, an empty or impossible answer.

    `away`: the model cannot be asked at all until somebody acts, and the run goes on without it.
    """

    text: str
    model: str
    usage: Usage
    problem: str = ""
    level: int = 0
    """Which share of the context's budgets was used, see `LEVELS`."""
    away: bool = False
    call: Call = field(default_factory=Call)
    seconds: float | None = None
    error: str = ""
    """The type of the `ModelError` that `problem` tells of."""

    @property
    def paid(self) -> Paid:
        """The bill; a call that ended in an error without one has none."""
        usage = None if self.error and self.usage == Usage() else self.usage
        return Paid(self.model, usage, self.call, self.seconds, self.error)

    def as_json(self) -> str:
        return json.dumps(asdict(self))

    @staticmethod
    def of(stored: str) -> Reply:
        kept = json.loads(stored)
        if isinstance(kept, list):  # as runs before this version kept it
            text, model, usage, problem, level = kept
            return Reply(text, model, Usage(*usage), problem, level)
        known = {name: value for name, value in kept.items() if name in _REPLY}  # a later version may keep more
        return Reply(**{**known, "usage": Usage(**kept["usage"]), "call": Call(**kept["call"])})


_REPLY = frozenset(one.name for one in fields(Reply))


@dataclass(frozen=True)
class Talk:
    """Asks the client on a run's account. `ceiling_usd` is the repository's own limit for the run, `schema` the form
    that is wished for, `purpose` what the account says that the money was for, `temperature` how far an answer may
    stray from the likeliest one."""

    client: Client
    budget: Budget
    once: Once
    ceiling_usd: float
    schema: Schema | None = None
    purpose: Purpose = Purpose.FIXER
    temperature: float = 0.0

    def reply(self, turns: list[Message], spent: Usage, level: int, shorter: Shorter) -> Reply:
        """The journaled answer to a conversation, asked for now when there is none.

        `spent` is what the conversation and what came before it paid, `level` the share that the opening was made
        with. Raises `Stop(OVER_BUDGET)`.
        """
        digest = hashlib.sha256(
            json.dumps([self.client.spec, *((turn.role, turn.content) for turn in turns)]).encode()
        ).hexdigest()[:32]
        stored = self.once(f"{ANSWER}{digest}", str, lambda: self._ask(digest, turns, spent, level, shorter).as_json())
        reply = Reply.of(stored)
        # Only now: should the worker die before, the next one finds the answer and settles with it.
        self.client.purse.settle(digest, reply.paid)
        return reply

    def _ask(self, key: str, turns: list[Message], spent: Usage, level: int, shorter: Shorter) -> Reply:
        while True:
            self.once(f"{PROMPT}{key}:{level}", str, partial(self._shown, turns))
            self._reserve(key, turns, spent)
            started = time.monotonic()
            try:
                reply = self._answered(turns, level)
            except ContextTooLong as error:
                level += 1
                if level >= len(LEVELS) or len(turns) > 2:
                    reply = self._without(error, "the failure does not fit into the model's context")
                else:
                    self.client.purse.settle(key, _unpaid(error, started))
                    turns = shorter(LEVELS[level])
                    continue
            except Retryable as error:
                self.client.purse.settle(key, _unpaid(error, started))
                raise
            return replace(reply, seconds=time.monotonic() - started)

    def _shown(self, turns: Sequence[Message]) -> str:
        """What is new in a conversation since the model spoke last, as it is sent."""
        spoken = [at for at, turn in enumerate(turns) if turn.role == "assistant"]
        new = turns[spoken[-1] + 1 :] if spoken else turns
        return json.dumps([(turn.role, self.client.redact(turn.content)) for turn in new])

    def _answered(self, turns: list[Message], level: int) -> Reply:
        """The answer, or why there is none. Raises `ContextTooLong` and `Retryable`."""
        try:
            answer = self.client.ask(turns, self.budget.answer_tokens, self.schema, self.temperature)
        except ModelRefused as error:
            return self._without(error, f"the model refused: {error}")
        except BadAnswer as error:
            return self._without(error, str(error))
        except Unavailable as error:
            return replace(self._without(error, str(error)), away=True)
        return Reply(answer.text, answer.model, answer.usage, "", level, call=answer.call)

    def _without(self, error: ModelError, problem: str) -> Reply:
        """No text, but perhaps a bill."""
        paid = error.paid or Answer("", self.client.model, Usage())
        return Reply("", paid.model, paid.usage, problem, call=paid.call, error=type(error).__name__)

    def _reserve(self, key: str, turns: Sequence[Message], spent: Usage) -> None:
        """Set the worst case of the next answer aside. Raises `Stop(OVER_BUDGET)`."""
        worst = self.client.most(turns, self.budget.answer_tokens)
        so_far = Spent(spent.cost_usd or 0.0, spent.input_tokens + spent.output_tokens)
        refusal = refused(self._shares(), {Span.RUN: so_far, Span.SHARE: so_far}, worst)
        if refusal is not None:
            raise stop(refusal)
        self.client.purse.reserve(key, Asked(self.purpose, self.client.endpoint.provider, self.client.model, worst))

    def _shares(self) -> tuple[Limit, ...]:
        return (
            Limit(Span.RUN, Unit.USD, self.ceiling_usd, "limits.usd_per_run"),
            Limit(Span.SHARE, Unit.USD, self.budget.usd),
            Limit(Span.SHARE, Unit.TOKENS, self.budget.tokens),
        )


def _unpaid(error: Exception, started: float) -> Paid:
    return Paid(seconds=time.monotonic() - started, error=type(error).__name__)
