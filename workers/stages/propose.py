"""The next candidate patch: asks the fixers in their declared order, cheapest first, within the repository's limit."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from workers import messages
from workers.domain import Attempt, Candidate, Confidence, Outcome
from workers.errors import Stop
from workers.ports import Fixer, Workbench

MODEL = "llm"
"""The fixer that sends code to a model, which `models.propose: none` forbids."""


def propose(fixers: Sequence[Fixer], bench: Workbench, attempts: Sequence[Attempt]) -> Candidate:
    """The first fixer that applies and still has an idea, told what it tried before.

    Raises `Stop(NO_FIX_FOUND)` when all have run out or the limit of attempts is reached, `Stop(OVER_BUDGET)` when all
    have run out that the budget has room for, and `Stop(REFUSED_BY_POLICY)` when the repository only wants to be told.
    """
    if bench.config.mode == "observe":
        why = bench.note or "`mode: observe`: the failure is reproduced and told, not mended."
        raise Stop(Outcome.REFUSED_BY_POLICY, why)
    end = Stop(Outcome.NO_FIX_FOUND, messages.nothing_held(attempts))
    if len(attempts) < bench.config.limits.attempts:
        for fixer in fixers:
            if not fixer.applies(bench.diagnosis) or (fixer.name == MODEL and bench.config.models.propose == "none"):
                continue
            tried = [attempt for attempt in attempts if attempt.candidate.fixer == fixer.name]
            try:
                candidate = fixer.propose(bench, tried)
            except Stop as stop:
                if stop.outcome is not Outcome.OVER_BUDGET:
                    raise
                # There may be others behind it that cost nothing; the first budget without room is told in the end.
                end = end if end.outcome is Outcome.OVER_BUDGET else stop
                continue
            if candidate is not None:
                return _bounded(candidate, bench)
    guess = next((attempt.candidate.patch for attempt in attempts if attempt.verdict.accepted), "")
    raise Stop(end.outcome, end.detail, **{**end.data, "patch": guess})


def _bounded(candidate: Candidate, bench: Workbench) -> Candidate:
    """A patch that makes a model's own test green is no better known than the test: a person has to read both."""
    written = bench.witness is not None and bench.witness.model is not None
    if written and candidate.confidence is Confidence.HIGH:
        return replace(candidate, confidence=Confidence.MEDIUM)
    return candidate
