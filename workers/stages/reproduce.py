"""The failure, again: makes the environment from the plan and finds out whether the check is red here, and always."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from threading import Event
from typing import NoReturn

from sandbox import explain, languages
from sandbox.errors import ImageMissing, NetworkDenied, ServiceFailed, ServiceMissing, SetupFailed
from sandbox.spec import Ending, Environment, Plan, Result, Sandbox, Skipped, Step, Tree
from workers import diagnosis, fragments, fresh, pins, recipe, spared, tools
from workers.actions.unusable import unusable
from workers.domain import Case, FailureClass, JobReport, Outcome, Past, Reproduction
from workers.errors import Stop
from workers.messages.chance import history
from workers.messages.markup import quote
from workers.messages.plan import edits_no_workflow, writes_no_fragment
from workers.ports import History, SourceTree
from workers.repo_config import Flaky, RepoConfig, Verify
from workers.reruns import (
    NEXT,
    PARALLEL,
    RED,
    Repeated,
    apart,
    command,
    green_when_turned,
    limits,
    repeat,
    sightings,
    unsteady,
)

_MISSING = re.compile(
    r"exit code 127\b|^error: no such command: `|^make(\[\d+\])?: \*\*\* .*\bError 127$", re.MULTILINE
)


def make_plan(job: JobReport, tree: SourceTree, config: RepoConfig, case: Case) -> Plan:
    """The recipe. A job that broke before any command of the repository ran has none: then its log says why."""
    if not (case.check or config.verify.command):
        _for_people(job)
    try:
        return pins.while_it_lasts(recipe.plan(job, tree, config, case), job.started_at, datetime.now(UTC))
    except Stop as none:
        if none.outcome is not Outcome.UNSUPPORTED:
            raise
        ruling = diagnosis.in_ci(job)
        if ruling.cls in diagnosis.NOT_THE_CODE:
            detail = "CI broke before a command of the repository failed."
            raise Stop(Outcome.INFRASTRUCTURE, detail, **_told(ruling)) from none
        raise Stop(none.outcome, none.detail, **none.data, **_told(ruling)) from none


def _for_people(job: JobReport) -> None:
    """Raise `Stop` where the log alone shows that no patch of ours can be the answer."""
    action = unusable(job)
    if action is not None:
        told = {"failure": FailureClass.WORKFLOW.value, "line": action.said}
        raise Stop(Outcome.UNSUPPORTED, edits_no_workflow(action), **told)
    program, said = fragments.asked(job)
    if program:
        told = {"failure": FailureClass.LINT.value, "line": said}
        raise Stop(Outcome.UNSUPPORTED, writes_no_fragment(program, said), **told)


def bounded(found: Reproduction, verify: Verify) -> Reproduction:
    """Without the steps that follow the red one, where the repository does not want them run; what is not proven then
    is said."""
    if verify.full_job or not found.plan.after:
        return found
    left = tuple(Skipped(step.name, "verify.full_job is false", weakens_proof=True) for step in found.plan.after)
    return replace(found, plan=replace(found.plan, after=(), skipped=(*found.plan.skipped, *left)))


def prepare(
    sandbox: Sandbox, plan: Plan, tree: Tree, cancel: Event, *, unknown: bool = False
) -> tuple[Environment, Plan]:
    """The environment of the plan, and the plan it is of: where the packages of the run's day cannot be had, the one
    with today's; where the job is red in the set-up, the one whose check is the step that fails there. Any other set-up
    that fails here ends the run, with its log as the evidence. `unknown`: nobody knows which step of the job failed."""
    try:
        return fresh.environment(sandbox, plan, tree, cancel), plan
    except ServiceMissing as missing:
        raise Stop(Outcome.UNSUPPORTED, f"Not here: {explain.error(missing)}.") from missing
    except (SetupFailed, ServiceFailed) as failed:
        if isinstance(failed, SetupFailed) and not isinstance(failed, NetworkDenied):
            other = pins.without(plan, failed.step) or fresh.red_there(plan, failed.step, unknown=unknown)
            if other is not None:
                return prepare(sandbox, other, tree, cancel, unknown=unknown)
        raise Stop(Outcome.NOT_REPRODUCED, f"Not here: {explain.error(failed)}.", log=failed.log) from failed


def reproduce(
    sandbox: Sandbox, plan: Plan, tree: Tree, job: JobReport, flaky: Flaky, known: History, cancel: Event
) -> Reproduction:
    """Make the environment and run the check until it is known to be red for good. Raises `Stop` when it is not."""
    unknown = job.log.failed is None and not job.steps
    try:
        environment, plan = prepare(sandbox, plan, tree, cancel, unknown=unknown)
    except ImageMissing as missing:
        if plan.image in languages.BY_KEY:
            raise  # ours: the operator's to mend
        plan = recipe.in_own_image(plan, str(missing))
        environment, plan = prepare(sandbox, plan, tree, cancel, unknown=unknown)
    environment.warm(tree, 1 + PARALLEL, limits(plan))
    environment, plan, before = _first_run(sandbox, environment, plan, tree, job, cancel)
    _refuse_what_is_ours(before, plan, job)
    past = known.past(_red(before))
    apart_s = apart(before.output.text, job.log.text)
    kept = repeat(environment, plan, tree, before, flaky.reruns, past, cancel, apart_s)
    runs = (before, *kept.same)
    if not cancel.is_set():
        known.sighted(sightings(runs))
    steady = _stable(runs, kept, plan, job, past)
    _compare(plan, before, job)
    if plan.services:
        plan = replace(plan, notes=(*plan.notes, *environment.notes))  # which programs they really were
    environment.warm(tree, NEXT, limits(plan))  # they start while the failure is diagnosed
    order = green_when_turned(kept, steady)
    return Reproduction(plan, before, len(kept.same), len(kept.same), order, past)


def _stable(
    runs: Sequence[Result], kept: Repeated, plan: Plan, job: JobReport, past: Sequence[Past]
) -> Collection[str]:
    """The tests that failed in every run, as far as named. Raises `Stop` for a check that is not always red."""
    check, failed = quote(command(plan.check)), sum(not result.green for result in runs)
    told: Mapping[str, object] = {
        "failure": FailureClass.FLAKY.value,
        "runs": len(runs),
        "failed": failed,
        "tests": unsteady(runs),
        "past": history(past),
    }
    turned = kept.turned
    if failed == 0 and turned is not None and not turned.green:
        ran = f"{check} is green in {len(runs)} of {len(runs)} runs, and red when its tests run in reverse order."
        raise Stop(Outcome.FLAKY, ran, **{**told, "tests": unsteady((*runs, turned))})
    if failed == 0:
        _never_red(plan, job, len(runs))
    if failed < len(runs):
        some = f"{failed} of {len(runs)} identical runs of {check} failed on the same commit."
        raise Stop(Outcome.FLAKY, some, **told)
    steady = _always_failing(runs)
    if steady is not None and not steady:
        none = f"{len(runs)} identical runs of {check} failed, and no test failed in all of them."
        raise Stop(Outcome.FLAKY, none, **told)
    return steady or ()


def _red(result: Result) -> tuple[str, ...]:
    return tuple(test.id for test in result.tests if test.status in RED)


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
    """The tests that failed in every run in which they were run; None when a run names no failing test, so nothing can
    be said."""
    failing = [set(_red(run)) | spared.left_out(runs[0], run) for run in runs]
    return set.intersection(*failing) if all(failing) else None


def _first_run(
    sandbox: Sandbox, environment: Environment, plan: Plan, tree: Tree, job: JobReport, cancel: Event
) -> tuple[Environment, Plan, Result]:
    """The first run. When CI did not say which step failed, the job's steps are tried in order until one is red.

    What a green step left, built files or data in the job's services, has to be there for the next one: it becomes part
    of the set-up. Where it can only have left files, that is done when the next one is red without them.
    """
    first = environment.run(plan.check, tree, limits=limits(plan), cancel=cancel)
    here, at, result = environment, plan, first
    green: list[Step] = []
    made: list[Step] = []
    while result.green and at.after and job.log.failed is None and not job.steps:
        green.append(at.check)
        made += [] if tools.only_look(at.check.script) and not at.services else [at.check]
        at = replace(at, check=at.after[0], after=at.after[1:])
        ran = None if at.services else here.run(at.check, tree, limits=limits(plan), cancel=cancel)
        if ran is None or (made and not ran.green):
            here, at = prepare(sandbox, replace(at, setup=(*at.setup, *made)), tree, cancel)
            made = []
            ran = here.run(at.check, tree, limits=limits(plan), cancel=cancel)
        result = ran
    if at.guessed:  # what was green has to stay green; of the others nobody knows whether they ever were
        at = replace(at, after=tuple(green))
    return (environment, plan, first) if result.green else (here, at, result)


def _refuse_what_is_ours(result: Result, plan: Plan, job: JobReport) -> None:
    """Endings that say more about this sandbox than about the code."""
    if result.ending in (Ending.OOM, Ending.DISK_FULL, Ending.OUTPUT_LIMIT):
        raise Stop(Outcome.INFRASTRUCTURE, explain.ending(result, limits(plan)), log=result.output.text)
    if result.ending is Ending.NETWORK_DENIED:
        _network_denied(result, plan, job)
    if _lacks_a_command(result) and not _MISSING.search(job.log.text):
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
