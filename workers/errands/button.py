"""The errand `button`: a press on a button of our check run, or GitHub's own "Re-run", which asks for another try.

Whoever pressed it is looked at like whoever writes a command; the rest is refused without a word.
"""

from __future__ import annotations

from dataclasses import replace

from workers.commands.grammar import Command, Verb
from workers.commands.rights import lacking
from workers.domain import Aim, Case, Outcome, RunId
from workers.errands import telling
from workers.errands.desk import Desk
from workers.errands.healing import MOST_RUNS, open_one
from workers.errands.model import ButtonPressed, Kind
from workers.errands.request import Request
from workers.errands.who import standing, too_much
from workers.github import pulls
from workers.github.conversation import Conversation
from workers.github.session import Purpose, Session
from workers.messages import replies
from workers.store.pages import Pages
from workers.store.runs import Runs
from workers.store.switches import Ignores
from workers.wishes import Kind as Ignorable

VERBS = {
    "retry": Verb.RETRY,
    "rerequested": Verb.RETRY,
    "explain": Verb.EXPLAIN,
    "stop": Verb.STOP,
    "ignore": Verb.IGNORE,
}
IGNORED_SECONDS = 30 * 86_400.0


def do_button(desk: Desk) -> str:
    """Do what the button says."""
    pressed = desk.errand.payload
    if not isinstance(pressed, ButtonPressed):
        raise TypeError(f"not a button: {pressed!r}")
    verb = VERBS.get(pressed.identifier)
    if verb is None:
        return f"no button of ours: {pressed.identifier}"
    session = desk.session(pressed.place)
    try:
        return _pressed(desk, session, pressed, verb)
    finally:
        session.close()


def _pressed(desk: Desk, session: Session, pressed: ButtonPressed, verb: Verb) -> str:
    runs = _meant(desk, pressed)
    if not runs:
        return "no run of ours has this check"
    case = runs[0]
    number = case.pull_request
    pull = pulls.by_number(session.api(Purpose.READ), session.repository, number) if number else None
    who = standing(session, pressed.place, pull)
    command = Command(verb)
    if lacking(command, who) is not None or too_much(desk, pressed.place, who.role, Kind.BUTTON):
        return f"{pressed.place.sender} may not, or has asked for too much lately"
    request = Request(
        desk, session, pressed.place, number or case.issue or 0, pull, who, f"press:{desk.errand.id}", 0.0
    )
    if verb is Verb.RETRY:
        return "; ".join(_again(request, one) for one in runs)
    return _ACTS[verb](request, pressed, case)


def _meant(desk: Desk, pressed: ButtonPressed) -> list[Case]:
    """The run whose check run it is; when all checks of the commit are wanted again, those that mended nothing."""
    runs = Runs(desk.engine, pressed.place.repo_id)
    if pressed.check_run_id:
        case = runs.case(RunId(pressed.external_id))
        return [case] if case is not None and case.head_sha == pressed.head_sha else []
    newest = {runs.key(run.id): run for run in reversed(runs.of_head(pressed.head_sha))}
    open_ones = [runs.case(run.id) for run in newest.values() if run.outcome is not Outcome.FIXED]
    return [case for case in open_ones if case is not None and case.aim is Aim.CHECK][:MOST_RUNS]


def _again(request: Request, case: Case) -> str:
    """Another try at the very same: who asks now is who asked."""
    again = replace(case, run=RunId(""), requested_by=request.place.sender)
    answer = open_one(request, again, request.runs.key(case.run))
    return "opened" if answer.ok else answer.text


def _explain(request: Request, pressed: ButtonPressed, case: Case) -> str:
    page = Pages(request.desk.engine, request.desk.redactor).run(case.run)
    published = request.runs.published(case.run)
    number = request.number or (published.pull_request if published else 0)
    if page is None or not number:
        return "there is no place to explain it"
    words = request.desk.redactor(telling.explained(page, request.run_url))
    Conversation(request.session, number, pressed.check_run_id).reply(words)
    return "explained"


def _stop(request: Request, pressed: ButtonPressed, case: Case) -> str:  # noqa: ARG001 - as its neighbours
    stopped = request.desk.ledger.cancel(case.run, Outcome.CANCELLED, replies.stopped_by(request.place.sender))
    return "stopped" if stopped else "over already"


def _ignore(request: Request, pressed: ButtonPressed, case: Case) -> str:
    found = [run.fingerprint for run in request.runs.of_head(pressed.head_sha) if run.id == case.run]
    if not found or not found[0]:
        return "no failure was diagnosed"
    ignores = Ignores(request.desk.engine, request.place.repo_id)
    ignores.add(Ignorable.FINGERPRINT, found[0], request.place.sender, IGNORED_SECONDS)
    return "ignored for 30 days"


_ACTS = {Verb.EXPLAIN: _explain, Verb.STOP: _stop, Verb.IGNORE: _ignore}
