"""Findings, class, suspect files: turns the red run into a diagnosis and refuses what no patch can mend."""

from __future__ import annotations

from workers import diagnosis
from workers.domain import Diagnosis, JobReport, Outcome, Reproduction
from workers.errors import Stop
from workers.ports import SourceTree


def diagnose(reproduction: Reproduction, job: JobReport, tree: SourceTree) -> Diagnosis:
    """What is wrong, from the red run (and CI's log for what the run lacks)."""
    found = diagnosis.read(reproduction.plan, reproduction.before, job, tree)
    if found.cls in diagnosis.NOT_THE_CODE:
        line = diagnosis.outage(job, reproduction.plan.check.script) or ""
        raise Stop(Outcome.INFRASTRUCTURE, found.summary, log=found.excerpt, failure=found.cls.value, line=line)
    return found
