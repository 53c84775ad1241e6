"""When a red pull request is the base's fault: told by runs of the check there, never by a conclusion of CI's alone."""

from __future__ import annotations

from dataclasses import replace
from threading import Event
from typing import Any

import pytest

from sandbox.spec import Plan, Result, TestCase
from tests.workers.histories import OTHER, Answer, CommitTree, Machine, Past, number, sha
from tests.workers.made import CHECK, GREEN, RED, case
from workers import logs
from workers.domain import Case, JobReport, Outcome, Sha
from workers.errors import Stop
from workers.ports import Base, Light, SourceTree
from workers.stages.base import compare_with_base

HEAD, TIP, FORK = sha(30), sha(20), sha(10)
"""The pull request's head, the base's head, and where the one left the other."""
RED_CASE = case(head_sha=TIP, actions_run_id=8, job_id=9)
LOG = """\
2026-11-21T05:01:59.0000000Z ##[group]Run python -m pytest -q
2026-11-21T05:01:59.0000000Z \x1b[36;1mpython -m pytest -q\x1b[0m
2026-11-21T05:01:59.0000000Z ##[endgroup]
2026-11-21T05:02:00.0000000Z FAILED tests/test_calc.py::t0 - AssertionError: assert -1 == 3
2026-11-21T05:02:00.0000000Z 1 failed, 3 passed in 0.10s
2026-11-21T05:02:00.0000000Z ##[error]Process completed with exit code 1.
"""
SAID = replace(
    RED, output=replace(RED.output, text="FAILED tests/test_calc.py::t0 - AssertionError: assert -2 == 3\n1 failed")
)


class Forge(Past):
    """Gives the tree of any commit."""

    def tree(self, of: Case) -> SourceTree:
        return CommitTree(of.head_sha)


def base(head: Light, fork: Light | None = None, fork_point: Sha = FORK) -> Base:
    """The base as CI sees it; its two places are one where only one light is given."""
    red = RED_CASE if head is Light.RED else None
    return Base("main", TIP, head, TIP if fork is None else fork_point, fork or head, red)


def compare(answer: Answer, below: Base | None, log: str = LOG) -> tuple[str | Stop, list[int]]:
    """What the stage says, or how it ended the run, and the commits that it ran the check on."""
    machine, job = Machine(answer), JobReport("test", logs.parse(log))
    red, plan = case(head_sha=HEAD, pull_request=7), Plan("python", (), CHECK)
    forge: Any = Forge(below=below)
    try:
        said: str | Stop = compare_with_base(red, forge, machine, plan, job, CommitTree(HEAD), Event())
    except Stop as stop:
        said = stop
    return said, machine.asked


def test_the_same_failure_on_the_base_is_the_bases() -> None:
    """The base's head shows what CI saw on the pull request: it ends here and leads to the base's own run."""
    said, asked = compare(lambda *_: SAID, base(Light.RED))
    assert isinstance(said, Stop)
    assert (said.outcome, said.follow_up) == (Outcome.BASE_ALREADY_RED, RED_CASE)
    assert "`main` (`0000000`)" in said.detail
    assert asked == [number(TIP)]


@pytest.mark.parametrize("answer", [GREEN, OTHER], ids=["green", "other"])
def test_a_base_that_fails_otherwise_or_not_here_is_not_to_blame(answer: Result) -> None:
    """CI's red alone is no proof: the pull request is healed."""
    said, asked = compare(lambda *_: answer, base(Light.RED))
    assert isinstance(said, str)
    assert asked == [number(TIP)]


def test_a_failure_of_which_the_base_has_only_a_part_is_the_pull_requests() -> None:
    """One test fails on the base too, the other only here: there is something to heal here."""
    two = LOG.replace("1 failed, 3", "2 failed, 2").replace(
        "Z 2 failed", "Z FAILED tests/test_calc.py::t1 - AssertionError: x\n2026-11-21T05:02:00.0000000Z 2 failed"
    )
    said, _ = compare(lambda *_: SAID, base(Light.RED), log=two)
    assert isinstance(said, str)


def test_nothing_is_run_where_ci_is_green() -> None:
    """A base that CI calls green at its head and where the pull request left it is believed."""
    assert compare(lambda *_: SAID, base(Light.GREEN)) == ("CI has the job green on the base", [])
    assert compare(lambda *_: SAID, base(Light.GREEN, Light.GREEN))[1] == []
    assert compare(lambda *_: SAID, None) == ("no pull request", [])


def test_a_base_that_was_mended_since_has_to_be_merged_in() -> None:
    """Red where the pull request left the base and green on its head: people are told to bring the branch up to date,
    and no run is opened."""
    said, asked = compare(lambda *_: SAID, base(Light.GREEN, Light.RED))
    assert isinstance(said, Stop)
    assert said.follow_up is None
    assert said.data["mended"]
    assert "bring this branch up to date" in said.detail
    assert asked == [number(FORK)]


def test_where_ci_is_not_red_a_second_run_has_to_agree() -> None:
    """A test that fails on the base now and then is not the base's fault."""
    said, asked = compare(lambda _, n: GREEN if n else SAID, base(Light.UNKNOWN))
    assert isinstance(said, str)
    assert asked == [number(TIP), number(TIP)]


def test_where_ci_says_nothing_the_fork_point_is_run() -> None:
    """A base whose job has not run is tried where the pull request left it; red at both, the head decides."""
    said, asked = compare(lambda *_: SAID, base(Light.UNKNOWN, Light.UNKNOWN))
    assert isinstance(said, Stop)
    assert (said.follow_up, asked) == (None, [number(FORK)] * 2)
    said, asked = compare(lambda one, _: OTHER if one == TIP else SAID, base(Light.RED, Light.RED))
    assert isinstance(said, Stop)
    assert (said.follow_up, asked) == (None, [number(TIP), number(FORK)])


def test_without_a_log_the_pull_request_itself_is_run_first() -> None:
    """There is nothing of CI's to compare with: one run on either side is compared, test by test."""
    said, asked = compare(lambda *_: RED, base(Light.RED), log="")
    assert isinstance(said, Stop)
    assert asked == [number(HEAD), number(TIP)]
    own = replace(
        RED, tests=(TestCase("tests/test_calc.py::t1", "failed"), TestCase("tests/test_calc.py::t0", "passed"))
    )
    assert isinstance(compare(lambda one, _: own if one == HEAD else RED, base(Light.RED), log="")[0], str)
    assert isinstance(compare(lambda one, _: GREEN if one == HEAD else RED, base(Light.RED), log="")[0], str)


def test_a_base_whose_set_up_fails_proves_nothing() -> None:
    """No environment can be made from the base's files: the pull request is healed."""
    said, asked = compare(lambda *_: None, base(Light.RED))
    assert isinstance(said, str)
    assert asked == []
