"""The ledger of runs: opening them once, finding what is due, handing out leases, cancelling, waking.

The database is the queue of record; Celery only rings the bell. Leases are compared in the database's time alone.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from typing import Any

from sqlalchemy import (
    ColumnElement,
    Connection,
    Engine,
    Row,
    and_,
    bindparam,
    case,
    false,
    func,
    or_,
    select,
    true,
    update,
)

from workers.domain import Aim, Case, Outcome, Report, RunId, Sha
from workers.redact import Redactor
from workers.run_key import rebase_key
from workers.store.cases import CASE, kept
from workers.store.clock import follow
from workers.store.codec import clean, data_from_json, from_json, to_json
from workers.store.database import db_now, transact
from workers.store.errands import owe_farewell
from workers.store.lease import LONGEST_WAIT, MOST_CLAIMS, MOST_TRIES, SETTLES, STAGES, Lease
from workers.store.models import PullHead, Run, RunState
from workers.store.opening import append_event, open_run
from workers.store.runs import about
from workers.wishes import Reach, Scope

RING_AGAIN = 15.0
"""Seconds until a due run that was rung for, and that nobody claimed, is rung for again: the broker may forget."""

LEFT = 30.0
"""Seconds for which a run that another release has written is left for it, at first: each time twice as long."""

CLOCKS_DIFFER = 60.0
"""Seconds by which GitHub's clock and the database's may differ, and GitHub's whole seconds be coarse."""

_WAITING_ITS_TURN = (RunState.QUEUED.value, RunState.WAITING.value, RunState.PARKED.value)


class Ledger:
    """All runs. `lease_seconds` is how long a claim lasts without a heartbeat."""

    def __init__(self, engine: Engine, lease_seconds: float = 60.0, redactor: Redactor | None = None) -> None:
        self.redactor = redactor or Redactor()
        self._engine = engine
        self._lease_seconds = lease_seconds

    def open_run(
        self, case: Case, key: str, trigger: str, delivery_id: int | None = None, wait: float | None = None
    ) -> tuple[RunId, bool]:
        """The run of this key, and whether it was made now. `case.run` is set to its id.

        With `wait` the run is held back until `release_run`, or that many seconds at most.
        """
        return transact(
            self._engine, lambda c: open_run(c, self.redactor, case, key, trigger, delivery_id=delivery_id, wait=wait)
        )

    def release_run(self, key: str, fuller: Case | None = None) -> RunId | None:
        """Let a held-back run start now. None when there is no such run waiting.

        `fuller` is its case as a later delivery tells it; what only the first one knew (the job) stays.
        """
        waiting = (Run.key == key, Run.state == RunState.WAITING.value)

        def work(connection: Connection) -> RunId | None:
            held = connection.execute(select(Run.id, Run.case).where(*waiting).with_for_update()).one_or_none()
            if held is None:
                return None
            case_ = _fuller(from_json(held.case, Case), fuller)
            values = {"case": clean(to_json(case_)), "pull_request": case_.pull_request}
            queued = {"state": RunState.QUEUED.value, "next_ring": db_now(), "rung_at": None}
            connection.execute(update(Run).where(Run.id == held.id).values(**values, **queued))
            return RunId(held.id)

        return transact(self._engine, work)

    def waiting(self, key: str) -> Case | None:
        """The case of the run that is held back under this key; None when there is none."""
        query = select(Run.case).where(Run.key == key, Run.state == RunState.WAITING.value)
        with self._engine.connect() as connection:
            text = connection.execute(query).scalar()
        return None if text is None else from_json(text, Case)

    def hold(self, key: str, seconds: float) -> bool:
        """Hold a waiting run back for so long from now; False when it does not wait (any more)."""
        waiting = (Run.key == key, Run.state == RunState.WAITING.value)
        statement = update(Run).where(*waiting).values(next_ring=db_now() + seconds)
        return transact(self._engine, lambda connection: connection.execute(statement).rowcount > 0)

    def due(self, limit: int = 100) -> list[RunId]:
        """Runs that somebody should claim: their time has come, or their holder is gone. Oldest first."""
        with self._engine.connect() as connection:
            return [RunId(found) for found in connection.execute(_DUE, {"most": limit}).scalars()]

    def turns(self, limit: int = 5) -> list[RunId]:
        """Whose turn it is, the fairest first: of the installation with the fewest runs at work, then what was begun
        and lost its holder, then the oldest.

        A bell says that something is due, not what: whoever heard one works on the first of these that it can claim.
        So a thousand red jobs of one installation hold up nobody else's one.
        """
        working = Run.state == RunState.RUNNING.value, Run.lease_until >= db_now()
        at_work = select(Run.installation_id, func.count().label("n")).where(*working).group_by(Run.installation_id)
        busy = at_work.subquery()
        begun = case((or_(Run.state == RunState.RUNNING.value, and_(Run.stage != "", Run.tries == 0)), 0), else_=1)
        query = (
            select(Run.id)
            .outerjoin(busy, busy.c.installation_id == Run.installation_id)
            .where(_claimable())
            .order_by(func.coalesce(busy.c.n, 0), begun, func.coalesce(Run.next_ring, Run.lease_until), Run.id)
            .limit(limit)
        )
        with self._engine.connect() as connection:
            return [RunId(found) for found in connection.execute(query).scalars()]

    def rung(self, *runs: RunId) -> None:
        """Note in one transaction that the bell was rung for them, so that a long queue is not rung for every few
        seconds.

        A run that was claimed between the bell and this note keeps none: it may be due again soon.
        """
        if not runs:
            return
        statement = update(Run).where(Run.id.in_(runs), _claimable()).values(rung_at=db_now())
        transact(self._engine, lambda connection: connection.execute(statement))

    def claim(self, run: RunId, owner: str) -> Lease | None:
        """Take the run, or None when it is not due or somebody else was faster: one statement decides.

        A run that was claimed too often without a checkpoint ends as CRASHED instead, and an errand tells people. One
        that another release has written is left for that one, for three quarters of an hour.
        """
        statement = (
            update(Run)
            .where(Run.id == run, _claimable())
            .values(
                state=RunState.RUNNING.value,
                owner=owner,
                fence=Run.fence + 1,
                claims=Run.claims + 1,
                lease_until=db_now() + self._lease_seconds,
                started_at=func.coalesce(Run.started_at, db_now()),
                next_ring=None,
                rung_at=None,
            )
            .returning(*Run.__table__.columns)
        )

        def work(connection: Connection) -> Lease | None:
            row = connection.execute(statement).one_or_none()
            if row is None:
                return None
            case_ = kept(row)
            if (case_ is None or row.stage not in _KNOWN) and row.tries < MOST_TRIES:
                self._leave(connection, row)
                return None
            if case_ is None:
                self._bury(connection, _as_far_as_known(row), f"{_FOREIGN}, which did not take it up")
                return None
            if row.claims > MOST_CLAIMS:
                self._bury(connection, case_, _poison(row.stage, row.error))
                return None
            data: dict[str, object] = {"owner": owner, "fence": row.fence, "claims": row.claims}
            append_event(connection, self.redactor, run, "claimed", f"claimed by {owner}", data)
            return Lease(self._engine, self.redactor, run, case_, row.fence, self._lease_seconds)

        return transact(self._engine, work)

    def _leave(self, connection: Connection, row: Row[Any]) -> None:
        """Neither a failure nor a claim: the release that wrote it hears the same bells."""
        pause = min(LEFT * 2**row.tries, LONGEST_WAIT)
        waits = {"state": RunState.PARKED.value, "owner": None, "lease_until": None, "next_ring": db_now() + pause}
        counts = {"claims": Run.claims - 1, "tries": Run.tries + 1}
        connection.execute(update(Run).where(Run.id == row.id).values(**waits, **counts))
        append_event(connection, self.redactor, RunId(row.id), "left", _FOREIGN, {"stage": row.stage, "after": pause})

    def _bury(self, connection: Connection, case_: Case, detail: str) -> None:
        report = Report(case=case_, outcome=Outcome.CRASHED, detail=detail)
        values = {
            "state": RunState.DONE.value,
            "outcome": Outcome.CRASHED.value,
            "detail": detail,
            "report": clean(to_json(self.redactor.publish(report))),
            "finished_at": db_now(),
            "lease_until": None,
            "owner": None,
        }
        connection.execute(update(Run).where(Run.id == case_.run).values(**values))
        append_event(connection, self.redactor, case_.run, "done", Outcome.CRASHED.value, {"dead_letter": True})
        owe_farewell(connection, case_)

    def cancel(self, run: RunId, outcome: Outcome, detail: str) -> bool:
        """Ask to end a run; False when it is done already. One that never started ends here and now."""
        return bool(self._cancel(Run.id == run, outcome, detail))

    def settle(self, key: str, outcome: Outcome, detail: str, working: bool = False) -> RunId | None:
        """End the run of this key while it waits, or with `working` until it has published something; None when there
        is no such run."""
        which = Run.published_branch.is_(None) if working else Run.state == RunState.WAITING.value
        return next(iter(self._cancel(and_(Run.key == key, which), outcome, detail)), None)

    def cancel_for_branch(
        self,
        repo_id: int,
        branch: str,
        except_sha: Sha,
        *,
        before: str = "",
        at: float = 0.0,
        outcome: Outcome = Outcome.HEAD_MOVED,
        detail: str = "",
    ) -> list[RunId]:
        """End the runs of a branch that a change at `at` (seconds since 1970, 0: unknown) has overtaken.

        Those are the runs opened before the change, and those of the very commit it replaced (`before`). News of a
        change may come late, after a run of a newer commit was opened: that one is left alone. A run this misses asks
        GitHub for the branch's head itself. Those that published a fix already, or are about to, go on to follow it:
        the change may be their own. A pull request of ours that is made anew or revised stays good.
        """
        opened_before = Run.created_at < at if at else false()
        replaced = _replaced(before, at)
        overtaken = and_(
            Run.repo_id == repo_id,
            Run.branch == clean(branch),
            Run.head_sha != except_sha,
            Run.published_branch.is_(None),
            Run.aim.not_in((Aim.REVISE.value, Aim.REBASE.value)),
            or_(opened_before, replaced),
        )
        return self._cancel_some(overtaken, False, outcome, detail or f"{branch} moved on to {except_sha}")

    def cancel_for_fork(
        self,
        repo_id: int,
        number: int,
        except_sha: Sha,
        *,
        before: str = "",
        at: float = 0.0,
        outcome: Outcome = Outcome.HEAD_MOVED,
        detail: str = "",
    ) -> list[RunId]:
        """End the runs for earlier heads of a pull request whose branch lies in a fork, as `cancel_for_branch` does.

        Their branch is not one of this repository's and their number may be unknown: the heads of the pull request
        tell them, and a run of one of this repository's own branches at the same commit is left alone.
        """
        heads = select(PullHead.sha).where(PullHead.repo_id == repo_id, PullHead.number == number, PullHead.at < at)
        earlier = and_(Run.head_sha.in_(heads), Run.created_at < at + CLOCKS_DIFFER)
        overtaken = and_(
            Run.repo_id == repo_id,
            Run.head_sha != except_sha,
            Run.published_branch.is_(None),
            or_(earlier, _replaced(before, at)),
        )
        return self._cancel_some(overtaken, True, outcome, detail or f"#{number} moved on to {except_sha}")

    def cancel_for_repositories(self, installation_id: int, repo_ids: Sequence[int], detail: str) -> list[RunId]:
        """End every run of these repositories, while they belong to the installation."""
        which = and_(Run.installation_id == installation_id, Run.repo_id.in_(repo_ids))
        return self._cancel(which, Outcome.CANCELLED, detail)

    def cancel_for_change(self, repo_id: int, number: int, branch: str, outcome: Outcome, detail: str) -> list[RunId]:
        """End every run of a pull request of ours: that works on its branch, follows it, or makes it anew."""
        anew = Run.key.startswith(rebase_key(repo_id, number, ""), autoescape=True)
        there = or_(Run.branch == clean(branch), Run.published_branch == clean(branch), anew)
        return self._cancel(and_(Run.repo_id == repo_id, there), outcome, detail)

    def cancel_for_installation(self, installation_id: int, detail: str) -> list[RunId]:
        """End every run of an installation: the App was removed or suspended."""
        return self.cancel_for_scope(Scope(Reach.INSTALLATION, installation_id), Outcome.CANCELLED, detail)

    def cancel_for_scope(self, scope: Scope, outcome: Outcome, detail: str) -> list[RunId]:
        """End every run that a switch reaches. Throw the switch first: what is opened meanwhile ends at admission."""
        which = {
            Reach.ALL: true(),
            Reach.INSTALLATION: Run.installation_id == scope.id,
            Reach.REPO: Run.repo_id == scope.id,
        }
        return self._cancel(which[scope.reach], outcome, detail)

    def cancel_for_number(self, repo_id: int, number: int, outcome: Outcome, detail: str) -> list[RunId]:
        """End every run about a pull request or an issue, or whose fix is in that pull request."""
        return self._cancel(about(repo_id, number), outcome, detail)

    def _cancel_some(self, which: ColumnElement[bool], fork: bool, outcome: Outcome, detail: str) -> list[RunId]:
        """Those for commits of forks, or those for our own branches: a fork's branch may be called the same."""
        query = select(Run.id, Run.case).where(which, Run.state != RunState.DONE.value)
        with self._engine.connect() as connection:
            found = connection.execute(query).all()
        ids = [row.id for row in found if bool(data_from_json(row.case).get("fork")) is fork]
        return self._cancel(Run.id.in_(ids), outcome, detail) if ids else []

    def _cancel(self, which: ColumnElement[bool], outcome: Outcome, detail: str) -> list[RunId]:
        text = clean(self.redactor(detail))
        never = Run.started_at.is_(None)
        statement = (
            update(Run)
            .where(which, Run.state != RunState.DONE.value)
            .values(
                cancel_outcome=func.coalesce(Run.cancel_outcome, outcome.value),
                cancel_detail=case((Run.cancel_outcome.is_(None), text), else_=Run.cancel_detail),
                state=case((never, RunState.DONE.value), else_=Run.state),
                outcome=case((never, outcome.value), else_=Run.outcome),
                detail=case((never, text), else_=Run.detail),
                finished_at=case((never, db_now()), else_=Run.finished_at),
                next_ring=db_now(),  # a parked one is claimed, so that its worker can say goodbye
                rung_at=None,
            )
            .returning(Run.id)
        )

        def work(connection: Connection) -> list[RunId]:
            found = [RunId(one) for one in connection.execute(statement).scalars()]
            for one in found:
                append_event(connection, self.redactor, one, "cancel", detail, {"outcome": outcome.value})
            return found

        return transact(self._engine, work)

    def case(self, run: RunId) -> Case | None:
        """What a run was opened for; None when it is not known any more."""
        with self._engine.connect() as connection:
            return kept(connection.execute(select(*CASE).where(Run.id == run)).one_or_none())

    def wake(self, run: RunId) -> bool:
        """What a parked run waits for has happened. False when there is nothing to wake."""
        states = (RunState.PARKED.value, RunState.RUNNING.value)
        statement = update(Run).where(Run.id == run, Run.state.in_(states)).values(next_ring=db_now(), rung_at=None)
        return transact(self._engine, lambda connection: connection.execute(statement).rowcount > 0)

    def find_by_branch(self, repo_id: int, branch: str) -> RunId | None:
        """The newest run that published this branch of ours."""
        query = (
            select(Run.id)
            .where(Run.repo_id == repo_id, Run.published_branch == clean(branch))
            .order_by(Run.id.desc())
            .limit(1)
        )
        with self._engine.connect() as connection:
            return _id(connection.execute(query).scalar())

    def follow_clock(self) -> float:
        """See `workers.store.clock.follow`."""
        return follow(self._engine, self._lease_seconds)

    def release_worker(self, worker: str, *, crashed: bool = False) -> list[RunId]:
        """Free every run held by processes of a worker (owner "worker/pid") that has gone, and fence them out."""
        forgiven = Run.claims if crashed else case((Run.claims > 0, Run.claims - 1), else_=0)
        statement = (
            update(Run)
            .where(Run.state == RunState.RUNNING.value, Run.owner.startswith(f"{worker}/", autoescape=True))
            .values(
                state=RunState.QUEUED.value,
                owner=None,
                lease_until=None,
                fence=Run.fence + 1,
                claims=forgiven,
                next_ring=db_now() + SETTLES,
                rung_at=None,
            )
            .returning(Run.id)
        )
        return transact(self._engine, lambda c: [RunId(one) for one in c.execute(statement).scalars()])


_FOREIGN = "It was written by another version of Heal"
_KNOWN = STAGES | {""}


def _as_far_as_known(row: Row[Any]) -> Case:
    """What the columns alone say of a run's case."""
    place = row.repo, row.repo_id, row.installation_id, Sha(row.head_sha), row.branch
    return Case(RunId(row.id), *place, job=row.job, pull_request=row.pull_request)


def _poison(stage: str, error: str) -> str:
    where = f"after stage '{stage}'" if stage else "before its first stage was done"
    reason = error or "the worker process died"
    return f"Heal itself failed {MOST_CLAIMS} times {where}: {reason}"


def _replaced(before: str, at: float) -> ColumnElement[bool]:
    """For the very commit that a change at `at` replaced."""
    return and_(Run.head_sha == before, Run.created_at < at + CLOCKS_DIFFER if at else true())


def _claimable() -> ColumnElement[bool]:
    its_turn = and_(Run.state.in_(_WAITING_ITS_TURN), Run.next_ring <= db_now())
    holder_gone = and_(Run.state == RunState.RUNNING.value, Run.lease_until < db_now())
    return or_(its_turn, holder_gone)


_UNRUNG = or_(Run.rung_at.is_(None), Run.rung_at < db_now() - RING_AGAIN)
_DUE = select(Run.id).where(_claimable(), _UNRUNG).order_by(Run.next_ring, Run.id).limit(bindparam("most"))
"""Made once: to make it took more processor time than to run it, and each sweep of a dispatcher asks."""


def _fuller(held: Case, told: Case | None) -> Case:
    if told is None:
        return held
    return dataclasses.replace(
        told,
        run=held.run,
        job=told.job or held.job,
        job_id=told.job_id or held.job_id,
        pull_request=told.pull_request or held.pull_request,
    )


def _id(found: str | None) -> RunId | None:
    return None if found is None else RunId(found)
