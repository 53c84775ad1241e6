"""The order of a bench: which cases are worked on, how many at once, and what a stopped one leaves."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from threading import Barrier, Event

import pytest

from sandbox.errors import Cancelled
from sandbox.spec import Environment, Finding, Plan, Tree
from tests.workers.bench.rows import fixed, row
from tests.workers.made import report
from workers.bench.case import BenchCase, Ruling
from workers.bench.forge import BenchForge
from workers.bench.results import Results
from workers.bench.row import Row
from workers.bench.runner import GOLD, Means, Till, able, healed, measure, row_of
from workers.domain import Attempt, Candidate, Confidence, Outcome, Usage, Verdict
from workers.errors import Stop, UsageError
from workers.fixers.replay import Replay
from workers.llm.purse import Paid

CASES = tuple(BenchCase(name, {"a.py": b"a = 1\n"}) for name in "abcd")


def test_only_cases_without_a_row_are_worked_on(tmp_path: Path) -> None:
    """What was measured before is not paid for again, and then the bench is at its end."""
    seen: list[str] = []

    def heal(case: BenchCase) -> Row:
        seen.append(case.id)
        return row(case.id)

    with Results(tmp_path / "r", {}) as results:
        results.add(fixed("b", True))
        assert measure(CASES, heal, results)
    assert seen == ["a", "c", "d"]
    assert list(results.rows) == ["b", "a", "c", "d"]


def test_cases_are_worked_on_side_by_side_and_made_late(tmp_path: Path) -> None:
    """Two at once with two jobs: neither could pass the barrier alone. No case is made before there is a place."""
    together, made = Barrier(2), []

    def cases() -> Iterator[BenchCase]:
        for case in CASES:
            made.append(case.id)
            yield case

    def heal(case: BenchCase) -> Row:
        together.wait(timeout=30)
        assert len(made) <= 2 + len(results.rows) + 1
        return row(case.id)

    with Results(tmp_path / "r", {}) as results:
        assert measure(cases(), heal, results, jobs=2)
    assert sorted(results.rows) == list("abcd")


def test_a_stopped_bench_keeps_what_is_done(tmp_path: Path) -> None:
    """The case under way leaves no row, no other is begun, and the file is not at its end."""
    cancelled = Event()

    def heal(case: BenchCase) -> Row | None:
        if case.id == "b":
            cancelled.set()
            return None
        return row(case.id)

    with Results(tmp_path / "r", {}) as results:
        assert not measure(CASES, heal, results, cancelled=cancelled)
    with Results(tmp_path / "r", {}) as results:
        assert list(results.rows) == ["a"]


def test_trouble_of_the_machine_is_raised(tmp_path: Path) -> None:
    """It is nothing that the case did; rows before it stay."""

    def heal(case: BenchCase) -> Row:
        if case.id == "b":
            raise OSError("no space")
        return row(case.id)

    with Results(tmp_path / "r", {}) as results, pytest.raises(OSError, match="no space"):
        measure(CASES, heal, results)
    assert list(results.rows) == ["a"]


def test_a_row_says_what_the_run_came_to() -> None:
    """Of the accepted attempt its fixer and class, of the run the calls that were paid and the gates that refused."""
    refused = Attempt(Candidate("search", "p1", "", Confidence.LOW), Verdict(False, "regression"))
    taken = Attempt(Candidate("llm", "p2", "", Confidence.MEDIUM, alternatives=2), Verdict(True))
    till = Till()
    for key, paid in (("a", Paid(usage=Usage(10, 5, 0.5))), ("b", Paid()), ("a", Paid(usage=Usage(10, 5, 0.5)))):
        till.settle(key, paid)
    made = row_of(CASES[0], report(attempts=(refused, taken)), Ruling(False, "differs"), 9.5, 4.25, till)
    assert (made.tier, made.confidence, made.alternatives, made.patch) == ("llm", "medium", 2, "p2")
    assert (made.plausible, made.verified, made.correct, made.why) == (True, True, False, "differs")
    assert (made.rejected, made.usd, made.input_tokens, made.calls, made.first_s) == (("regression",), 0.5, 10, 2, 4.25)


def test_a_patch_that_is_only_told_is_verified_but_not_proposed() -> None:
    """A low-class patch is judged too: else its class had no precision."""
    told = Attempt(Candidate("search", "p", "", Confidence.LOW), Verdict(True))
    ended = report(outcome=Outcome.NO_FIX_FOUND, attempts=(told,))
    made = row_of(CASES[0], ended, Ruling(True), 1.0, 1.0, Till())
    assert (made.verified, made.proposed, made.confidence, made.patch) == (True, False, "low", "p")


def test_a_case_is_a_repository_with_its_log_and_environment(tmp_path: Path) -> None:
    """The files as committed, whatever their names; the same files are the same commit; what the case says of its
    environment beats the file's word."""
    files = {'odd "n\\ame".txt': b"x", "bin/run": b"#!/bin/sh\n", ".github/heal.yml": b"environment: {image: node}\n"}
    case = BenchCase("a", files, "pytest", image="python", setup=("pip install x",), log=b"##[error]no\n", job="test")
    forges = [BenchForge(case, tmp_path / name) for name in "xy"]
    run = forges[0].bench_case("made")
    environment = forges[0].admission(run).config.environment
    assert sorted(forges[0].tree(run).paths()) == sorted(files)
    assert (environment.image, environment.setup) == ("python", ("pip install x",))
    assert (run.repo, run.check) == ("bench/made", "pytest")
    assert len({forge.checkout.sha for forge in forges}) == 1


class Interrupted:
    """A sandbox that is asked when somebody presses Ctrl-C, and then does what it does."""

    def __init__(self, error: Exception) -> None:
        self.cancelled, self.error = Event(), error

    def prepare(self, plan: Plan, tree: Tree, cancel: Event | None = None) -> Environment:
        self.cancelled.set()
        raise self.error

    def doctor(self) -> list[Finding]:
        return []


@pytest.mark.parametrize("error", [Cancelled("stopped"), Stop(Outcome.UNSUPPORTED, "Not here.")])
def test_a_case_that_was_interrupted_has_no_row(error: Exception) -> None:
    """However its run took the end: it is measured again, not counted."""
    sandbox = Interrupted(error)
    means = Means(sandbox, "offline", lambda _: None, sandbox.cancelled)
    assert healed("made", BenchCase("a", {"a.py": b"a = 1\n"}, "python a.py", image="python"), means) is None


def test_the_developers_own_fix_stands_for_the_fixers() -> None:
    """With the engine `gold` nothing else is tried; with any other it is not known to anybody."""
    case = BenchCase("a", {}, gold="patch")
    assert [type(fixer) for fixer in able(case, GOLD, None)] == [Replay]
    assert all(not isinstance(fixer, Replay) for fixer in able(case, "offline", None))


@pytest.mark.parametrize("name", ["../up", ".git/config", "a//b", "/root"])
def test_a_name_that_no_repository_has_is_refused(tmp_path: Path, name: str) -> None:
    """A data set writes nothing beside the repository of its case."""
    with pytest.raises(UsageError, match="no repository can have"):
        BenchForge(BenchCase("a", {name: b""}), tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == ["work"]
