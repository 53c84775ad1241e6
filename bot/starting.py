"""What CI reports: a failure to start a run for, a run to end because all is well, news for our own branches.

Actions, check runs of other Apps, and commit statuses.
"""

from __future__ import annotations

from bot.decisions import (
    OWN_BRANCHES,
    Decision,
    Decisions,
    Identity,
    Ignore,
    Settle,
    Start,
    Tend,
    Wake,
    missing,
    place,
)
from bot.events import CheckRunCompleted, Scope, StatusReported, WorkflowRunCompleted
from workers.domain import Case, RunId, Sha
from workers.errands.model import LookAfter
from workers.run_key import actions_key, check_key, run_key

STARTING = frozenset({"failure", "timed_out"})
"""Conclusions that start a run. The others wait for a person, were wanted, or are not about the code."""
RED_STATES = frozenset({"failure", "error"})
"""The states of a commit status that do."""
ACTIONS = "github-actions"


def check_run(event: CheckRunCompleted, own: Identity) -> Decisions:
    """A job of Actions waits for its workflow run; the check of another CI is a failure of its own."""
    if own.made(event):
        return (Ignore("our own check run"),)
    if event.branch.startswith(OWN_BRANCHES):
        return (Wake(repo_id=event.scope.repo.id, branch=event.branch),)
    actions = event.app_slug == ACTIONS
    if event.conclusion == "success" and not actions:
        return _green(event.scope, event.branch, event.head_sha, f"check:{event.id}")
    if event.conclusion not in STARTING:
        return (Ignore(f"conclusion {event.conclusion or 'missing'} starts nothing"),)
    lacking = missing(event.scope, event.head_sha)
    if lacking:
        return (Ignore(lacking),)
    case = _case(
        event.scope,
        event.head_sha,
        event.branch,
        job=event.name,
        job_id=event.id,
        actions_run_id=event.actions_run_id,
        pull_request=event.pull_request,
    )
    if actions:
        if not event.actions_run_id:
            return (Ignore("the check run names no workflow run"),)
        # The event does not carry the attempt; the workflow run's own event does, and it replaces this run.
        return (Start(key=run_key(case), case=case, wait=True),)
    if not event.id:
        return (Ignore("the check run has no id"),)
    return (Start(key=check_key(case.repo_id, event.id), case=case),)


def workflow_run(event: WorkflowRunCompleted) -> Decisions:
    """The unit of work for Actions: all red jobs of one attempt are one run."""
    repo = event.scope.repo
    fork = event.head_repo_id != repo.id
    if event.branch.startswith(OWN_BRANCHES) and not fork:
        return (Wake(repo_id=repo.id, branch=event.branch),)
    if event.conclusion not in STARTING:
        return _not_red(event, f"workflow run ended as {event.conclusion or 'unknown'}: nothing to heal", fork)
    if event.path.startswith("dynamic/"):
        return _not_red(event, "a dynamic workflow has no file to reproduce from", fork)
    lacking = missing(event.scope, event.head_sha) or ("" if event.id else "the run has no id")
    if lacking:
        return (Ignore(lacking),)
    case = _case(
        event.scope,
        event.head_sha,
        event.branch,
        actions_run_id=event.id,
        attempt=event.attempt,
        workflow_path=event.path.partition("@")[0],
        pull_request=event.pull_request,
        fork=fork,
    )
    key, waiting = run_key(case), actions_key(repo.id, event.id, 1)
    return (Start(key=key, case=case, instead="" if key == waiting else waiting),)


def status(event: StatusReported) -> Decisions:
    """One run per commit and context. A commit that is the head of no branch may be that of a fork's pull request."""
    ours = [branch for branch in event.heads if branch.startswith(OWN_BRANCHES)]
    if ours:
        return tuple(Wake(repo_id=event.scope.repo.id, branch=branch) for branch in ours)
    lacking = missing(event.scope, event.sha) or ("" if event.context else "the status has no context")
    if lacking:
        return (Ignore(lacking),)
    default = event.scope.repo.default_branch
    branch = default if default in event.heads else next(iter(event.heads), "")
    case = _case(event.scope, event.sha, branch, job=event.context)
    key = run_key(case)
    if event.state in RED_STATES:
        return (Start(key=key, case=case),)
    if event.state != "success":
        return (Ignore(f"state {event.state or 'missing'} starts nothing"),)
    why = f"The status {event.context} turned green."
    return (Settle(key=key, why=why, working=True), *_tend_green(event.scope, branch, event.sha, key))


def _not_red(event: WorkflowRunCompleted, why: str, fork: bool) -> Decisions:
    repo = event.scope.repo
    if not repo.id or not event.id:
        return (Ignore(why),)
    settled = Settle(key=actions_key(repo.id, event.id, 1), why=why)
    if event.conclusion != "success" or fork:
        return (settled,)
    return (settled, *_tend_green(event.scope, event.branch, event.head_sha, f"actions:{event.id}:{event.attempt}"))


def _green(scope: Scope, branch: str, head_sha: str, what: str) -> Decisions:
    return _tend_green(scope, branch, head_sha, what) or (Ignore("conclusion success starts nothing"),)


def _tend_green(scope: Scope, branch: str, head_sha: str, what: str) -> tuple[Decision, ...]:
    if not branch or missing(scope, head_sha):
        return ()
    payload = LookAfter(place(scope), branch, Sha(head_sha), "green")
    return (Tend(payload, f"tend:{scope.repo.id}:green:{what}"),)


def _case(
    scope: Scope,
    head_sha: str,
    branch: str,
    *,
    job: str = "",
    job_id: int = 0,
    actions_run_id: int = 0,
    attempt: int = 1,
    workflow_path: str = "",
    pull_request: int | None = None,
    fork: bool = False,
) -> Case:
    return Case(
        run=RunId(""),
        repo=scope.repo.full_name,
        repo_id=scope.repo.id,
        installation_id=scope.installation_id,
        head_sha=Sha(head_sha),
        branch=branch,
        job=job,
        job_id=job_id,
        actions_run_id=actions_run_id,
        attempt=attempt,
        workflow_path=workflow_path,
        pull_request=pull_request,
        fork=fork,
    )
