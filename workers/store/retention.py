"""What is removed when it has become old, and what goes first where the database has grown over its cap.

Never removed: what has not ended, runs whose fix is still open on GitHub, what was learned, and who paused what.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import closing
from dataclasses import dataclass, fields, is_dataclass, replace
from typing import Any, TypeVar

from sqlalchemy import ColumnElement, Connection, Engine, FromClause, Select, delete, exists, func, select, update

from sandbox.spec import Output
from workers.domain import Report
from workers.logs import JobLog
from workers.settings import KeepSettings
from workers.store.codec import read, to_json
from workers.store.database import db_now, transact
from workers.store.models import (
    Change,
    ChangeState,
    Delivery,
    DeliveryState,
    Errand,
    ErrandState,
    LlmCall,
    PullHead,
    Run,
    RunState,
    SandboxUse,
    StageResult,
    Table,
)

T = TypeVar("T")

DAY = 86400.0
BATCH = 500
"""Rows that are removed in one transaction: the receiver's writer waits for no longer one."""
LEAST_DAYS = 4.0
"""GitHub sends a delivery again for three days: as long its id has to be known."""
BUDGET_DAYS = 32.0
"""A month's budget counts its calls, whatever became of their runs."""
PRUNED = "pruned"
"""Key in `Report.data` of a run whose logs are gone."""


_LARGE = (Delivery.body, StageResult.data, Run.report)
_ROW = 400
"""Bytes of a row beside its large columns and with its indexes, about: PostgreSQL does not tell what is in use."""


@dataclass(frozen=True)
class Keep:
    """For how many days what has ended is kept: deliveries, logs and checkpoints, runs altogether; and how many bytes
    the database may take, 0 for any number."""

    bodies: float = 14.0
    logs: float = 30.0
    runs: float = 400.0
    cap: int = 0

    def __post_init__(self) -> None:
        if self.bodies < LEAST_DAYS:
            raise ValueError(f"deliveries are kept for {LEAST_DAYS:.0f} days at least: so long GitHub sends them again")


def kept(settings: KeepSettings) -> Keep:
    """What the operator wants to be kept."""
    days = settings.keep_bodies_days, settings.keep_logs_days, settings.keep_runs_days
    return Keep(*days, int(settings.database_cap))


@dataclass(frozen=True)
class Removed:
    """How many rows went: deliveries, runs that lost their logs, whole runs, and what belongs to nobody any more."""

    deliveries: int = 0
    logs: int = 0
    runs: int = 0
    others: int = 0

    def __bool__(self) -> bool:
        return any((self.deliveries, self.logs, self.runs, self.others))

    def plus(self, other: Removed) -> Removed:
        """Both together."""
        return Removed(*(getattr(self, one.name) + getattr(other, one.name) for one in fields(self)))


class Retention:
    """Removes in short transactions, so that several processes may do it at once and nobody waits for it."""

    def __init__(self, engine: Engine, batch: int = BATCH) -> None:
        self._engine = engine
        self._batch = batch

    def prune(self, keep: Keep) -> Removed:
        """Remove all that is older than it is to be kept, then hold the cap."""
        removed = Removed(
            deliveries=self._all(lambda: self._deliveries(keep.bodies)),
            logs=self._all(lambda: self._logs(keep.logs)),
            runs=self._all(lambda: self._runs(keep.runs)),
            others=self._all(lambda: self._others(keep)),
        )
        return removed.plus(self.hold(keep.cap)) if keep.cap else removed

    def hold(self, cap: int) -> Removed:
        """Remove the oldest of what has ended until the database takes at most `cap` bytes: deliveries first, which
        can be asked for again, then logs, then whole runs. What is left may still be more."""
        removed = Removed()
        if self._files() <= cap:
            return removed
        order: tuple[tuple[str, Callable[[float], int], float], ...] = (
            ("deliveries", self._deliveries, LEAST_DAYS), ("logs", self._logs, 0.0), ("runs", self._runs, 0.0),
        )  # fmt: skip
        for kind, work, days in order:
            while self.size() > cap and (count := work(days)):
                removed = removed.plus(Removed(**{kind: count}))
        return removed

    def size(self) -> int:
        """Bytes that are in use. The files may be larger: databases keep the room that was freed for what comes."""
        with self._engine.connect() as connection:
            if connection.dialect.name == "sqlite":
                pages, free, size = (
                    int(connection.exec_driver_sql(f"PRAGMA {name}").scalar_one())
                    for name in ("page_count", "freelist_count", "page_size")
                )
                return (pages - free) * size
            large = sum(connection.execute(_stored(column)).scalar_one() for column in _LARGE)
            rows = sum(connection.execute(_rows(table)).scalar_one() for table in Table.metadata.sorted_tables)
            return int(large) + rows * _ROW

    def _files(self) -> int:
        """Bytes of the files, which what is in use is never more than: PostgreSQL knows them without reading a row."""
        if self._engine.dialect.name == "sqlite":
            return self.size()
        with self._engine.connect() as connection:
            tables = (func.pg_total_relation_size(table.name) for table in Table.metadata.sorted_tables)
            return sum(connection.execute(select(*tables)).one())

    def compact(self) -> None:
        """Give the freed room back to the disk. Writers wait while it lasts."""
        if self._engine.dialect.name == "sqlite":  # else our own listener would begin a transaction
            with closing(self._engine.raw_connection()) as raw:
                raw.cursor().execute("VACUUM")
            return
        with self._engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
            connection.exec_driver_sql("VACUUM")

    def _all(self, work: Callable[[], int]) -> int:
        return sum(iter(work, 0))

    def _deliveries(self, days: float) -> int:
        over = Delivery.state != DeliveryState.NEW.value, Delivery.received_at < db_now() - days * DAY
        return self._delete(Delivery.id, *over, oldest=Delivery.id)

    def _logs(self, days: float) -> int:
        """Checkpoints hold the logs of every container; the report keeps what was found and proven without them."""
        kept = exists().where(StageResult.run_id == Run.id)
        picked = select(Run.id, Run.report).where(*_over(days), kept).order_by(Run.id).limit(self._batch)

        def work(connection: Connection) -> int:
            rows = connection.execute(picked).all()
            ids = [row.id for row in rows]
            connection.execute(delete(StageResult).where(StageResult.run_id.in_(ids)))
            for row in rows:
                connection.execute(update(Run).where(Run.id == row.id).values(report=_bare(row.report)))
            return len(ids)

        return transact(self._engine, work)

    def _runs(self, days: float) -> int:
        return self._delete(Run.id, *_over(days), oldest=Run.id)

    def _others(self, keep: Keep) -> int:
        errands = Errand.state.in_((ErrandState.DONE.value, ErrandState.DEAD.value))
        counted = db_now() - max(keep.runs, BUDGET_DAYS) * DAY
        gone = Change.state != ChangeState.OPEN.value
        return (
            self._delete(Errand.id, errands, Errand.finished_at < db_now() - keep.logs * DAY, oldest=Errand.id)
            + self._delete(PullHead.id, PullHead.at < db_now() - keep.runs * DAY, oldest=PullHead.id)
            + self._delete(LlmCall.id, LlmCall.at < counted, oldest=LlmCall.id)
            + self._delete(SandboxUse.id, SandboxUse.at < counted, oldest=SandboxUse.id)
            + self._delete(Change.id, gone, Change.updated_at < db_now() - keep.runs * DAY, oldest=Change.id)
        )

    def _delete(self, key: Any, *which: ColumnElement[bool], oldest: Any) -> int:
        picked = select(key).where(*which).order_by(oldest).limit(self._batch)

        def work(connection: Connection) -> int:
            ids = list(connection.execute(picked).scalars())
            if ids:
                connection.execute(delete(key.class_).where(key.in_(ids)))
            return len(ids)

        return transact(self._engine, work)


def _stored(column: Any) -> Select[int]:
    """What the values take as they are stored, compressed or not, without reading them."""
    return select(func.coalesce(func.sum(func.pg_column_size(column)), 0))


def _rows(table: FromClause) -> Select[int]:
    return select(func.count()).select_from(table)


def _over(days: float) -> Sequence[ColumnElement[bool]]:
    """Runs that ended so many days ago and whose fix nobody waits for."""
    awaited = exists().where(Change.run_id == Run.id, Change.state == ChangeState.OPEN.value)
    return Run.state == RunState.DONE.value, Run.finished_at < db_now() - days * DAY, ~awaited


def _bare(report: str | None) -> str | None:
    """The report without any log. What another release wrote and cannot be read goes as a whole."""
    known = read(report, Report)
    if known is None:
        return None
    short = _without_logs(known)
    kept = {key: text for key, text in short.data.items() if key != "log"}
    return to_json(replace(short, data={**kept, PRUNED: "1"}))


def _without_logs(value: T) -> T:
    """The same value with every captured output, job log and raw report emptied."""
    bare: Any = value
    if isinstance(value, Output):
        bare = Output("", value.dropped + len(value.text.encode("utf-8", "replace")))
    elif isinstance(value, JobLog):
        bare = JobLog(began=value.began)
    elif isinstance(value, bytes):
        bare = b""
    elif isinstance(value, tuple):
        bare = tuple(_without_logs(one) for one in value)
    elif is_dataclass(value) and not isinstance(value, type):
        bare = replace(value, **{one.name: _without_logs(getattr(value, one.name)) for one in fields(value)})
    return bare  # type: ignore[no-any-return]
