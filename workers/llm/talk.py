"""A conversation with a model that a run pays for: each question asked once however often the run is taken up, and none
that could cost more than is allowed.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from workers.domain import Outcome, Usage
from workers.errors import Stop
from workers.llm.client import Client, Message
from workers.llm.errors import BadAnswer, ContextTooLong, ModelRefused, OutOfQuota
from workers.ports import Once

LEVELS = (1.0, 0.5, 0.2)
"""Shares of the full budgets of a prompt, used one after the other when the endpoint says that it is too long."""

Shorter = Callable[[float], list[Message]]
"""The opening of a conversation with a share of its budgets."""


@dataclass(frozen=True)
class Budget:
    """What one run may spend on the model. The repository's `usd_per_run` lowers `usd`, nothing raises it."""

    usd: float = 1.0
    tokens: int = 200_000
    answers: int = 3
    answer_tokens: int = 4096


@dataclass(frozen=True)
class Reply:
    """A journaled answer. `problem` is set when there is no text: a refusal, an empty or impossible answer."""

    text: str
    model: str
    usage: Usage
    problem: str = ""
    level: int = 0
    """Which share of the context's budgets was used, see `LEVELS`."""

    def as_json(self) -> str:
        usage = [self.usage.input_tokens, self.usage.output_tokens, self.usage.cost_usd]
        return json.dumps([self.text, self.model, usage, self.problem, self.level])

    @staticmethod
    def of(stored: str) -> Reply:
        text, model, usage, problem, level = json.loads(stored)
        return Reply(text, model, Usage(*usage), problem, level)


@dataclass(frozen=True)
class Talk:
    """Asks the client on a run's account. `ceiling_usd` is the repository's own limit for the run; `as_json` asks the
    endpoint for an object."""

    client: Client
    budget: Budget
    once: Once
    ceiling_usd: float
    as_json: bool = False

    def reply(self, turns: list[Message], spent: Usage, level: int, shorter: Shorter) -> Reply:
        """The journaled answer to a conversation, asked for now when there is none.

        `spent` is what the run paid before, `level` the share that the opening was made with. Raises
        `Stop(OVER_BUDGET)`.
        """
        digest = hashlib.sha256(
            json.dumps([self.client.spec, *((turn.role, turn.content) for turn in turns)]).encode()
        ).hexdigest()
        stored = self.once(f"llm:{digest[:32]}", str, lambda: self._ask(turns, spent, level, shorter).as_json())
        return Reply.of(stored)

    def _ask(self, turns: list[Message], spent: Usage, level: int, shorter: Shorter) -> Reply:
        while True:
            self._afford(turns, spent)
            try:
                answer = self.client.ask(turns, self.budget.answer_tokens, self.as_json)
            except ContextTooLong:
                level += 1
                if level >= len(LEVELS) or len(turns) > 2:
                    return Reply("", self.client.model, Usage(), "the failure does not fit into the model's context")
                turns = shorter(LEVELS[level])
                continue
            except ModelRefused as error:
                return Reply("", self.client.model, Usage(), f"the model refused: {error}")
            except BadAnswer as error:
                return Reply("", self.client.model, Usage(), str(error))
            except OutOfQuota as error:
                raise Stop(Outcome.OVER_BUDGET, f"The model's endpoint will not work for us: {error}.") from None
            return Reply(answer.text, answer.model, answer.usage, "", level)

    def _afford(self, turns: Sequence[Message], spent: Usage) -> None:
        """Before the call, at the worst it can cost."""
        estimate = self.client.estimate(turns)
        tokens = spent.input_tokens + spent.output_tokens + estimate + self.budget.answer_tokens
        price = self.client.price
        cost = (spent.cost_usd or 0.0) + price.of(estimate, self.budget.answer_tokens) if price else 0.0
        ceiling = min(self.budget.usd, self.ceiling_usd)
        if tokens > self.budget.tokens:
            raise Stop(Outcome.OVER_BUDGET, f"The next answer could exceed {self.budget.tokens} tokens for one run.")
        if cost > ceiling:
            raise Stop(
                Outcome.OVER_BUDGET, f"The next answer could cost more than the ${ceiling:.2f} left for this run."
            )
