"""A job bound to one run of it: the contexts that its expressions may use, as far as this run is known here.

What only GitHub knows is left out of a context that says so (`Partial`), so that nothing is silently empty.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace

from sandbox.policy import WORKSPACE
from sandbox.policy.variables import actions_environment
from workers import services
from workers.actions import Effect, look_up
from workers.domain import Case
from workers.expressions import Contexts, Partial, Rendered, Secret, Unknown, holds, render, statuses
from workers.job_steps.outputs import steps_context
from workers.ports import SourceTree
from workers.workflow import Job, Workflow

_REPOSITORY = re.compile(r"[\w.-]+/[\w.-]+")
_ONLY_OF = {
    "pull_request": ("pull_request", "number"),
    "workflow_dispatch": ("inputs",),
    "release": ("release",),
    "issues": ("issue",),
    "issue_comment": ("issue", "comment"),
    "workflow_run": ("workflow_run",),
    "schedule": ("schedule",),
    "repository_dispatch": ("client_payload",),
    "merge_group": ("merge_group",),
}
"""What an event brings that others lack."""


@dataclass(frozen=True)
class Bound:
    """One job of the file with the combination that ran, and what its expressions may use."""

    job: Job
    contexts: Contexts
    env: Mapping[str, str]
    tree: SourceTree
    unknown: tuple[str, ...] = ()
    """What of the environment only GitHub knows, as ends of a sentence."""
    notes: tuple[str, ...] = ()
    """How the job was found, where that is not plain."""
    name: str = ""
    """The name of its check run, as far as it can be told."""

    def render(self, text: str) -> Rendered:
        """The text with its expressions replaced."""
        return render(text, self.contexts, self.tree)

    def holds(self, condition: str) -> bool:
        """The truth of an `if:`. Raises `Unresolved`."""
        return holds(condition, self.contexts, self.tree)

    @property
    def at_start(self) -> Bound:
        """The same job before its first step: nothing was added to the environment yet."""
        env = self.contexts["env"]
        return replace(self, contexts={**self.contexts, "env": dict(env) if isinstance(env, Mapping) else {}})

    def with_env(self, written: Mapping[str, str]) -> tuple[Bound, tuple[Rendered, ...]]:
        """The same job seen with a step's own variables as well, and how each of these was rendered."""
        if not written:
            return self, ()
        env, told = _rendered(written, self.contexts, self.tree)
        outer = self.contexts["env"]
        later = outer.later if isinstance(outer, Partial) else ""
        seen = {**(outer if isinstance(outer, Mapping) else {}), **env}
        inner = Partial(seen, later) if isinstance(outer, Partial) else seen
        plain = {name: value for name, value in env.items() if isinstance(value, str)}
        contexts = {**self.contexts, "env": inner}
        return replace(self, contexts=contexts, env={**self.env, **plain}), tuple(told.values())


def outer_contexts(case: Case, file: Workflow) -> dict[str, object]:
    """What all jobs of the file share: `github`, `runner`, `vars` and, when it is not called by another, `inputs`."""
    event = _event(case, file.triggers)
    runner = actions_environment()
    github = _github(case, event)
    github["workflow"] = file.name or Unknown("github.workflow")
    return {
        "github": github,
        "runner": Partial(
            {
                "os": "Linux",
                "arch": "X64",
                "temp": runner["RUNNER_TEMP"],
                "tool_cache": runner["RUNNER_TOOL_CACHE"],
                "debug": "",
                "environment": "github-hosted",
            }
        ),
        "vars": Partial(),
        "inputs": {} if event in ("push", "pull_request", "schedule") else Partial(),
    }


def with_jobs(outer: Contexts, file: Workflow) -> dict[str, object]:
    """The same with `jobs`: what the file alone says of each job's outputs."""
    return {**outer, "jobs": Partial({job.key: Partial({"outputs": _outputs(outer, job)}) for job in file.jobs})}


def job_contexts(outer: Contexts, job: Job) -> dict[str, object]:
    """What a job's matrix, name and condition may use: `needs`, and what all jobs share."""
    return {**outer, "needs": _needs(outer, job)}


def bind(
    outer: Contexts,
    file: Workflow,
    job: Job,
    cell: Mapping[str, object],
    tree: SourceTree,
    place: tuple[int, int] = (0, 1),
) -> Bound:
    """The job with one combination. `place` is the combination's number among how many."""
    github = outer["github"]
    named = Partial({**github, "job": job.key}) if isinstance(github, Mapping) else Partial()
    strategy = {"fail-fast": True, **job.strategy, "job-index": place[0], "job-total": place[1]}
    strategy.pop("matrix", None)
    contexts: dict[str, object] = {
        **job_contexts(outer, job),
        "github": named,
        "matrix": cell,
        "strategy": strategy,
    }
    env, unknown = dict[str, object](), list[str]()
    for level in (file.env, job.env, job.container_env):
        found, told = _rendered(level, {**contexts, "env": env}, tree)
        env |= found
        for name, rendered in told.items():
            unknown += [f"env.{name}: {what}" for what in (*rendered.unresolved, *rendered.secrets)]
    contexts["env"] = _open(env, job)
    contexts["job"] = Partial({"status": "success", "services": services.context(job.services, contexts)})
    contexts["steps"] = steps_context(job.steps, contexts)
    plain = {name: value for name, value in env.items() if isinstance(value, str)}
    return Bound(job, contexts, plain, tree, tuple(unknown))


def _rendered(
    written: Mapping[str, str], contexts: Contexts, tree: SourceTree
) -> tuple[dict[str, object], dict[str, Rendered]]:
    """The variables by name, those that only GitHub knows as `Unknown`; and how each was rendered."""
    told = {name: render(value, contexts, tree) for name, value in written.items()}
    return {name: Unknown(one.unresolved[0]) if one.unresolved else one.text for name, one in told.items()}, told


def _open(env: Mapping[str, object], job: Job) -> Mapping[str, object]:
    """`env` is known whole where no step can add to it; what a script adds is known while the job runs."""
    scripts = any("GITHUB_ENV" in (step.run or "") for step in job.steps)
    strangers = any(step.uses and look_up(step.uses, {}).effect is Effect.UNKNOWN for step in job.steps)
    return Partial(env, later="env" if scripts else "") if scripts or strangers else dict(env)


def _needs(outer: Contexts, job: Job) -> Partial:
    """The jobs before this one: they passed, unless it runs whatever they do; of their outputs what the file says."""
    passed: object = Unknown("the result of another job") if statuses(job.condition) else "success"
    jobs = outer["jobs"]
    known = {key: jobs[key] for key in job.needs if key in jobs} if isinstance(jobs, Mapping) else {}
    return Partial({key: Partial({**one, "result": passed}) for key, one in known.items() if isinstance(one, Mapping)})


def _outputs(outer: Contexts, job: Job) -> Partial:
    if not job.outputs or job.matrix is not None:
        return Partial()
    contexts = {**outer, "steps": steps_context(job.steps, outer)}
    rendered = {name: render(value, contexts) for name, value in job.outputs.items()}
    return Partial({name: one.text for name, one in rendered.items() if not one.unresolved and not one.later})


def _event(case: Case, triggers: tuple[str, ...]) -> str:
    """The event that started the run, empty when it may be one of several."""
    usual = ("pull_request", "pull_request_target", "push") if case.pull_request else ("push", "pull_request")
    own = [name for name in triggers if name != "workflow_call"]
    if not own:
        return usual[0]
    return next((name for name in usual if name in own), own[0] if len(own) == 1 else "")


def _github(case: Case, event: str) -> Partial:
    number = case.pull_request if event.startswith("pull_request") else None
    ref = f"refs/pull/{number}/merge" if number else f"refs/heads/{case.branch}" if case.branch else ""
    if event.startswith("pull_request") and not number:
        ref = ""
    known = {
        "sha": case.head_sha,
        "ref": ref,
        "ref_name": ref.split("/", 2)[-1],
        "ref_type": "branch",
        "head_ref": case.branch if number else "",
        "event_name": event,
        "repository": case.repo if _REPOSITORY.fullmatch(case.repo) else "",
        "repository_owner": case.repo.split("/")[0] if _REPOSITORY.fullmatch(case.repo) else "",
    }
    values: dict[str, object] = {name: value for name, value in known.items() if value or name == "head_ref"}
    if event != "push" and not number:
        values.pop("head_ref")
    if event == "push":
        values["base_ref"] = ""
    return Partial(
        {
            **values,
            "workspace": WORKSPACE,
            "token": Secret("github.token"),
            "server_url": "https://github.com",
            "api_url": "https://api.github.com",
            "graphql_url": "https://api.github.com/graphql",
            "event": _payload(case, event, number),
        }
    )


def _payload(case: Case, event: str, number: int | None) -> Partial:
    """`github.event`: what the event cannot have is null, of the rest only what tells the commit is known."""
    if not event:
        return Partial()
    own = _ONLY_OF.get("pull_request" if event == "pull_request_target" else event, ())
    absent = {name: None for names in _ONLY_OF.values() for name in names if name not in own}
    if not number:
        return Partial(
            {**absent, **({"ref": f"refs/heads/{case.branch}", "after": case.head_sha} if event == "push" else {})}
        )
    head = Partial({"ref": case.branch, "sha": case.head_sha, "repo": Partial({"fork": case.fork})})
    return Partial({**absent, "number": number, "pull_request": Partial({"number": number, "head": head})})
