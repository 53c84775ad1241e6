"""A model's candidates: one careful conversation, then a few fresh ones that look at the failure from another side.

The first answer is the model's likeliest, and the next two are told why the one before was rejected: more in one
conversation repeats its mistake (Olausson et al., 2023). The fresh ones are warmer, begin with another view of the
repository, and are only told how the earlier answers ended. Every answer is journaled under the hash of its
conversation, so a restarted run never asks the same thing twice.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field, replace

from workers.domain import REVIEW, Attempt, Candidate, Confidence, Diagnosis, FailureClass, Usage
from workers.fixers import context, opinions, views
from workers.fixers.views import View
from workers.llm.budgets import Purpose
from workers.llm.client import Client
from workers.llm.exchange import Message
from workers.llm.talk import LEVELS, Budget, Reply, Talk
from workers.patch import PatchError, check, lint, read_answer, reasoning
from workers.ports import Workbench

NOT_FOR_A_MODEL = frozenset(
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
"""What no change of the code can mend."""

_REGENERATIONS = 1
"""How often a patch that only the second look rejected is tried anew."""
_FRESH = (View.STACK, View.CALLERS, View.CHANGE)
"""The views that the fresh conversations begin with, of one answer each."""
_WARM = 0.8
"""The temperature of theirs: as that of the repair systems that sample (Agentless 0.8)."""


@dataclass(frozen=True)
class Thread:
    """One conversation: what it is shown first, what is told of earlier ones, and the answers it had so far."""

    view: View = View.WHOLE
    temperature: float = 0.0
    earlier: tuple[Attempt, ...] = ()
    answered: tuple[Attempt, ...] = ()


@dataclass(frozen=True)
class Llm:
    """The fixer. `fresh` are the views of the conversations that follow the first one; `disputes` says whether the
    model is told that it may call the test wrong."""

    client: Client
    budget: Budget = field(default_factory=Budget)
    name: str = "llm"
    fresh: tuple[View, ...] = _FRESH
    disputes: bool = True
    purpose: Purpose = Purpose.FIXER

    def applies(self, diagnosis: Diagnosis) -> bool:
        """Everything that a change of the code can mend."""
        return diagnosis.cls not in NOT_FOR_A_MODEL

    def propose(self, bench: Workbench, tried: Sequence[Attempt]) -> Candidate | None:
        """The next answer as a candidate; one with `error` when it could not be read. Raises `Stop(OVER_BUDGET)`."""
        mine = [attempt for attempt in tried if attempt.candidate.fixer == self.name]
        vetoed = sum(attempt.verdict.rejected_by == REVIEW for attempt in mine)
        thread = self._thread(mine)
        if thread is None or vetoed > _REGENERATIONS or self._gave_up(bench, mine):
            return None
        reply = self._reply(bench, thread)
        if reply.problem:
            return replace(self._candidate(reply, "", "", reply.problem), unasked=reply.away)
        try:
            patch = self._patch(bench, opinions.edits(reply.text))
            check(patch)
        except PatchError as error:
            return self._without_patch(bench, reply, str(error))
        return self._candidate(reply, patch, reasoning(reply.text)[:2000], "")

    def _opening(self, bench: Workbench, thread: Thread, share: float) -> list[Message]:
        """The first turns, with a share of the context's budgets."""
        return context.opening(bench, share, thread.view, thread.earlier)

    def _patch(self, bench: Workbench, text: str) -> str:
        """What an answer means, as a diff against the head commit; raises `PatchError`."""
        edits = read_answer(text, bench.tree)
        lint.gate(edits, bench.tree)
        return bench.tree.diff(edits)

    def _before(self, bench: Workbench) -> Usage:
        """What the run has spent on the model before this fixer."""
        return bench.spent

    def _candidate(self, reply: Reply, patch: str, why: str, error: str) -> Candidate:
        return Candidate(
            fixer=self.name,
            patch=patch,
            reasoning=why or "The model gave no reasoning.",
            confidence=opinions.lowered(reply.text, Confidence.MEDIUM),
            model=reply.model or self.client.model,
            usage=reply.usage,
            title=re.split(r"(?<=[.!?])\s", why.strip(), maxsplit=1)[0][:120],
            error=error,
        )

    def _without_patch(self, bench: Workbench, reply: Reply, error: str) -> Candidate:
        """An answer that no edit could be read in: told why, unless it disputes the test."""
        try:
            why = opinions.dispute(reply.text, views.tests(bench)) if self.disputes else ""
        except opinions.Unquoted as unquoted:
            return self._candidate(reply, "", "", str(unquoted))
        made = self._candidate(reply, "", "", "the model holds that the test itself is wrong" if why else error)
        return replace(made, dispute=why)

    def _thread(self, mine: Sequence[Attempt]) -> Thread | None:
        """The conversation that the next answer is part of; None when there is none left.

        The first one ends early with an answer that is green and not sure: there is nothing to tell it.
        """
        most = self.budget.answers
        first = next((n for n, one in enumerate(mine[:most], 1) if one.verdict.accepted), most)
        if len(mine) < first:
            return Thread(answered=tuple(mine))
        number = len(mine) - first
        return Thread(self.fresh[number], _WARM, tuple(mine)) if number < len(self.fresh) else None

    def _gave_up(self, bench: Workbench, mine: Sequence[Attempt]) -> bool:
        """The model refused, or could not answer, the last time: neither is argued with."""
        before = self._thread(mine[:-1]) if mine and mine[-1].candidate.error else None
        return before is not None and bool(self._reply(bench, before).problem)

    def _reply(self, bench: Workbench, thread: Thread) -> Reply:
        """The next answer of a conversation, after those it had, which are in the journal."""
        level, turns = 0, self._opening(bench, thread, LEVELS[0])
        spent = self._before(bench)
        for attempt in thread.earlier:
            spent = spent.plus(attempt.candidate.usage)
        for attempt in thread.answered:
            reply = self._ask(bench, thread, turns, spent, level)
            if reply.level != level:
                level = reply.level
                turns = self._opening(bench, thread, LEVELS[level])
            spent = spent.plus(reply.usage)
            turns = [*turns, Message("assistant", reply.text), context.feedback(bench, attempt, LEVELS[level])]
        return self._ask(bench, thread, turns, spent, level)

    def _ask(self, bench: Workbench, thread: Thread, turns: list[Message], spent: Usage, level: int) -> Reply:
        ceiling = bench.config.limits.usd_per_run
        talk = Talk(self.client, self.budget, bench.once, ceiling, purpose=self.purpose, temperature=thread.temperature)
        return talk.reply(turns, spent, level, lambda share: self._opening(bench, thread, share))
