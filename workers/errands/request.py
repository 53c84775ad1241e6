"""One request of one person, whoever brought it (a comment, a button, a label), and what is answered to it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from workers.commands.grammar import Command
from workers.commands.rights import Standing
from workers.domain import Case, RunId, Sha
from workers.errands.desk import Desk
from workers.errands.model import Place
from workers.github.pulls import Pull
from workers.github.session import Session
from workers.store.runs import Runs
from workers.store.switches import Switches
from workers.wishes import Off


@dataclass(frozen=True)
class Answer:
    """What is said. `ok` False means that nothing was done; a refusal without words is a reaction alone."""

    ok: bool
    text: str = ""


DONE = Answer(True)


def no(text: str) -> Answer:
    """Nothing was done, and why."""
    return Answer(False, text)


@dataclass(frozen=True)
class Request:
    """Who asks, where, and by which means.

    `number` is the issue's or the pull request's, 0 where there is none. `trigger` names the runs that this request
    opens, so that a second try of the errand finds them. `at` is when it was made, by GitHub's clock.
    """

    desk: Desk
    session: Session
    place: Place
    number: int
    pull: Pull | None
    who: Standing
    trigger: str
    at: float

    @property
    def runs(self) -> Runs:
        """The runs of this repository."""
        return Runs(self.desk.engine, self.place.repo_id)

    @property
    def off(self) -> Off | None:
        """The widest switch that is off here."""
        return Switches(self.desk.engine).over(self.place.installation_id, self.place.repo_id)

    @property
    def run_url(self) -> str:
        """Where the pages of runs are."""
        return f"{self.desk.settings.public_url.rstrip('/')}/runs"

    def case(self, branch: str, head: str, command: Command) -> Case:
        """What a run is about that this request opens."""
        hint = f"It is about the test {command.test}. {command.hint}".strip() if command.test else command.hint
        return Case(
            run=RunId(""),
            repo=self.session.repository.full_name,
            repo_id=self.place.repo_id,
            installation_id=self.place.installation_id,
            head_sha=Sha(head),
            branch=branch,
            requested_by=self.place.sender,
            hint=hint,
            image=command.image,
            model=command.model or None,
            budget_usd=command.budget_usd,
        )


Act = Callable[[Request, Command], Answer]
"""Does what a command asks for. The right to it was looked at before."""
