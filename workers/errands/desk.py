"""What an errand may use: the database, and GitHub as one installation sees one repository. Made for each errand."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass

from sqlalchemy import Engine

from workers.errands.model import Place
from workers.errors import LeaseLost
from workers.fencing import begun_by
from workers.github.session import App, Session
from workers.redact import Redactor
from workers.settings import WorkerSettings
from workers.store.errands import Claimed, Errands
from workers.store.ledger import Ledger


@dataclass(frozen=True)
class Desk:
    """The tools of one errand. `session` gives GitHub for a place; the caller closes it."""

    settings: WorkerSettings
    engine: Engine
    redactor: Redactor
    ledger: Ledger
    errands: Errands
    app: App
    errand: Claimed

    def session(self, place: Place) -> Session:
        """GitHub for one repository, with narrowed tokens; every write first asks whether the errand is still ours."""
        return Session(self.app, place.installation_id, place.repo_id, self.redactor, self.guard)

    def guard(self) -> float:
        """Raises `LeaseLost` once somebody else has the errand; returns until when an effect may begin."""
        asked = time.monotonic()
        if not self.errands.held(self.errand):
            raise LeaseLost(f"errand {self.errand.id}: fence {self.errand.fence} is no longer the newest")
        return begun_by(asked, self.errands.lease_seconds)


Handler = Callable[[Desk], str]
"""Does the errand of the desk and says what was done, in one sentence for operators.

Raises `Stop` when GitHub refuses for good and `Retryable` for what passes. May run twice: every effect is looked for
before it is made.
"""
