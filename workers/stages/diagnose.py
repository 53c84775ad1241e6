"""Findings, class, suspect files: turns the red run into a diagnosis and refuses what no patch can mend, or what people
have refused before."""

from __future__ import annotations

from workers import diagnosis
from workers.domain import Aim, Case, Diagnosis, Experience, JobReport, Outcome, Reproduction
from workers.errors import Stop
from workers.messages.markup import quote
from workers.ports import Admission, SourceTree
from workers.repo_config import RunLimits


def diagnose(reproduction: Reproduction, job: JobReport, tree: SourceTree) -> Diagnosis:
    """What is wrong, from the red run (and CI's log for what the run lacks)."""
    found = diagnosis.read(reproduction.plan, reproduction.before, job, tree)
    if found.cls in diagnosis.NOT_THE_CODE:
        line = diagnosis.outage(job, reproduction.plan.check.script) or ""
        raise Stop(Outcome.INFRASTRUCTURE, found.summary, log=found.excerpt, failure=found.cls.value, line=line)
    return found


def heed(case: Case, admission: Admission, experience: Experience) -> None:
    """Who closed a fix for this failure on this branch has decided about it: only a person may ask for another."""
    if case.requested_by or case.ours:
        return
    closed = next((lesson for lesson in experience.rejected if lesson.target == admission.target), None)
    if closed is not None:
        where, who = quote(admission.target), f" by {quote(closed.who)}" if closed.who else ""
        raise Stop(
            Outcome.DUPLICATE,
            f"A fix for this very failure on {where} was turned down{who} in #{closed.number}. "
            "Heal does not come back to it by itself; `/heal` asks for another one.",
        )


def tried_enough(case: Case, heals: int, limits: RunLimits) -> None:
    """Refuses a failure that other runs (`heals`) worked on often enough lately. A person who asks is not held to it,
    and rounds that go on with a fix of ours have bounds of their own."""
    if case.requested_by or case.aim is not Aim.CHECK or heals < limits.heals_per_failure:
        return
    times = "once" if heals == 1 else f"{heals} times"
    raise Stop(
        Outcome.DUPLICATE,
        f"This very failure was worked on {times} here within seven days, which is as often as "
        "`limits.heals_per_failure` allows. Comment `/heal` to have it tried again.",
    )
