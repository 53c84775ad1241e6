"""The next candidate patch: asks the fixers in their declared order, cheapest first, within the repository's limit.

Which of them are asked follows from the configuration, the files and the diagnosis alone, so a run that is taken up
again goes up the same ladder.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from workers import messages
from workers.domain import Attempt, Candidate, Confidence, Diagnosis, FailureClass, Outcome
from workers.errors import Stop
from workers.globs import matches
from workers.ports import Fixer, Workbench

MODEL, AGENT = "llm", "agent"
"""The fixers that send code to a model, which `models.propose: none` forbids: in one answer, and by commands."""
SEARCH = "search"
_WIDE = 3
"""Files; where more are concerned, one answer does not see enough of them."""
_BUILDS = frozenset({FailureClass.BUILD, FailureClass.DEPENDENCY, FailureClass.RESOLUTION})
"""What is wrong shows itself by trying, not by reading."""
_CHEAP = 5
"""How many times the limit all candidates together may be, those included that never got as far as a run."""


def propose(fixers: Sequence[Fixer], bench: Workbench, attempts: Sequence[Attempt]) -> Candidate:
    """The first fixer that applies and still has an idea, told what it tried before.

    Raises `Stop(NO_FIX_FOUND)` when all have run out, the limit of attempts is reached (of candidates that cost no run,
    five times as many) or a model disputes the test itself, `Stop(OVER_BUDGET)` when all have run out that the budget
    has room for, and `Stop(REFUSED_BY_POLICY)` when the repository only wants to be told.
    """
    if bench.config.mode == "observe":
        why = bench.note or "`mode: observe`: the failure is reproduced and told, not mended."
        raise Stop(Outcome.REFUSED_BY_POLICY, why)
    end = Stop(Outcome.NO_FIX_FOUND, messages.nothing_held(attempts))
    if _may_go_on(attempts, bench.config.limits.attempts):
        bench = replace(bench, attempts=tuple(attempts))
        for fixer in ladder(fixers, bench):
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


def ladder(fixers: Sequence[Fixer], bench: Workbench) -> tuple[Fixer, ...]:
    """The fixers that may be asked, in their order. Where the agent is needed anyway, nothing stands between it and
    what is certain: one answer is not paid for, and the search, which is free, waits until the agent has no idea or no
    money left."""
    forbidden = _forbidden(bench)
    able = tuple(fixer for fixer in fixers if fixer.name not in forbidden and fixer.applies(bench.diagnosis))
    if not (needs_agent(bench.diagnosis) and any(fixer.name == AGENT for fixer in able)):
        return able
    straight = tuple(fixer for fixer in able if fixer.name not in (MODEL, SEARCH))
    return (*straight, *(fixer for fixer in able if fixer.name == SEARCH))


def needs_agent(diagnosis: Diagnosis) -> bool:
    """The failure spans more files than one answer sees, or is one of the build."""
    files = {finding.path for finding in diagnosis.findings if finding.path}
    return len(files) > _WIDE or diagnosis.cls in _BUILDS


def _forbidden(bench: Workbench) -> frozenset[str]:
    """Fixers that the repository does without. No file that a model must not see is hidden from a command."""
    config = bench.config
    if config.models.propose == "none":
        return frozenset({MODEL, AGENT})
    hidden = config.paths.ignore and any(matches(path, config.paths.ignore) for path in bench.tree.paths())
    return frozenset() if config.models.agent and not hidden else frozenset({AGENT})


def _may_go_on(attempts: Sequence[Attempt], limit: int) -> bool:
    """There is room for one more run in the sandbox, and no end of what costs none is in sight."""
    disputed = any(attempt.candidate.dispute for attempt in attempts)
    return not disputed and sum(attempt.ran for attempt in attempts) < limit and len(attempts) < limit * _CHEAP


def _bounded(candidate: Candidate, bench: Workbench) -> Candidate:
    """A patch that makes a model's own test green is no better known than the test: a person has to read both."""
    written = bench.witness is not None and bench.witness.model is not None
    if written and candidate.confidence is Confidence.HIGH:
        return replace(candidate, confidence=Confidence.MEDIUM)
    return candidate
