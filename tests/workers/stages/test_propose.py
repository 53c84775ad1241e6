"""Which fixer is asked next, and what is said when none has an idea."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import pytest

from tests.workers.made import GREEN, RED, MemoryTree, ScriptedEnvironment, candidate, case, diagnosis, reproduction
from workers import messages
from workers.domain import (
    Attempt,
    Candidate,
    Confidence,
    Coverage,
    Diagnosis,
    FailureClass,
    Finding,
    Outcome,
    Report,
    Verdict,
    Witness,
)
from workers.errors import Stop
from workers.ports import T, Workbench
from workers.repo_config import Paths, RepoConfig, RunLimits
from workers.repo_config.model import Models
from workers.stages.propose import ladder, propose


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
class Looking(Scripted):
    """One that keeps what the workbench says was tried."""

    saw: tuple[Attempt, ...] = ()

    def propose(self, bench: Workbench, tried: Sequence[Attempt]) -> Candidate | None:
        self.saw = bench.attempts
        return super().propose(bench, tried)


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
    return Attempt(idea, Verdict(False, "check", after=RED))


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


def test_what_was_never_run_does_not_count_against_the_limit() -> None:
    """An answer that could not be applied, or that the policy refused, cost no sandbox."""
    cheap = [
        Attempt(replace(FIRST, error="unreadable"), Verdict(False, "answer")),
        Attempt(FIRST, Verdict(False, "policy")),
    ]
    assert propose(FIXERS, bench(limit=1), cheap) is SECOND
    with pytest.raises(Stop):
        propose(FIXERS, bench(limit=1), [*cheap, rejected(SECOND)])


def test_what_costs_no_run_ends_too() -> None:
    """Whatever a fixer thinks of, five candidates for each run that may be made are enough."""
    tried = [Attempt(SECOND, Verdict(False, "policy"))] * 10
    endless = (Scripted("search", (SECOND,) * 99),)
    assert propose(endless, bench(limit=2), tried[1:]) is SECOND
    with pytest.raises(Stop):
        propose(endless, bench(limit=2), tried)


def test_a_model_that_disputes_the_test_ends_the_search() -> None:
    """No further candidate; the run says so, as an opinion that the message's reader gets escaped."""
    said = Attempt(
        replace(FIRST, error="it is wrong", dispute="assert 1 == 2: <b>@all</b>\n no"), Verdict(False, "answer")
    )
    with pytest.raises(Stop) as stop:
        propose(FIXERS, bench(), [rejected(SECOND), said])
    assert stop.value.outcome is Outcome.NO_FIX_FOUND
    assert "1 candidate tried" in stop.value.detail
    assert 'which nothing was run to prove: "assert 1 == 2: <b>@all</b> no"' in stop.value.detail
    report = Report(case(), stop.value.outcome, stop.value.detail)
    shown = messages.ended(report, "").summary
    assert "assert 1 == 2" in shown
    assert "<b>" not in shown
    assert "@all" not in shown


def test_a_green_guess_is_told_and_never_proposed() -> None:
    """A low-class patch does not end the search for a better one, and is shown when none is found."""
    guess = Attempt(candidate(fixer="search", confidence=Confidence.LOW), Verdict(True, after=GREEN))
    assert not guess.held
    with pytest.raises(Stop) as stop:
        propose((Scripted("search", ()),), bench(), [guess])
    assert stop.value.data["patch"] == guess.candidate.patch
    assert "too little is known" in stop.value.detail


def test_a_patch_that_in_effect_deletes_is_low_whoever_made_it() -> None:
    """Green, with a statement behind a condition that no test met: told with its place, and the search goes on."""
    seen = Coverage(2, (("calc.py", 3),), sidelined=(("calc.py", 3),))
    guess = Attempt(candidate(fixer="llm", confidence=Confidence.HIGH), Verdict(True, after=GREEN, covered=seen))
    assert (guess.confidence, guess.held) == (Confidence.LOW, False)
    assert replace(guess, verdict=replace(guess.verdict, covered=replace(seen, sidelined=()))).held
    assert propose((Scripted("search", (SECOND,)),), bench(), [guess]) is SECOND
    with pytest.raises(Stop) as stop:
        propose((Scripted("llm", ()),), bench(), [guess])
    assert stop.value.data["patch"] == guess.candidate.patch
    assert "no test executes `calc.py:3` with it" in stop.value.detail


@pytest.mark.parametrize(("model", "confidence"), [(None, Confidence.HIGH), ("gpt-5", Confidence.MEDIUM)])
def test_a_fix_is_no_surer_than_its_test(model: str | None, confidence: Confidence) -> None:
    """Where a model wrote the failing test, a person has to read both."""
    witness = Witness("tests/new.py", "", "", reproduction().plan, 3, model=model)
    sure = candidate(fixer="autofix", confidence=Confidence.HIGH)
    found = propose((Scripted("autofix", (sure,)),), replace(bench(), witness=witness), [])
    assert found == replace(sure, confidence=confidence)


def test_a_fixer_may_look_at_what_others_tried() -> None:
    """All attempts of the run are on the workbench, in their order."""
    looking = Looking("agent", (SECOND,))
    propose((looking,), bench(), [rejected(FIRST), rejected(SECOND)])
    assert looking.saw == (rejected(FIRST), rejected(SECOND))


LADDER = tuple(Scripted(name, ()) for name in ("autofix", "static", "search", "llm", "agent"))
ALL, STRAIGHT = ["autofix", "static", "search", "llm", "agent"], ["autofix", "static", "agent", "search"]
NO_AGENT, NO_MODEL = ALL[:4], ALL[:3]


def found_in(*paths: str) -> tuple[Finding, ...]:
    return tuple(Finding("wrong", path) for path in paths)


@pytest.mark.parametrize(
    ("failure", "config", "names"),
    [
        ({}, RepoConfig(), ALL),
        ({"findings": found_in("a", "b", "c", "c")}, RepoConfig(), ALL),
        ({"findings": found_in("a", "b", "c", "d")}, RepoConfig(), STRAIGHT),
        ({"cls": FailureClass.BUILD}, RepoConfig(), STRAIGHT),
        ({"cls": FailureClass.RESOLUTION}, RepoConfig(), STRAIGHT),
        ({"cls": FailureClass.DEPENDENCY}, RepoConfig(), STRAIGHT),
        ({"cls": FailureClass.LINT}, RepoConfig(), ALL),
        ({}, RepoConfig(models=Models(propose="none")), NO_MODEL),
        ({}, RepoConfig(models=Models(agent=False)), NO_AGENT),
        ({"cls": FailureClass.BUILD}, RepoConfig(models=Models(agent=False)), NO_AGENT),
        ({"cls": FailureClass.BUILD}, RepoConfig(models=Models(propose="none")), NO_MODEL),
        ({}, RepoConfig(paths=Paths(ignore=("calc.*",))), NO_AGENT),
        ({}, RepoConfig(paths=Paths(ignore=("vendor/**",))), ALL),
    ],
)
def test_the_ladder(failure: dict[str, object], config: RepoConfig, names: list[str]) -> None:
    """Where one answer cannot see enough it is left out, and the agent follows what is certain, before the search; both
    models are left out where no code may go to one; the agent where it is switched off, or could read what no model is
    to see."""
    asked = replace(bench(), diagnosis=diagnosis(**failure), config=config)
    assert [fixer.name for fixer in ladder(LADDER, asked)] == names


def test_the_search_is_tried_where_the_agent_has_no_money() -> None:
    """It costs nothing, so a spent budget does not take it away."""
    wide = replace(bench(), diagnosis=diagnosis(cls=FailureClass.BUILD))
    fixers = (Scripted("search", (SECOND,)), Scripted("llm", (FIRST,)), Broke("agent", ()))
    assert propose(fixers, wide, []) is SECOND


def test_without_an_agent_one_answer_is_asked_for_everything() -> None:
    """Nobody is left out, or put back, for the sake of a fixer that is not there, or does not apply."""
    wide = replace(bench(), diagnosis=diagnosis(cls=FailureClass.BUILD))
    assert [fixer.name for fixer in ladder(LADDER[:3], wide)] == NO_MODEL
    assert [fixer.name for fixer in ladder(LADDER[:4], wide)] == NO_AGENT
    unwilling = (*LADDER[:4], Scripted("agent", (), willing=False))
    assert [fixer.name for fixer in ladder(unwilling, wide)] == NO_AGENT
