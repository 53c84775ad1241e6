"""A claimed run: its fenced memory, its heartbeat, and the ways to let go of it.

Every write first renews the lease `WHERE fence = ?` in the same transaction. When no row answers, another worker has
the run: `LeaseLost`, and nothing of the transaction stays.
"""

from __future__ import annotations

import random
import threading
import time
from collections.abc import Callable, Sequence
from types import TracebackType
from typing import Any, TypeVar

from sqlalchemy import Connection, Engine, case, delete, func, insert, select, update
from sqlalchemy.exc import SQLAlchemyError

from workers.domain import (
    Attempt,
    Candidate,
    Case,
    Diagnosis,
    Experience,
    JobReport,
    Lead,
    Lesson,
    Ours,
    Outcome,
    Past,
    Published,
    Report,
    RunId,
    Sha,
    Sighting,
    StageName,
    Verdict,
)
from workers.errors import LeaseLost, Stop
from workers.fencing import begun_by
from workers.llm.budgets import Limit
from workers.ports import CI
from workers.redact import Redactor
from workers.run_key import run_key
from workers.store import changes, heals, lessons, models, sightings
from workers.store.codec import clean, from_json, read, to_json
from workers.store.database import db_now, transact
from workers.store.errands import owe_farewell
from workers.store.models import Run, RunState, StageResult
from workers.store.opening import append_event, lead, open_run
from workers.store.rounds import Rounds
from workers.store.spending import RunPurse
from workers.store.switches import RepoWishes
from workers.store.tenants import in_reach

T = TypeVar("T")

MOST_CLAIMS = 3
"""A run that was claimed this often without a checkpoint, and still is not through, is poison."""
MOST_TRIES = 8
"""Retries without a checkpoint before we give up on the part that is to blame."""
SETTLES = 2.0
"""Seconds until a run that lost its worker in the middle is due again: a request that was sent may still be at work on
GitHub, where the next worker would not find yet what it makes."""
LONGEST_BEAT = 3.0
"""Seconds until a run notices that somebody wants it to end."""
DAY = 86_400.0
LONGEST_WAIT = 600.0
"""Seconds; the growing pause between retries stops growing here, unless the trouble itself asks for more."""

JITTER = 0.2
"""A retry comes up to this part of its pause later, so that what failed together does not come back together."""

STAGES = frozenset(stage.value for stage in StageName)


class Lease:
    """The right to work on a run, as a context manager that keeps it alive. Implements `workers.ports.Journal`."""

    def __init__(self, engine: Engine, redactor: Redactor, run: RunId, case: Case, fence: int, seconds: float) -> None:
        self.run = run
        self.case = case
        self.fence = fence
        self.cancelled = threading.Event()
        """Set once somebody asked to end the run or the lease is lost: whatever is running should stop."""
        self.lost = False
        self._engine = engine
        self.redactor = redactor
        self._seconds = seconds
        self._stop: Stop | None = None
        self._stop_told = self._no_goodbye = False
        self._renewed = time.monotonic()
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._beat_until_ended, name=f"lease-{run}", daemon=True)

    def __enter__(self) -> Lease:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._ended.set()
        self._thread.join(timeout=self._seconds)

    # What a run remembers

    def recall(self, stage: str, n: int, kind: type[T]) -> T | None:
        """The checkpoint, or None: also when another release wrote it in a shape this one does not know."""
        query = (
            select(Run.fence, Run.state, StageResult.data)
            .outerjoin(
                StageResult, (StageResult.run_id == Run.id) & (StageResult.stage == stage) & (StageResult.n == n)
            )
            .where(Run.id == self.run)
        )
        with self._engine.connect() as connection:
            row = connection.execute(query).one()
        if row.fence != self.fence or row.state != RunState.RUNNING:
            raise self._lose()
        self._raise_stop()
        return read(row.data, kind)  # doing a stage twice is safe, stopping for good over an old shape is not

    def record(self, stage: str, n: int, value: object, seconds: float) -> None:
        """Store the checkpoint, its event, and what the run's row shows of it, all or nothing."""
        kept = self.redactor.scrub(value)
        row = {
            "run_id": self.run,
            "stage": stage,
            "n": n,
            "fence": self.fence,
            "kind": type(value).__name__,
            "data": clean(to_json(kept)),
            "seconds": seconds,
            "finished_at": db_now(),
        }

        def work(connection: Connection) -> None:
            same = (StageResult.run_id == self.run, StageResult.stage == stage, StageResult.n == n)
            connection.execute(delete(StageResult).where(*same))
            connection.execute(insert(StageResult).values(**row))
            # this claim counts as the first one at the next stage
            self._update(connection, claims=1, tries=0, **_published(kept), **_diagnosed(kept))
            if isinstance(value, Verdict):
                self._keep_tried(connection, n, value)
            if isinstance(kept, Published):
                self._keep_change(connection, kept)
            if stage in STAGES:  # the story's smaller notes ("once:...") are no news to people
                self._update(connection, stage=stage)
                told = {"state": "finished", "n": n, "seconds": round(seconds, 3)}
                self._append(connection, "stage", stage, told)

        self._write(work)

    def seconds(self) -> dict[str, float]:
        """Seconds per finished stage, also of those that an earlier holder of the lease finished."""
        query = (
            select(StageResult.stage, func.sum(StageResult.seconds))
            .where(StageResult.run_id == self.run, StageResult.stage.not_like("%:%"))
            .group_by(StageResult.stage)
            .order_by(func.min(StageResult.finished_at))
        )
        with self._engine.connect() as connection:
            return {stage: float(total) for stage, total in connection.execute(query)}

    def admitted_today(self) -> int:
        """Runs of this repository that passed `admit` within the last 24 hours. Those that were refused there cost
        nothing and do not count."""
        query = (
            select(func.count())
            .select_from(StageResult)
            .join(Run, Run.id == StageResult.run_id)
            .where(
                Run.repo_id == self.case.repo_id,
                StageResult.stage == StageName.ADMIT.value,
                StageResult.finished_at > db_now() - DAY,
            )
        )
        with self._engine.connect() as connection:
            return int(connection.execute(query).scalar_one())

    def heals_lately(self, case: Case, fingerprint: str) -> int:
        """How often this failure was worked on within the last seven days, by other runs in the same place."""
        with self._engine.connect() as connection:
            return heals.lately(connection, case, fingerprint)

    @property
    def wishes(self) -> RepoWishes:
        """What people told Heal to leave alone here."""
        return RepoWishes(self._engine, self.case.installation_id, self.case.repo_id)

    def purse(self, limits: tuple[Limit, ...]) -> RunPurse:
        """What pays for the run's models, within these limits; fenced like everything that the run writes."""
        return RunPurse(self.case, self._write, limits)

    def past(self, tests: Sequence[str]) -> tuple[Past, ...]:
        """What other runs of this repository saw of these tests."""
        with self._engine.connect() as connection:
            return sightings.past(connection, self.run, self.case.repo_id, tests)

    def so_far(self, run: RunId) -> Report | None:
        """What an earlier run of this repository has proven of the fix it published."""
        return Rounds(self._engine).so_far(self.case.repo_id, run)

    def sighted(self, seen: Sequence[Sighting]) -> None:
        """Keep how tests fared in this run."""
        shown = [self.redactor.scrub(one) for one in seen]
        self._write(lambda connection: sightings.keep(connection, self.run, self.case.repo_id, shown))

    def experience(self, fingerprint: str) -> Experience:
        """What people made of earlier fixes for this failure, in this repository of this installation."""
        where = self.case.repo_id, fingerprint, self.case.installation_id
        with self._engine.connect() as connection:
            return Experience(*(lessons.about(connection, *where, accepted=one) for one in (False, True)))

    def similar(self, diagnosis: Diagnosis) -> tuple[Lesson, ...]:
        """Merged fixes of like failures, in this installation."""
        with self._engine.connect() as connection:
            return lessons.similar(connection, self.case.repo_id, diagnosis, self.case.installation_id)

    def made(self, sha: Sha) -> bool:
        """By the changes that are kept."""
        return changes.Changes(self._engine).by_commit(self.case.repo_id, sha) is not None

    def ours(self) -> Ours | None:
        """By the change that this run was the last to write to."""
        line = changes.Changes(self._engine).by_run(self.run)
        return changes.ours(line) if line else None

    def answered(self, ci: CI) -> None:
        """Kept with the change, unless a later run has written to it since."""
        line = changes.Changes(self._engine).by_run(self.run)
        if line is not None:
            self.guard()
            changes.Changes(self._engine).mark(line.id, ci=ci.value)

    def held(self, run: RunId) -> Candidate | None:
        """By its last checkpoint of that kind."""
        with self._engine.connect() as connection:
            return changes.held(connection, self.case.repo_id, run)

    def publishing(self) -> None:
        """Noted in the row that `Ledger.cancel_for_branch` looks at, before anything is pushed."""
        self._write(lambda connection: self._update(connection, published_branch=""))

    def event(self, kind: str, title: str, **data: object) -> None:
        """Append to the timeline."""
        self._write(lambda connection: self._append(connection, kind, title, data))

    def lead_to(self, case: Case) -> Lead:
        """The run for another red job: the one an event for it would open or has opened, with what it knows by now."""

        def work(connection: Connection) -> Lead:
            run, new = open_run(connection, self.redactor, case, run_key(case), "follow-up")
            self._append(connection, "follow_up", f"run {run} is for the base branch", {"run": run, "new": new})
            return lead(connection, run)

        return self._write(work)

    def guard(self) -> float:
        """Ask the database: still ours, still wanted? Raises `Stop` once per lease, so that goodbyes can be said, and
        always where Heal had to leave. Returns until when the effect may begin."""
        asked = time.monotonic()
        self._write(lambda _: None)
        self._raise_stop()
        return begun_by(asked, self._seconds)

    # Letting go

    def finish(self, report: Report, *, untold: bool = False) -> None:
        """The end: outcome, report and attempts, redacted for people. `untold`: an errand has to tell them of it."""
        shown = self.redactor.publish(report)

        def work(connection: Connection) -> None:
            self._update(
                connection,
                state=RunState.DONE.value,
                outcome=report.outcome.value,
                detail=clean(shown.detail),
                report=clean(to_json(shown)),
                finished_at=db_now(),
                next_ring=None,
                **_FREE,
                **_told_at_last(shown.published),
            )
            connection.execute(delete(models.Attempt).where(models.Attempt.run_id == self.run))
            self._keep_attempts(connection, dict(enumerate(report.attempts)))
            self._append(connection, "done", report.outcome.value, {"outcome": report.outcome.value})
            if untold:
                owe_farewell(connection, self.case)

        self._write(work)

    def has_moved(self) -> bool:
        """The repository belongs to another installation than when the run was claimed."""
        now = select(Run.installation_id).where(Run.id == self.run)
        with self._engine.connect() as connection:
            return bool(connection.execute(now).scalar_one() != self.case.installation_id)

    def park(self, after: float, reason: str) -> None:
        """Wait for somebody else for `after` seconds, or until `Ledger.wake`, also one that came while we ran."""
        woken = case((Run.next_ring.is_not(None), db_now()), else_=db_now() + after)

        def work(connection: Connection) -> None:
            self._update(connection, state=RunState.PARKED.value, next_ring=woken, claims=0, tries=0, **_FREE)
            self._append(connection, "park", reason, {"after": after})

        self._write(work)

    def retry(self, after: float, reason: str, blame: str) -> bool:
        """Try again later, with growing pauses. False, and still held: it was tried too often."""

        def work(connection: Connection) -> bool:
            tries = connection.execute(select(Run.tries).where(Run.id == self.run)).scalar_one()
            if tries >= MOST_TRIES:
                return False
            pause = max(after, min(after * 2**tries, LONGEST_WAIT))
            later = pause * (1 + JITTER * random.random())  # noqa: S311 - jitter, not cryptography
            self._requeue(connection, later, tries=tries + 1, error=self._text(reason), blame=clean(blame)[:32])
            self._append(connection, "retry", reason, {"after": pause, "blame": blame})
            return True

        return self._write(work)

    def crashed(self, reason: str, trace: str = "") -> bool:
        """Our bug, with where it happened: try again until the poison count is reached. False, and still held: it is
        poison."""

        def work(connection: Connection) -> bool:
            claims = connection.execute(select(Run.claims).where(Run.id == self.run)).scalar_one()
            self._update(connection, error=self._text(reason))
            self._append(connection, "crash", reason, {"claims": claims, "trace": trace})
            if claims >= MOST_CLAIMS:
                return False
            self._update(connection, state=RunState.QUEUED.value, next_ring=db_now() + 2.0**claims, **_FREE)
            return True

        return self._write(work)

    def give_back(self) -> None:
        """Somebody else may go on in a moment: this worker is being stopped. Does not count as a failed claim."""

        def work(connection: Connection) -> None:
            self._requeue(connection, SETTLES)
            self._append(connection, "released", "the worker is being stopped", {})

        self._write(work)

    # Inside

    def _write(self, work: Callable[[Connection], T]) -> T:
        def held(connection: Connection) -> tuple[T, Any, bool]:
            renewed = self._update(connection, lease_until=db_now() + self._seconds)
            unwanted = renewed.cancel_outcome is not None
            left = unwanted and not in_reach(connection, self.case.installation_id, self.case.repo_id)
            return work(connection), renewed, left

        try:
            answer, renewed, left = transact(self._engine, held)
        except LeaseLost:
            self._lose()
            raise
        self._renewed = time.monotonic()
        if renewed.cancel_outcome is not None:
            self._no_goodbye = self._no_goodbye or left
            silent = {"silent": True} if self._no_goodbye else {}
            self._stop = Stop(Outcome(renewed.cancel_outcome), renewed.cancel_detail, **silent)
            self.cancelled.set()
        return answer

    def _update(self, connection: Connection, **values: object) -> Any:
        held = (Run.id == self.run, Run.fence == self.fence)
        statement = update(Run).where(*held, Run.state == RunState.RUNNING.value).values(**values)
        row = connection.execute(statement.returning(Run.cancel_outcome, Run.cancel_detail)).one_or_none()
        if row is None:
            raise LeaseLost(f"run {self.run}: fence {self.fence} is no longer the newest")
        return row

    def _requeue(self, connection: Connection, pause: float, **values: object) -> None:
        claims = func.coalesce(case((Run.claims > 0, Run.claims - 1)), 0)
        self._update(
            connection, state=RunState.QUEUED.value, next_ring=db_now() + pause, claims=claims, **_FREE, **values
        )

    def _append(self, connection: Connection, kind: str, title: str, data: dict[str, object]) -> None:
        append_event(connection, self.redactor, self.run, kind, title, data)

    def _keep_attempts(self, connection: Connection, attempts: dict[int, Attempt]) -> None:
        for n, attempt in attempts.items():
            same = (models.Attempt.run_id == self.run, models.Attempt.n == n)
            connection.execute(delete(models.Attempt).where(*same))
            row = _attempt_row(self.redactor.publish(attempt))
            connection.execute(insert(models.Attempt).values(run_id=self.run, n=n, **row))

    def _keep_tried(self, connection: Connection, n: int, verdict: Verdict) -> None:
        proposed = select(StageResult.data).where(
            StageResult.run_id == self.run, StageResult.stage == StageName.PROPOSE.value, StageResult.n == n
        )
        text = connection.execute(proposed).scalar()
        if text is not None:
            self._keep_attempts(connection, {n: Attempt(from_json(text, Candidate), verdict)})

    def _keep_change(self, connection: Connection, published: Published) -> None:
        job = select(StageResult.data).where(
            StageResult.run_id == self.run, StageResult.stage == StageName.CHECKOUT.value, StageResult.n == 0
        )
        known = connection.execute(select(Run.fingerprint, Run.job).where(Run.id == self.run)).one()
        text = None if known.job else connection.execute(job).scalar()
        name = known.job or (from_json(text, JobReport).name if text is not None else "")
        changes.keep(connection, self.case, published, known.fingerprint, name)

    def _text(self, text: str) -> str:
        return clean(self.redactor(text))

    def _raise_stop(self) -> None:
        if self._stop is not None and (self._no_goodbye or not self._stop_told):
            self._stop_told = True
            raise self._stop

    def _lose(self) -> LeaseLost:
        self.lost = True
        self.cancelled.set()
        return LeaseLost(f"run {self.run}: fence {self.fence} is no longer the newest")

    def _beat_until_ended(self) -> None:
        while not self._ended.wait(min(self._seconds / 3, LONGEST_BEAT)):
            try:
                self._write(lambda _: None)
            except LeaseLost:
                return
            except SQLAlchemyError:
                # The database is away. Once the lease has run out, others who can reach it may have the run.
                if time.monotonic() - self._renewed > self._seconds:
                    self._lose()
                    return


_FREE: dict[str, None] = {"owner": None, "lease_until": None, "rung_at": None}


def _published(value: object) -> dict[str, object]:
    if not isinstance(value, Published):
        return {}
    return {
        "published_branch": value.branch or None,
        "published_pull_request": value.pull_request,
        "published_url": value.url or None,
    }


def _told_at_last(value: Published | None) -> dict[str, object]:
    """What the publish stage has noted stays: the link may have followed the repository to a new name meanwhile."""
    noted = _published(value)
    return {name: func.coalesce(getattr(Run, name), told) for name, told in noted.items() if told is not None}


def _diagnosed(value: object) -> dict[str, object]:
    return {"fingerprint": clean(value.fingerprint)[:64]} if isinstance(value, Diagnosis) else {}


def _attempt_row(attempt: Attempt) -> dict[str, object]:
    candidate, verdict = attempt.candidate, attempt.verdict
    return {
        "fixer": candidate.fixer,
        "model": candidate.model,
        "patch": clean(candidate.patch),
        "reasoning": clean(candidate.reasoning),
        "accepted": verdict.accepted,
        "rejected_by": verdict.rejected_by[:64],
        "why": clean(verdict.why),
        "input_tokens": attempt.usage.input_tokens,
        "output_tokens": attempt.usage.output_tokens,
        "cost_usd": attempt.usage.cost_usd,
    }
