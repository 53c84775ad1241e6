"""The spine: the story of one run, top to bottom. Every stage is one call down and back; none knows what comes next.

A finished stage is kept in the journal, so a run that is taken up again goes on where it stopped and pays for nothing
twice. Expected ends arrive as `Stop`; what people read about them is made in `workers.messages`.
"""

from __future__ import annotations

from dataclasses import replace

from sandbox.errors import Cancelled
from workers import messages
from workers.asked import as_asked
from workers.ceilings import of_repository
from workers.domain import (
    Aim,
    Attempt,
    Blame,
    Candidate,
    Case,
    Diagnosis,
    JobReport,
    Outcome,
    Published,
    Report,
    Reproduction,
    StageName,
    Verdict,
)
from workers.errors import Stop
from workers.fixers.replay import Replay
from workers.meter import Meter, Metered
from workers.ports import Admission, Fixer, Forge, Journal, Memory, SourceTree, Workbench
from workers.stages.admit import admit
from workers.stages.base import compare_with_base
from workers.stages.blame import blame
from workers.stages.diagnose import diagnose, heed, tried_enough
from workers.stages.follow import follow
from workers.stages.locate import locate
from workers.stages.propose import propose
from workers.stages.publish import publish
from workers.stages.reproduce import bounded, make_plan, prepare, reproduce
from workers.stages.verify import verify
from workers.story import Parts, Story
from workers.wishes import heed_ignored, heed_switches

__all__ = ["Parts", "drive"]


def drive(case: Case, parts: Parts) -> Report:
    """Take the run to its end, or raise `Park` or `Retryable` when it must wait."""
    meter = Meter(parts.purse)
    parts = replace(parts, sandbox=Metered(parts.sandbox, meter))
    story = Story(case, parts, meter=meter)
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
        since=story.since, batch=story.meter.batch,
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
