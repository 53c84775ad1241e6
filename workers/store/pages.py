"""What the dashboard reads: lists and single runs as plain values, never a row that could be written."""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import Engine, Row, func, select

from workers.domain import Case, Outcome, Report, RunId
from workers.redact import Redactor
from workers.store.codec import data_from_json, from_json
from workers.store.inbox import Inbox
from workers.store.models import Attempt, Event, Run, RunState, StageResult


@dataclass(frozen=True)
class RunLine:
    """A run as the list shows it. Times are UTC."""

    id: RunId
    repo: str
    branch: str
    head_sha: str
    job: str
    pull_request: int | None
    state: RunState
    outcome: Outcome | None
    detail: str
    stage: str
    published_url: str | None
    published_pull_request: int | None
    error: str
    created_at: datetime
    started_at: datetime | None
    finished_at: datetime | None


@dataclass(frozen=True)
class StageLine:
    """A finished stage. `data` is its answer as JSON text, redacted for reading."""

    stage: str
    n: int
    kind: str
    seconds: float
    finished_at: datetime
    data: str


@dataclass(frozen=True)
class AttemptLine:
    """A candidate patch and what became of it."""

    n: int
    fixer: str
    model: str | None
    patch: str
    reasoning: str
    accepted: bool
    rejected_by: str
    why: str
    input_tokens: int
    output_tokens: int
    cost_usd: float | None


@dataclass(frozen=True)
class EventLine:
    """One line of the timeline; `id` is what a live page hands back as Last-Event-ID."""

    id: int
    run: RunId
    at: datetime
    kind: str
    title: str
    data: dict[str, Any]


@dataclass(frozen=True)
class RunPage:
    """Everything about one run."""

    line: RunLine
    case: Case
    stages: tuple[StageLine, ...]
    attempts: tuple[AttemptLine, ...]
    events: tuple[EventLine, ...]
    report: Report | None
    cancel_asked: bool


@dataclass(frozen=True)
class RunList:
    """One page of runs, newest first, and how many match in all."""

    lines: tuple[RunLine, ...]
    total: int


@dataclass(frozen=True)
class Figures:
    """Rows per state and outcome, and the age in seconds of the oldest delivery not yet routed."""

    deliveries: dict[str, int]
    oldest_new: float
    runs: dict[str, int]
    outcomes: dict[str, int]


_LINE = (
    Run.id,
    Run.repo,
    Run.branch,
    Run.head_sha,
    Run.job,
    Run.pull_request,
    Run.state,
    Run.outcome,
    Run.detail,
    Run.stage,
    Run.published_url,
    Run.published_pull_request,
    Run.error,
    Run.created_at,
    Run.started_at,
    Run.finished_at,
)


_TIMES = ("created_at", "started_at", "finished_at")


class Pages:
    """Read-only questions to the store."""

    def __init__(self, engine: Engine, redactor: Redactor | None = None) -> None:
        self._engine = engine
        self._redactor = redactor or Redactor()

    def runs(
        self,
        *,
        repo: str | None = None,
        state: RunState | None = None,
        outcome: Outcome | None = None,
        limit: int = 50,
        offset: int = 0,
    ) -> RunList:
        """Runs that match every given filter, newest first."""
        wanted = [
            column == value
            for column, value in ((Run.repo, repo), (Run.state, state), (Run.outcome, outcome))
            if value is not None
        ]
        query = select(*_LINE).where(*wanted).order_by(Run.id.desc()).limit(limit).offset(offset)
        with self._engine.connect() as connection:
            total = connection.execute(select(func.count()).select_from(Run).where(*wanted)).scalar_one()
            return RunList(tuple(_line(row) for row in connection.execute(query)), total)

    def run(self, run: RunId) -> RunPage | None:
        """One run with all that is known about it, None when there is no such run."""
        with self._engine.connect() as connection:
            row = connection.execute(
                select(*_LINE, Run.case, Run.report, Run.cancel_outcome).where(Run.id == run)
            ).one_or_none()
            if row is None:
                return None
            stages = connection.execute(
                select(StageResult).where(StageResult.run_id == run).order_by(StageResult.finished_at, StageResult.n)
            ).all()
            return RunPage(
                line=_line(row[: len(_LINE)]),
                case=from_json(row.case, Case),
                stages=tuple(self._stage(stage) for stage in stages),
                attempts=self.attempts(run),
                events=self.events(run),
                report=None if row.report is None else from_json(row.report, Report),
                cancel_asked=row.cancel_outcome is not None,
            )

    def attempts(self, run: RunId) -> tuple[AttemptLine, ...]:
        """The candidates of a run in the order they were tried."""
        columns = [getattr(Attempt, name) for name in AttemptLine.__dataclass_fields__]
        query = select(*columns).where(Attempt.run_id == run).order_by(Attempt.n)
        with self._engine.connect() as connection:
            return tuple(AttemptLine(*row) for row in connection.execute(query))

    def events(self, run: RunId | None = None, after: int = 0, limit: int = 1000) -> tuple[EventLine, ...]:
        """The timeline after an event id: of one run, or of all."""
        query = select(Event.id, Event.run_id, Event.at, Event.kind, Event.title, Event.data)
        query = query.where(Event.id > after, *([] if run is None else [Event.run_id == run]))
        with self._engine.connect() as connection:
            rows = connection.execute(query.order_by(Event.id).limit(limit)).all()
        return tuple(
            EventLine(id_, RunId(run_id), _at(at), kind, title, data_from_json(data))
            for id_, run_id, at, kind, title, data in rows
        )

    def report_json(self, run: RunId) -> str | None:
        """The finished run's report as JSON text, redacted when it was stored."""
        with self._engine.connect() as connection:
            return connection.execute(select(Run.report).where(Run.id == run)).scalar()

    def figures(self) -> Figures:
        """What `/metrics` shows, read now."""
        inbox = Inbox(self._engine).counts()
        with self._engine.connect() as connection:
            states = connection.execute(select(Run.state, func.count()).group_by(Run.state)).all()
            ended = Run.outcome.is_not(None)
            outcomes = connection.execute(select(Run.outcome, func.count()).where(ended).group_by(Run.outcome)).all()
        return Figures(
            deliveries=inbox.by_state,
            oldest_new=inbox.oldest_new,
            runs={str(name): int(n) for name, n in states},
            outcomes={str(name): int(n) for name, n in outcomes},
        )

    def _stage(self, row: Row[Any]) -> StageLine:
        data = json.dumps(self._redactor.publish(json.loads(row.data)), ensure_ascii=False)
        return StageLine(row.stage, row.n, row.kind, row.seconds, _at(row.finished_at), data)


def _line(row: Any) -> RunLine:
    held = dict(zip(RunLine.__dataclass_fields__, row, strict=True))
    return RunLine(
        **{
            **held,
            "state": RunState(held["state"]),
            "outcome": None if held["outcome"] is None else Outcome(held["outcome"]),
            **{name: None if held[name] is None else _at(held[name]) for name in _TIMES},
        }
    )


def _at(seconds: float) -> datetime:
    return datetime.fromtimestamp(seconds, UTC)
