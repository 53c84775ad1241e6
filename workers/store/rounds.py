"""The runs that go on with a pull request of ours, one after the other: which there are, and what they found out.

Read from the runs' own rows and checkpoints, so it is known too while the run before still waits for CI.
"""

from __future__ import annotations

from typing import Any, TypeVar

from sqlalchemy import Connection, Engine, or_, select

from workers.domain import Aim, Attempt, Candidate, Case, Diagnosis, Outcome, Report, Reproduction, RunId, Verdict
from workers.domain import StageName as Stage
from workers.store.cases import CASE, kept
from workers.store.codec import read
from workers.store.models import Run, RunState, StageResult

T = TypeVar("T")

LONGEST = 20
"""Rounds that are followed back at most."""
_GOING_ON = tuple(aim.value for aim in (Aim.REVISE, Aim.AGAIN, Aim.REBASE))


class Rounds:
    """All runs, by the pull request of ours that they are about."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def first_case(self, repo_id: int, run: RunId) -> Case | None:
        """The case that the change stands on, from any run of the repository that wrote to it: the red job that it was
        made for, or the base that it was last made anew on. None when it is gone."""
        with self._engine.connect() as connection:
            for _ in range(LONGEST):
                case = _case(connection, repo_id, run)
                if case is None or case.ours is None or case.aim is Aim.REBASE:
                    return case
                run = case.ours.run
        return None

    def unfinished(self, repo_id: int, number: int) -> list[RunId]:
        """The runs for the pull request that are not over, oldest first; also those that wait for CI on it."""
        return [RunId(row.id) for row in self._open(repo_id, number)]

    def at_work(self, repo_id: int, number: int, besides: str = "") -> bool:
        """A run, other than the one with the key `besides`, will yet write to the pull request."""
        rows = self._open(repo_id, number)
        return any(row.published_pull_request != number and row.key != besides for row in rows)

    def so_far(self, repo_id: int, run: RunId) -> Report | None:
        """What a run of the repository has proven of the fix it published, from its checkpoints; None when there is
        too little left."""
        with self._engine.connect() as connection:
            case = _case(connection, repo_id, run)
            reproduction = _stage(connection, run, Stage.REPRODUCE, 0, Reproduction)
            diagnosis = _stage(connection, run, Stage.LOCATE, 0, Diagnosis)
            diagnosis = diagnosis or _stage(connection, run, Stage.DIAGNOSE, 0, Diagnosis)
            count = select(StageResult.n).where(StageResult.run_id == run, StageResult.stage == Stage.VERIFY.value)
            tried = [_attempt(connection, run, n) for n in sorted(connection.execute(count).scalars())]
        attempts = tuple(one for one in tried if one is not None)
        if case is None or reproduction is None or diagnosis is None or not any(one.held for one in attempts):
            return None
        return Report(case, Outcome.FIXED, "", None, reproduction, diagnosis, attempts)

    def _open(self, repo_id: int, number: int) -> list[Any]:
        query = (
            select(Run.id, Run.key, Run.case, Run.published_pull_request)
            .where(Run.repo_id == repo_id, Run.state != RunState.DONE.value)
            .where(or_(Run.published_pull_request == number, Run.aim.in_(_GOING_ON)))
            .order_by(Run.id)
        )
        with self._engine.connect() as connection:
            rows = connection.execute(query).all()
        return [row for row in rows if number in (row.published_pull_request, _about(row.case))]


def _about(text: str) -> int | None:
    case = read(text, Case)
    return case.ours.pull_request if case is not None and case.ours is not None else None


def _case(connection: Connection, repo_id: int, run: RunId) -> Case | None:
    return kept(connection.execute(select(*CASE).where(Run.id == run, Run.repo_id == repo_id)).one_or_none())


def _attempt(connection: Connection, run: RunId, n: int) -> Attempt | None:
    candidate = _stage(connection, run, Stage.PROPOSE, n, Candidate)
    verdict = _stage(connection, run, Stage.VERIFY, n, Verdict)
    return Attempt(candidate, verdict) if candidate is not None and verdict is not None else None


def _stage(connection: Connection, run: RunId, stage: Stage, n: int, kind: type[T]) -> T | None:
    same = (StageResult.run_id == run, StageResult.stage == stage.value, StageResult.n == n)
    return read(connection.execute(select(StageResult.data).where(*same)).scalar(), kind)
