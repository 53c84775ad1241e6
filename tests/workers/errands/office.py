"""A repository on the double with a red pull request, and the process that does errands, driven by hand."""

from __future__ import annotations

import itertools
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from sqlalchemy import Engine, insert, select

from tests.hub.process import AppKeys, CiResult, Hub, RepoInfo
from workers.domain import Case, Outcome
from workers.errands.model import ButtonPressed, CommandGiven, LabelSet, Payload, Place
from workers.errands.process import Counter
from workers.store.codec import from_json
from workers.store.database import transact
from workers.store.errands import Errands
from workers.store.ledger import Ledger
from workers.store.models import Errand, PullHead, Run

REPO = "octo/shop"
FILES = {"shop.py": "x = 1\n", ".github/workflows/ci.yml": "name: CI\non: [push]\njobs: {}\n"}
_keys = itertools.count(1)


@dataclass
class Office:
    """What a test works with. `mona` may write, `ada` maintains, `eve` reads; `octocat` wrote the pull request."""

    hub: Hub
    keys: AppKeys
    info: RepoInfo
    engine: Engine
    counter: Counter
    ledger: Ledger
    errands: Errands
    number: int = 0
    sha: str = ""
    red: CiResult | None = None
    ids: dict[str, int] = field(default_factory=dict)

    def place(self, user: str) -> Place:
        """Where `user` did something."""
        if user not in self.ids:
            self.ids[user] = self.hub.create_user(user)["id"]
        return Place(self.keys.installation_id, self.info.id, REPO, user, self.ids[user])

    def saw(self, sha: str, at: float, fork: bool = False, number: int = 0) -> None:
        """A delivery told that this became the head."""
        row = {"repo_id": self.info.id, "number": number or self.number, "sha": sha, "fork": fork, "at": at}
        transact(self.engine, lambda c: c.execute(insert(PullHead).values(**row)))

    def give(self, body: str, user: str = "mona", number: int = 0, at: float = 0.0, **more: Any) -> dict[str, Any]:
        """`user` comments, and the errand is done; the comment afterwards. It was made well after the head was seen."""
        number = number or self.number
        made = self.hub.comment(REPO, user, number, body)
        moment = at or datetime.fromisoformat(made["created_at"]).timestamp() + 5
        asked = {"on_pull_request": number == self.number, **more}
        self.do(CommandGiven(self.place(user), number, comment_id=made["id"], body=body, at=moment, **asked))
        return self.comment(made["id"])

    def press(self, identifier: str, user: str = "mona", check: int = 0, run: str = "", sha: str = "") -> str:
        """`user` presses a button of our check run; what became of the errand."""
        return self.do(ButtonPressed(self.place(user), check, run, sha or self.sha, identifier))  # type: ignore[arg-type]

    def label(self, user: str = "mona", label: str = "heal", sha: str = "") -> str:
        """`user` sets a label on the pull request."""
        return self.do(LabelSet(self.place(user), self.number, label, sha or self.sha))  # type: ignore[arg-type]

    def do(self, payload: Payload) -> str:
        """The errand, done as its process does it; its answer or its trouble. It leaves no token that works."""
        key = f"errand-{next(_keys)}"
        assert self.errands.open(payload, key)
        assert self.counter.once("host:1/0")
        assert all(token["revoked"] and len(token["repos"]) == 1 for token in self.hub.tokens())
        with self.engine.connect() as connection:
            row = connection.execute(select(Errand.answer, Errand.error, Errand.state).where(Errand.key == key)).one()
        return f"{row.state}: {row.answer or row.error}"

    @property
    def state(self) -> dict[str, Any]:
        """The repository as the double remembers it."""
        return self.hub.repo(REPO)

    def comment(self, comment_id: int) -> dict[str, Any]:
        """A comment with its reactions."""
        return next(one for one in self.state["comments"] if one["id"] == comment_id)

    @property
    def said(self) -> list[str]:
        """Our own comments, without their markers."""
        ours = [one for one in self.state["comments"] if one["user"]["login"] == self.keys.bot]
        return [one["body"].split("\n\n<!-- heal:")[0] for one in ours]

    @property
    def cases(self) -> list[Case]:
        """What the runs so far are about, oldest first."""
        with self.engine.connect() as connection:
            return [from_json(text, Case) for text in connection.execute(select(Run.case).order_by(Run.id)).scalars()]

    def end(self) -> None:
        """Every run is done."""
        for case in self.cases:
            self.ledger.cancel(case.run, Outcome.NO_FIX_FOUND, "None held.")


def reactions(comment: dict[str, Any]) -> list[str]:
    """What we showed, in order."""
    return [one["content"] for one in comment["reacted"]]
