"""The failure, again: makes the environment from the plan and finds out whether the check is red here, and always."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace
from threading import Event
from typing import NoReturn

from sandbox import explain, languages
from sandbox.errors import ImageMissing, ServiceFailed, ServiceMissing, SetupFailed
from sandbox.spec import Ending, Environment, Plan, Result, Sandbox, Tree
from workers import diagnosis, logs, recipe
from workers.domain import Case, JobReport, Outcome, Reproduction
from workers.errors import Stop
from workers.messages.markup import quote
from workers.ports import SourceTree
from workers.repo_config import RepoConfig
from workers.reruns import NEXT, command, limits, rerun, unsteady

RERUNS = 4
"""Reruns before a failure counts as stable. A failure in one run of two slips through 5 runs once in 16 times when
the seed has no part in it; the reruns and the reverse run of verification are the next nets."""

_MISSING = re.compile(
    r"exit code 127\b|^error: no such command: `|^make(\[\d+\])?: \*\*\* .*\bError 127$", re.MULTILINE
)


def make_plan(job: JobReport, tree: SourceTree, config: RepoConfig, case: Case) -> Plan:
    """The recipe. A job that broke before any command of the repository ran has none: then its log says why."""
    try:
        return recipe.plan(job, tree, config, case)
    except Stop as none:
        if none.outcome is not Outcome.UNSUPPORTED:
            raise
        ruling = diagnosis.in_ci(job)
        if ruling.cls in diagnosis.NOT_THE_CODE:
            detail = "CI broke before a command of the repository failed."
            raise Stop(Outcome.INFRASTRUCTURE, detail, **_told(ruling)) from none
        raise Stop(none.outcome, none.detail, **none.data, **_told(ruling)) from none


def prepare(sandbox: Sandbox, plan: Plan, tree: Tree, cancel: Event) -> Environment:
    """The environment of the plan; a set-up that fails here ends the run, with its log as the evidence."""
    try:
        return sandbox.prepare(plan, tree, cancel)
    except ServiceMissing as missing:
        raise Stop(Outcome.UNSUPPORTED, f"Not here: {explain.error(missing)}.") from missing
    except (SetupFailed, ServiceFailed) as failed:
        raise Stop(Outcome.NOT_REPRODUCED, f"Not here: {explain.error(failed)}.", log=failed.log) from failed


def reproduce(sandbox: Sandbox, plan: Plan, tree: Tree, job: JobReport, cancel: Event) -> Reproduction:
    """Make the environment and run the check until it is known to be red for good. Raises `Stop` when it is not."""
    try:
        environment = prepare(sandbox, plan, tree, cancel)
    except ImageMissing as missing:
        if plan.image in languages.BY_KEY:
            raise  # ours: the operator's to mend
        plan = recipe.in_own_image(plan, str(missing))
        environment = prepare(sandbox, plan, tree, cancel)
    environment.warm(tree, 1 + RERUNS, limits(plan))
    environment, plan, before = _first_run(sandbox, environment, plan, tree, job, cancel)
    _refuse_what_is_ours(before, plan, job)
    seen = rerun(environment, plan, tree, None, RERUNS, cancel)
    runs = [before, *seen]
    failed = sum(not result.green for result in runs)
    if failed == 0:
        _never_red(plan, job, len(runs))
    if failed < len(runs):
        raise Stop(
            Outcome.FLAKY,
            f"{failed} of {len(runs)} identical runs of {quote(command(plan.check))} failed on the same commit.",
            runs=len(runs),
            failed=failed,
            tests=unsteady(runs),
        )
    steady = _always_failing(runs)
    if steady is not None and not steady:
        raise Stop(
            Outcome.FLAKY,
            f"{len(runs)} identical runs of {quote(command(plan.check))} failed, and no test failed in all of them.",
            runs=len(runs),
            failed=failed,
            tests=unsteady(runs),
        )
    _compare(plan, before, job)
    if plan.services:
        plan = replace(plan, notes=(*plan.notes, *environment.notes))  # which programs they really were
    environment.warm(tree, NEXT, limits(plan))  # they start while the failure is diagnosed
    return Reproduction(plan=plan, before=before, reruns=len(seen), red_reruns=failed - 1)


def _compare(plan: Plan, before: Result, job: JobReport) -> None:
    """A patch for another failure than CI's would mend nothing there: then both are shown, and nothing is done."""
    found = diagnosis.same_failure(plan.check.script, before, job)
    if not found.same:
        raise Stop(
            Outcome.NOT_REPRODUCED,
            f"{quote(command(plan.check))} is red here too, but with another failure than CI's: {found.why}.",
            ci=found.ci,
            here=found.here,
            log=before.output.text,
        )


def _told(ruling: diagnosis.Ruling) -> dict[str, str]:
    """What CI's log alone says, for the message of a run that ends before it has a diagnosis of its own."""
    return {"failure": ruling.cls.value, "line": ruling.evidence[0]} if ruling.evidence else {}


def _always_failing(runs: Sequence[Result]) -> set[str] | None:
    """The tests that failed in every run; None when a run names no failing test, so nothing can be said."""
    failing = [{test.id for test in run.tests if test.status in ("failed", "error")} for run in runs]
    return set.intersection(*failing) if all(failing) else None


def _first_run(
    sandbox: Sandbox, environment: Environment, plan: Plan, tree: Tree, job: JobReport, cancel: Event
) -> tuple[Environment, Plan, Result]:
    """The first run. When CI did not say which step failed, the job's steps are tried in order until one is red.

    What a green step left in the job's services has to be there for the next one: it becomes part of the set-up.
    """
    first = environment.run(plan.check, tree, limits=limits(plan), cancel=cancel)
    here, at, result = environment, plan, first
    while result.green and at.after and not (job.log or job.steps):
        setup = (*at.setup, at.check) if at.services else at.setup
        at = replace(at, setup=setup, check=at.after[0], after=at.after[1:])
        here = prepare(sandbox, at, tree, cancel) if at.services else here
        result = here.run(at.check, tree, limits=limits(plan), cancel=cancel)
    return (environment, plan, first) if result.green else (here, at, result)


def _refuse_what_is_ours(result: Result, plan: Plan, job: JobReport) -> None:
    """Endings that say more about this sandbox than about the code."""
    if result.ending in (Ending.OOM, Ending.DISK_FULL, Ending.OUTPUT_LIMIT):
        raise Stop(Outcome.INFRASTRUCTURE, explain.ending(result, limits(plan)), log=result.output.text)
    if result.ending is Ending.NETWORK_DENIED:
        _network_denied(result, plan, job)
    if _lacks_a_command(result) and not _MISSING.search(logs.clean(job.log)):
        told = (
            "A command that the check calls is not found in the sandbox: install it in environment.setup of heal.yml."
        )
        raise Stop(Outcome.NOT_REPRODUCED, told, log=result.output.text)


def _lacks_a_command(result: Result) -> bool:
    """The shell's answer for a command that is not there, as it is or as make tells it, or cargo's."""
    return result.exit_code == 127 or (result.exit_code in (2, 101) and bool(_MISSING.search(result.output.text)))


def _network_denied(result: Result, plan: Plan, job: JobReport) -> NoReturn:
    """Without the host nobody can tell here whether a patch mends the check. CI may have missed it as well."""
    told = explain.ending(result, limits(plan))
    ruling = diagnosis.in_ci(job, plan.check.script)
    if ruling.cls in diagnosis.NOT_THE_CODE:
        raise Stop(Outcome.INFRASTRUCTURE, told, log=result.output.text, **_told(ruling))
    raise Stop(Outcome.NOT_REPRODUCED, told, log=result.output.text)


def _never_red(plan: Plan, job: JobReport, runs: int) -> NoReturn:
    green = f"{quote(command(plan.check))} is green here in {runs} of {runs} runs"
    ruling = diagnosis.in_ci(job, plan.check.script)
    if ruling.cls in diagnosis.NOT_THE_CODE:
        raise Stop(Outcome.INFRASTRUCTURE, f"{green}, and CI's log shows trouble around it.", **_told(ruling))
    raise Stop(Outcome.NOT_REPRODUCED, f"{green}.", runs=runs, **_told(ruling))
