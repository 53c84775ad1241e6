"""What somebody who asks for a run must know first: is one at work on this already, which was the newest, what came of
it. Reads only."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime

from sqlalchemy import ColumnElement, Engine, and_, func, or_, select

from workers.domain import Case, Outcome, Published, RunId, Sha, StageName
from workers.store.codec import read
from workers.store.database import db_now
from workers.store.models import Run, RunState, StageResult


@dataclass(frozen=True)
class Known:
    """A run as people ask about it. `seconds` is how long ago it was opened; `branch` and `fix` are ours, if any."""

    id: RunId
    state: RunState
    outcome: Outcome | None
    detail: str
    stage: str
    job: str
    head_sha: Sha
    fingerprint: str
    branch: str
    fix: int | None
    seconds: float
    at: datetime

    @property
    def done(self) -> bool:
        """It has an outcome."""
        return self.state is RunState.DONE


class Runs:
    """Questions about the runs of a repository. Never answers about another's."""

    def __init__(self, engine: Engine, repo_id: int) -> None:
        self._engine = engine
        self._repo_id = repo_id

    def about(self, number: int, limit: int = 5) -> tuple[Known, ...]:
        """The runs about a pull request or an issue, or whose fix is in that pull request; newest first."""
        return self._read(about(self._repo_id, number), limit)

    def at_work(self, key: str) -> Known | None:
        """A run of this key, or a later try of it, that is not done."""
        found = self._read(and_(_tries(key), Run.state != RunState.DONE.value), 1)
        return found[0] if found else None

    def tries(self, key: str) -> int:
        """How many runs there were of this key, later tries included."""
        query = select(func.count()).where(Run.repo_id == self._repo_id, _tries(key))
        with self._engine.connect() as connection:
            return int(connection.execute(query).scalar_one())

    def keys_of(self, trigger: str) -> tuple[str, ...]:
        """The keys of the runs that one command, button or label opened."""
        query = select(Run.key).where(Run.repo_id == self._repo_id, Run.trigger == trigger).order_by(Run.id)
        with self._engine.connect() as connection:
            return tuple(str(key) for key in connection.execute(query).scalars())

    def of_head(self, sha: Sha) -> tuple[Known, ...]:
        """The newest runs about a commit, newest first."""
        return self._read(Run.head_sha == sha, 20)

    def key(self, run: RunId) -> str:
        """The key of a run of this repository, without the number of its try; "" for one of another."""
        query = select(Run.key).where(Run.id == run, Run.repo_id == self._repo_id)
        with self._engine.connect() as connection:
            return str(connection.execute(query).scalar() or "").partition(":again:")[0]

    def case(self, run: RunId) -> Case | None:
        """What a run of this repository was about; None for one of another."""
        query = select(Run.case).where(Run.id == run, Run.repo_id == self._repo_id)
        with self._engine.connect() as connection:
            text = connection.execute(query).scalar()
        return read(text, Case)

    def published(self, run: RunId) -> Published | None:
        """Where a run's fix went."""
        query = (
            select(StageResult.data)
            .join(Run, Run.id == StageResult.run_id)
            .where(Run.id == run, Run.repo_id == self._repo_id, StageResult.stage == StageName.PUBLISH.value)
            .order_by(StageResult.n.desc())
            .limit(1)
        )
        with self._engine.connect() as connection:
            text = connection.execute(query).scalar()
        return read(text, Published)

    def _read(self, which: ColumnElement[bool], limit: int) -> tuple[Known, ...]:
        columns = (
            *(Run.id, Run.state, Run.outcome, Run.detail, Run.stage, Run.job, Run.head_sha, Run.fingerprint),
            *(Run.published_branch, Run.published_pull_request, Run.created_at),
            (db_now() - Run.created_at).label("seconds"),
        )
        query = select(*columns).where(Run.repo_id == self._repo_id, which).order_by(Run.id.desc()).limit(limit)
        with self._engine.connect() as connection:
            rows = connection.execute(query).all()
        return tuple(
            Known(
                id=RunId(row.id),
                state=RunState(row.state),
                outcome=Outcome(row.outcome) if row.outcome else None,
                detail=row.detail,
                stage=row.stage,
                job=row.job,
                head_sha=Sha(row.head_sha),
                fingerprint=row.fingerprint,
                branch=row.published_branch or "",
                fix=row.published_pull_request,
                seconds=float(row.seconds),
                at=datetime.fromtimestamp(row.created_at, UTC),
            )
            for row in rows
        )


def about(repo_id: int, number: int) -> ColumnElement[bool]:
    """Runs about a pull request or an issue (they share their numbers), or whose fix is in that pull request."""
    named = or_(Run.pull_request == number, Run.issue == number, Run.published_pull_request == number)
    return and_(Run.repo_id == repo_id, named)


def _tries(key: str) -> ColumnElement[bool]:
    return or_(Run.key == key, Run.key.startswith(f"{key}:again:", autoescape=True))
