"""What the tests of reviews share: our pull request, and how a person reviews it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Engine, select

from tests.workers.forge.scene import PROPOSAL, REPO, Scene
from workers.domain import Case, Ours, RunId, Sha
from workers.fencing import unfenced
from workers.github.session import Session
from workers.redact import Redactor
from workers.store.codec import from_json
from workers.store.ledger import Ledger
from workers.store.models import Run

Json = dict[str, Any]


@dataclass(frozen=True)
class Held:
    """Our open pull request, as GitHub and the database have it."""

    scene: Scene
    engine: Engine
    ledger: Ledger
    run: RunId
    number: int
    commit: str
    patch: str

    @property
    def state(self) -> Any:
        """The repository as the double remembers it."""
        return self.scene.state

    @property
    def ours(self) -> Ours:
        """The pull request as a run goes on with it."""
        case = self.scene.case
        return Ours(self.number, PROPOSAL.branch, Sha(self.commit), "main", case.head_sha, self.patch, self.run)

    def session(self) -> Session:
        """GitHub for the repository, as an errand sees it."""
        forge = self.scene.forge()
        case = self.scene.case
        return Session(forge._app, case.installation_id, case.repo_id, Redactor(), unfenced)

    def review(self, *comments: Json, event: str = "REQUEST_CHANGES", body: str = "", user: str = "ada") -> Json:
        """A person's review; each comment says at least its body."""
        placed = [{"path": "shop.py", "line": 2, **one} for one in comments]
        return self.scene.hub.review(REPO, user, self.number, event, body, placed)

    def opened(self) -> Sequence[Case]:
        """The cases of the runs that were opened after the first."""
        with self.engine.connect() as connection:
            rows = connection.execute(select(Run.case).where(Run.id != self.run).order_by(Run.id)).scalars()
            return [from_json(text, Case) for text in rows]

    def in_thread(self, first: int) -> list[Json]:
        """What was answered to a comment."""
        return [one for one in self.state["review_comments"] if one.get("in_reply_to_id") == first]
