"""The spine: every end is told once, and a run that is taken up again does nothing twice."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import replace
from functools import partial
from threading import Event
from typing import Any, ClassVar

import pytest

from sandbox.errors import Cancelled
from sandbox.spec import Ending, Output, Plan, Result, Step, TestCase, Tree
from tests.workers.fixers.trees import MemoryTree as GitTree
from tests.workers.histories import Line, Past, sha
from tests.workers.made import (
    GREEN,
    PATCH,
    RED,
    MemoryTree,
    ScriptedEnvironment,
    ScriptedSandbox,
    candidate,
    case,
    result,
)
from workers import logs
from workers.domain import (
    Aim,
    Attempt,
    Candidate,
    Case,
    Confidence,
    Diagnosis,
    Experience,
    How,
    IssueReport,
    JobReport,
    Lead,
    Lesson,
    Moved,
    Ours,
    Outcome,
    Published,
    Rerun,
    RunId,
    Sha,
    Since,
)
from workers.errors import LeaseLost, Park
from workers.fixers import fixers
from workers.fixers.context import opening
from workers.fixers.search import Search
from workers.llm.budgets import Use
from workers.llm.purse import MemoryPurse
from workers.pipeline import Parts, drive
from workers.ports import (
    CI,
    Admission,
    Base,
    Checks,
    Ground,
    Light,
    Notice,
    Origin,
    Proposal,
    Signal,
    SourceTree,
    Wish,
    Workbench,
)
from workers.repo_config import Flaky, Infrastructure, Models, Notify, RepoConfig, RunLimits, Triggers, Verify
from workers.store.memory import MemoryJournal
from workers.wishes import Ignored, Kind, NoWishes, Off

FILES = {
    "calc.py": b"def add(a, b):\n    return a - b\n",
    "requirements.txt": b"pytest\n",
    "tests/test_calc.py": b"from calc import add\n\n\ndef test_add():\n    assert add(1, 2) == 3\n",
}


WITH_A_LATER_STEP = (
    "on: push\njobs:\n  test:\n    runs-on: ubuntu-latest\n    steps:\n"
    "      - run: python -m pytest\n      - run: ./late.sh\n"
)


class MemoryForge(Past):
    """A forge that remembers what it was asked to do."""

    def __init__(self, admission: Admission | None = None) -> None:
        super().__init__()
        self.states = [Checks(CI.GREEN)]
        self._admission = admission or Admission(RepoConfig(), "main", "main", head_is_current=True)
        self.told: list[Notice] = []
        self.published: list[Proposal] = []
        self.confirmed: list[bool] = []
        self.bodies: list[str] = []
        self.labels: tuple[str, ...] = ()
        self.withdrawn: list[str] = []
        self.reruns = 0
        self.log = ""
        self.report = IssueReport(12, "add subtracts", "`add(1, 2)` returns `-1`, expected `3`.")
        self.workflow: str | None = None
        self.hunks: dict[str, str] = {}

    def admission(self, case: Case) -> Admission:
        return self._admission

    def job(self, case: Case) -> JobReport:
        return JobReport("test", logs.parse(self.log), self.workflow)

    def issue(self, case: Case) -> IssueReport:
        return self.report

    def tree(self, case: Case) -> SourceTree:
        return MemoryTree(FILES)

    def tell(self, case: Case, notice: Notice, published: Published | None = None) -> None:
        self.told.append(notice)

    def ground(self, case: Case, wish: Wish) -> Ground:
        return Ground(wish.branch, hunks=self.hunks)

    def publish(self, case: Case, tree: SourceTree, patch: str, proposal: Proposal) -> Published:
        self.published.append(proposal)
        commit = "" if proposal.how in (How.SUGGEST, How.COMMENT) else "c" * 40
        url = "https://github.example/pull/3"
        return Published(3, url, proposal.branch, commit, 4e9, proposal.how, proposal.target, proposal.note)

    def ci(self, case: Case, published: Published) -> Checks:
        return self.states.pop(0) if len(self.states) > 1 else self.states[0]

    def rerun(self, case: Case) -> Rerun:
        self.reruns += 1
        return Rerun.ASKED

    def confirm(self, case: Case, published: Published, body: str, ready: bool, labels: tuple[str, ...] = ()) -> None:
        self.confirmed.append(ready)
        self.bodies.append(body)
        self.labels += labels

    def withdraw(self, case: Case, words: str) -> None:
        self.withdrawn.append(words)


class OneIdea:
    """A fixer with the one right patch."""

    name = "search"

    def __init__(self, confidence: Confidence = Confidence.HIGH) -> None:
        self._confidence = confidence

    def applies(self, diagnosis: Diagnosis) -> bool:
        return True

    def propose(self, bench: Workbench, tried: Sequence[Attempt]) -> Candidate | None:
        return None if tried else candidate(confidence=self._confidence)


class Trusting(ScriptedSandbox):
    """A sandbox that remembers for whom environments were made."""

    def __init__(self, environment: ScriptedEnvironment) -> None:
        super().__init__(environment)
        self.trusted: set[str] = set()

    def prepare(self, plan: Plan, tree: Tree, cancel: Event | None = None) -> ScriptedEnvironment:
        self.trusted.add(plan.trust)
        return super().prepare(plan, tree, cancel)


class Memory(MemoryJournal):
    """A memory journal that can lose its lease on purpose."""

    lost = False
    announced = 0

    def publishing(self) -> None:
        self.announced += 1

    def guard(self) -> None:
        if self.lost:
            raise LeaseLost("another worker has it")
        super().guard()


def honest(step: Step, patch: bytes | None, n: int) -> Result:
    return GREEN if patch == PATCH.encode() else RED


def always(says: Result, step: Step, patch: bytes | None, n: int) -> Result:
    return says


def parts(forge: MemoryForge, journal: MemoryJournal, environment: ScriptedEnvironment | None = None) -> Parts:
    sandbox = ScriptedSandbox(environment or ScriptedEnvironment(honest))
    return Parts(forge, sandbox, (OneIdea(),), journal, Event(), run_url="http://heal.example/runs/r1")


def test_a_red_check_becomes_a_pull_request() -> None:
    """Told at the start, when it is proposed and at the end; ready once CI is green."""
    forge = MemoryForge()
    report = drive(case(), parts(forge, MemoryJournal()))
    assert report.outcome is Outcome.FIXED
    assert [notice.title for notice in forge.told] == ["Looking into it", "Fix proposed in #3", "Fix proposed"]
    assert [proposal.draft for proposal in forge.published] == [True]
    assert forge.confirmed == [True]
    assert set(report.seconds) >= {"admit", "checkout", "reproduce", "diagnose", "propose", "verify", "publish"}


def test_waiting_for_ci_holds_nothing_and_repeats_nothing() -> None:
    """Taken up again, the run asks for CI once more and for nothing that was already done."""
    forge, journal = MemoryForge(), Memory()
    forge.states = [Checks(CI.PENDING), Checks(CI.GREEN)]
    with pytest.raises(Park):
        drive(case(), parts(forge, journal))
    environment = ScriptedEnvironment(honest)
    report = drive(case(), parts(forge, journal, environment))
    assert report.outcome is Outcome.FIXED
    assert environment.asked == []
    assert (len(forge.published), journal.announced) == (1, 1)
    assert [notice.title for notice in forge.told].count("Looking into it") == 1


class Curious(OneIdea):
    """A fixer that asks what moved since the job was green."""

    def __init__(self) -> None:
        super().__init__()
        self.heard: list[Since] = []

    def propose(self, bench: Workbench, tried: Sequence[Attempt]) -> Candidate | None:
        self.heard.append(bench.since())
        return super().propose(bench, tried)


def installing(version: str) -> str:
    lines = ("##[group]Run pip", "\x1b[36;1mpip\x1b[0m", "shell: /usr/bin/bash -e {0}", "##[endgroup]")
    return "".join(
        f"2026-11-20T07:00:00.0000000Z {line}\n" for line in (*lines, f"Successfully installed six-{version}")
    )


def test_what_moved_since_the_last_green_run_is_asked_for_once() -> None:
    """By the logs of both; what a green log said is remembered, for GitHub deletes it one day."""
    forge, journal, fixer = MemoryForge(), MemoryJournal(), Curious()
    forge.log = installing("1.17.0")
    forge.before = JobReport("test", logs.parse(installing("1.16.0")))
    drive(case(), replace(parts(forge, journal), fixers=(fixer,)))
    assert fixer.heard == [Since((Moved("six", "1.16.0", "1.17.0"),), "2026-11-20", "2026-11-20")]
    assert journal.recall("once:since", 0, Since) == fixer.heard[0]


def test_ci_that_disagrees_is_said() -> None:
    """Proven here, red there: its own outcome, and the pull request stays a draft, with a label."""
    forge = MemoryForge()
    forge.states = [Checks(CI.RED, (Signal("test", Light.RED),))]
    assert drive(case(), parts(forge, MemoryJournal())).outcome is Outcome.UNCONFIRMED
    assert (forge.confirmed, forge.labels) == ([False], ("heal: ci disagrees",))


def test_a_refusal_is_told_and_nothing_is_run() -> None:
    """The admission decides before anything is spent."""
    moved = Admission(RepoConfig(), "main", "main", head_is_current=False)
    forge, environment = MemoryForge(admission=moved), ScriptedEnvironment(honest)
    report = drive(case(), parts(forge, MemoryJournal(), environment))
    assert report.outcome is Outcome.HEAD_MOVED
    assert environment.asked == []
    assert [(notice.final, notice.check) for notice in forge.told] == [(True, True)]


@pytest.mark.parametrize(
    ("config", "asked", "shown"),
    [
        (RepoConfig(mode="off"), None, False),
        (RepoConfig(mode="off"), "octocat", True),
        (RepoConfig(triggers=Triggers(branches=("release/*",))), None, False),
        (RepoConfig(triggers=Triggers(commands=False)), "octocat", True),
    ],
)
def test_who_wants_nothing_sees_nothing(config: RepoConfig, asked: str | None, shown: bool) -> None:
    """No check run on commits of a repository that did not ask for one; a person who asks gets an answer."""
    forge = MemoryForge(admission=Admission(config, "main", "main", head_is_current=True))
    report = drive(case(requested_by=asked), parts(forge, MemoryJournal()))
    assert report.outcome is Outcome.DISABLED
    assert [(notice.check, bool(notice.comment)) for notice in forge.told] == [(shown, asked is not None)]


@pytest.mark.parametrize(
    ("notify", "comments", "checks"),
    [
        (Notify(), [False, True, True], True),
        (Notify(comment="always"), [True, True, True], True),
        (Notify(comment="never"), [False, False, False], True),
        (Notify(check=False), [False, True, True], False),
    ],
)
def test_a_run_is_as_loud_as_it_was_asked_to_be(notify: Notify, comments: list[bool], checks: bool) -> None:
    """`notify` of heal.yml: when there is a comment, and whether there is a check run."""
    forge = MemoryForge(admission=Admission(RepoConfig(notify=notify), "main", "main", head_is_current=True))
    drive(case(), parts(forge, MemoryJournal()))
    assert [notice.comment is not None for notice in forge.told] == comments
    assert {notice.check for notice in forge.told} == {checks}


def test_a_refusal_is_as_loud_as_a_run() -> None:
    """Also where the run ends at the door."""
    config = RepoConfig(notify=Notify(comment="never", check=False))
    forge = MemoryForge(admission=Admission(config, "main", "main", head_is_current=True))
    spent = replace(parts(forge, MemoryJournal()), runs_today=lambda: 20)
    assert drive(case(), spent).outcome is Outcome.OVER_BUDGET
    assert [(notice.check, notice.comment) for notice in forge.told] == [(False, None)]


def test_the_repositorys_limits_are_told_to_the_purse() -> None:
    """Before anything is spent, as the person who asked has set them."""
    purse = MemoryPurse()
    asked = replace(parts(MemoryForge(), MemoryJournal()), purse=purse)
    assert drive(case(budget_usd=0.25), asked).outcome is Outcome.FIXED
    assert [(limit.setting, limit.most) for limit in purse.limits] == [
        ("limits.usd_per_run", 0.25),
        ("limits.usd_per_day", 10.0),
        ("limits.tokens_per_day", 10_000_000),
        ("limits.sandbox_seconds_per_run", 100_000),
        ("limits.sandbox_seconds_per_day", 10_000_000),
        ("limits.candidates_per_run", 1_000_000),
        ("limits.candidates_per_day", 100_000_000),
        ("HEAL_USD_PER_RUN", 1.0),
    ]


@pytest.mark.parametrize(
    ("limits", "stage", "words"),
    [
        (RunLimits(sandbox_seconds_per_run=0), "reproduce", "0 seconds (`limits.sandbox_seconds_per_run`)"),
        (RunLimits(sandbox_seconds_per_day=3), "reproduce", "3 seconds (`limits.sandbox_seconds_per_day`)"),
        (RunLimits(candidates_per_run=0), "verify", "0 candidates (`limits.candidates_per_run`)"),
        (RunLimits(candidates_per_day=0), "verify", "0 candidates (`limits.candidates_per_day`)"),
    ],
)
def test_a_used_up_sandbox_ends_the_run_and_says_so(limits: RunLimits, stage: str, words: str) -> None:
    """Whatever stage it is used up in, and nothing is published."""
    config = RepoConfig(limits=limits)
    forge = MemoryForge(admission=Admission(config, "main", "main", head_is_current=True))
    report = drive(case(), parts(forge, MemoryJournal()))
    assert (report.outcome, report.published) == (Outcome.OVER_BUDGET, None)
    assert words in report.detail
    assert stage in report.seconds
    assert "`limits` in `.github/heal.yml`" in forge.told[-1].summary


def test_the_sandbox_is_set_aside_by_stage() -> None:
    """Every stage that runs something, and the verified candidate; the stages that only ask GitHub count nothing."""

    class Book(MemoryPurse):
        keys: ClassVar[dict[str, int]] = {}

        def used(self, key: str, use: Use) -> None:
            super().used(key, use)
            self.keys[key] = use.candidates

    asked = replace(parts(MemoryForge(), MemoryJournal()), purse=Book())
    assert drive(case(), asked).outcome is Outcome.FIXED
    assert Book.keys == {"reproduce:0": 0, "locate:0": 0, "verify:0": 1}


def test_a_failure_that_came_back_is_mended_by_what_was_merged() -> None:
    """First of all, and proven like any other patch: the same change where it does not help is no fix."""

    class Recalling(MemoryJournal):
        def experience(self, fingerprint: str) -> Experience:
            return Experience(accepted=(Lesson(2, True, PATCH),))

    helps, not_ = MemoryForge(), MemoryForge()
    able = fixers("offline")[:1]
    report = drive(case(), replace(parts(helps, Recalling()), fixers=able))
    assert report.accepted is not None
    assert (report.outcome, report.accepted.candidate.fixer) == (Outcome.FIXED, "remembered")
    stubborn = ScriptedEnvironment(lambda step, patch, n: RED)
    report = drive(case(), replace(parts(not_, Recalling(), stubborn), fixers=able))
    assert (report.outcome, [one.verdict.accepted for one in report.attempts]) == (Outcome.NO_FIX_FOUND, [False])


@pytest.mark.parametrize("wanted", [False, True])
def test_models_are_shown_merged_fixes_where_the_operator_wants_it(wanted: bool) -> None:
    """What is remembered of the very same failure is there in any case."""
    seen: list[Experience] = []
    alike, same = Lesson(3, True, "+alike"), Lesson(2, True, "+same")

    class Recalling(MemoryJournal):
        def experience(self, fingerprint: str) -> Experience:
            return Experience(accepted=(same,))

        def similar(self, diagnosis: Diagnosis) -> tuple[Lesson, ...]:
            return (alike,)

    class Looking(OneIdea):
        def propose(self, bench: Workbench, tried: Sequence[Attempt]) -> Candidate | None:
            seen.append(bench.experience)
            return super().propose(bench, tried)

    asked = replace(parts(MemoryForge(), Recalling()), fixers=(Looking(),), show_merged=wanted)
    assert drive(case(), asked).outcome is Outcome.FIXED
    assert seen == [Experience(accepted=(same,), similar=(alike,) if wanted else ())]


def test_no_code_is_sent_to_a_model_where_that_is_forbidden() -> None:
    """`models.propose: none` leaves the offline fixers."""

    class Model(OneIdea):
        name = "llm"

    forge = MemoryForge(
        admission=Admission(RepoConfig(models=Models(propose="none")), "main", "main", head_is_current=True)
    )
    alone = replace(parts(forge, MemoryJournal()), fixers=(Model(),))
    assert drive(case(), alone).outcome is Outcome.NO_FIX_FOUND
    both = replace(parts(forge, MemoryJournal()), fixers=(Model(), OneIdea()))
    assert drive(case(), both).outcome is Outcome.FIXED


def test_later_steps_that_are_not_wanted_are_not_run_and_told() -> None:
    """`verify.full_job: false` proves less, and the pull request says what."""
    forge, environment = MemoryForge(), ScriptedEnvironment(honest)
    forge.workflow = WITH_A_LATER_STEP
    assert drive(case(job="test"), parts(forge, MemoryJournal(), environment)).outcome is Outcome.FIXED
    assert "./late.sh" in {step.script for step, _ in environment.asked}

    quick = RepoConfig(verify=Verify(full_job=False))
    forge = MemoryForge(admission=Admission(quick, "main", "main", head_is_current=True))
    environment = ScriptedEnvironment(honest)
    forge.workflow = WITH_A_LATER_STEP
    assert drive(case(job="test"), parts(forge, MemoryJournal(), environment)).outcome is Outcome.FIXED
    assert "./late.sh" not in {step.script for step, _ in environment.asked}
    assert "verify.full_job is false" in forge.published[0].body


@pytest.mark.parametrize(
    ("change", "outcome"),
    [
        ({"archived": True}, Outcome.DISABLED),
        ({"head_is_current": False}, Outcome.HEAD_MOVED),
        ({"own_branch": True}, Outcome.DUPLICATE),
        ({"fork": True, "pull_request": 5}, Outcome.REFUSED_BY_POLICY),
    ],
)
def test_admission_has_an_outcome_for_every_refusal(change: dict[str, Any], outcome: Outcome) -> None:
    """Each rule that refuses is an outcome of its own."""
    admission = replace(Admission(RepoConfig(), "main", "main", head_is_current=True), **change)
    assert drive(case(), parts(MemoryForge(admission=admission), MemoryJournal())).outcome is outcome


ALLOWED = {"trusted_sha": case().head_sha, "requested_by": "octocat"}


@pytest.mark.parametrize(
    ("rule", "changes", "outcome", "words"),
    [
        ("on_command", {}, Outcome.REFUSED_BY_POLICY, "Comment `/heal aaaaaaa` to let Heal run exactly this commit"),
        ("on_command", {"trusted_sha": sha(9)}, Outcome.REFUSED_BY_POLICY, "nobody with write access has allowed it"),
        ("on_command", ALLOWED, Outcome.FIXED, ""),
        ("never", ALLOWED, Outcome.REFUSED_BY_POLICY, "`fork_runs: never`"),
        ("always", {}, Outcome.FIXED, ""),
    ],
)
def test_code_of_a_fork_runs_only_as_far_as_it_may(
    rule: Any, changes: dict[str, Any], outcome: Outcome, words: str
) -> None:
    """By default only the very commit that somebody with write access named. A refusal that nobody asked for is said
    in the check run alone; what runs shares no environment with the repository's own branches."""
    admission = Admission(RepoConfig(fork_runs=rule), "main", "main", head_is_current=True, fork=True, pull_request=5)
    forge, environment = MemoryForge(admission=admission), ScriptedEnvironment(honest)
    sandbox = Trusting(environment)
    red = case(**changes)
    report = drive(red, replace(parts(forge, MemoryJournal(), environment), sandbox=sandbox))
    assert report.outcome is outcome
    assert words in forge.told[-1].summary.replace("\\", "")
    ran = outcome is Outcome.FIXED
    assert (forge.told[-1].comment is not None) is (ran or red.requested_by is not None)
    assert sandbox.trusted == ({"7:fork:5"} if ran else set())
    assert [proposal.how for proposal in forge.published] == ([How.COMMENT] if ran else [])


def test_a_commit_of_a_fork_without_a_pull_request_is_not_run() -> None:
    """There is nobody to answer, and no head that it could be."""
    admission = Admission(RepoConfig(fork_runs="always"), "main", "main", head_is_current=True, fork=True)
    forge = MemoryForge(admission=admission)
    assert drive(case(fork=True), parts(forge, MemoryJournal())).outcome is Outcome.REFUSED_BY_POLICY
    assert forge.told[-1].comment is None


SHOWN = {"calc.py": "@@ -1,1 +1,2 @@\n def add(a, b):\n+    return a - b"}


@pytest.mark.parametrize(
    ("publish", "pull_request", "fork", "hunks", "confidence", "how", "note"),
    [
        ("stacked", 5, False, SHOWN, Confidence.HIGH, How.PULL, ""),
        ("push", 5, False, SHOWN, Confidence.HIGH, How.PUSH, ""),
        ("push", 5, False, SHOWN, Confidence.MEDIUM, How.PULL, "leaves room for another fix"),
        ("push", None, False, SHOWN, Confidence.HIGH, How.PULL, ""),
        ("suggest", 5, False, SHOWN, Confidence.HIGH, How.SUGGEST, ""),
        ("suggest", 5, False, {}, Confidence.HIGH, How.PULL, "does not show line 2 of calc.py"),
        ("suggest", None, False, SHOWN, Confidence.HIGH, How.PULL, ""),
        ("push", 5, True, SHOWN, Confidence.HIGH, How.SUGGEST, ""),
        ("push", 5, True, {}, Confidence.HIGH, How.COMMENT, ""),
    ],
)
def test_the_form_is_the_one_that_is_wanted_where_it_can_be(
    publish: Any, pull_request: int | None, fork: bool, hunks: dict[str, str], confidence: Confidence, how: How,
    note: str,
) -> None:  # fmt: skip
    """By `publish` of heal.yml for a pull request of the repository, never for a fork's; what cannot be is told, and
    only what CI sees is waited for."""
    config = RepoConfig(publish=publish, fork_runs="always")
    admission = Admission(config, "main", "topic", head_is_current=True, fork=fork, pull_request=pull_request)
    forge = MemoryForge(admission)
    forge.states = [Checks(CI.PENDING if how in (How.SUGGEST, How.COMMENT) else CI.GREEN)]
    forge.hunks = hunks
    idea = replace(parts(forge, MemoryJournal()), fixers=(OneIdea(confidence),))
    report = drive(case(), idea)
    assert report.outcome is Outcome.FIXED
    (proposal,) = forge.published
    assert proposal.how is how
    assert note in proposal.note
    assert not note or note in forge.told[-1].summary
    assert [one.body for one in proposal.suggestions] == (
        ["```suggestion\n    return a + b\n```"] if how is How.SUGGEST else []
    )


def test_a_run_that_goes_on_with_ours_writes_to_that_one() -> None:
    """Its branch and target, whatever the job's own would be, and never a second pull request or another form."""
    ours = Ours(9, "heal/old-1", sha(4), "main", sha(3), "", RunId("r0"))
    config = RepoConfig(publish="suggest")
    forge = MemoryForge(admission=Admission(config, "main", "heal/old-1", head_is_current=True, pull_request=9))
    assert drive(case(ours=ours), parts(forge, MemoryJournal())).outcome is Outcome.FIXED
    (proposal,) = forge.published
    assert (proposal.branch, proposal.target, proposal.ours, proposal.how) == ("heal/old-1", "main", ours, How.PULL)
    assert "git fetch origin heal/old-1" in proposal.body
    theirs = replace(ours, branch="topic", target="topic")
    assert drive(case(ours=theirs), parts(forge, MemoryJournal())).outcome is Outcome.FIXED
    assert (forge.published[-1].how, forge.published[-1].target) == (How.PUSH, "topic")


@pytest.mark.parametrize(
    ("triggers", "outcome"),
    [
        ({"workflows": ("ci.yml",), "branches": ("ma*",)}, Outcome.FIXED),
        ({"workflows": ("release.yml",)}, Outcome.DISABLED),
        ({"branches": ("release/*",)}, Outcome.DISABLED),
        ({"exclude_workflows": ("release*", "ci.*")}, Outcome.DISABLED),
        ({"exclude_workflows": ("release*",), "pull_requests": "none"}, Outcome.FIXED),
    ],
)
def test_only_the_named_workflows_and_branches_start_runs(triggers: dict[str, Any], outcome: Outcome) -> None:
    """`triggers` of heal.yml decides before anything is run."""
    admission = Admission(RepoConfig(triggers=Triggers(**triggers)), "main", "main", head_is_current=True)
    red = case(workflow_path=".github/workflows/ci.yml")
    assert drive(red, parts(MemoryForge(admission=admission), MemoryJournal())).outcome is outcome


@pytest.mark.parametrize(
    ("triggers", "outcome"),
    [
        ({}, Outcome.FIXED),
        ({"workflows": ("ci/*",)}, Outcome.FIXED),
        ({"workflows": ("ci.yml",)}, Outcome.DISABLED),
        ({"exclude_workflows": ("ci.yml", "codecov/*")}, Outcome.FIXED),
        ({"exclude_workflows": ("*: unit",)}, Outcome.DISABLED),
    ],
)
@pytest.mark.parametrize("job_id", [0, 5], ids=["status", "check"])
def test_statuses_and_checks_of_others_are_held_to_the_same(
    triggers: dict[str, Any], outcome: Outcome, job_id: int
) -> None:
    """What another CI reports has no workflow file: the same patterns look at its name."""
    admission = Admission(RepoConfig(triggers=Triggers(**triggers)), "main", "main", head_is_current=True)
    red = case(actions_run_id=0, job_id=job_id, job="ci/circle: unit")
    assert drive(red, parts(MemoryForge(admission=admission), MemoryJournal())).outcome is outcome


@pytest.mark.parametrize(
    ("which", "change", "outcome"),
    [
        ("none", {"pull_request": 5}, Outcome.DISABLED),
        ("none", {"fork": True}, Outcome.DISABLED),
        ("same-repo", {"pull_request": 5}, Outcome.FIXED),
        ("same-repo", {"pull_request": 5, "fork": True}, Outcome.DISABLED),
        ("all", {"pull_request": 5, "fork": True}, Outcome.REFUSED_BY_POLICY),
    ],
)
def test_which_pull_requests_start_runs(which: str, change: dict[str, Any], outcome: Outcome) -> None:
    """`triggers.pull_requests` decides about runs that nobody asked for; `all` leaves forks to their own rule."""
    config = RepoConfig.model_validate({"triggers": {"pull_requests": which}})
    admission = replace(Admission(config, "main", "main", head_is_current=True), **change)
    assert drive(case(), parts(MemoryForge(admission=admission), MemoryJournal())).outcome is outcome


def test_observing_tells_the_failure_and_proposes_nothing() -> None:
    """`mode: observe` runs the check, stops at the diagnosis, and says why where no file says it."""
    watch = Admission(RepoConfig(mode="observe"), "main", "main", head_is_current=True, note="The file is broken.")
    forge = MemoryForge(admission=watch)
    report = drive(case(), parts(forge, MemoryJournal()))
    assert report.outcome is Outcome.REFUSED_BY_POLICY
    assert report.detail == "The file is broken."
    assert report.diagnosis is not None
    assert forge.published == []


@pytest.mark.parametrize(
    ("red", "before", "outcome"),
    [
        (case(), 1, Outcome.FIXED),
        (case(), 2, Outcome.DUPLICATE),
        (case(requested_by="ada"), 9, Outcome.FIXED),
    ],
    ids=["second time", "third time", "a person asks"],
)
def test_the_same_failure_is_not_worked_on_for_ever(red: Case, before: int, outcome: Outcome) -> None:
    """After two heals within a week the run ends with its diagnosis and a sentence, before a fixer is asked; a person
    may go beyond that. A run that has begun is not stopped by others that began meanwhile."""
    forge, journal, seen = MemoryForge(), MemoryJournal(), []

    def heals(case: Case, fingerprint: str) -> int:
        seen.append(fingerprint)
        return before * len(seen)

    asked = replace(parts(forge, journal), heals_lately=heals)
    for _ in range(2):
        report = drive(red, asked)
        assert report.outcome is outcome
    assert report.diagnosis is not None
    assert seen == [report.diagnosis.fingerprint]
    if outcome is Outcome.DUPLICATE:
        assert report.attempts == ()
        assert "worked on 2 times here within seven days" in forge.told[-1].summary
        assert forge.told[-1].comment is None


def test_a_lost_lease_ends_without_another_word() -> None:
    """The worker that has the run now will speak; this one writes nothing any more."""
    forge, journal = MemoryForge(), Memory()
    journal.lost = True
    with pytest.raises(LeaseLost):
        drive(case(), parts(forge, journal))
    assert forge.told == []


def test_what_is_stopped_while_its_environment_is_made_is_cancelled() -> None:
    """The sandbox gives up a set-up that nobody wants any more; the run ends as stopped, and is not tried again."""
    journal = MemoryJournal()

    class Stopping(ScriptedSandbox):
        def prepare(self, plan: Plan, tree: Tree, cancel: Event | None = None) -> ScriptedEnvironment:
            journal.cancelled.set()
            raise Cancelled("making the environment was cancelled")

    stopped = replace(parts(MemoryForge(), journal), sandbox=Stopping(ScriptedEnvironment(honest)))
    assert drive(case(), stopped).outcome is Outcome.CANCELLED


class Leading(MemoryJournal):
    """A journal of a queue: it remembers which run a case led to."""

    def __init__(self) -> None:
        super().__init__()
        self.led: list[Case] = []

    def lead_to(self, case: Case) -> Lead:
        self.led.append(case)
        return Lead(RunId("r2"), pull_request=9)


def test_a_failure_of_the_base_leads_to_the_run_that_heals_it() -> None:
    """A pull request that only inherits its failure is told so, with the one run for all that have it."""
    forge, journal, environment = MemoryForge(), Leading(), ScriptedEnvironment(honest)
    there = case(head_sha=sha(3), actions_run_id=8)
    forge.below = Base("main", sha(3), Light.RED, sha(3), Light.RED, there)
    report = drive(case(pull_request=5), parts(forge, journal, environment))
    assert (report.outcome, report.lead) == (Outcome.BASE_ALREADY_RED, Lead(RunId("r2"), pull_request=9))
    assert journal.led == [there]
    assert forge.published == []
    assert "[one run](http://heal.example/runs/r2) is at work on it and proposes #9" in (forge.told[-1].comment or "")


class Kept(Leading):
    """A journal that knows what became of earlier fixes, and of this one."""

    def __init__(self, experience: Experience = Experience(), own: bool = False) -> None:
        super().__init__()
        self._experience, self._own = experience, own

    def experience(self, fingerprint: str) -> Experience:
        return self._experience

    def made(self, sha: Sha) -> bool:
        return self._own

    def ours(self) -> Ours | None:
        return OURS

    def held(self, run: RunId) -> Candidate | None:
        return candidate(reasoning="It adds.")


OURS = Ours(3, "heal/test-1", Sha("c" * 40), "main", Sha("a" * 40), PATCH, RunId("r0"))
AGAIN = case(head_sha=OURS.commit, branch=OURS.branch, job="lint", aim=Aim.AGAIN, ours=OURS)
ANEW = case(head_sha=sha(9), aim=Aim.REBASE, ours=OURS)


def test_another_failure_of_ci_opens_the_next_round() -> None:
    """The run says that it disagrees and where it goes on; the round is one for this commit of ours."""
    forge, journal = MemoryForge(), Kept()
    lint = case(head_sha=OURS.commit, branch=OURS.branch, job="lint")
    forge.states = [Checks(CI.RED, (Signal("lint", Light.RED, job=lint),))]
    report = drive(case(), parts(forge, journal))
    assert (report.outcome, report.lead) == (Outcome.UNCONFIRMED, Lead(RunId("r2"), pull_request=9))
    assert [(one.aim, one.ours, one.job) for one in journal.led] == [(Aim.AGAIN, OURS, "lint")]
    assert "It goes on in [one run](http://heal.example/runs/r2)" in (forge.told[-1].comment or "")
    assert forge.labels == ()


def test_the_next_round_writes_to_the_same_pull_request() -> None:
    """Admitted on our own branch, whatever triggers are named; proposed where the first round was; followed again."""
    only = RepoConfig(triggers=Triggers(branches=("main",)))
    forge = MemoryForge(admission=Admission(only, "main", OURS.branch, head_is_current=True, own_branch=True))
    report = drive(AGAIN, parts(forge, Kept(own=True)))
    assert report.outcome is Outcome.FIXED
    assert [(one.branch, one.target) for one in forge.published] == [(OURS.branch, "main")]
    assert report.published is not None
    assert (report.published.onto, report.published.patch) == (OURS.onto, PATCH)


def test_made_anew_the_old_patch_is_tried_first() -> None:
    """On the new base, although that has moved on once more; its words are those of the first time."""
    forge = MemoryForge(admission=Admission(RepoConfig(), "main", "main", head_is_current=False))
    report = drive(ANEW, parts(forge, Kept()))
    assert report.outcome is Outcome.FIXED
    (attempt,) = report.attempts
    assert (attempt.candidate.fixer, attempt.candidate.reasoning) == ("replay", "It adds.")
    assert [(one.branch, one.target) for one in forge.published] == [(OURS.branch, "main")]
    assert report.published is not None
    assert (report.published.onto, forge.withdrawn) == (sha(9), [])


def test_a_failure_that_is_gone_on_the_new_base_closes_our_pull_request() -> None:
    """Green in every run where it was red before: mended elsewhere. A check that cannot be run proves nothing."""
    forge = MemoryForge()
    report = drive(ANEW, parts(forge, Kept(), ScriptedEnvironment(lambda step, patch, n: GREEN)))
    assert report.outcome is Outcome.NOT_REPRODUCED
    (word,) = forge.withdrawn
    assert "gone on `main` (`0000000`)" in word
    assert "The failure is gone on `main` without the fix" in forge.told[-1].summary
    missing = result(127, output="bash: pytest: command not found")
    for other, says in ((ANEW, missing), (case(), GREEN)):
        forge = MemoryForge()
        drive(other, parts(forge, Kept(), ScriptedEnvironment(partial(always, says))))
        assert forge.withdrawn == []


@pytest.mark.parametrize(
    ("about", "target", "outcome"),
    [
        (case(), "main", Outcome.DUPLICATE),
        (case(requested_by="octocat"), "main", Outcome.FIXED),
        (case(), "release", Outcome.FIXED),
        (AGAIN, "main", Outcome.FIXED),
    ],
    ids=["by an event", "a person asks", "another branch", "our own pull request"],
)
def test_what_people_closed_does_not_come_back_by_itself(about: Case, target: str, outcome: Outcome) -> None:
    """A fix for this failure on this branch was turned down: only a person may ask for another one."""
    closed = Lesson(12, False, PATCH.replace("a + b", "b + a"), "No.", "maria", target)
    forge = MemoryForge(admission=Admission(RepoConfig(), "main", "main", head_is_current=True))
    report = drive(about, parts(forge, Kept(Experience((closed,)))))
    assert report.outcome is outcome
    assert ("turned down by `maria` in #12" in report.detail) is (outcome is Outcome.DUPLICATE)


def test_what_was_closed_while_the_run_waited_is_not_held_against_it() -> None:
    """What people make of this very fix ends it by itself; the run heeds what it knew when it came to the failure."""
    forge, journal = MemoryForge(), Kept()
    forge.states = [Checks(CI.PENDING), Checks(CI.GREEN)]
    with pytest.raises(Park):
        drive(case(), parts(forge, journal))
    journal._experience = Experience((Lesson(3, False, PATCH, target="main"),))
    assert drive(case(), parts(forge, journal)).outcome is Outcome.FIXED


@pytest.mark.parametrize(("who", "outcome"), [(None, Outcome.DUPLICATE), ("octocat", Outcome.FIXED)])
def test_a_commit_that_we_pushed_starts_no_run(who: str | None, outcome: Outcome) -> None:
    """On their branch as on ours, CI's news of our commit are the following run's business; a person may ask."""
    assert drive(case(requested_by=who), parts(MemoryForge(), Kept(own=True))).outcome is outcome


def test_the_commit_that_broke_a_branch_is_told() -> None:
    """On a branch that was green, the commit that broke it is named where the fix is proposed."""
    forge = MemoryForge()
    forge.green, forge.line, forge.brought = sha(1), Line(1, 2), Origin(12, "octocat")
    seen: list[int] = []

    def answer(step: Step, patch: bytes | None, n: int) -> Result:
        """The reproduction is red 5 times; then the green end is looked at."""
        seen.append(n)
        return GREEN if n == 5 or patch == PATCH.encode() else RED

    report = drive(case(), parts(forge, MemoryJournal(), ScriptedEnvironment(answer)))
    assert report.outcome is Outcome.FIXED
    assert report.blame is not None
    assert report.blame.culprit is not None
    assert report.blame.culprit.sha == sha(2)
    assert "It came with `0000000` (`Change 2`, by `octocat`, 2026-11-21), in #12" in forge.published[0].body


TRACE = {"kind": "trace", "failed": {"t.py::a": 0.1}, "passed": {"t.py::b": 0.1, "t.py::c": 0.1},
         "counts": {"calc.py": {"1": [0, 2], "2": [1, 0]}, "gone.py": {"3": [1, 0]}}}  # fmt: skip


def tracing(report: bytes) -> ScriptedEnvironment:
    """An honest sandbox in which the traced run leaves this report."""

    def answer(step: Step, patch: bytes | None, n: int) -> Result:
        return replace(RED, report=report) if step.name == "trace" else honest(step, patch, n)

    return ScriptedEnvironment(answer)


def test_the_tests_are_traced_once_for_the_suspects_and_the_search() -> None:
    """One traced run tells people where to look and the search what to change, also when the run is taken up again."""
    forge, journal, environment = MemoryForge(), MemoryJournal(), tracing(json.dumps(TRACE).encode())
    forge.states = [Checks(CI.PENDING), Checks(CI.GREEN)]
    asked = replace(parts(forge, journal, environment), fixers=(Search(), OneIdea()))
    with pytest.raises(Park):
        drive(case(), asked)
    report = drive(case(), asked)
    assert [step.name for step, _ in environment.asked if step.name in ("trace", "screen")] == ["trace", "screen"]
    assert report.diagnosis is not None
    first = report.diagnosis.suspects[0]
    assert (first.place, first.reasons) == ("calc.py:2", ("executed by the failing test and by no passing one",))
    assert "- `calc.py:2`: executed by the failing test" in forge.published[0].body


@pytest.mark.parametrize("report", [b"", b'{"kind": "error", "message": "pytest is not installed"}', b"[[[["])
def test_tests_that_cannot_be_traced_cost_no_fix(report: bytes) -> None:
    """Without a trace there are suspects from what is known otherwise, and the run goes on."""
    forge = MemoryForge()
    told = drive(case(), parts(forge, MemoryJournal(), tracing(report)))
    assert told.outcome is Outcome.FIXED
    assert told.diagnosis is not None
    assert all("executed" not in why for one in told.diagnosis.suspects for why in one.reasons)


LOST = "##[error]The runner has received a shutdown signal."


@pytest.mark.parametrize(
    ("config", "asked", "words"),
    [
        (RepoConfig(), 0, "re-running the job may be enough"),
        (RepoConfig(infrastructure=Infrastructure(rerun=True)), 1, "I asked GitHub to run the failed jobs once more"),
        (RepoConfig(mode="observe", infrastructure=Infrastructure(rerun=True)), 0, "may be enough"),
    ],
)
def test_ci_that_broke_is_run_once_more_where_it_may_be(config: RepoConfig, asked: int, words: str) -> None:
    """Only by the repository's word, once for a run however often it is taken up, and the notice says so."""
    forge, journal = MemoryForge(admission=Admission(config, "main", "main", head_is_current=True)), MemoryJournal()
    forge.log = LOST
    green = ScriptedEnvironment(lambda step, patch, n: GREEN)
    for _ in range(2):
        report = drive(case(), parts(forge, journal, green))
        assert report.outcome is Outcome.INFRASTRUCTURE
        assert words in forge.told[-1].summary
        assert "shutdown signal" in forge.told[-1].summary
    assert forge.reruns == asked


@pytest.mark.parametrize(("rerun", "asked"), [(False, 0), (True, 1)])
def test_a_flaky_job_is_run_once_more_where_it_may_be(rerun: bool, asked: int) -> None:
    """By a key of its own: who trusts a re-run after an outage may not want one that hides a flaky test."""
    config = RepoConfig(flaky=Flaky(rerun=rerun))
    forge = MemoryForge(admission=Admission(config, "main", "main", head_is_current=True))
    turns = ScriptedEnvironment(lambda step, patch, n: RED if n % 2 == 0 else GREEN)
    report = drive(case(), parts(forge, MemoryJournal(), turns))
    assert (report.outcome, report.data["failure"], forge.reruns) == (Outcome.FLAKY, "flaky", asked)
    assert ("I asked GitHub to run the failed jobs once more" in forge.told[-1].summary) is rerun


def test_an_end_that_is_the_sandboxs_own_runs_nothing_again() -> None:
    """A limit here says nothing of CI."""
    config = RepoConfig(infrastructure=Infrastructure(rerun=True))
    forge = MemoryForge(admission=Admission(config, "main", "main", head_is_current=True))
    full = ScriptedEnvironment(lambda step, patch, n: result(137, ending=Ending.OOM))
    assert drive(case(), parts(forge, MemoryJournal(), full)).outcome is Outcome.INFRASTRUCTURE
    assert forge.reruns == 0


REPORTED = case(aim=Aim.ISSUE, issue=12, requested_by="ada", job="", job_id=0, actions_run_id=0)
SHOWS = "tests/test_issue_12.py"
ALONE = f"python -m pytest {SHOWS}"


class IssueForge(MemoryForge):
    """A forge with a bug report about a tree that git can work with."""

    def tree(self, case: Case) -> SourceTree:
        return GitTree(FILES)


def reported(step: Step, patch: bytes | None, n: int) -> Result:
    """The new test is red until the right patch comes; the suite holds one more test, which is green."""
    fixed = patch is not None and b"+    return a + b" in patch
    said = "" if fixed else "/workspace/tests/test_issue_12.py:6: AssertionError: assert -1 == 3"
    shown = TestCase(f"{SHOWS}::test_issue_12", "passed" if fixed else "failed", message=said)
    other = () if step.script == ALONE else (TestCase("tests/test_calc.py::test_add", "passed"),)
    return replace(GREEN if fixed else RED, tests=(shown, *other), source="pytest", output=Output(said))


class Adding:
    """A fixer that knows the one right change, and how it was asked."""

    name = "search"

    def __init__(self) -> None:
        self.benches: list[Workbench] = []

    def applies(self, diagnosis: Diagnosis) -> bool:
        return True

    def propose(self, bench: Workbench, tried: Sequence[Attempt]) -> Candidate | None:
        self.benches.append(bench)
        patch = bench.tree.diff({"calc.py": b"def add(a, b):\n    return a + b\n"})
        return None if tried else candidate(patch=patch)


def test_a_bug_report_becomes_a_failing_test_and_then_its_fix() -> None:
    """One pull request with both: the test in a commit below, a body that closes the report, and the whole suite."""
    forge, fixer = IssueForge(), Adding()
    asked = replace(parts(forge, MemoryJournal(), ScriptedEnvironment(reported)), fixers=(fixer,))
    report = drive(REPORTED, asked)
    assert report.outcome is Outcome.FIXED
    (proposal,) = forge.published
    assert proposal.first is not None
    assert list(proposal.first.files) == [SHOWS]
    assert b"assert add(1, 2) == 3" in proposal.first.files[SHOWS]
    assert "#12" in proposal.first.message
    assert proposal.branch.startswith("heal/issue-12-")
    assert "Fixes #12." in proposal.body
    assert "1 failed, 1 passed" in proposal.body
    assert "0 failed, 2 passed" in proposal.body
    assert fixer.benches[0].tree.read(SHOWS) == proposal.first.files[SHOWS]
    assert fixer.benches[0].issue == forge.report
    assert forge.told[0].summary.startswith("Writing a test that shows #12")
    assert "A verified fix for #12 is in #3." in (forge.told[-1].comment or "")


def test_a_candidate_cannot_change_the_test_that_shows_the_report() -> None:
    """The patch is refused before it is run."""

    class Cheat(Adding):
        def propose(self, bench: Workbench, tried: Sequence[Attempt]) -> Candidate | None:
            patch = GitTree(FILES).diff({SHOWS: b"def test_issue_12():\n    assert True\n"})
            return None if tried else candidate(patch=patch)

    forge = IssueForge()
    asked = replace(parts(forge, MemoryJournal(), ScriptedEnvironment(reported)), fixers=(Cheat(),))
    report = drive(REPORTED, asked)
    assert report.outcome is Outcome.NO_FIX_FOUND
    assert [attempt.verdict.rejected_by for attempt in report.attempts] == ["apply"]
    assert "must stay as it is" in report.attempts[0].verdict.why


def test_without_a_fix_the_test_is_told() -> None:
    """It is worth something: the comment holds it with the command that runs it, and nothing is opened."""
    forge = IssueForge()
    asked = replace(parts(forge, MemoryJournal(), ScriptedEnvironment(reported)), fixers=())
    assert drive(REPORTED, asked).outcome is Outcome.NO_FIX_FOUND
    comment = forge.told[-1].comment or ""
    assert "I wrote a test that shows #12" in comment
    assert "assert add(1, 2) == 3" in comment
    assert ALONE in comment
    assert forge.published == []


def test_a_report_that_lacks_something_ends_in_one_question() -> None:
    """Told on the report; nothing is run."""
    forge, environment = IssueForge(), ScriptedEnvironment(reported)
    forge.report = IssueReport(12, "Broken", "It does not add.")
    report = drive(REPORTED, parts(forge, MemoryJournal(), environment))
    assert (report.outcome, environment.asked) == (Outcome.QUESTION, [])
    assert forge.told[-1].title == "One question"
    assert (forge.told[-1].comment or "").count("?") == 1


class Said(NoWishes):
    """What people told Heal to leave alone, as a value."""

    def __init__(self, off: Off | None = None, ignored: frozenset[str] = frozenset()) -> None:
        self._off = off
        self._ignored = ignored

    def off(self) -> Off | None:
        return self._off

    def ignored(self, job: str, tests: Sequence[str], fingerprint: str) -> Ignored | None:
        named = self._ignored & {job, fingerprint, *tests}
        return Ignored(Kind.TEST, min(named), "ada", 0.0) if named else None


def test_a_switch_ends_every_word() -> None:
    """Nothing is asked, run or told where Heal is switched off; the reason is the run's own."""
    forge, environment = MemoryForge(), ScriptedEnvironment(honest)
    off = Off("repo:7", "ada", "a release", None, 1.0)
    report = drive(case(), replace(parts(forge, MemoryJournal(), environment), wishes=Said(off)))
    assert report.outcome is Outcome.DISABLED
    assert report.detail.startswith("Heal is paused for this repository until that is taken back, by `ada`.")
    assert (forge.told, environment.asked) == ([], [])


@pytest.mark.parametrize(("ignored", "runs"), [("test", 0), ("tests/test_calc.py::t0", 1)])
def test_an_ignored_failure_is_left_alone(ignored: str, runs: int) -> None:
    """A job before anything is run, a test once it is known; a person who asks for it is not held to that."""
    forge, environment = MemoryForge(), ScriptedEnvironment(honest)
    alone = replace(parts(forge, MemoryJournal(), environment), wishes=Said(ignored=frozenset({ignored})))
    report = drive(case(), alone)
    assert (report.outcome, report.detail) == (
        Outcome.DISABLED, f"`{ignored}` is ignored until 1970-01-01 00:00 UTC, by `ada`.",
    )  # fmt: skip
    assert bool(environment.asked) == bool(runs)
    assert forge.published == []
    assert drive(case(requested_by="mona"), replace(alone, journal=MemoryJournal())).outcome is Outcome.FIXED


def test_who_asked_reads_how_it_goes_on() -> None:
    """Each step is one edit of the comment; what an event started says nothing before there is something to see."""
    asked, forge = MemoryForge(), MemoryForge()
    drive(case(requested_by="mona"), parts(asked, MemoryJournal()))
    drive(case(), parts(forge, MemoryJournal()))
    assert [notice.title for notice in asked.told if notice.comment] == [
        "Looking into it", "Reproduced, looking for a fix", "Fix proposed in #3", "Fix proposed",
    ]  # fmt: skip
    assert asked.told[0].comment is not None
    assert asked.told[0].comment.startswith("Looking into it for `mona`.")
    assert [notice.title for notice in forge.told if notice.comment] == ["Fix proposed in #3", "Fix proposed"]
    moved = Admission(RepoConfig(), "main", "main", head_is_current=False)
    for asker, read in (("mona", True), (None, False)):
        gone = MemoryForge(admission=moved)
        drive(case(requested_by=asker), parts(gone, MemoryJournal()))
        assert [bool(notice.comment) for notice in gone.told] == [read]


class Listening(OneIdea):
    """A fixer that remembers the bench it was given."""

    def __init__(self) -> None:
        super().__init__()
        self.benches: list[Workbench] = []

    def propose(self, bench: Workbench, tried: Sequence[Attempt]) -> Candidate | None:
        self.benches.append(bench)
        return super().propose(bench, tried)


def test_what_was_asked_for_reaches_the_fixers() -> None:
    """The budget and the image of the command take the place of the repository's; the hint is handed on."""
    fixer = Listening()
    asked = case(requested_by="ada", budget_usd=0.5, image="debian", hint="it is the sign")
    report = drive(asked, replace(parts(MemoryForge(), MemoryJournal()), fixers=(fixer,)))
    (bench,) = fixer.benches
    assert (bench.config.limits.usd_per_run, bench.config.environment.image) == (0.5, "debian")
    assert bench.hint == "it is the sign"
    assert report.reproduction is not None
    assert report.reproduction.plan.image == "debian"
    assert "it is the sign" in opening(bench, 1.0)[1].content
    assert "person who asked" not in opening(replace(bench, hint=""), 1.0)[1].content
