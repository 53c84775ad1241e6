"""A model's candidates: one conversation per run, at most three answers, each told why the one before was rejected.

Every answer is journaled under the hash of its conversation, so a restarted run never asks the same thing twice.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field, replace

from workers.domain import REVIEW, Attempt, Candidate, Confidence, Diagnosis, FailureClass, Usage
from workers.fixers import context
from workers.llm.budgets import Purpose
from workers.llm.client import Client
from workers.llm.exchange import Message
from workers.llm.talk import LEVELS, Budget, Reply, Talk
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

_REGENERATIONS = 1
"""How often a patch that only the second look rejected is tried anew."""


@dataclass(frozen=True)
class Llm:
    """The fixer."""

    client: Client
    budget: Budget = field(default_factory=Budget)
    name: str = "llm"
    purpose: Purpose = Purpose.FIXER

    def applies(self, diagnosis: Diagnosis) -> bool:
        """Everything that a change of the code can mend."""
        return diagnosis.cls not in _NOT_FOR_A_MODEL

    def propose(self, bench: Workbench, tried: Sequence[Attempt]) -> Candidate | None:
        """The next answer as a candidate; one with `error` when it could not be read. Raises `Stop(OVER_BUDGET)`."""
        mine = [attempt for attempt in tried if attempt.candidate.fixer == self.name]
        vetoed = sum(attempt.verdict.rejected_by == REVIEW for attempt in mine)
        if len(mine) >= self.budget.answers or vetoed > _REGENERATIONS:
            return None
        turns, spent, level = self._so_far(bench, mine)
        if turns is None:
            return None
        reply = self._reply(bench, turns, spent, level)
        if reply.problem:
            return replace(self._candidate(reply, "", "", reply.problem), unasked=reply.away)
        try:
            patch = self._patch(bench, reply.text)
            check(patch)
        except PatchError as error:
            return self._candidate(reply, "", "", str(error))
        return self._candidate(reply, patch, reasoning(reply.text)[:2000], "")

    def _opening(self, bench: Workbench, share: float) -> list[Message]:
        """The first turns, with a share of the context's budgets."""
        return context.opening(bench, share)

    def _patch(self, bench: Workbench, text: str) -> str:
        """What an answer means, as a diff against the head commit; raises `PatchError`."""
        return bench.tree.diff(read_answer(text, bench.tree))

    def _before(self, bench: Workbench) -> Usage:
        """What the run has spent on the model before this conversation."""
        return bench.spent

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
        level, spent = 0, self._before(bench)
        turns = self._opening(bench, LEVELS[level])
        for attempt in mine:
            reply = self._reply(bench, turns, spent, level)
            if reply.problem:
                return None, spent, level
            if reply.level != level:
                level = reply.level
                turns = self._opening(bench, LEVELS[level])
            spent = spent.plus(reply.usage)
            turns = [*turns, Message("assistant", reply.text), context.feedback(bench, attempt, LEVELS[level])]
        return turns, spent, level

    def _reply(self, bench: Workbench, turns: list[Message], spent: Usage, level: int) -> Reply:
        talk = Talk(self.client, self.budget, bench.once, bench.config.limits.usd_per_run, purpose=self.purpose)
        return talk.reply(turns, spent, level, lambda share: self._opening(bench, share))
