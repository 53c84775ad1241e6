"""How the commit that broke a branch is found: by few runs, paid for once, and never named without proof."""

from __future__ import annotations

from dataclasses import replace
from threading import Event
from typing import Any

import pytest

from sandbox.errors import Cancelled
from sandbox.spec import Plan, Result, TestCase
from tests.workers.fixers.benches import Memory
from tests.workers.histories import MANIFEST, OTHER, Answer, CommitTree, Line, Machine, Past, broken_at, number, sha
from tests.workers.made import CHECK, GREEN, RED, case, diagnosis
from workers.domain import Blame, Reproduction
from workers.ports import Origin, Workbench
from workers.repo_config import RepoConfig, RunLimits
from workers.stages.blame import blame

LAST = 40


def looked(
    answer: Answer, *, once: Memory | None = None, seconds: float = 0.5, budget: int = 300, **past: Any
) -> tuple[Blame, Machine]:
    """The blame for commit 40, after CI was green at commit 1, and the machine it was found with."""
    machine = Machine(answer)
    given: dict[str, Any] = {"green": sha(1), "line": Line(1, LAST), "brought": Origin(12, "octocat"), **past}
    red = case(head_sha=sha(LAST), pull_request=given.pop("pull_request", None))
    before = replace(RED, wall_s=seconds)
    bench = Workbench(
        CommitTree(sha(LAST)), diagnosis(), Reproduction(Plan("python", (), CHECK), before, 4, 4),
        environment=machine.prepare(Plan("python", (), CHECK), CommitTree(sha(LAST)).tar()),
        config=RepoConfig(limits=RunLimits(bisect=budget)), once=once or Memory(),
    )  # fmt: skip
    forge: Any = Past(**given)
    return blame(red, bench, forge, machine, Event()), machine


@pytest.mark.parametrize("first_red", [2, 3, 20, 39, 40])
def test_the_commit_that_broke_it_is_named(first_red: int) -> None:
    """With its author and pull request, what it changed, and the commit before it, which is green."""
    found, machine = looked(broken_at(first_red))
    assert found.culprit is not None
    assert (found.culprit.sha, found.culprit.login, found.pull_request) == (sha(first_red), "octocat", 12)
    assert (found.good, found.note) == (sha(first_red - 1), "")
    assert found.diff == f"diff from {first_red - 1} to {first_red}"
    assert (found.span, found.runs) == (LAST - 1, len(machine.asked))
    assert found.runs <= 12
    assert LAST not in machine.asked
    assert len(machine.made) == 1


def test_a_single_commit_needs_one_run() -> None:
    """Where nothing lies between, only the green end is run: it has to be green here too."""
    found, machine = looked(broken_at(LAST), line=Line(LAST - 1, LAST), green=sha(LAST - 1))
    assert found.culprit is not None
    assert machine.asked == [LAST - 1]


def test_what_broke_from_outside_is_blamed_on_no_commit() -> None:
    """The commit that CI had green is red here now: one round tells that no commit is to blame."""
    found, machine = looked(lambda *_: RED)
    assert (found.culprit, found.suspects) == (None, ())
    assert "outside the repository" in found.note
    assert len(machine.asked) <= 2


def test_commits_that_cannot_be_tried_leave_a_range() -> None:
    """Set-up fails or something else is broken in the middle: all that may have brought it are named, and why."""

    def answer(one: str, n: int) -> Result | None:
        return (None if number(one) % 2 else OTHER) if 11 <= number(one) <= 14 else broken_at(13)(one, n)

    found, _ = looked(answer)
    assert [number(commit.sha) for commit in found.suspects] == [11, 12, 13, 14, 15]
    assert (found.culprit, found.count, found.good) == (None, 5, sha(10))
    assert "could not be tried" in found.note
    assert found.diff == "diff from 10 to 15"


def test_another_failure_where_the_test_passed_is_a_green_commit() -> None:
    """A commit that is red with another test is not skipped when the test that is looked for passed there."""
    others = tuple(TestCase(f"tests/test_calc.py::t{n}", "failed" if n == 3 else "passed") for n in range(4))
    otherwise = replace(RED, tests=others)

    def answer(one: str, _: int) -> Result:
        return GREEN if number(one) == 1 else otherwise if number(one) < 30 else RED

    found, _ = looked(answer)
    assert found.culprit is not None
    assert found.culprit.sha == sha(30)


def test_a_failure_that_came_back_is_said_to_have_been_there() -> None:
    """Red, green and red again: the last coming is blamed, and the note says so."""
    found, machine = looked(lambda one, _: RED if number(one) in range(25, 29) or number(one) >= 38 else GREEN)
    assert set(machine.asked) & set(range(25, 29))
    assert found.culprit is not None
    assert found.culprit.sha == sha(38)
    assert "there before" in found.note


def test_too_dear_a_search_is_left_out_and_the_range_told() -> None:
    """Rounds times the time of the red run are more than the repository allows: nothing is run, all suspects stay."""
    found, machine = looked(broken_at(20), seconds=90.0)
    assert machine.asked == []
    assert (found.count, len(found.suspects), found.good) == (LAST - 1, 10, sha(1))
    assert "limits.bisect" in found.note
    assert found.diff == f"diff from 1 to {LAST}"


def test_a_run_that_is_taken_up_again_pays_for_no_round_twice() -> None:
    """The rounds that were done are read from the journal."""
    once = Memory()
    first, _ = looked(broken_at(20), once=once)
    again, machine = looked(broken_at(20), once=once)
    assert again == first
    assert machine.asked == []


def test_commits_with_other_manifests_have_environments_of_their_own() -> None:
    """Two sets of requirements in the history are two environments."""
    files = {n: {MANIFEST: b"pytest\n" if n < 15 else b"pytest==8\n"} for n in range(LAST + 1)}
    _, machine = looked(broken_at(20), line=Line(1, LAST, files.get))
    assert len(machine.made) == 1 + 2  # the bench's own has no manifest


@pytest.mark.parametrize("past", [{"pull_request": 5}, {"green": None}, {"line": None}, {"budget": 0}])
def test_nothing_is_run_where_nothing_can_be_found(past: dict[str, Any]) -> None:
    """A pull request of its own fault, no green commit, no history, or a repository that wants none."""
    found, machine = looked(broken_at(20), **past)
    assert (found.suspects, machine.asked) == ((), [])


def test_stopping_the_run_ends_the_search() -> None:
    """Somebody ends the run while commits are tried: nothing is said of them."""
    machine, cancel = Machine(broken_at(20)), Event()
    machine.ended = cancel
    bench = Workbench(
        CommitTree(sha(LAST)), diagnosis(), Reproduction(Plan("python", (), CHECK), RED, 4, 4),
        environment=machine.prepare(Plan("python", (), CHECK), CommitTree(sha(LAST)).tar()),
        config=RepoConfig(), once=Memory(),
    )  # fmt: skip
    forge: Any = Past(green=sha(1), line=Line(1, LAST))
    with pytest.raises(Cancelled):
        blame(case(), bench, forge, machine, cancel)
