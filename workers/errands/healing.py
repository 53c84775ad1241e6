"""`fix` and `retry`: which commit is meant, which checks of it are red, and the runs for them.

On a pull request its failing checks are healed, on one of ours the fix is gone on with, on an issue a run looks for a
failing test first. A run that is at work is never joined by a second one.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime

from workers.commands.binding import unbound
from workers.commands.grammar import Command
from workers.commands.rights import Role
from workers.domain import Aim, Case, How, Remark, RunId
from workers.errands.request import DONE, Answer, Request, no
from workers.github import failing, pulls
from workers.github.pulls import Pull
from workers.github.session import Purpose
from workers.messages import replies
from workers.run_key import actions_key, again_key, issue_key, run_key
from workers.store.changes import Changes, ours
from workers.store.heads import Heads
from workers.store.models import RunState
from workers.store.runs import Known

MOST_RUNS = 5
"""Failing workflow runs and checks of one commit that one command starts runs for."""
_IDLE = frozenset({RunState.DONE, RunState.PARKED})
"""A run that only waits for CI on a pull request of ours gives way to one that changes it."""


def heal(request: Request, command: Command) -> Answer:
    """Open the runs, or say why there are none."""
    ours_only = request.desk.settings.model
    if command.model and command.model.partition(":")[0] != (ours_only or "").partition(":")[0]:
        return no(replies.no_model(command.model, ours_only))
    pull = request.pull
    if pull is None:
        return _heal_issue(request, command)
    refused = _refused(request, pull, command)
    if refused is not None:
        return refused
    if pull.head_ref.startswith(pulls.OWN) and not pull.fork:
        return _go_on(request, pull, command)
    return heal_checks(request, pull, command)


def _refused(request: Request, pull: Pull, command: Command) -> Answer | None:
    """Why the command means no commit."""
    before = ""
    if pull.open and pull.head_sha != command.sha:
        before = _before(request, pull)
    why = unbound(pull.head_sha, before, command.sha, fork=pull.fork, open_=pull.open)
    return None if why is None else no(replies.not_bound(why, pull.head_sha, command.sha, pull.number))


def _before(request: Request, pull: Pull) -> str:
    """The head that the person could see. Where no delivery told of one, the commit must have been there by then."""
    told = Heads(request.desk.engine).newest_before(request.place.repo_id, pull.number, request.at)
    seen = told.sha if told else ""
    if seen:
        return seen
    first = failing.first_seen(request.session, pull.head_sha)
    return pull.head_sha if first and datetime.fromisoformat(first).timestamp() < request.at else ""


def heal_checks(request: Request, pull: Pull, command: Command) -> Answer:
    """A run for each failing workflow run or check of the head. The head was bound to the request before."""
    about = request.case(pull.head_ref, pull.head_sha, command)
    about = replace(about, pull_request=pull.number, fork=pull.fork)
    if pull.fork and command.sha and request.who.role >= Role.WRITE:
        about = replace(about, trusted_sha=about.head_sha)
    found = failing.checks(request.session, about, command.job)
    if found.failing:
        return open_all(request, found.failing[:MOST_RUNS])
    if command.job:
        return no(replies.no_such_job(command.job, pull.head_sha, found.names))
    return no(replies.nothing_red(pull.head_sha, found.running))


def _heal_issue(request: Request, command: Command) -> Answer:
    """On the default branch as it is now: the report names no commit."""
    repo = request.session.repository
    head = pulls.head(request.session.api(Purpose.READ), repo, repo.default_branch) or ""
    about = request.case(repo.default_branch, head, command)
    case = replace(about, aim=Aim.ISSUE, issue=request.number, job=command.job)
    return open_one(request, case, issue_key(request.place.repo_id, request.number))


def _go_on(request: Request, pull: Pull, command: Command) -> Answer:
    """Another try on a pull request of ours: with the hint as what is asked for, or with what CI says."""
    line = Changes(request.desk.engine).by_pull(request.place.repo_id, pull.number)
    change = ours(line) if line is not None and line.how is How.PULL else None
    origin = request.runs.case(change.run) if change is not None else None
    if change is None or origin is None:
        return no(replies.not_ours_any_more(pull.number))
    busy = next((run for run in request.runs.about(pull.number) if run.state not in _IDLE), None)
    if busy is not None:
        return no(_working(request, busy))
    asked = request.case(origin.branch, origin.head_sha, command)
    case = replace(
        origin,
        run=RunId(""),
        repo=asked.repo,
        aim=Aim.REVISE if asked.hint else Aim.AGAIN,
        ours=change,
        remarks=(Remark(request.place.sender, asked.hint),) if asked.hint else (),
        requested_by=asked.requested_by,
        hint=asked.hint,
        image=asked.image,
        model=asked.model,
        budget_usd=asked.budget_usd,
    )
    return open_one(request, case, f"ours:{request.place.repo_id}:{pull.number}:{change.commit}")


def open_all(request: Request, cases: Sequence[Case]) -> Answer:
    """A run for each case that nobody works on. Only when that is none, who is at work is told."""
    answers = [open_one(request, case, run_key(case)) for case in cases]
    return next((answer for answer in answers if answer.ok), answers[0])


def open_one(request: Request, case: Case, key: str) -> Answer:
    """The run for a case. The same request finds its own again; two at once agree on one by the key."""
    runs = request.runs
    if any(opened == key or opened.startswith(f"{key}:again:") for opened in runs.keys_of(request.trigger)):
        return DONE
    busy = _at_work(request, case, key)
    if busy is None:
        _, new = request.desk.ledger.open_run(case, again_key(key, runs.tries(key)), request.trigger)
        if new:
            return DONE
        busy = _at_work(request, case, key)
    return DONE if busy is None else no(_working(request, busy))


def _at_work(request: Request, case: Case, key: str) -> Known | None:
    """Also one that was opened when the first job of the workflow run ended, before its attempt was known."""
    waiting = actions_key(case.repo_id, case.actions_run_id, 1) if case.actions_run_id else key
    return request.runs.at_work(key) or request.runs.at_work(waiting)


def _working(request: Request, run: Known) -> str:
    return replies.at_work(run.id, run.head_sha, run.stage, run.seconds, request.run_url)
