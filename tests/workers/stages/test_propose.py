"""Which fixer is asked next, and what is said when none has an idea."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import pytest

from tests.workers.made import GREEN, MemoryTree, ScriptedEnvironment, candidate, diagnosis, reproduction
from workers.domain import Attempt, Candidate, Confidence, Diagnosis, Outcome, Verdict, Witness
from workers.errors import Stop
from workers.ports import T, Workbench
from workers.repo_config import RepoConfig, RunLimits
from workers.stages.propose import propose


@dataclass
class Scripted:
    """A fixer with a fixed list of ideas."""

    name: str
    ideas: tuple[Candidate, ...]
    willing: bool = True

    def applies(self, diagnosis: Diagnosis) -> bool:
        return self.willing

    def propose(self, bench: Workbench, tried: Sequence[Attempt]) -> Candidate | None:
        return self.ideas[len(tried)] if len(tried) < len(self.ideas) else None


@dataclass
class Broke(Scripted):
    """A fixer that no budget has room for."""

    outcome: Outcome = Outcome.OVER_BUDGET

    def propose(self, bench: Workbench, tried: Sequence[Attempt]) -> Candidate | None:
        raise Stop(self.outcome, f"No room for {self.name}.", setting=self.name)


def once(key: str, kind: type[T], compute: object) -> T:
    raise AssertionError("these fixers pay for nothing")


def bench(limit: int = 8) -> Workbench:
    config = RepoConfig(limits=RunLimits(attempts=limit))
    environment = ScriptedEnvironment(lambda step, patch, n: GREEN)
    return Workbench(MemoryTree(), diagnosis(), reproduction(), environment, config, once)


def rejected(idea: Candidate) -> Attempt:
    return Attempt(idea, Verdict(False, "check"))


FIRST, SECOND = candidate(fixer="autofix"), candidate(fixer="search")
FIXERS = (Scripted("autofix", (FIRST,)), Scripted("search", (SECOND, SECOND)))


def test_the_cheapest_fixer_goes_first_and_the_next_when_it_has_run_out() -> None:
    """Each fixer is told only what it tried itself."""
    assert propose(FIXERS, bench(), []) is FIRST
    assert propose(FIXERS, bench(), [rejected(FIRST)]) is SECOND


def test_what_is_free_is_tried_without_a_budget() -> None:
    """Also behind a fixer that there is no money for; in the end the budget is told, with what was found."""
    fixers = (Broke("llm", ()), Scripted("suggested", (FIRST,)), Broke("agent", ()))
    assert propose(fixers, bench(), []) is FIRST
    shown = Attempt(replace(FIRST, fixer="suggested", confidence=Confidence.LOW), Verdict(True))
    with pytest.raises(Stop, match=r"No room for llm\.") as stop:
        propose(fixers, bench(), [shown])
    assert (stop.value.outcome, stop.value.data) == (Outcome.OVER_BUDGET, {"setting": "llm", "patch": FIRST.patch})


def test_another_end_is_an_end() -> None:
    """Only money is a matter of the fixer alone."""
    with pytest.raises(Stop) as stop:
        propose((Broke("llm", (), outcome=Outcome.CANCELLED), *FIXERS), bench(), [])
    assert stop.value.outcome is Outcome.CANCELLED


def test_a_fixer_that_does_not_apply_is_not_asked() -> None:
    """The diagnosis decides."""
    assert propose((Scripted("autofix", (FIRST,), willing=False), FIXERS[1]), bench(), []) is SECOND


def test_without_ideas_the_run_ends_and_names_the_gates() -> None:
    """What was tried and why it was rejected is in the sentence."""
    tried = [rejected(FIRST), rejected(SECOND), rejected(SECOND)]
    with pytest.raises(Stop) as stop:
        propose(FIXERS, bench(), tried)
    assert stop.value.outcome is Outcome.NO_FIX_FOUND
    assert "3 candidates tried" in stop.value.detail
    assert "check" in stop.value.detail


def test_the_repositorys_limit_ends_the_run() -> None:
    """`limits.attempts` counts all fixers together."""
    with pytest.raises(Stop):
        propose(FIXERS, bench(limit=1), [rejected(FIRST)])


def test_a_green_guess_is_told_and_never_proposed() -> None:
    """A low-class patch does not end the search for a better one, and is shown when none is found."""
    guess = Attempt(candidate(fixer="search", confidence=Confidence.LOW), Verdict(True, after=GREEN))
    assert not guess.held
    with pytest.raises(Stop) as stop:
        propose((Scripted("search", ()),), bench(), [guess])
    assert stop.value.data["patch"] == guess.candidate.patch
    assert "too little is known" in stop.value.detail


@pytest.mark.parametrize(("model", "confidence"), [(None, Confidence.HIGH), ("gpt-5", Confidence.MEDIUM)])
def test_a_fix_is_no_surer_than_its_test(model: str | None, confidence: Confidence) -> None:
    """Where a model wrote the failing test, a person has to read both."""
    witness = Witness("tests/new.py", "", "", reproduction().plan, 3, model=model)
    sure = candidate(fixer="autofix", confidence=Confidence.HIGH)
    found = propose((Scripted("autofix", (sure,)),), replace(bench(), witness=witness), [])
    assert found == replace(sure, confidence=confidence)
