"""A review of a pull request of ours: who may ask for something, and what has to happen.

A rejection closes the attempt here and now. Everything else that asks for something becomes one run, which has the
sandbox and the model; the remarks travel in its case.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from workers import messages
from workers.commands.rights import Role
from workers.domain import Aim, Case, How, Ours, Outcome, Remark, RunId
from workers.errands.desk import Desk
from workers.errands.model import Kind, ReviewGiven
from workers.errands.who import too_much
from workers.errors import Retryable
from workers.github import people
from workers.github.reviews import REFUSED, Reading, Review, Standing, Threads
from workers.github.session import Session
from workers.ports import Reply
from workers.remarks import Ask, asked, rejected
from workers.run_key import revise_key
from workers.store.changes import ChangeLine, Changes, ours
from workers.store.lessons import Lessons
from workers.store.models import ChangeState
from workers.store.rounds import Rounds

MOST_REMARKS = 30
LONGEST_REMARK = 20_000
PATIENCE = 3
"""Tries until what is not there yet counts as not coming: events arrive in any order."""
BUSY_TRIES = 5
"""Tries, a minute apart, that wait for the review before this one to be worked on: both would move the branch."""


def review(desk: Desk) -> str:
    """Hear one review, once."""
    given = desk.errand.payload
    if not isinstance(given, ReviewGiven):
        raise TypeError(f"not a review: {type(given).__name__}")
    line = Changes(desk.engine).by_pull(given.place.repo_id, given.number)
    if line is None or line.how is not How.PULL or line.state is not ChangeState.OPEN:
        return f"#{given.number} is no open pull request of ours"
    session = desk.session(given.place)
    try:
        return Hearing(desk, given, session, line).heard()
    finally:
        session.close()


@dataclass(frozen=True)
class Hearing:
    """One review, the pull request it is about, and GitHub."""

    desk: Desk
    given: ReviewGiven
    session: Session
    line: ChangeLine

    @property
    def ours(self) -> Ours:
        """The change as a run goes on with it."""
        return ours(self.line)

    def heard(self) -> str:
        """Decide and act; what was done, for operators."""
        reading = Reading(self.session)
        standing = reading.pull(self.given.number)
        if not (standing.open and standing.at_home and standing.branch == self.ours.branch):
            return f"#{self.given.number} is no open pull request of ours"
        found = reading.review(self.given.number, self.given.review_id)
        if found is None or not found.remarks:
            return self._empty(found)
        if found.bot:
            return "a bot's review"
        asking = [one for one in self._meant(found, reading) if asked(one.body) is not Ask.NOTHING]
        if not asking:
            return f"{found.state}: nothing is asked for"
        threads = Threads(self.session, self.given.number)
        who = people.role(self.session, found.author, found.author_id)
        if who < Role.WRITE:
            threads.react(asking, REFUSED)
            return f"{found.author} may not write to the repository"
        if too_much(self.desk, self.given.place, who, Kind.REVIEW):
            threads.react(asking, REFUSED)
            return f"{found.author} has asked for too much lately"
        if rejected(found.state, found.body, [one.body for one in found.comments]):
            return self._close(found, asking, threads)
        return self._take_up(found, asking, threads, standing)

    def _empty(self, found: Review | None) -> str:
        if self.given.state != "approved" and self.desk.errand.tries < PATIENCE:
            raise Retryable("the review's comments are not there yet", blame="github", after=5)
        return "the review is gone" if found is None else f"{found.state}: it says nothing"

    def _meant(self, found: Review, reading: Reading) -> Sequence[Remark]:
        """What is said to us: people who answer each other in a thread that we have no part in do not talk to us."""
        replies = {one.thread for one in found.comments if one.thread != one.comment_id}
        if not replies or found.state == "changes_requested":
            return found.remarks
        ours = reading.spoken_in(self.given.number)
        return [one for one in found.remarks if one.thread == one.comment_id or one.thread in ours]

    def _close(self, found: Review, asking: Sequence[Remark], threads: Threads) -> str:
        """The attempt is over: remembered, its runs ended, said, closed, tidied up. Any of it may be done already."""
        number, place = self.given.number, self.given.place
        words = "\n\n".join(one.body for one in asking)
        Lessons(self.desk.engine, self.desk.redactor).learn(self.line, accepted=False, words=words, who=found.author)
        why = f"{found.author} rejected #{number} in a review."
        for run in Rounds(self.desk.engine).unfinished(place.repo_id, number):
            self.desk.ledger.cancel(run, Outcome.CANCELLED, why)
        threads.say([Reply(asking[0], messages.attempt_rejected(found.author))])
        threads.close()
        gone = threads.delete_branch(self.ours.branch, self.ours.commit)
        return f"{why} It is closed{' and its branch deleted' if gone else '; its branch is left'}."

    def _take_up(self, found: Review, asking: Sequence[Remark], threads: Threads, standing: Standing) -> str:
        place, rounds = self.given.place, Rounds(self.desk.engine)
        key = revise_key(place.repo_id, found.id)
        if rounds.at_work(place.repo_id, self.given.number, besides=key) and self.desk.errand.tries < BUSY_TRIES:
            threads.react(asking)
            raise Retryable("a run is at work on the pull request", blame="run", after=60)
        if standing.head_sha != self.ours.commit:
            if self.desk.errand.tries < PATIENCE:  # our own newest commit may not be written down yet
                raise Retryable("the branch does not end in our commit", blame="github", after=5)
            threads.say([Reply(asking[0], messages.hands_off())])
            return "somebody pushed to the branch: it is theirs"
        case = rounds.first_case(place.repo_id, self.ours.run)
        if case is None or case.aim is Aim.ISSUE:
            threads.say([Reply(asking[0], messages.cannot_go_on())])
            return "the run that made the change cannot be done again"
        threads.react(asking)
        run, new = self.desk.ledger.open_run(self._case(case, found, asking), key, "review")
        return f"run {run} revises #{self.given.number}" + ("" if new else ", known already")

    def _case(self, case: Case, found: Review, asking: Sequence[Remark]) -> Case:
        stored = self.desk.redactor.stored
        remarks = [replace(one, body=stored(one.body[:LONGEST_REMARK])) for one in asking[:MOST_REMARKS]]
        return replace(
            case,
            run=RunId(""),
            aim=Aim.REVISE,
            head_sha=self.ours.onto,
            ours=self.ours,
            remarks=tuple(remarks),
            requested_by=found.author,
            hint="",
        )
