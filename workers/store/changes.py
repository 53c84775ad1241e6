"""Fixes of ours on GitHub, and what became of each: one row per pull request, per push, per suggestion.

A row is written in the transaction that records the publishing, so a run that is fenced out changes none.
"""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import Any

from sqlalchemy import ColumnElement, Connection, Engine, insert, or_, select, update

from workers.domain import Aim, Candidate, Case, How, Ours, Published, RunId, Sha, StageName
from workers.store.codec import clean, read
from workers.store.database import db_now, transact
from workers.store.models import Change, ChangeState, Run, StageResult


@dataclass(frozen=True)
class ChangeLine:
    """A row of the table `change`; its columns are explained there. `run_id` is None when that run was pruned."""

    id: int
    run_id: RunId | None
    installation_id: int
    repo_id: int
    number: int
    how: How
    branch: str
    target: str
    commit: Sha
    onto: Sha
    patch: str
    fingerprint: str
    job: str
    state: ChangeState
    ci: str
    runs: int
    rebased: int
    created_at: float
    updated_at: float


class Changes:
    """All changes of ours, for whoever asks what became of one."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def by_pull(self, repo_id: int, number: int) -> ChangeLine | None:
        """The change of a pull request: our own one, or the newest that was pushed to or told in theirs."""
        return self._newest(Change.repo_id == repo_id, Change.number == number)

    def by_commit(self, repo_id: int, sha: Sha) -> ChangeLine | None:
        """The change whose newest commit this is."""
        return self._newest(Change.repo_id == repo_id, Change.commit == sha) if sha else None

    def by_run(self, run: RunId) -> ChangeLine | None:
        """The change that a run wrote to last of all."""
        return self._newest(Change.run_id == run)

    def open_for_target(self, repo_id: int, target: str) -> list[ChangeLine]:
        """The open pull requests of ours onto a branch, oldest first."""
        return self._open(Change.repo_id == repo_id, Change.target == clean(target), Change.how == How.PULL.value)

    def open_on_branch(self, repo_id: int, branch: str) -> list[ChangeLine]:
        """The open changes whose commit lies on a branch, oldest first."""
        return self._open(Change.repo_id == repo_id, Change.branch == clean(branch))

    def mark(
        self, change: int, *, state: ChangeState | None = None, ci: str | None = None, target: str | None = None
    ) -> bool:
        """Note what became of it. False when it stood there like that already: whoever gets True is the first."""
        news = {"state": state, "ci": ci, "target": target}
        values = {name: clean(value) for name, value in news.items() if value is not None}
        differs = or_(*(getattr(Change, name) != value for name, value in values.items()))
        statement = update(Change).where(Change.id == change, differs).values(**values, updated_at=db_now())
        return transact(self._engine, lambda connection: connection.execute(statement).rowcount > 0)

    def _newest(self, *which: ColumnElement[bool]) -> ChangeLine | None:
        opened = (Change.state == ChangeState.OPEN.value).desc()
        with self._engine.connect() as connection:
            row = connection.execute(_LINE.where(*which).order_by(opened, Change.id.desc()).limit(1)).one_or_none()
        return _line(row) if row else None

    def _open(self, *which: ColumnElement[bool]) -> list[ChangeLine]:
        query = _LINE.where(*which, Change.state == ChangeState.OPEN.value).order_by(Change.id)
        with self._engine.connect() as connection:
            return [_line(row) for row in connection.execute(query)]


def keep(connection: Connection, case: Case, published: Published, fingerprint: str, job: str) -> None:
    """Note what a run has published. A run that went on with a change of ours updates its row; publishing twice in one
    run changes nothing more. The failure and the job stay those that the change was first made for."""
    if published.pull_request is None or not case.repo_id:
        return
    newest = {
        "run_id": case.run,
        "branch": clean(published.branch)[:255],
        "target": clean(published.target or case.branch),
        "commit": published.commit,
        "onto": published.onto,
        "patch": clean(published.patch),
        "updated_at": db_now(),
    }
    found = connection.execute(_LINE.where(*_same(case, published)).order_by(Change.id.desc()).limit(1)).one_or_none()
    if found is not None:
        more = {"runs": Change.runs + 1, "rebased": Change.rebased + int(case.aim is Aim.REBASE), "ci": "pending"}
        again = {} if found.run_id == case.run else more
        connection.execute(update(Change).where(Change.id == found.id).values(**newest, **again))
        return
    first = {
        "installation_id": case.installation_id,
        "repo_id": case.repo_id,
        "number": published.pull_request,
        "how": published.how.value,
        "fingerprint": clean(fingerprint)[:64],
        "job": clean(job),
        "state": ChangeState.OPEN.value,
        "created_at": db_now(),
    }
    connection.execute(insert(Change).values(**newest, **first))


def ours(line: ChangeLine) -> Ours:
    """The change as a run goes on with it."""
    return Ours(
        pull_request=line.number,
        branch=line.branch,
        commit=line.commit,
        target=line.target,
        onto=line.onto,
        patch=line.patch,
        run=line.run_id or RunId(""),
        runs=line.runs,
    )


def held(connection: Connection, repo_id: int, run: RunId) -> Candidate | None:
    """The candidate that a run of a repository has proposed: its last one."""
    newest = (
        select(StageResult.data)
        .join(Run, Run.id == StageResult.run_id)
        .where(StageResult.run_id == run, Run.repo_id == repo_id, StageResult.stage == StageName.PROPOSE.value)
        .order_by(StageResult.n.desc())
        .limit(1)
    )
    return read(connection.execute(newest).scalar(), Candidate)


def _same(case: Case, published: Published) -> tuple[ColumnElement[bool], ...]:
    """The row that a publishing belongs to: each push is one of its own, unless it goes on with an earlier one."""
    same = (
        Change.repo_id == case.repo_id, Change.number == published.pull_request, Change.how == published.how.value
    )  # fmt: skip
    if published.how is not How.PUSH:
        return same
    commits = (published.commit, case.ours.commit) if case.ours else (published.commit,)
    return (*same, Change.commit.in_(commits))


_LINE = select(*(getattr(Change, field.name) for field in fields(ChangeLine)))


def _line(row: Any) -> ChangeLine:
    values = row._asdict()
    return ChangeLine(**{**values, "how": How(row.how), "state": ChangeState(row.state)})
