"""The recipe of a job for people: what stands in the pull request, and what each fidelity means."""

from __future__ import annotations

from collections.abc import Mapping

from sandbox.spec import Fidelity, Plan, Service, Step
from workers.actions.unusable import Unusable
from workers.messages.markup import details, fence, line, plain, quote

FIDELITY: Mapping[Fidelity, str] = {
    Fidelity.EXACT: "the commands and versions that CI's log shows",
    Fidelity.CLOSE: "the commands of CI, in an environment that is close to CI's but not the same",
    Fidelity.APPROXIMATE: "the commands or the environment are guessed: CI may use others",
    Fidelity.IMPOSSIBLE: "CI's environment cannot be had here",
}
_SCRIPTS = 4_000
"""Characters of all scripts that are shown."""


def edits_no_workflow(one: Unusable) -> str:
    """Why a job whose action is not served cannot be mended here, and who can do what instead."""
    numbers = ", ".join(map(str, one.lines[:5]))
    place = f" (line{'s' if len(one.lines) > 1 else ''} {numbers} of {quote(one.path)})" if one.lines else ""
    return (
        f"The job could not begin: GitHub does not serve {quote(one.uses)}{place}. Heal never edits workflow files, so "
        "a person has to write a version there that is served."
    )


def writes_no_fragment(program: str, said: str) -> str:
    """Why the news of a change are not written by a machine, and what to do."""
    return (
        f"The check asks for a news fragment: {quote(said)} What a change means for its users is its author's to say, "
        "and the check compares with a branch that the sandbox does not have. "
        f"{quote(f'{program} create')} makes the file."
    )


def folded(plan: Plan) -> str:
    """The whole recipe as a folded section of Markdown. Variables are named without their values."""
    facts = [f"- image {quote(plan.image)}, fidelity *{plan.fidelity.value}*: {FIDELITY[plan.fidelity]}"]
    facts += [f"- service {quote(_service(service))}" for service in plan.services]
    if plan.env:
        facts.append(f"- environment: {', '.join(quote(name, 80) for name in sorted(plan.env)[:60])}")
    if plan.network:
        facts.append(f"- the check may reach {quote(', '.join(plan.network))}")
    facts += [f"- not run: {plain(skip.step, 200)}: {plain(skip.reason, 300)}" for skip in plan.skipped]
    facts += [f"- {plain(note, 500)}" for note in plan.notes]
    return details("Plan", "\n".join(facts) + "\n\n" + fence(_scripts(plan), "sh", _SCRIPTS))


def _scripts(plan: Plan) -> str:
    parts = [*(_script("set-up", step) for step in plan.setup), _script("check", plan.check)]
    return "\n".join([*parts, *(_script("then", step) for step in plan.after)])


def _script(phase: str, step: Step) -> str:
    return f"# {phase}: {line(step.name)}\n{step.script.strip()}"


def _service(service: Service) -> str:
    return f"{service.name}: {service.image}"
