"""What one run works with, what it has found out so far, and the checkpoints it was found out at.

The spine (`workers.pipeline`) says what comes when; here is how a stage is done once, and people are told once.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from threading import Event
from typing import ParamSpec, TypeVar

from sandbox.spec import Plan, Sandbox
from workers import messages
from workers.critic import Critic
from workers.domain import (
    Answers,
    Attempt,
    Blame,
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
    Witness,
)
from workers.errors import Stop
from workers.llm.client import Client
from workers.llm.purse import MemoryPurse, Purse
from workers.meter import Meter
from workers.overlay import Overlay
from workers.ports import Admission, Fixer, Forge, Journal, Notice, Revision, SourceTree
from workers.repo_config import Notify, RepoConfig
from workers.since import since
from workers.stages.answer import answer, only_answered
from workers.stages.reproduce import make_plan, prepare
from workers.stages.witness import Means, bear_witness
from workers.wishes import NoWishes, Wishes
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
    meter: Meter = field(default_factory=lambda: Meter(MemoryPurse(())))
    """Counts what the stages use of the sandbox."""
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
            with self.meter.stage(f"{stage}:{n}", of_candidate=stage is StageName.VERIFY):
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
