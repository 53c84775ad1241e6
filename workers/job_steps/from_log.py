"""The steps of a job as the runner printed them, joined with the workflow file for what the log does not show.

The log has every script after interpolation, also those inside composite actions of other repositories.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

from sandbox.policy import WORKSPACE
from sandbox.policy.variables import actions_environment
from sandbox.spec import Step
from workers import logs
from workers.actions import Effect, look_up
from workers.job_steps import inlined, limits, shells
from workers.job_steps.bound import Bound
from workers.job_steps.collected import Collected, JobSteps, unsupported
from workers.job_steps.from_file import later_steps
from workers.job_steps.holes import captures, fill
from workers.job_steps.inlined import Placed
from workers.job_steps.outputs import scoped
from workers.job_steps.ready import acted, shown, tolerates, workdir
from workers.workflow import own_path

_HOST_PATHS = ("/opt/hostedtoolcache", "/home/runner", "/usr/share/miniconda")
_HOST_NAMES = frozenset({"pythonLocation", "PKG_CONFIG_PATH", "LD_LIBRARY_PATH", "Python_ROOT_DIR", "Python2_ROOT_DIR"})
_CHECKOUT = re.compile(r"/(?:home/runner/work|__w)/([\w.-]{1,100})/\1(?![\w.-])")
_TEMP = re.compile(r"/(?:home/runner/work|__w)/_temp(?![\w.-])")
_PORTS = re.compile(r"\bjob\.services\b")
_OWN_FILES = re.compile(r"GITHUB_ACTION_PATH|/_actions/")
_SECRET = re.compile(r"\$\{\{[^}]{0,200}\bsecrets\b")


@dataclass
class _Aligned:
    """One step of the log: where the file has it, and for an action of another repository what it printed itself."""

    logged: logs.LogStep
    placed: Placed | None = None
    at: int | None = None
    inner: list[logs.LogStep] = field(default_factory=list)


def from_log(log: logs.JobLog, bound: Bound | None, conclusions: Sequence[tuple[str, str]] = ()) -> JobSteps | None:
    """The steps as the runner printed them, or None when the log shows no failing step, lacks its beginning or does
    not hold a script in full."""
    if log.failed is None or len(log.steps) >= logs.MOST_STEPS or any(step.cut and step.script for step in log.steps):
        return None
    limits.refuse_system(log.preamble)
    placed = inlined.inline(bound) if bound else ()
    if _beheaded(log, placed):
        return None
    aligned = _align(log.steps, placed)
    failed = _failed(log, aligned, conclusions)
    collected = Collected(notes=list(bound.notes) if bound else [])
    if (machine := logs.machine(log)).image:
        collected.note(f"CI's machine was {', '.join(filter(None, (machine.image, machine.image_version)))}")
    check, last = _walk(aligned, failed, bound, collected)
    if check is None:
        raise unsupported(
            f"The step that failed is the action {last.logged.title}, which cannot be run in the sandbox."
        )
    if bound and not bound.render(bound.job.runs_on).unresolved and (note := limits.machine_note(bound)):
        collected.approximate(note)
    if not collected.languages:
        collected.lower("CI used its machine's own tools, whose versions the log does not show")
    at = max((one.at for one in aligned[: aligned.index(last) + 1] if one.at is not None), default=None)
    after = _after(placed[at + 1 :], bound, collected) if bound and at is not None else ()
    if not placed:
        collected.skip("steps after the failing one", "there is no workflow file to read them from", weakens=True)
    minutes = (last.placed.step.timeout_minutes if last.placed else None) or (
        bound.job.timeout_minutes if bound else None
    )
    return collected.finished(check, after, bound, {}, minutes)


def _after(placed: Sequence[Placed], bound: Bound, collected: Collected) -> tuple[Step, ...]:
    """The later steps, which are not in the log: each with the job's variables, which the log prints for the others."""
    return tuple(replace(step, env={**bound.env, **step.env}) for step in later_steps(placed, bound, collected))


def _walk(
    aligned: Sequence[_Aligned], failed: logs.LogStep, bound: Bound | None, collected: Collected
) -> tuple[Step | None, _Aligned]:
    """Collect the steps before the failing one; returns that one and where it stands."""
    for one in aligned:
        found = _made(one, failed, bound, collected)
        if one.logged is failed or any(inner is failed for inner in one.inner):
            *before, check = found
            collected.steps += filter(None, before)
            return check, one
        collected.steps += filter(None, found)
    raise AssertionError("the failing step is one of the log's")


def _made(one: _Aligned, failed: logs.LogStep, bound: Bound | None, collected: Collected) -> list[Step | None]:
    """What a step of the log, or each one that it printed itself, is here, up to the failing one."""
    step = one.logged
    if step.uses is None:
        return [_logged(step, one.placed, bound, collected, is_check=step is failed)]
    if own_path(step.uses) is not None:  # the steps of the repository's own actions are in the log like all others
        if one.placed is not None and one.placed.problem:
            collected.skip(step.title, one.placed.problem, weakens=True)
        return [None]
    if one.inner and _shows_itself(one):
        return _printed(one, failed, bound, collected)
    return [acted(step.title, step.uses, _inputs(step), bound, collected, later=False)]


def _shows_itself(one: _Aligned) -> bool:
    """What the action printed can take its place: all of it works without the action's own files, and does more than
    bring a language or report. What follows one of GitHub's own actions, which print nothing so, are steps of the job.
    """
    uses = one.logged.uses or ""
    if uses.startswith("actions/"):
        return True
    effect = look_up(uses, one.logged.inputs).effect
    own_files = any(_OWN_FILES.search(inner.script or "") for inner in one.inner)
    return effect in (Effect.RUNS, Effect.UNKNOWN) and not own_files


def _printed(one: _Aligned, failed: logs.LogStep, bound: Bound | None, collected: Collected) -> list[Step | None]:
    """The steps of a composite action of another repository, which the log shows like all others."""
    uses, found = one.logged.uses or "", list[Step | None]()
    jobs_own = uses.startswith("actions/")
    if jobs_own:
        found.append(acted(one.logged.title, uses, _inputs(one.logged), bound, collected, later=False))
    for inner in one.inner:
        if inner.uses is None:
            folder = bound if jobs_own else None  # a job's default is not for the steps of actions
            found.append(_logged(inner, None, folder, collected, is_check=inner is failed))
        else:
            found.append(acted(inner.title, inner.uses, _inputs(inner), bound, collected, later=False))
        if inner is failed:
            break
    return found


def _align(steps: Sequence[logs.LogStep], placed: Sequence[Placed]) -> list[_Aligned]:
    """Each step of the log with its place in the file, in order. What the file does not have after an action of
    another repository is that action's own."""
    found: list[_Aligned] = []
    at = 0
    owner: _Aligned | None = None
    for step in steps:
        place = _match(step, placed, at)
        if place is not None:
            at = place + 1
        elif owner is not None and own_path(step.uses or "") is None:
            owner.inner.append(step)
            continue
        one = _Aligned(step, placed[place] if place is not None else None, place)
        found.append(one)
        owner = one if place is not None and step.uses is not None and own_path(step.uses) is None else None
    return found


def _failed(log: logs.JobLog, aligned: Sequence[_Aligned], conclusions: Sequence[tuple[str, str]]) -> logs.LogStep:
    """The step that turned the job red: the one that the job API names, else the first that the job did not bear."""
    red = {name for name, conclusion in conclusions if conclusion == "failure"}
    codes = [(one, step) for one in aligned for step in (one.logged, *one.inner) if step.exit_code not in (None, 0)]
    every = [(one, step) for one in aligned for step in (one.logged, *one.inner) if step.errors]
    for one, step in (*codes, *every):
        if one.placed is not None and {shown(one.placed), one.placed.inside} & red:
            return step
    borne = [step for one, step in codes if one.placed is not None and tolerates(one.placed)]
    unborne = [step for _, step in codes if not any(step is other for other in borne)]
    if unborne:
        return unborne[0]
    with_error = [step for step in log.steps if step.errors and step.exit_code is None]
    first = next(iter(with_error), None) or log.failed
    assert first is not None  # noqa: S101 - the caller asked
    return first


def _logged(
    step: logs.LogStep, placed: Placed | None, bound: Bound | None, collected: Collected, *, is_check: bool
) -> Step | None:
    """A script as it was printed. One that the job bore to fail, and that failed, is left out."""
    title = shown(placed) if placed else step.title
    if not is_check and step.exit_code not in (None, 0):
        collected.skip(title, "it failed in CI too and the job went on", weakens=False)
        return None
    script = step.script or ""
    if logs.MASK in script:
        script = _unmasked(script, placed, title, is_check=is_check)
    if step.masked:
        collected.lower(f"'{title}' used a secret, which is empty here")
    env = {name: _moved(value.replace(logs.MASK, "")) for name, value in step.env.items() if name not in _HOST_NAMES}
    env = {name: value for name, value in env.items() if not any(path in value for path in _HOST_PATHS)}
    script, env = _with_ports(_moved(script), env, placed)
    shell, problem = shells.printed(step.shell)
    if problem:
        raise unsupported(f"The step '{title}' of the job uses {problem}.")
    folder = workdir(placed, bound)
    if unknown := (*folder.unresolved, *folder.later):
        collected.approximate(
            f"'{title}' ran in a folder that is not known here ({unknown[0]}): taken is the workspace"
        )
    identity = scoped(placed.scope, placed.step.id) if placed else ""
    return Step(title, script, shell, env, "." if unknown else folder.text, identity)


def _unmasked(script: str, placed: Placed | None, title: str, *, is_check: bool) -> str:
    """A masked script: as the file has it where that has no secret, so that the mask only hid a common word."""
    written = placed.step.run or "" if placed else ""
    if written and not _SECRET.search(written):
        rendered = placed.bound.with_env(placed.step.env)[0].render(written) if placed else None
        if rendered and not (rendered.unresolved or rendered.later or rendered.secrets):
            return rendered.text
    if is_check:
        limits.refuse_secret(title, re.findall(r"\bsecrets\.[\w-]{1,100}", written))
    return script.replace(logs.MASK, "")


def _moved(text: str) -> str:
    """The runner's own places are elsewhere here."""
    if "/work/_temp" not in text and "/home/runner/work/" not in text and "/__w/" not in text:
        return text
    return _CHECKOUT.sub(WORKSPACE, _TEMP.sub(actions_environment()["RUNNER_TEMP"], text))


def _with_ports(script: str, env: dict[str, str], placed: Placed | None) -> tuple[str, dict[str, str]]:
    """The log shows the ports that GitHub's machine gave to services by chance: here they are others."""
    if placed is None:
        return script, env
    ported = {name: value for name, value in placed.step.env.items() if _PORTS.search(value)}
    env |= {name: placed.bound.render(value).text for name, value in ported.items()}
    if _PORTS.search(placed.step.run or ""):
        rendered = placed.bound.render(placed.step.run or "")
        script = script if rendered.unresolved or rendered.later else rendered.text
    return script, env


def _inputs(step: logs.LogStep) -> Mapping[str, str]:
    return {name: _moved(value) for name, value in step.inputs.items()}


def _match(step: logs.LogStep, placed: Sequence[Placed], start: int) -> int | None:
    """The file's step that printed this: same action, or same first line with expressions as wildcards."""
    first = (step.script or "").strip().split("\n")[0].rstrip()
    for at in range(start, len(placed)):
        written = placed[at].step
        if step.uses is not None and written.uses == step.uses:
            return at
        if step.script is not None and written.run is not None:
            template = written.run.strip().split("\n")[0].rstrip()
            if captures(template, first) is not None or fill(first.split(logs.MASK), template) is not None:
                return at
    return None


def _beheaded(log: logs.JobLog, placed: Sequence[Placed]) -> bool:
    """Only the end of a long log was kept, and steps that must have run are not in it."""
    first = _match(log.steps[0], placed, 0)
    return first is not None and any(
        one.step.run and not one.step.condition and not one.gates for one in placed[:first]
    )
