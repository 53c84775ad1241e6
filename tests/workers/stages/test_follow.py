"""What comes of the real CI on a fix: what is waited for, how its red is read, and when one more run goes on."""

from __future__ import annotations

import time
from dataclasses import replace
from typing import Any

import pytest

from tests.workers.histories import sha
from tests.workers.made import case, report
from workers import logs
from workers.domain import Aim, Case, Confidence, How, JobReport, Ours, Outcome, Published, Report, RunId
from workers.errors import Park, Stop
from workers.ports import CI, Admission, Checks, Light, Signal
from workers.repo_config import RepoConfig, RunLimits
from workers.run_key import run_key
from workers.stages.follow import DISAGREES, follow
from workers.store.memory import MemoryJournal

COMMIT = sha(2)
LOG = """\
2026-11-21T05:01:59.0000000Z ##[group]Run python -m pytest -q
2026-11-21T05:01:59.0000000Z \x1b[36;1mpython -m pytest -q\x1b[0m
2026-11-21T05:01:59.0000000Z ##[endgroup]
2026-11-21T05:02:00.0000000Z FAILED tests/test_calc.py::{test} - AssertionError: {why}
2026-11-21T05:02:00.0000000Z 1 failed, 3 passed in 0.10s
2026-11-21T05:02:00.0000000Z ##[error]Process completed with exit code 1.
"""
AS_BEFORE, OTHERWISE = LOG.format(test="t0", why="assert -1 == 3"), LOG.format(test="t9", why="no such table: carts")
OURS = Ours(12, "heal/test-1", COMMIT, "main", sha(1), "diff", RunId("r1"))


class Forge:
    """A forge whose CI says what a test wants."""

    def __init__(self, checks: Checks, log: str = OTHERWISE) -> None:
        self._checks, self._log = checks, log
        self.bodies: list[str] = []
        self.ready: list[bool] = []
        self.labels: tuple[str, ...] = ()

    def ci(self, case: Case, published: Published) -> Checks:
        return self._checks

    def job(self, case: Case) -> JobReport:
        return JobReport(case.job, logs.parse(self._log))

    def confirm(self, case: Case, published: Published, body: str, ready: bool, labels: tuple[str, ...] = ()) -> None:
        self.bodies.append(body)
        self.ready.append(ready)
        self.labels += labels


class Journal(MemoryJournal):
    """Remembers one change."""

    def __init__(self, change: Ours | None = OURS) -> None:
        super().__init__()
        self._change = change
        self.answers: list[CI] = []

    def ours(self) -> Ours | None:
        return self._change

    def answered(self, ci: CI) -> None:
        self.answers.append(ci)


def red(name: str, below: Light = Light.UNKNOWN, **changes: object) -> Signal:
    """A red job of Actions on our commit."""
    about = case(head_sha=COMMIT, branch="heal/test-1", job=name, job_id=50, actions_run_id=40)
    return replace(
        Signal(name, Light.RED, f"https://github.example/job/{name}", below, about),
        **changes,  # type: ignore[arg-type]
    )


def green(name: str) -> Signal:
    return Signal(name, Light.GREEN, f"https://github.example/job/{name}")


def ended(
    checks: Checks,
    *,
    log: str = OTHERWISE,
    change: Ours | None = OURS,
    rounds: int = 2,
    waited: float = 10.0,
    of: Report | None = None,
    **published: Any,
) -> tuple[str | Exception, Forge, Journal]:
    """What the stage says, or how it ended the run."""
    forge: Any = Forge(checks, log)
    journal = Journal(change)
    done = Published(
        12, "https://github.example/12", "heal/test-1", COMMIT, time.time() - waited, target="main", onto=sha(1)
    )
    told = replace(of or report(), published=replace(done, **published))
    config = RepoConfig(limits=RunLimits(rounds=rounds))
    admission = Admission(config, "main", "main", head_is_current=True)
    try:
        said: str | Exception = follow(told, admission, forge, journal, "", patience=3600.0, poll=30.0)
    except (Stop, Park) as end:
        said = end
    return said, forge, journal


def test_green_is_written_down_with_its_checks_and_makes_the_draft_ready() -> None:
    """The evidence gets a row with a link to each check."""
    said, forge, journal = ended(Checks(CI.GREEN, (green("lint"), green("test"))))
    assert (said, forge.ready, forge.labels, journal.answers) == ("green", [True], (), [CI.GREEN])
    links = "[`lint`](https://github.example/job/lint), [`test`](https://github.example/job/test)"
    assert f"| the repository's CI | \u274c red | \u2705 green: {links} |" in forge.bodies[0]


def test_a_fix_that_is_not_sure_stays_a_draft() -> None:
    """Green CI confirms it, and its class is still medium."""
    told = report()
    unsure = replace(told.attempts[0], candidate=replace(told.attempts[0].candidate, confidence=Confidence.MEDIUM))
    _, forge, _ = ended(Checks(CI.GREEN, (green("test"),)), of=replace(told, attempts=(unsure,)))
    assert forge.ready == [False]


@pytest.mark.parametrize(("state", "waited", "parks"), [
    (CI.PENDING, 10.0, True), (CI.PENDING, 4000.0, False), (CI.NONE, 10.0, True), (CI.NONE, 130.0, False),
])  # fmt: skip
def test_ci_is_waited_for_and_not_for_ever(state: CI, waited: float, parks: bool) -> None:
    """As long as the operator's patience for one that runs, two minutes for one that never shows itself."""
    said, _, _ = ended(Checks(state), waited=waited)
    assert isinstance(said, Park) is parks
    assert parks or said == state.value


@pytest.mark.parametrize("how", [How.SUGGEST, How.COMMENT])
def test_words_have_no_ci_of_their_own(how: How) -> None:
    """A suggestion and a comment are on nobody's branch: there is nothing to follow, at once."""
    said, forge, _ = ended(Checks(CI.PENDING), how=how)
    assert (said, forge.bodies) == ("none", [])


def test_a_commit_on_their_branch_is_followed() -> None:
    """A push is watched as a pull request of ours is."""
    assert isinstance(ended(Checks(CI.PENDING), how=How.PUSH)[0], Park)
    assert ended(Checks(CI.GREEN, (green("test"),)), how=How.PUSH)[0] == "green"


@pytest.mark.parametrize(("name", "log"), [("lint", AS_BEFORE), ("test", OTHERWISE)], ids=["other job", "other test"])
def test_another_failure_is_gone_on_with(name: str, log: str) -> None:
    """Another job, or the same job with another failure: one run with that failure, on our branch and our commit."""
    asked = replace(report(), case=case(requested_by="octocat", budget_usd=2.0))
    said, forge, journal = ended(Checks(CI.RED, (red(name),)), log=log, of=asked)
    assert isinstance(said, Stop)
    assert (said.outcome, journal.answers, forge.ready) == (Outcome.UNCONFIRMED, [CI.RED], [False])
    again = said.follow_up
    assert again is not None
    assert (again.aim, again.ours, again.head_sha, again.branch) == (Aim.AGAIN, OURS, COMMIT, "heal/test-1")
    assert (again.job, again.actions_run_id, again.requested_by, again.budget_usd) == (name, 40, "octocat", 2.0)
    assert run_key(again) == f"again:7:12:{COMMIT}"
    assert "one more run goes on with it" in forge.bodies[0]
    assert forge.labels == ()


@pytest.mark.parametrize("log", [AS_BEFORE, ""], ids=["same", "no log"])
def test_the_same_failure_is_said_plainly(log: str) -> None:
    """CI shows what the sandbox saw mended, or does not say what it shows: no further run, a label, and words."""
    said, forge, _ = ended(Checks(CI.RED, (red("test"),)), log=log)
    assert isinstance(said, Stop)
    assert (said.outcome, said.follow_up, forge.labels) == (Outcome.UNCONFIRMED, None, (DISAGREES,))
    assert "the sandbox and CI disagree" in said.detail
    assert "the sandbox and CI disagree" in forge.bodies[0]


def test_what_is_red_without_us_is_not_ours() -> None:
    """A job that is red on the target as well is told and starts nothing; the fix is not called green for it."""
    said, forge, _ = ended(Checks(CI.RED, (red("lint", below=Light.RED), green("test"))))
    assert (said, forge.ready, forge.labels) == ("red", [False], ())
    assert "but for what is red on `main` without this change too: [`lint`]" in forge.bodies[0]


def test_the_mended_job_is_ours_even_where_the_target_is_red() -> None:
    """On the target it is red with the failure that is mended here."""
    said, _, _ = ended(Checks(CI.RED, (red("test", below=Light.RED),)))
    assert isinstance(said, Stop)
    assert said.follow_up is not None


@pytest.mark.parametrize(("rounds", "runs", "more"), [(2, 1, True), (2, 2, True), (2, 3, False), (0, 1, False)])
def test_rounds_are_counted(rounds: int, runs: int, more: bool) -> None:
    """`limits.rounds` further runs, then the failure is told and left to people."""
    said, forge, _ = ended(Checks(CI.RED, (red("lint"),)), rounds=rounds, change=replace(OURS, runs=runs))
    assert isinstance(said, Stop)
    assert (said.follow_up is not None) is more
    assert ("`limits.rounds` allows no further run" in forge.bodies[0]) is not more


def test_a_red_status_has_no_log_to_start_from() -> None:
    """An older CI's word is told; nothing can be reproduced from it."""
    status = Signal("ci/jenkins", Light.RED, "https://ci.example/1")
    said, forge, _ = ended(Checks(CI.RED, (status, green("test"))))
    assert isinstance(said, Stop)
    assert (said.outcome, said.follow_up) == (Outcome.UNCONFIRMED, None)
    assert "[`ci/jenkins`](https://ci.example/1): another failure" in forge.bodies[0]


def test_where_nothing_is_kept_there_is_no_further_run() -> None:
    """A run whose change nobody remembers goes on with nothing."""
    said, _, _ = ended(Checks(CI.RED, (red("lint"),)), change=None)
    assert isinstance(said, Stop)
    assert said.follow_up is None


@pytest.mark.parametrize(("state", "words"), [(CI.LEFT, "theirs now"), (CI.MOVED, "before CI had spoken")])
def test_a_branch_that_went_on_ends_the_run(state: CI, words: str) -> None:
    """By a person's push or by a later run of ours: nothing more is written by this one."""
    said, forge, journal = ended(Checks(state))
    assert isinstance(said, Stop)
    assert said.outcome is Outcome.HEAD_MOVED
    assert words in said.detail
    assert (forge.bodies, journal.answers) == ([], [])


def test_a_merge_needs_no_ci() -> None:
    """People took it: that is the best answer."""
    assert ended(Checks(CI.MERGED))[0] == "merged"


@pytest.mark.parametrize(
    "url", ["javascript:alert(1)", "https://x.example/a)[b](https://evil.example", "", "https://x y"]
)
def test_an_address_that_is_no_address_is_no_link(url: str) -> None:
    """Whoever may set a status chooses its address: it cannot break out of the table."""
    _, forge, _ = ended(Checks(CI.GREEN, (Signal("a|b](x", Light.GREEN, url),)))
    (row,) = [line for line in forge.bodies[0].splitlines() if "the repository's CI" in line]
    assert "](" not in row.replace("](x", "")
    assert "evil" not in row
