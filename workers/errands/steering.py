"""`stop`, `pause`, `resume`, `ignore`, `unignore`: what is not to be worked on, now or for a while."""

from __future__ import annotations

import time

from workers.commands.grammar import Command
from workers.domain import Outcome
from workers.errands.request import DONE, Answer, Request, no
from workers.messages import replies
from workers.messages.wishes import switched_off
from workers.store.switches import Ignores, Switches
from workers.wishes import Kind, Reach, Scope


def stop(request: Request, command: Command) -> Answer:  # noqa: ARG001 - an `Act`
    """End what is at work on this pull request or issue. A run is told by its own last words."""
    why = replies.stopped_by(request.place.sender)
    ended = request.desk.ledger.cancel_for_number(request.place.repo_id, request.number, Outcome.CANCELLED, why)
    return DONE if ended else no(replies.nothing_at_work())


def pause(request: Request, command: Command) -> Answer:
    """Leave the repository alone: first the switch, then what is at work."""
    place, scope = request.place, Scope(Reach.REPO, request.place.repo_id)
    Switches(request.desk.engine, request.desk.redactor).off(scope, place.sender, seconds=command.seconds)
    until = None if command.seconds is None else time.time() + command.seconds
    why = switched_off(str(scope), place.sender, "", until)
    ended = request.desk.ledger.cancel_for_scope(scope, Outcome.DISABLED, why)
    return Answer(True, replies.paused(until, len(ended)))


def resume(request: Request, command: Command) -> Answer:  # noqa: ARG001 - an `Act`
    """End the pause of this repository. A wider switch is not for its people to end."""
    was_off = Switches(request.desk.engine).on(Scope(Reach.REPO, request.place.repo_id))
    still = request.off
    if still is not None:
        return no(replies.still_off(switched_off(still.scope, still.who, still.why, still.until)))
    return DONE if was_off else no(replies.not_paused())


def ignore(request: Request, command: Command) -> Answer:
    """Leave a test or a job alone; with no name the failure that was diagnosed here last."""
    what = _named(request, command)
    if what is None:
        return no(replies.nothing_known())
    kind, value = what
    Ignores(request.desk.engine, request.place.repo_id).add(kind, value, request.place.sender, command.seconds)
    until = None if command.seconds is None else time.time() + command.seconds
    return Answer(True, replies.ignoring(kind, value, until))


def unignore(request: Request, command: Command) -> Answer:
    """Take that back."""
    what = _named(request, command)
    taken_back = what is not None and Ignores(request.desk.engine, request.place.repo_id).remove(*what)
    return DONE if taken_back else no(replies.not_ignored())


def _named(request: Request, command: Command) -> tuple[Kind, str] | None:
    if command.test:
        return Kind.TEST, command.test
    if command.job:
        return Kind.JOB, command.job
    found = next((run.fingerprint for run in request.runs.about(request.number) if run.fingerprint), "")
    return (Kind.FINGERPRINT, found) if found else None
