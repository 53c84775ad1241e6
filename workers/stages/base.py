"""Is it the pull request's own failure? Where CI does not call the base green, the check is run there and compared.

Two commits of the base may have it. GitHub tests a pull request merged into the base's head, so what broke there since
turns pull requests red that are green alone; and what was broken where the pull request left the base is still in its
files, mended on the base or not. CI's word alone decides nothing but that a green commit is not run.
"""

from __future__ import annotations

from dataclasses import replace
from threading import Event
from typing import NoReturn

from sandbox.spec import Plan, Result, Sandbox
from workers import likeness
from workers.domain import Case, FailureClass, JobReport, Outcome, Sha
from workers.elsewhere import Elsewhere, run_on
from workers.errors import Stop
from workers.likeness import Failure, Likeness
from workers.messages.markup import quote
from workers.ports import Base, Forge, Light, SourceTree
from workers.reruns import command


def compare_with_base(
    case: Case, forge: Forge, sandbox: Sandbox, plan: Plan, job: JobReport, tree: SourceTree, cancel: Event
) -> str:
    """Why the failure counts as the pull request's own. Raises `Stop(BASE_ALREADY_RED)` when the base has all of it.

    Where only a part is the base's, the rest is the pull request's own and the run goes on.
    """
    base = forge.base(case)
    if base is None:
        return "no pull request"
    places = _places(base)
    if not places:
        return "CI has the job green on the base"
    failure = likeness.of_log(plan, job, tree) or _here(sandbox, plan, tree, cancel)
    if failure is None:
        return "there is nothing to compare with"
    elsewhere = Elsewhere(sandbox, plan, failure)
    for sha, light in places.items():
        result = _same(elsewhere, forge.tree(replace(case, head_sha=sha)), light, cancel)
        if result is not None:
            _inherited(base, sha, plan, result)
    return "the check does not fail on the base as it does here"


def _places(base: Base) -> dict[Sha, Light]:
    """The commits that may have the failure, as far as CI does not rule them out."""
    head = {base.head: base.head_light} if base.head_light is Light.RED else {}
    fork = {base.fork_point: base.fork_light} if base.fork_light is not Light.GREEN else {}
    return {**head, **fork}


def _same(elsewhere: Elsewhere, tree: SourceTree, light: Light, cancel: Event) -> Result | None:
    """The run that shows all of the failure there. Where CI's red does not speak as well, a second run has to agree:
    a test that fails now and then would be the base's fault otherwise."""
    found, result = elsewhere.look(tree, cancel)
    if found is Likeness.SAME and light is not Light.RED:
        found, result = elsewhere.look(tree, cancel)
    return result if found is Likeness.SAME else None


def _here(sandbox: Sandbox, plan: Plan, tree: SourceTree, cancel: Event) -> Failure | None:
    """Without words of CI's: what one run on the pull request itself shows."""
    result = run_on(sandbox, plan, tree, cancel)
    return likeness.of_run(plan, result, tree) if result is not None and not result.green else None


def _inherited(base: Base, sha: Sha, plan: Plan, result: Result) -> NoReturn:
    what, branch = quote(command(plan.check)), quote(base.branch)
    on_head = sha == base.head
    where = f"on {branch} (`{sha[:7]}`)" if on_head else f"on `{sha[:7]}`, where this pull request left {branch},"
    detail = f"{what} fails in the same way {where} without this pull request's changes."
    mended = not on_head and base.head_light is Light.GREEN
    if mended:
        detail += f" CI has the job green on {branch} (`{base.head[:7]}`) since: bring this branch up to date."
    raise Stop(
        Outcome.BASE_ALREADY_RED,
        detail,
        failure=FailureClass.BASE_RED.value,
        log=result.output.text,
        mended="yes" if mended else "",
    ).leading_to(base.job if on_head else None)
