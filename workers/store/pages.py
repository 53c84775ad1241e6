"""What the dashboard reads: lists and single runs as plain values, never a row that could be written."""

from __future__ import annotations

import json
from collections.abc import Collection, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from enum import StrEnum
from typing import Any, TypeVar

from sqlalchemy import ColumnElement, Connection, Engine, Row, func, select

from workers.domain import Case, Diagnosis, Outcome, Report, RunId, Sha, StageName
from workers.llm.budgets import Use
from workers.redact import Redactor
from workers.store import calls, sandbox_use
from workers.store.calls import CallFigure, CallLine
from workers.store.codec import data_from_json, read
from workers.store.errands import Errands
from workers.store.inbox import Inbox
from workers.store.models import Attempt, Event, Run, RunState, StageResult
from workers.store.sandbox_use import UseLine

E = TypeVar("E", bound=StrEnum)

MOST_EVENTS = 1000


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
    cause: str = ""
    """What was wrong, in one sentence, once it is known."""


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
    """Everything about one run. `report` is None too when another release wrote it in a shape this one cannot read."""

    line: RunLine
    case: Case
    stages: tuple[StageLine, ...]
    attempts: tuple[AttemptLine, ...]
    events: tuple[EventLine, ...]
    report: Report | None
    cancel_asked: bool
    calls: tuple[CallLine, ...] = ()
    """What models were asked, and what it cost."""
    uses: tuple[UseLine, ...] = ()
    """What the stages used of the sandbox, in their order."""

    @property
    def used(self) -> Use:
        """What the stages that are over used of the sandbox."""
        return sum((Use(one.seconds, one.candidates) for one in self.uses if not one.under_way), Use())


@dataclass(frozen=True)
class RunList:
    """One page of runs, newest first, and how many match in all."""

    lines: tuple[RunLine, ...]
    total: int


@dataclass(frozen=True)
class Figures:
    """Rows per state and outcome, and the age in seconds of the oldest delivery not yet routed."""

    deliveries: dict[str, int]
    errands: dict[str, int]
    oldest_new: float
    runs: dict[str, int]
    outcomes: dict[str, int]
    stage_seconds: dict[str, tuple[int, float]]
    """Per stage how often it was finished and how many seconds that took in all."""
    calls: tuple[CallFigure, ...] = ()
    sandbox: Use = field(default_factory=Use)
    """What all runs that are kept have used of the sandbox."""


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


_NAMES = tuple(column.key for column in _LINE)
_TIMES = ("created_at", "started_at", "finished_at")


class Pages:
    """Read-only questions to the store, each over one connection: who holds one and waits for another waits for all
    that do the same."""

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
        sees: Collection[int] | None = None,
    ) -> RunList:
        """Runs that match every given filter, newest first; only of the repositories with these ids, None for all."""
        wanted = [
            column == value
            for column, value in ((Run.repo, repo), (Run.state, state), (Run.outcome, outcome))
            if value is not None
        ]
        wanted += _seen(sees)
        query = select(*_LINE).where(*wanted).order_by(Run.id.desc()).limit(limit).offset(offset)
        with self._engine.connect() as connection:
            total = connection.execute(select(func.count()).select_from(Run).where(*wanted)).scalar_one()
            lines = tuple(self._line(row) for row in connection.execute(query))
            causes = self._causes(connection, [line.id for line in lines])
        return RunList(tuple(replace(line, cause=causes.get(line.id, "")) for line in lines), total)

    def visible(self, run: RunId, sees: Collection[int] | None) -> bool:
        """There is such a run, of one of these repositories."""
        with self._engine.connect() as connection:
            return connection.execute(select(Run.id).where(Run.id == run, *_seen(sees))).scalar() is not None

    def run(self, run: RunId, sees: Collection[int] | None = None) -> RunPage | None:
        """One run with all that is known about it, None when there is no such run of these repositories (None: all)."""
        with self._engine.connect() as connection:
            row = connection.execute(
                select(*_LINE, Run.case, Run.report, Run.cancel_outcome).where(Run.id == run, *_seen(sees))
            ).one_or_none()
            if row is None:
                return None
            stages = connection.execute(
                select(StageResult).where(StageResult.run_id == run).order_by(StageResult.finished_at, StageResult.n)
            ).all()
            line = replace(self._line(row[: len(_LINE)]), cause=self._causes(connection, [run]).get(run, ""))
            return RunPage(
                line=line,
                case=self._redactor.publish(read(row.case, Case) or _case_of(line)),
                stages=tuple(self._stage(stage) for stage in stages),
                attempts=_attempts(connection, run),
                events=_events(connection, run, 0, MOST_EVENTS),
                report=read(row.report, Report),
                cancel_asked=row.cancel_outcome is not None,
                calls=tuple(self._redactor.publish(call) for call in calls.of_run(connection, run)),
                uses=sandbox_use.of_run(connection, run),
            )

    def events(self, run: RunId, after: int = 0, limit: int = MOST_EVENTS) -> tuple[EventLine, ...]:
        """The timeline of a run after an event id."""
        with self._engine.connect() as connection:
            return _events(connection, run, after, limit)

    def newest(self, runs: Collection[RunId]) -> dict[RunId, int]:
        """The id of the newest event of each of these runs that has any."""
        query = select(Event.run_id, func.max(Event.id)).where(Event.run_id.in_(runs)).group_by(Event.run_id)
        with self._engine.connect() as connection:
            return {RunId(run): int(id_) for run, id_ in connection.execute(query)}

    def figures(self) -> Figures:
        """What `/metrics` shows, read now."""
        inbox = Inbox(self._engine).counts()
        with self._engine.connect() as connection:
            states = connection.execute(select(Run.state, func.count()).group_by(Run.state)).all()
            ended = Run.outcome.is_not(None)
            outcomes = connection.execute(select(Run.outcome, func.count()).where(ended).group_by(Run.outcome)).all()
            stages = connection.execute(
                select(StageResult.stage, func.count(), func.sum(StageResult.seconds))
                .where(StageResult.stage.in_([stage.value for stage in StageName]))
                .group_by(StageResult.stage)
            ).all()
            asked, used = calls.figures(connection), sandbox_use.total(connection)
        return Figures(
            deliveries=inbox.by_state,
            errands=Errands(self._engine).counts(),
            oldest_new=inbox.oldest_new,
            runs={str(name): int(n) for name, n in states},
            outcomes={str(name): int(n) for name, n in outcomes},
            stage_seconds={str(stage): (int(n), float(total)) for stage, n, total in stages},
            calls=asked,
            sandbox=used,
        )

    def _causes(self, connection: Connection, runs: Sequence[RunId]) -> dict[RunId, str]:
        """The diagnosis of each run in one sentence, as far as there is one."""
        diagnosed = (StageResult.stage == StageName.DIAGNOSE.value, StageResult.run_id.in_(runs))
        rows = connection.execute(select(StageResult.run_id, StageResult.data).where(*diagnosed))
        found = {RunId(run): read(data, Diagnosis) for run, data in rows}
        return {run: self._redactor(diagnosis.summary) for run, diagnosis in found.items() if diagnosis is not None}

    def _line(self, row: Any) -> RunLine:
        # Names of branches and jobs are kept as they are, because a run works with them; people need not read keys.
        return self._redactor.publish(_line(row))

    def _stage(self, row: Row[Any]) -> StageLine:
        data = json.dumps(self._redactor.publish(json.loads(row.data)), ensure_ascii=False)
        return StageLine(row.stage, row.n, row.kind, row.seconds, _at(row.finished_at), data)


def _attempts(connection: Connection, run: RunId) -> tuple[AttemptLine, ...]:
    """The candidates of a run in the order they were tried."""
    columns = [getattr(Attempt, name) for name in AttemptLine.__dataclass_fields__]
    query = select(*columns).where(Attempt.run_id == run).order_by(Attempt.n)
    return tuple(AttemptLine(*row) for row in connection.execute(query))


def _events(connection: Connection, run: RunId, after: int, limit: int) -> tuple[EventLine, ...]:
    query = select(Event.id, Event.run_id, Event.at, Event.kind, Event.title, Event.data)
    rows = connection.execute(query.where(Event.run_id == run, Event.id > after).order_by(Event.id).limit(limit)).all()
    return tuple(
        EventLine(id_, RunId(run_id), _at(at), kind, title, data_from_json(data))
        for id_, run_id, at, kind, title, data in rows
    )


def _seen(sees: Collection[int] | None) -> list[ColumnElement[bool]]:
    return [] if sees is None else [Run.repo_id.in_(sorted(sees))]


def _case_of(line: RunLine) -> Case:
    """What the run's row alone says of its case."""
    sha, number = Sha(line.head_sha), line.pull_request
    return Case(line.id, line.repo, 0, 0, sha, line.branch, job=line.job, pull_request=number)


def _known(kind: type[E], text: str | None) -> E | None:
    """The member of a closed set, None for a word of another release."""
    return next((member for member in kind if member.value == text), None)


def _line(row: Any) -> RunLine:
    held = dict(zip(_NAMES, row, strict=True))
    return RunLine(
        **{
            **held,
            "state": _known(RunState, held["state"]) or RunState.DONE,
            "outcome": _known(Outcome, held["outcome"]),
            **{name: None if held[name] is None else _at(held[name]) for name in _TIMES},
        }
    )


def _at(seconds: float) -> datetime:
    return datetime.fromtimestamp(seconds, UTC)
