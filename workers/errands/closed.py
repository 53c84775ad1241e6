"""A pull request of ours was closed: what people decided is remembered, its runs end, its branch goes.

A fix that people closed is never opened again by itself; what they said about it is kept for the next try.
"""

from __future__ import annotations

from contextlib import closing

from workers.domain import Outcome
from workers.errands.desk import Desk
from workers.errands.model import PullClosed
from workers.github import ours as github
from workers.github import people
from workers.github.session import Session
from workers.ports import CI
from workers.store.changes import ChangeLine, Changes
from workers.store.lessons import LONGEST_WORDS, Lessons
from workers.store.models import ChangeState

_LAST = 5
"""Comments that are kept of what was said."""


def closed(desk: Desk) -> str:
    """Settle the change of the pull request that was closed."""
    payload = desk.errand.payload
    if not isinstance(payload, PullClosed):
        raise TypeError(f"no errand of this kind: {type(payload).__name__}")
    line = Changes(desk.engine).by_pull(payload.place.repo_id, payload.number)
    if line is None:
        return f"#{payload.number} is no change that is kept here"
    with closing(desk.session(payload.place)) as session:
        return settle(desk, session, line)


def settle(desk: Desk, session: Session, line: ChangeLine) -> str:
    """What became of it by GitHub's word, learned and cleared away. Doing it twice changes nothing."""
    now = github.standing(session, line.number)
    if now.open:
        return f"#{line.number} is open again"
    changes, lessons = Changes(desk.engine), Lessons(desk.engine, desk.redactor)
    if now.merged:
        if line.state is not ChangeState.LEFT and line.ci != CI.RED.value:  # else what was merged is not what we proved
            lessons.learn(line, accepted=True, who=now.merged_by)
        changes.mark(line.id, state=ChangeState.MERGED)
        if line.run_id is not None:
            desk.ledger.wake(line.run_id)  # the run that follows it sees the merge by itself
        gone = github.delete_branch(session, line.branch, line.commit)
        return f"#{line.number} was merged" + (", and its branch is deleted" if gone else "")
    who = github.closed_by(session, line.number)
    by_us = bool(now.bot) and who.get("id") == now.bot.get("id")
    if not by_us and line.state is ChangeState.OPEN:  # one that was taken over says nothing of our fix any more
        login = str(who.get("login") or "")
        lessons.learn(line, accepted=False, words=_words(session, line.number), who=login)
    changes.mark(line.id, state=ChangeState.CLOSED)
    detail = f"Pull request #{line.number} with the fix was closed."
    desk.ledger.cancel_for_change(line.repo_id, line.number, line.branch, Outcome.CANCELLED, detail)
    return f"#{line.number} was closed by {'us' if by_us else 'a person, which is remembered'}"


def _words(session: Session, number: int) -> str:
    """The last things that people with a say said about it, each after its author's name."""
    spoken = [f"{login}: {text.strip()}" for login, text in people.words_of(session, number)]
    return "\n\n".join(spoken[-_LAST:])[-LONGEST_WORDS:]
