"""A model's candidates: one conversation per run, at most three answers, each told why the one before was rejected.

Every answer is journaled under the hash of its conversation, so a restarted run never asks the same thing twice.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Sequence
from dataclasses import dataclass

from workers.domain import Attempt, Candidate, Confidence, Diagnosis, FailureClass, Outcome, Usage
from workers.errors import Stop
from workers.fixers import context
from workers.llm.client import Client, Message
from workers.llm.errors import BadAnswer, ContextTooLong, ModelRefused, OutOfQuota
from workers.patch import PatchError, check, read_answer, reasoning
from workers.ports import Workbench

_NOT_FOR_A_MODEL = frozenset(
    {
        FailureClass.FLAKY,
        FailureClass.INFRASTRUCTURE,
        FailureClass.NETWORK,
        FailureClass.OOM,
        FailureClass.PERMISSION,
        FailureClass.BASE_RED,
        FailureClass.WORKFLOW,
    }
)


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
    """Which share of the context's budgets was used, see `context.LEVELS`."""

    def as_json(self) -> str:
        usage = [self.usage.input_tokens, self.usage.output_tokens, self.usage.cost_usd]
        return json.dumps([self.text, self.model, usage, self.problem, self.level])

    @staticmethod
    def of(stored: str) -> Reply:
        text, model, usage, problem, level = json.loads(stored)
        return Reply(text, model, Usage(*usage), problem, level)


@dataclass(frozen=True)
class Llm:
    """The fixer."""

    client: Client
    budget: Budget = Budget()
    name: str = "llm"

    def applies(self, diagnosis: Diagnosis) -> bool:
        """Everything that a change of the code can mend."""
        return diagnosis.cls not in _NOT_FOR_A_MODEL

    def propose(self, bench: Workbench, tried: Sequence[Attempt]) -> Candidate | None:
        """The next answer as a candidate; one with `error` when it could not be read. Raises `Stop(OVER_BUDGET)`."""
        mine = [attempt for attempt in tried if attempt.candidate.fixer == self.name]
        if len(mine) >= self.budget.answers:
            return None
        turns, spent, level = self._so_far(bench, mine)
        if turns is None:
            return None
        reply = self._reply(bench, turns, spent, level)
        if reply.problem:
            return self._candidate(reply, "", "", reply.problem)
        try:
            patch = bench.tree.diff(read_answer(reply.text, bench.tree))
            check(patch)
        except PatchError as error:
            return self._candidate(reply, "", "", str(error))
        return self._candidate(reply, patch, reasoning(reply.text)[:2000], "")

    def _candidate(self, reply: Reply, patch: str, why: str, error: str) -> Candidate:
        return Candidate(
            fixer=self.name,
            patch=patch,
            reasoning=why or "The model gave no reasoning.",
            confidence=Confidence.MEDIUM,
            model=reply.model or self.client.model,
            usage=reply.usage,
            title=re.split(r"(?<=[.!?])\s", why.strip(), maxsplit=1)[0][:120],
            error=error,
        )

    def _so_far(self, bench: Workbench, mine: Sequence[Attempt]) -> tuple[list[Message] | None, Usage, int]:
        """The conversation as it stands, from the journal; None when the model refused in it."""
        level, spent = 0, Usage()
        turns = context.opening(bench, context.LEVELS[level])
        for attempt in mine:
            reply = self._reply(bench, turns, spent, level)
            if reply.problem:
                return None, spent, level
            if reply.level != level:
                level = reply.level
                turns = context.opening(bench, context.LEVELS[level])
            spent = _sum(spent, reply.usage)
            turns = [*turns, Message("assistant", reply.text), context.feedback(bench, attempt, context.LEVELS[level])]
        return turns, spent, level

    def _reply(self, bench: Workbench, turns: list[Message], spent: Usage, level: int) -> Reply:
        """The journaled answer to a conversation, asked for now when there is none."""
        digest = hashlib.sha256(
            json.dumps([self.client.spec, *((turn.role, turn.content) for turn in turns)]).encode()
        ).hexdigest()
        return Reply.of(bench.once(f"llm:{digest[:32]}", str, lambda: self._ask(bench, turns, spent, level).as_json()))

    def _ask(self, bench: Workbench, turns: list[Message], spent: Usage, level: int) -> Reply:
        while True:
            self._afford(bench, turns, spent)
            try:
                answer = self.client.ask(turns, self.budget.answer_tokens)
            except ContextTooLong:
                level += 1
                if level >= len(context.LEVELS) or len(turns) > 2:
                    return Reply("", self.client.model, Usage(), "the failure does not fit into the model's context")
                turns = context.opening(bench, context.LEVELS[level])
                continue
            except ModelRefused as error:
                return Reply("", self.client.model, Usage(), f"the model refused: {error}")
            except BadAnswer as error:
                return Reply("", self.client.model, Usage(), str(error))
            except OutOfQuota as error:
                raise Stop(Outcome.OVER_BUDGET, f"The model's endpoint will not work for us: {error}.") from None
            return Reply(answer.text, answer.model, answer.usage, "", level)

    def _afford(self, bench: Workbench, turns: Sequence[Message], spent: Usage) -> None:
        """Before the call, at the worst it can cost."""
        estimate = self.client.estimate(turns)
        tokens = spent.input_tokens + spent.output_tokens + estimate + self.budget.answer_tokens
        price = self.client.price
        cost = (spent.cost_usd or 0.0) + price.of(estimate, self.budget.answer_tokens) if price else 0.0
        ceiling = min(self.budget.usd, bench.config.limits.usd_per_run)
        if tokens > self.budget.tokens:
            raise Stop(Outcome.OVER_BUDGET, f"The next answer could exceed {self.budget.tokens} tokens for one run.")
        if cost > ceiling:
            raise Stop(
                Outcome.OVER_BUDGET, f"The next answer could cost more than the ${ceiling:.2f} left for this run."
            )


def _sum(a: Usage, b: Usage) -> Usage:
    cost = None if a.cost_usd is None or b.cost_usd is None else a.cost_usd + b.cost_usd
    return Usage(a.input_tokens + b.input_tokens, a.output_tokens + b.output_tokens, cost)
