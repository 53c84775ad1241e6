"""Something happened on a branch: each open change of ours that it may concern is looked after, as GitHub has it now.

Nothing in the event is believed but where to look. A change that a person took over is left alone for good.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import closing
from dataclasses import replace

from workers import messages
from workers.domain import Aim, How, Outcome, RunId, Sha
from workers.errands import closed
from workers.errands.desk import Desk
from workers.errands.model import LookAfter, Place
from workers.errors import Retryable
from workers.github import ours as github
from workers.github import pulls, signals
from workers.github.ours import Standing
from workers.github.session import Purpose, Session
from workers.ports import Light
from workers.run_key import run_key
from workers.store.changes import ChangeLine, Changes, ours
from workers.store.models import ChangeState
from workers.store.rounds import Rounds

MOST = 50
"""Open changes that one errand looks after; the next event brings the others their turn."""
AGAIN_S = 20.0
"""Seconds until GitHub is asked again for what it has not worked out yet."""
_NO_CHECK = "it cannot be made anew: no red check shows what it mends"


def tend(desk: Desk) -> str:
    """Look after what lies on the branch, and after what goes to it. Raises `Retryable` in the end when GitHub, or a
    run that is publishing, needs more time for one of them."""
    payload = desk.errand.payload
    if not isinstance(payload, LookAfter):
        raise TypeError(f"no errand of this kind: {type(payload).__name__}")
    place, changes = payload.place, Changes(desk.engine)
    found = {line.id: line for line in changes.open_on_branch(place.repo_id, payload.branch)}
    found |= {line.id: line for line in changes.open_for_target(place.repo_id, payload.branch)}
    said, later = [], []
    with closing(desk.session(place)) as session:
        for line in list(found.values())[:MOST]:
            try:
                said.append(f"#{line.number}: {Care(desk, session, place, line).give()}")
            except Retryable as trouble:
                later.append(trouble)
    if later:
        raise later[0]
    return "; ".join(said) or "no open change of ours there"


class Care:
    """One change and what it needs."""

    def __init__(self, desk: Desk, session: Session, place: Place, line: ChangeLine) -> None:
        self._desk, self._session, self._place, self._line = desk, session, place, line
        self._changes = Changes(desk.engine)

    def give(self) -> str:
        """Do the first thing that is due, and say what."""
        if self._line.how is not How.PULL:
            woken = self._line.run_id is not None and self._desk.ledger.wake(self._line.run_id)
            return "woke the run that follows it" if woken else "nothing to do"
        now = github.standing(self._session, self._line.number)
        if not now.open:
            return closed.settle(self._desk, self._session, self._line)
        steps: tuple[Callable[[Standing], str], ...] = (
            self._taken_over, self._retargeted, self._mended_elsewhere, self._conflicts
        )  # fmt: skip
        return next(filter(None, (step(now) for step in steps)), "it fits")

    def _taken_over(self, now: Standing) -> str:
        """A person pushed to our branch: hands off from now on, said once."""
        line = self._line
        there = github.went_on(self._session, line.branch, line.commit)
        if there is None:
            return ""
        if github.is_by(self._session, there, now.bot):
            raise Retryable(f"a run is writing to #{line.number}", blame="github", after=AGAIN_S)
        github.say_once(self._session, line.number, messages.taken_over(line.branch, there), "taken-over")
        self._changes.mark(line.id, state=ChangeState.LEFT)
        self._end_runs(Outcome.HEAD_MOVED, f"Somebody else pushed to `{line.branch}`: it is theirs now.")
        return "somebody else pushed to it: left alone from now on"

    def _retargeted(self, now: Standing) -> str:
        """A person chose another base: the fix has to be proven there as well."""
        if now.target == self._line.target:
            return ""
        line = replace(self._line, target=now.target)
        said = self._made_anew(line)
        self._changes.mark(line.id, target=now.target)
        return said or "its base was changed, and it was made anew for that one before"

    def _mended_elsewhere(self, now: Standing) -> str:
        """The failure is gone on the target without us, by CI's word, or by the very change."""
        del now
        line, api = self._line, self._session.api(Purpose.READ)
        tip = pulls.head(api, self._session.repository, line.target)
        if tip is None or tip == line.onto:
            return ""
        if line.job and signals.light(self._session, tip, line.job) is Light.GREEN:
            words = messages.mended_elsewhere(line.target, tip)
        elif github.already_in(self._session, line.number, line.target):
            words = messages.taken_in(line.target)
        else:
            return ""
        github.withdraw(self._session, line.number, line.commit, words)
        self._changes.mark(line.id, state=ChangeState.CLOSED)
        self._end_runs(Outcome.CANCELLED, f"The failure is gone on `{line.target}` without this fix.")
        return "closed: it is not needed any more"

    def _conflicts(self, now: Standing) -> str:
        """It does not fit onto its target any more: it is made anew there, once."""
        if now.mergeable:
            return ""
        if now.mergeable is None:
            raise Retryable(f"GitHub is still working out whether #{now.number} fits", blame="github", after=AGAIN_S)
        said, target = self._made_anew(self._line), self._line.target
        if not said and self._line.rebased:
            github.say_once(self._session, now.number, messages.conflicts_again(target), "conflicts-again")
        if said == _NO_CHECK:
            github.say_once(self._session, now.number, messages.conflicts_for_good(target), "conflicts")
        return said or "it conflicts, and it was made anew before"

    def _made_anew(self, line: ChangeLine) -> str:
        """Open the run that makes it anew on the target's head, unless there was one; "" then."""
        tip = pulls.head(self._session.api(Purpose.READ), self._session.repository, line.target)
        first = Rounds(self._desk.engine).first_case(line.repo_id, line.run_id) if line.run_id else None
        if tip is None or first is None:
            return "it cannot be made anew: its base, or the run that it came from, is gone"
        if first.aim is Aim.ISSUE:
            return _NO_CHECK
        case = replace(
            first, run=RunId(""), repo=self._place.repo, head_sha=Sha(tip), branch=line.target, pull_request=None,
            fork=False, aim=Aim.REBASE, ours=ours(line), remarks=(), hint="", trusted_sha=None,
        )  # fmt: skip
        run, new = self._desk.ledger.open_run(case, run_key(case), "tend")
        if not new:
            return ""
        if line.run_id is not None:
            why = f"`{line.target}` moved on; the fix is made anew in run {run}."
            self._desk.ledger.cancel(line.run_id, Outcome.HEAD_MOVED, why)
        return f"run {run} makes it anew on {line.target}"

    def _end_runs(self, outcome: Outcome, detail: str) -> None:
        line = self._line
        self._desk.ledger.cancel_for_change(line.repo_id, line.number, line.branch, outcome, detail)
