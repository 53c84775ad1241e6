"""What is kept of an installation, or of some of its repositories, is wiped: bodies, logs, reports, patches, lessons.

Rows of runs stay with their outcome and their times, so that figures stay true; nothing in them names or shows code.
"""

from __future__ import annotations

import zlib
from collections.abc import Sequence

from sqlalchemy import ColumnElement, Connection, Engine, and_, delete, insert, or_, select, true, update
from sqlalchemy.orm import InstrumentedAttribute

from workers.domain import Case, RunId, Sha
from workers.store.codec import to_json
from workers.store.database import db_now, transact
from workers.store.models import (
    Attempt,
    Change,
    Delivery,
    Errand,
    ErrandState,
    Event,
    Ignored,
    Installation,
    InstallationState,
    Lesson,
    LlmCall,
    PullHead,
    Repo,
    RepoState,
    Run,
    RunState,
    StageResult,
    TestSighting,
)

_Column = InstrumentedAttribute[int]

NOTHING = zlib.compress(b"{}")
GONE = "The installation is gone."


class Forgetting:
    """Wipes what belongs to an installation; `repo_ids` narrows it to some repositories, () is all of it."""

    def __init__(self, engine: Engine, installation_id: int, repo_ids: Sequence[int] = ()) -> None:
        self._engine = engine
        self._installation_id = installation_id
        self._repo_ids = tuple(repo_ids)

    def repositories(self) -> set[int]:
        """The repositories it is about: those named, or all that the installation has or ran for; never one that has
        moved to another installation meanwhile and took its history along."""
        named = self._named()
        elsewhere = select(Repo.id).where(Repo.id.in_(named), Repo.installation_id != self._installation_id)
        with self._engine.connect() as connection:
            return named - set(connection.execute(elsewhere).scalars())

    def _named(self) -> set[int]:
        if self._repo_ids:
            return set(self._repo_ids)
        ids = (
            select(table_id).where(owner == self._installation_id)
            for table_id, owner in ((Repo.id, Repo.installation_id), (Run.repo_id, Run.installation_id))
        )
        with self._engine.connect() as connection:
            return {int(one) for query in ids for one in connection.execute(query).scalars()}

    def wipe(self, errand: str) -> int:
        """Wipe all but the runs and errands that are at work, and give how many those are. `errand` is the one that
        asks."""
        repos = self.repositories()
        return transact(self._engine, lambda connection: self._wipe(connection, errand, repos))

    def _wipe(self, connection: Connection, errand: str, repos: set[int]) -> int:
        runs = self._of(Run.installation_id, Run.repo_id)
        over = and_(runs, Run.state == RunState.DONE.value)
        wiped = select(Run.id).where(over)
        # What models cost stays, as budgets count it; what was asked and answered cannot be found by it any more.
        orphans = and_(LlmCall.run_id.is_(None), self._of(LlmCall.installation_id, LlmCall.repo_id))
        called = update(LlmCall).where(or_(LlmCall.run_id.in_(wiped), orphans))
        connection.execute(called.values(key="", response=""))
        for table in (StageResult, Attempt, Event, TestSighting):
            connection.execute(delete(table).where(table.run_id.in_(wiped)))
        rows = connection.execute(select(Run.id, Run.repo_id).where(over)).all()
        for row in rows:
            connection.execute(update(Run).where(Run.id == row.id).values(**_bare(RunId(row.id), row.repo_id)))
        for owned in (Lesson, Change):
            connection.execute(delete(owned).where(self._of(owned.installation_id, owned.repo_id)))
        for listed in (PullHead, Ignored):
            connection.execute(delete(listed).where(listed.repo_id.in_(repos)))
        bodies = update(Delivery).where(self._of(Delivery.installation_id, Delivery.repo_id))
        connection.execute(bodies.values(body=NOTHING, reason=""))
        self._wipe_errands(connection, errand)
        self._wipe_names(connection, repos)
        at_work = self._of(Errand.installation_id, Errand.repo_id), Errand.state == ErrandState.RUNNING.value
        left = (
            select(Run.id).where(runs, Run.state != RunState.DONE.value),
            select(Errand.id).where(*at_work, Errand.id != errand),
        )
        return sum(len(connection.execute(query).all()) for query in left)

    def _wipe_errands(self, connection: Connection, errand: str) -> None:
        """What waits is given up: nobody is there to answer to."""
        theirs = and_(self._of(Errand.installation_id, Errand.repo_id), Errand.id != errand)
        bare = {"payload": "{}", "repo": "", "sender": "", "answer": "", "error": ""}
        queued = update(Errand).where(theirs, Errand.state == ErrandState.QUEUED.value)
        given_up = {"state": ErrandState.DEAD.value, "finished_at": db_now(), "next_at": None}
        connection.execute(queued.values(**given_up))
        over = (ErrandState.DONE.value, ErrandState.DEAD.value)
        connection.execute(update(Errand).where(theirs, Errand.state.in_(over)).values(**bare))

    def _wipe_names(self, connection: Connection, repos: set[int]) -> None:
        """Only of what is still gone: an owner may have changed their mind meanwhile. A repository that no delivery has
        named is noted as gone, so that every machine drops its mirror."""
        known = set(connection.execute(select(Repo.id).where(Repo.id.in_(repos))).scalars())
        removed = {"installation_id": self._installation_id, "full_name": "", "state": RepoState.REMOVED.value}
        for repo_id in repos - known:
            connection.execute(insert(Repo).values(id=repo_id, **removed, at=db_now()))
        mine = self._of(Repo.installation_id, Repo.id)
        left = select(Installation.id).where(Installation.state == InstallationState.DELETED.value)
        gone = Repo.state.in_((RepoState.REMOVED.value, RepoState.DELETED.value)) | Repo.installation_id.in_(left)
        connection.execute(update(Repo).where(mine, gone).values(full_name=""))

    def _of(self, installation: _Column, repo: _Column) -> ColumnElement[bool]:
        some = repo.in_(self._repo_ids) if self._repo_ids else true()
        return and_(installation == self._installation_id, some)


def _bare(run: RunId, repo_id: int) -> dict[str, object]:
    """A run's row without anything of its repository."""
    case = Case(run, "", repo_id, 0, Sha(""), "")
    return {
        "key": f"forgotten:{run}",
        "case": to_json(case),
        "repo": "",
        "branch": "",
        "head_sha": "",
        "job": "",
        "pull_request": None,
        "issue": None,
        "requested_by": "",
        "fingerprint": "",
        "detail": GONE,
        "cancel_detail": "",
        "error": "",
        "published_branch": None,
        "published_pull_request": None,
        "published_url": None,
        "report": None,
        "delivery_id": None,
    }
