"""The spine: the story of one run, top to bottom. Every stage is one call down and back; none knows what comes next.

A finished stage is kept in the journal, so a run that is taken up again goes on where it stopped and pays for nothing
twice. Expected ends arrive as `Stop`; what people read about them is made in `workers.messages`.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from threading import Event
from typing import ParamSpec, TypeVar

from sandbox.errors import Cancelled
from sandbox.spec import Plan, Sandbox
from workers import messages
from workers.asked import as_asked
from workers.ceilings import of_repository
from workers.critic import Critic
from workers.domain import (
    Aim,
    Answers,
    Attempt,
    Blame,
    Candidate,
    Case,
    Confidence,
    Diagnosis,
    Experience,
    IssueReport,
    JobReport,
    Outcome,
    Published,
    Report,
    Reproduction,
    Rerun,
    RunId,
    Since,
    StageName,
    Verdict,
    Witness,
)
from workers.errors import Stop
from workers.fixers.replay import Replay
from workers.llm.client import Client
from workers.llm.purse import MemoryPurse, Purse
from workers.overlay import Overlay
from workers.ports import Admission, Fixer, Forge, Journal, Memory, Notice, Revision, SourceTree, Workbench
from workers.repo_config import Notify, RepoConfig
from workers.since import since
from workers.stages.admit import admit
from workers.stages.answer import answer, only_answered
from workers.stages.base import compare_with_base
from workers.stages.blame import blame
from workers.stages.diagnose import diagnose, heed, tried_enough
from workers.stages.follow import follow
from workers.stages.locate import locate
from workers.stages.propose import propose
from workers.stages.publish import publish
from workers.stages.reproduce import bounded, make_plan, prepare, reproduce
from workers.stages.verify import verify
from workers.stages.witness import Means, bear_witness
from workers.wishes import NoWishes, Wishes, heed_ignored, heed_switches
from workers.witness.tester import Tester

T = TypeVar("T")
P = ParamSpec("P")


@dataclass(frozen=True)
class Parts:
    """What a run works with. `cancelled` is set when somebody stops the run or another worker takes it over."""

    forge: Forge
    sandbox: Sandbox
    fixers: tuple[Fixer, ...]
    journal: Journal
    cancelled: Event
    run_url: str = ""
    runs_today: Callable[[], int] = lambda: 0
    """How many runs of this repository were admitted within the last 24 hours."""
    heals_lately: Callable[[Case, str], int] = lambda *_: 0
    """How many other runs worked on a failure with this fingerprint in the case's place within seven days."""
    purse: Purse = field(default_factory=MemoryPurse)
    """What pays for the models of the run; its repository's limits are told to it here."""
    patience: float = 3600.0
    """Seconds to wait for the repository's own CI on the fix at most, and between two looks at it."""
    poll: float = 30.0
    critic: Critic | None = None
    """Who looks at a model's patch once more; None where no model is set."""
    tester: Tester | None = None
    """Who writes the failing test of a bug report whose own example does not do; None where no model is set."""
    wishes: Wishes = field(default_factory=NoWishes)
    """What people told Heal to leave alone."""
    show_merged: bool = False
    """Whether models are shown merged fixes of like failures."""
    model: Client | None = None
    """Who answers questions about a change of ours, if anybody does."""
    so_far: Callable[[RunId], Report | None] = lambda _: None
    """What an earlier run has proven of the fix it published."""


def drive(case: Case, parts: Parts) -> Report:
    """Take the run to its end, or raise `Park` or `Retryable` when it must wait."""
    story = Story(case, parts)
    try:
        try:
            heal(case, parts, story)
        except Cancelled:  # the sandbox stopped because it was told to: the journal knows why
            parts.journal.guard()
            raise
        report = story.report(Outcome.FIXED, "")
    except Stop as end:
        report = story.report(end.outcome, end.detail, end.follow_up, **end.data, **story.again(end))
    if report.follow_up is not None:
        report = replace(report, lead=parts.journal.lead_to(report.follow_up))
    if "silent" in report.data:
        return report
    story.reply(report)
    parts.journal.guard()
    if mended_elsewhere(report):
        parts.forge.withdraw(report.case, messages.mended_elsewhere(report.case.branch, report.case.head_sha))
    notice = story.fitting(messages.ended(report, parts.run_url), report)
    parts.forge.tell(case, notice, report.published)
    return report


def heal(case: Case, parts: Parts, story: Story) -> None:
    """From the red check to the proven fix. Returns when the run is FIXED; every other end is a `Stop`."""
    at, forge, cancelled = story.at, parts.forge, parts.cancelled

    heed_switches(parts.wishes)
    admission = at(StageName.ADMIT, Admission, admit, case, forge, parts.journal, parts.runs_today)
    admission = story.admission = as_asked(admission, case)
    parts.purse.bound(of_repository(admission.config.limits))
    case = story.case = replace(case, pull_request=admission.pull_request, fork=admission.fork)
    story.say("started", messages.started(case, parts.run_url))

    revision = story.heard(admission.config) if case.aim is Aim.REVISE else None

    job = story.job = at(StageName.CHECKOUT, JobReport, forge.job, case)
    heed_ignored(parts.wishes, case, job.name)
    tree = forge.tree(case)

    plan = make_plan(job, tree, admission.config, case)
    if revision is None:  # else it was compared when the change was made
        at(StageName.BASE, str, compare_with_base, case, forge, parts.sandbox, plan, job, tree, cancelled)

    if case.aim is Aim.ISSUE:
        tree, plan = story.bear_witness(tree, plan, job, admission)

    files = tree.tar()
    found = story.reproduction = at(
        StageName.REPRODUCE, Reproduction, reproduce, parts.sandbox, plan, files, job, admission.config.flaky,
        parts.journal, cancelled,
    )  # fmt: skip
    environment, _ = prepare(parts.sandbox, found.plan, files, cancelled)  # made by now: found again by its key
    found = story.reproduction = bounded(found, admission.config.verify)

    story.diagnosis = at(StageName.DIAGNOSE, Diagnosis, diagnose, found, job, tree)
    tried_enough(case, story.heals(story.diagnosis), admission.config.limits)
    experience = story.experience(story.diagnosis)
    heed(case, admission, experience)
    heed_ignored(parts.wishes, case, job.name, story.diagnosis)
    story.say("reproduced", messages.reproduced(story.report(), parts.run_url))
    bench = Workbench(
        tree, story.diagnosis, found, environment, admission.config, story.once, experience=experience,
        keep=mended_before(case), note=admission.note, issue=story.issue, witness=story.witness, hint=case.hint,
        revision=revision, prepared=lambda other: parts.sandbox.prepare(other, files, cancelled),
        since=story.since,
    )  # fmt: skip
    if revision is None:
        story.blame = at(StageName.BLAME, Blame, blame, case, bench, forge, parts.sandbox, cancelled)
        bench = replace(bench, blame=story.blame)
        story.diagnosis = at(StageName.LOCATE, Diagnosis, locate, bench, cancelled)
        bench = replace(bench, diagnosis=story.diagnosis)

    fixers = (*remembered(case, parts.journal), *parts.fixers)
    while not story.held:
        candidate = at(StageName.PROPOSE, Candidate, propose, fixers, bench, story.attempts)
        verdict = at(StageName.VERIFY, Verdict, verify, candidate, bench, cancelled, parts.critic)
        story.attempts.append(Attempt(candidate, verdict))

    story.published = at(
        StageName.PUBLISH, Published, bring_out, parts.journal, story.report(), admission, tree, forge, parts.run_url
    )
    story.reply(story.report())
    story.say("proposed", messages.proposed(story.report(), parts.run_url))
    at(
        StageName.FOLLOW, str, follow, story.report(), admission, forge, parts.journal, parts.run_url, parts.patience,
        parts.poll,
    )  # fmt: skip


def bring_out(
    journal: Journal, report: Report, admission: Admission, tree: SourceTree, forge: Forge, run_url: str
) -> Published:
    """The publish stage, announced: news of its push may be here before its checkpoint is."""
    journal.publishing()
    return publish(report, admission, tree, forge, run_url)


def mended_before(case: Case) -> str:
    """What an earlier round has mended. A reviewer may want it undone; a red CI is no reason to."""
    return case.ours.patch if case.ours is not None and case.aim is Aim.AGAIN else ""


def remembered(case: Case, memory: Memory) -> tuple[Fixer, ...]:
    """The patch that a pull request of ours has already, tried before anything else when it is made anew."""
    if case.ours is None or case.aim is not Aim.REBASE:
        return ()
    return (Replay(case.ours.patch, memory.held(case.ours.run)),)


def mended_elsewhere(report: Report) -> bool:
    """The failure that our pull request mends is not there any more on the new base: it was red here before, and now
    the same check is green."""
    green = report.outcome is Outcome.NOT_REPRODUCED and "runs" in report.data
    return report.case.aim is Aim.REBASE and green


@dataclass
class Story:
    """What one run has found out so far, and the checkpoints it was found out at."""

    case: Case
    parts: Parts
    admission: Admission | None = None
    job: JobReport | None = None
    reproduction: Reproduction | None = None
    diagnosis: Diagnosis | None = None
    blame: Blame | None = None
    issue: IssueReport | None = None
    witness: Witness | None = None
    attempts: list[Attempt] = field(default_factory=list)
    published: Published | None = None
    answers: Answers = field(default_factory=Answers)
    last: dict[str, float] = field(default_factory=dict)
    """Seconds of the stage that ended the run, which is never recorded as finished."""

    @property
    def held(self) -> bool:
        """The last candidate is a fix to be proposed."""
        return bool(self.attempts) and self.attempts[-1].held

    def at(self, stage: StageName, kind: type[T], work: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
        """The stage's answer: from the journal when it was finished before, else worked out and recorded there.

        Stages that repeat are told apart by the number of candidates tried so far.
        """
        journal, n = self.parts.journal, len(self.attempts)
        known = journal.recall(stage, n, kind)
        if known is not None:
            return known
        journal.guard()
        journal.event("stage", stage, state="started", n=n)
        started = time.monotonic()
        try:
            answer = work(*args, **kwargs)
        except Stop:
            self.last = {stage: time.monotonic() - started}
            raise
        journal.record(stage, n, answer, time.monotonic() - started)
        return answer

    def say(self, key: str, notice: Notice | None) -> None:
        """Tell people once, also when the run is taken up again; None is nobody's news."""
        journal = self.parts.journal
        if notice is not None and not journal.recall(f"say:{key}", 0, bool):
            journal.guard()
            started = time.monotonic()
            self.parts.forge.tell(self.case, self.fitting(notice), self.published)
            journal.record(f"say:{key}", 0, True, time.monotonic() - started)

    def experience(self, diagnosis: Diagnosis) -> Experience:
        """What people made of earlier fixes, as it was when this run came to know the failure."""

        def recalled() -> Experience:
            memory = self.parts.journal
            found = memory.experience(diagnosis.fingerprint)
            return replace(found, similar=memory.similar(diagnosis)) if self.parts.show_merged else found

        return self.once("experience", Experience, recalled)

    def heard(self, config: RepoConfig) -> Revision:
        """What a review asks for. Its questions are answered now; raises `Stop` when that is all it wants."""
        case = self.case
        if case.ours is None:
            raise ValueError("a review is of a pull request of ours")
        earlier = self.parts.so_far(case.ours.run)
        made = earlier.accepted.candidate if earlier and earlier.accepted else None
        self.answers = self.once("answers", Answers, lambda: answer(case, earlier, config, self.parts.model, self.once))
        only_answered(case)
        wanted = messages.wanted(case.remarks)
        trust = made.confidence if made else Confidence.MEDIUM
        return Revision(case.ours, case.remarks, wanted, made.reasoning if made else "", trust, self.answers.usage)

    def reply(self, report: Report) -> None:
        """Answer every remark of a review where it stands, once in the run: when the revision is published, or when
        the run is over without one."""
        journal = self.parts.journal
        if not report.case.remarks or journal.recall("say:replies", 0, bool):
            return
        journal.guard()
        self.parts.forge.reply(report.case, messages.review_replies(report, self.answers.said, self.parts.run_url))
        journal.record("say:replies", 0, True, 0.0)

    def fitting(self, notice: Notice, report: Report | None = None) -> Notice:
        """The notice as the repository wants to be told; a refusal at the door brings its wish along."""
        asked = report.data.get("notify") if report and self.admission is None else None
        if asked is not None:
            return messages.fitting(notice, Notify.model_validate_json(asked))
        return messages.fitting(notice, self.admission.config.notify if self.admission else Notify())

    def once(self, key: str, kind: type[T], compute: Callable[[], T]) -> T:
        """`workers.ports.Once` over the journal: what a fixer paid for is never paid for again."""
        journal = self.parts.journal
        known = journal.recall(f"once:{key}", 0, kind)
        if known is None:
            started = time.monotonic()
            known = compute()
            journal.record(f"once:{key}", 0, known, time.monotonic() - started)
        return known

    def bear_witness(
        self, tree: SourceTree, plan: Plan, job: JobReport, admission: Admission
    ) -> tuple[SourceTree, Plan]:
        """The files with a test that shows the bug report, and the plan whose check is that test."""
        case, parts, files = self.case, self.parts, tree.tar()
        self.issue = issue = self.once("issue", IssueReport, lambda: parts.forge.issue(case))
        means = Means(
            planned=lambda command: make_plan(job, tree, admission.config, replace(case, check=command)),
            prepared=lambda alone: prepare(parts.sandbox, alone, files, parts.cancelled),
            tester=parts.tester,
            once=self.once,
            config=admission.config,
            cancel=parts.cancelled,
            hint=case.hint,
        )
        self.witness = found = self.at(StageName.WITNESS, Witness, bear_witness, issue, tree, plan, means)
        return Overlay(tree, {found.path: found.text.encode()}), found.plan

    def again(self, end: Stop) -> dict[str, str]:
        """CI broke, or it was chance: the failed jobs are run once more, where the repository allows it."""
        admission, flaky = self.admission, end.outcome is Outcome.FLAKY
        broke = end.outcome is Outcome.INFRASTRUCTURE and bool(end.data.get("line"))
        if not (flaky or broke) or admission is None or not admission.config.may_rerun(flaky=flaky):
            return {}
        return {"rerun": self.once("rerun", Rerun, lambda: self.parts.forge.rerun(self.case)).value}

    def since(self) -> Since:
        """What CI installed otherwise when the job was last green. Read off logs that GitHub deletes one day."""
        job = self.job or JobReport(name="")
        return self.once("since", Since, lambda: since(job, lambda: self.parts.forge.green_job(self.case)))

    def heals(self, diagnosis: Diagnosis) -> int:
        """How often other runs worked on this failure lately: asked once, so that a run taken up again goes on."""
        return self.once("heals", int, lambda: self.parts.heals_lately(self.case, diagnosis.fingerprint))

    def report(
        self, outcome: Outcome = Outcome.FIXED, detail: str = "", follow_up: Case | None = None, **data: object
    ) -> Report:
        """Everything known by now, as a value."""
        return Report(
            case=self.case,
            outcome=outcome,
            detail=detail,
            job=self.job,
            reproduction=self.reproduction,
            diagnosis=self.diagnosis,
            attempts=tuple(self.attempts),
            published=self.published,
            seconds={**self.parts.journal.seconds(), **self.last},
            data={key: str(value) for key, value in data.items()},
            blame=self.blame,
            follow_up=follow_up,
            witness=self.witness,
        )
