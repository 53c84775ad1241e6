"""A conversation with a model that a run pays for: each question asked once however often the run is taken up, and none
that could cost more than is allowed.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, field, replace

from workers.domain import Outcome, Usage
from workers.errors import Stop
from workers.llm.client import Client
from workers.llm.errors import BadAnswer, ContextTooLong, ModelError, ModelRefused, Unavailable
from workers.llm.exchange import Call, Message, Schema
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

    def as_json(self) -> str:
        return json.dumps(asdict(self))

    @staticmethod
    def of(stored: str) -> Reply:
        kept = json.loads(stored)
        if isinstance(kept, list):  # as runs before this version kept it
            text, model, usage, problem, level = kept
            return Reply(text, model, Usage(*usage), problem, level)
        return Reply(**{**kept, "usage": Usage(**kept["usage"]), "call": Call(**kept["call"])})


@dataclass(frozen=True)
class Talk:
    """Asks the client on a run's account. `ceiling_usd` is the repository's own limit for the run, `schema` the form
    that is wished for, `temperature` how far it may stray from the likeliest answer."""

    client: Client
    budget: Budget
    once: Once
    ceiling_usd: float
    schema: Schema | None = None
    temperature: float = 0.0

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
                answer = self.client.ask(turns, self.budget.answer_tokens, self.schema, self.temperature)
            except ContextTooLong:
                level += 1
                if level >= len(LEVELS) or len(turns) > 2:
                    return Reply("", self.client.model, Usage(), "the failure does not fit into the model's context")
                turns = shorter(LEVELS[level])
                continue
            except ModelRefused as error:
                return self._without(error, f"the model refused: {error}")
            except BadAnswer as error:
                return self._without(error, str(error))
            except Unavailable as error:
                return replace(self._without(error, str(error)), away=True)
            return Reply(answer.text, answer.model, answer.usage, "", level, call=answer.call)

    def _without(self, error: ModelError, problem: str) -> Reply:
        """No text, but perhaps a bill."""
        if error.paid is None:
            return Reply("", self.client.model, Usage(), problem)
        return Reply("", error.paid.model, error.paid.usage, problem, call=error.paid.call)

    def _afford(self, turns: Sequence[Message], spent: Usage) -> None:
        if why := unaffordable(self.client, self.budget, self.ceiling_usd, turns, spent):
            raise Stop(Outcome.OVER_BUDGET, why)


def unaffordable(client: Client, budget: Budget, ceiling_usd: float, turns: Sequence[Message], spent: Usage) -> str:
    """Why the next answer may not be asked for, at the worst it can cost; "" when it may."""
    estimate = client.estimate(turns)
    tokens = spent.input_tokens + spent.output_tokens + estimate + budget.answer_tokens
    price, known = client.price, spent.cost_usd or 0.0
    ceiling = min(budget.usd, ceiling_usd)
    if tokens > budget.tokens:
        return f"The next answer could exceed {budget.tokens} tokens for one run."
    if price is None:
        said = f"What the model costs is not known, and nothing of the ${ceiling:.2f} for this run is left."
        return said if known >= ceiling else ""
    over = known + price.of(estimate, budget.answer_tokens) > ceiling
    return f"The next answer could cost more than the ${ceiling:.2f} left for this run." if over else ""
