"""Makes one written step ready for the sandbox: condition judged, expressions replaced, or why it is left out."""

from __future__ import annotations

import posixpath
from collections.abc import Mapping
from dataclasses import replace
from shlex import quote

from sandbox.policy import WORKSPACE
from sandbox.spec import Step
from workers import actions
from workers.expressions import Rendered, Unresolved, statuses
from workers.job_steps import shells
from workers.job_steps.bound import Bound
from workers.job_steps.collected import Collected, unsupported
from workers.job_steps.inlined import Placed
from workers.job_steps.limits import oidc
from workers.job_steps.outputs import scoped
from workers.scripts import only_installs
from workers.toolchains import asked

_WHATEVER = frozenset({"always", "failure", "cancelled"})


def written(placed: Placed, job: Bound, collected: Collected, *, later: bool) -> tuple[Step | None, tuple[str, ...]]:
    """The step as the sandbox runs it and the secrets in its script, or None with the reason noted.

    Raises `Stop(UNSUPPORTED)` for what cannot run here, unless it comes `later` than the failing step.
    """
    step, title = placed.step, placed.step.title
    if later and _reports(placed):
        collected.skip(placed.inside or title, "it runs whatever happens, so it proves nothing", weakens=False)
        return None, ()
    tolerated = tolerates(placed)
    if tolerated and (later or not only_installs(step.run or "")):
        collected.skip(title, "the job goes on when it fails, so it decides nothing", weakens=False)
        return None, ()
    if not _wanted(placed, collected):
        return None, ()
    if placed.problem:
        if placed.wrong and not later:
            raise unsupported(f"The job '{job.job.key}' cannot run: in the step '{title}' {placed.problem}.")
        collected.skip(title, placed.problem, weakens=True)
        return None, ()
    if step.uses is not None:
        return acted(title, step.uses, _inputs(placed, collected), job, collected, later=later), ()
    found, secrets = _script(placed, job, collected, later=later)
    return (replace(found, shell=shells.tolerant(found.shell)) if found and tolerated else found), secrets


def shown(placed: Placed) -> str:
    """The step's name as GitHub shows it."""
    return placed.bound.render(placed.step.title).text


def tolerates(placed: Placed) -> bool:
    """The job goes on when the step fails, as far as that is known."""
    value = placed.step.continue_on_error
    if placed.tolerated or isinstance(value, bool):
        return placed.tolerated or value is True
    try:
        return placed.bound.holds(value)
    except Unresolved:
        return False


def workdir(placed: Placed | None, bound: Bound | None) -> Rendered:
    """Where the step runs, relative to the workspace. The job's default is not for the steps of its actions."""
    job = None if placed is not None and placed.inside else bound.job.workdir if bound else None
    text = (placed.step.workdir if placed else None) or job or "."
    seen = placed.bound.with_env(placed.step.env)[0] if placed else bound
    rendered = seen.render(text) if seen else Rendered(text)
    return replace(rendered, text=rendered.text.removeprefix(f"{WORKSPACE}/").removeprefix("./").rstrip("/") or ".")


def acted(
    title: str, uses: str, inputs: Mapping[str, str], bound: Bound | None, collected: Collected, *, later: bool
) -> Step | None:
    """What takes the place of an action, if anything does."""
    action = actions.look_up(uses, inputs)
    if action.effect is actions.Effect.REFUSED and not later:
        where = f"The step '{title}' of the job '{bound.job.key}'" if bound else f"The step '{title}'"
        raise unsupported(f"{where} uses {uses}: {action.why}{oidc(bound) if 'logs in' in action.why else ''}.")
    if action.language and action.language not in collected.languages:
        collected.languages.append(action.language)
    if action.weakens_proof:
        collected.skip(title, action.why, weakens=True)
    if action.effect is actions.Effect.TREE and not later:
        _checkout(title, inputs, bound, collected)
    elif action.effect is actions.Effect.HARMLESS:
        collected.skip(title, action.why, weakens=False)
    elif action.effect is actions.Effect.LANGUAGE and (version := asked(action.language, uses, inputs)):
        collected.versions[action.language] = version
    elif action.effect is actions.Effect.RUNS:
        return _stand_in(title, action, collected)
    return None


def _checkout(title: str, inputs: Mapping[str, str], bound: Bound | None, collected: Collected) -> None:
    """The tree is there already. Where CI has it in a folder, a link leads from there to it."""
    github = bound.contexts.get("github") if bound else None
    own = github.get("repository") if isinstance(github, Mapping) else None
    asked, path = inputs.get("repository", ""), posixpath.normpath(inputs.get("path") or ".")
    if bound is not None and asked and asked.lower() != str(own).lower():
        collected.skip(title, f"it checks out another repository ({asked[:100]})", weakens=True)
    elif bound is not None and not _own_commit(inputs.get("ref", ""), github):
        collected.skip(title, f"it checks out another commit ({inputs['ref'][:100]})", weakens=True)
    elif path.startswith(("/", "..")):
        collected.skip(title, "it checks out to a place outside the workspace", weakens=True)
    elif path != ".":
        above = posixpath.dirname(path) or "."
        link = f"ln -sfn {posixpath.relpath('.', above)} {quote(path)}"
        link = link if above == "." else f"mkdir -p {quote(above)}\n{link}"
        collected.steps.append(Step(title, link))
        collected.lower(f"CI has the checkout in the folder {path}, which is a link to it here")


def _own_commit(ref: str, github: object) -> bool:
    """The commit that is healed, by whatever name the job gives it; a name that is not known here may be its own."""
    known = github if isinstance(github, Mapping) else {}
    own = {str(known.get(name)) for name in ("sha", "ref", "ref_name", "head_ref") if known.get(name)}
    return not ref or "${{" in ref or ref in own


def _stand_in(title: str, action: actions.Action, collected: Collected) -> Step | None:
    collected.lower(f"'{title}' is replaced by the commands it stands for")
    install = Step(title, action.install)
    if not action.run:
        return install if action.install else None
    if action.install:
        collected.steps.append(replace(install, name=f"{title} (install)"))
    return Step(title, action.run)


def _reports(placed: Placed) -> bool:
    """Its condition, or that of an action around it, asks for more than success."""
    return any(statuses(one) & _WHATEVER for one in (placed.step.condition, *(gate.condition for gate in placed.gates)))


def _wanted(placed: Placed, collected: Collected) -> bool:
    """The conditions around it and its own are true; one that only GitHub can judge leaves it out, and says so."""
    own = placed.bound.with_env(placed.step.env)[0]
    judged = [(gate.title, gate.condition, gate.bound) for gate in placed.gates]
    for title, condition, bound in (*judged, (placed.step.title, placed.step.condition, own)):
        try:
            if not bound.holds(condition):
                return False
        except Unresolved as unknown:
            collected.skip(title, unknown.why("its condition"), weakens=True)
            return False
    return True


def _inputs(placed: Placed, collected: Collected) -> dict[str, str]:
    """What the action is given, as far as is known. For one that only caches or reports, nothing is worked out."""
    uses = placed.step.uses or ""
    if actions.look_up(uses, placed.step.inputs).effect is actions.Effect.HARMLESS:
        return dict(placed.step.inputs)
    bound, _ = placed.bound.with_env(placed.step.env)
    found: dict[str, str] = {}
    for name, value in placed.step.inputs.items():
        rendered = bound.render(value)
        if rendered.unresolved or rendered.later:
            collected.lower(f"'{placed.step.title}' is given a {name} that is not known here ({value.strip()[:100]})")
        else:
            found[name] = rendered.text
    return found


def _script(placed: Placed, job: Bound, collected: Collected, *, later: bool) -> tuple[Step | None, tuple[str, ...]]:
    step = placed.step
    bound, told = placed.bound.with_env(step.env)
    script, folder = bound.render(step.run or ""), workdir(placed, job)
    for rendered in (script, folder, *told):
        reason = _open(rendered, collected)
        if reason:
            collected.skip(shown(placed), reason, weakens=True)
            return None, ()
    shell, problem = _shell(placed, job)
    if problem:
        if not later:
            raise unsupported(f"The step '{shown(placed)}' of the job '{job.job.key}' uses {problem}.")
        collected.skip(shown(placed), f"it uses {problem}", weakens=True)
        return None, ()
    secrets = dict.fromkeys(name for rendered in (script, *told) for name in rendered.secrets)
    if secrets:
        collected.lower(f"'{step.title}' uses {', '.join(secrets)}, which is empty here")
    env = {name: value for name, value in bound.env.items() if job.env.get(name) != value or name in step.env}
    found = Step(shown(placed), script.text, shell, env, folder.text, scoped(placed.scope, step.id))
    return found, script.secrets


def _shell(placed: Placed, job: Bound) -> tuple[str, str]:
    name = placed.step.shell or (None if placed.inside else job.job.shell)
    name = placed.bound.render(name).text if name else None
    return shells.called(name, in_container=bool(job.job.container))


def _open(rendered: Rendered, collected: Collected) -> str:
    """Why the text cannot be made ready, as the end of a sentence; empty when it can, now or while the job runs."""
    if rendered.unresolved:
        return rendered.reasons[0]
    for path in rendered.later:
        root, _, rest = path.partition(".")
        name = rest.rpartition(".outputs.")[0] if root == "steps" else rest
        if root == "steps" and not any(step.id == name for step in collected.steps):
            return f"it needs {path}, which a step writes that is not part of the set-up"
        if root == "env" and not any("GITHUB_ENV" in step.script and name in step.script for step in collected.steps):
            return f"it needs {path}, which only GitHub knows"
    return ""
