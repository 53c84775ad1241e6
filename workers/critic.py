"""A second look at a model's patch that passed every gate: one cheap question to a model, which can only say no.

A no counts when it names a rule of a closed list and quotes a line of the diff; whatever else it says is dropped, so a
stranger's text can at most cost a candidate, and never let one through.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from enum import StrEnum

from pydantic import BaseModel, ValidationError

from workers import prompts
from workers.domain import Candidate, Outcome, Usage
from workers.errors import Stop
from workers.fixers.context import cleaned, nonce, one_line
from workers.llm.budgets import Purpose
from workers.llm.client import Client, Message
from workers.llm.schemas import strict
from workers.llm.talk import LEVELS, Budget, Talk
from workers.patch.envelope import blocks
from workers.ports import Workbench

_DIFF, _SUMMARY, _SHORTEST = 16_000, 2_000, 6
"""Characters of the diff and of the failure that are shown, and of a quote that says which line is meant."""


class Rule(StrEnum):
    """What an objection can be about."""

    SPECIAL_CASE = "special_case"
    HIDES_FAILURE = "hides_failure"
    WEAKENS_CHECK = "weakens_check"
    UNRELATED = "unrelated"
    UNSAFE = "unsafe"


_MEANINGS = {
    Rule.SPECIAL_CASE: "it treats the tested values in a way of their own instead of mending the cause",
    Rule.HIDES_FAILURE: "it swallows, silences or skips what fails",
    Rule.WEAKENS_CHECK: "it removes or loosens a validation, an assertion or a limit that others rely on",
    Rule.UNRELATED: "it changes behaviour that has nothing to do with the failure",
    Rule.UNSAFE: "it reads secrets, reaches out to a network or a shell, or opens a way for an attacker",
}


@dataclass(frozen=True)
class Opinion:
    """The objection in words, empty when there is none, and what it cost to ask."""

    veto: str = ""
    usage: Usage = field(default_factory=Usage)


@dataclass(frozen=True)
class Critic:
    """Who is asked."""

    client: Client
    budget: Budget = field(default_factory=lambda: Budget(answer_tokens=1_000))

    def opinion(self, candidate: Candidate, bench: Workbench) -> Opinion:
        """The first objection that counts. Asked once; not at all when the run's budget does not allow it."""
        talk = Talk(self.client, self.budget, bench.once, bench.config.limits.usd_per_run, _SCHEMA, Purpose.CRITIC)
        spent = bench.spent.plus(candidate.usage)
        try:
            reply = talk.reply(
                _opening(candidate, bench, LEVELS[0]), spent, 0, lambda share: _opening(candidate, bench, share)
            )
        except Stop as stop:
            if stop.outcome is not Outcome.OVER_BUDGET:
                raise
            return Opinion()  # a proven patch is not lost for want of an opinion
        return Opinion(next(objections(reply.text, candidate.patch), ""), reply.usage)


def objections(answer: str, patch: str) -> Iterator[str]:
    """The objections of an answer that count, as `rule: quoted line`."""
    changed = [line[1:].strip() for line in patch.split("\n") if line[:1] in "+-" and line[:3] not in ("+++", "---")]
    for one in _violations(answer):
        quote = one.quote.strip().removeprefix("+").removeprefix("-").strip()
        known = one.rule.strip().lower() in set(Rule)
        if known and len(quote) >= _SHORTEST and any(quote in line for line in changed):
            yield f"{one.rule.strip().lower()}: {quote[:200]}"


class _Violation(BaseModel):
    rule: str = ""
    line: int | str | None = None
    quote: str = ""


class _Answer(BaseModel):
    violations: list[_Violation] = []


_SCHEMA = strict(_Answer)


def _violations(answer: str) -> list[_Violation]:
    """What an answer lists; nothing for one that is not the object that was asked for."""
    texts = [answer, *(block.text for block in blocks(answer)), answer[answer.find("{") : answer.rfind("}") + 1]]
    for text in texts:
        try:
            return _Answer.model_validate(json.loads(text)).violations[:20]
        except (ValueError, RecursionError, ValidationError):
            continue
    return []


def _opening(candidate: Candidate, bench: Workbench, share: float) -> list[Message]:
    fence, policy, diagnosis = nonce(bench), bench.config.policy, bench.diagnosis
    task = prompts.render(
        "critic_task",
        nonce=fence,
        summary=cleaned(diagnosis.summary, fence, int(_SUMMARY * share)),
        findings=[one_line(finding.message, fence, 300) for finding in diagnosis.findings[:5]],
        tests_may_change=policy.allow_test_edits,
        protected=one_line(", ".join(policy.protected_paths), fence, 1_000),
        diff=cleaned(candidate.patch, fence, int(_DIFF * share)),
    )
    rules = [(rule.value, meaning) for rule, meaning in _MEANINGS.items()]
    return [Message("system", prompts.render("critic_system", nonce=fence, rules=rules)), Message("user", task)]
