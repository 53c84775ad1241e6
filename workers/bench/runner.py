"""Takes each case of a suite through the real pipeline, some side by side, and keeps a row as soon as one is done.

Knows no suite and no command line. Cases that have a row already are left out.
"""

from __future__ import annotations

import tempfile
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from threading import Event

from sandbox.errors import Cancelled
from sandbox.spec import Sandbox
from workers.bench.case import BenchCase, Fixed, Ruling
from workers.bench.forge import BenchForge
from workers.bench.results import Results
from workers.bench.row import Row
from workers.critic import Critic
from workers.domain import Attempt, Case, Outcome, Report, Usage, Verdict
from workers.errors import Retryable, Stop
from workers.fixers import fixers
from workers.fixers.replay import Replay
from workers.llm.budgets import Limit
from workers.llm.client import Client
from workers.llm.purse import RUN_LIMITS, MemoryPurse, Paid
from workers.pipeline import Parts, drive
from workers.ports import Fixer, SourceTree
from workers.store.memory import MemoryJournal
from workers.summary import whole_patch

GOLD = "gold"
"""The engine that proposes what the developers did: what the verifier refuses then is a mistake of its own."""
_TRIES = 3
"""How often a case is taken up again after trouble that passes, before the bench ends with it."""

OnRow = Callable[[Row], None]
Heal = Callable[[BenchCase], Row | None]
"""One case from its files to its row; None when the bench was told to end meanwhile."""


@dataclass(frozen=True)
class Means:
    """What cases are worked on with. `client` makes the model's client of one case, whose calls the till pays; None
    where no model is asked. `limits` are those of one run."""

    sandbox: Sandbox
    engine: str
    client: Callable[[Till], Client | None]
    cancelled: Event
    limits: Sequence[Limit] = RUN_LIMITS


@dataclass
class Till(MemoryPurse):
    """The purse of one case, which also knows what was paid in the end."""

    calls: int = field(default=0, init=False)
    usage: Usage = field(default_factory=Usage, init=False)

    def settle(self, key: str, paid: Paid) -> None:
        """As `Purse`; a call that is settled again is counted once."""
        before = len(self._settled)
        super().settle(key, paid)
        if len(self._settled) > before:
            self.calls += 1
            self.usage = self.usage.plus(paid.usage or Usage())


def measure(
    cases: Iterable[BenchCase],
    heal: Heal,
    results: Results,
    jobs: int = 1,
    on_row: OnRow = lambda _: None,
    cancelled: Event | None = None,
) -> bool:
    """Work on every case that has no row yet, at most `jobs` at once; True when all have one in the end.

    Ends early when `cancelled` is set; a case that was under way then leaves no row. What goes wrong with the machine
    is raised once the other cases under way are done.
    """
    cancelled = cancelled or Event()
    waiting = (case for case in cases if case.id not in results.rows)
    with ThreadPoolExecutor(jobs, thread_name_prefix="bench") as pool:
        for row in _done(pool, waiting, heal, jobs, cancelled):
            results.add(row)
            on_row(row)
    if cancelled.is_set():
        return False
    results.finish()
    return True


def _done(
    pool: ThreadPoolExecutor, waiting: Iterator[BenchCase], heal: Heal, jobs: int, cancelled: Event
) -> Iterator[Row]:
    """Rows in the order in which the cases end. A case is made when there is a place for it, not before."""
    running: set[Future[Row | None]] = set()
    more = True
    while more or running:
        while more and len(running) < jobs and not cancelled.is_set():
            case = next(waiting, None)
            more = case is not None
            if case is not None:
                running.add(pool.submit(heal, case))
        more = more and not cancelled.is_set()
        if running:
            ended, running = wait(running, return_when=FIRST_COMPLETED)
            yield from (row for row in (future.result() for future in ended) if row is not None)


def healed(suite: str, case: BenchCase, means: Means) -> Row | None:
    """`Heal` through the real pipeline."""
    try:
        return _healed(suite, case, means)
    except (Stop, Cancelled):  # whatever the run was at, it was told to end
        if means.cancelled.is_set():
            return None
        raise


def _healed(suite: str, case: BenchCase, means: Means) -> Row | None:
    journal, till = Watch(means.cancelled), Till(means.limits)
    client = means.client(till)
    with tempfile.TemporaryDirectory(prefix="heal-bench-") as folder:
        forge = BenchForge(case, Path(folder))
        run = forge.bench_case(suite)
        parts = Parts(
            forge,
            means.sandbox,
            able(case, means.engine, client),
            journal,
            journal.cancelled,
            purse=till,
            critic=Critic(client) if client else None,
            model=client,
        )
        started = time.monotonic()
        report = _driven(run, parts)
        seconds = time.monotonic() - started
        if means.cancelled.is_set() or report.outcome is Outcome.CANCELLED:
            return None
        ruling = _ruled(case, report, forge.tree(run), means)
    if means.cancelled.is_set():  # the judge was stopped too, and would be misread
        return None
    first = journal.first - started if journal.first is not None else None
    return row_of(case, report, ruling, seconds, first, till)


def able(case: BenchCase, engine: str, client: Client | None) -> tuple[Fixer, ...]:
    """Who may propose: the fixers of the engine, or its developers' own patch alone where the engine is `GOLD`."""
    return (Replay(case.gold),) if engine == GOLD else fixers(engine, client)


def _driven(run: Case, parts: Parts) -> Report:
    """The run's end. Taken up again after trouble that passes: the journal knows what was done."""
    for _ in range(_TRIES - 1):
        try:
            return drive(run, parts)
        except Retryable as trouble:
            if parts.cancelled.wait(trouble.after):
                break
    return drive(run, parts)


class Watch(MemoryJournal):
    """The memory of a run that also looks when the verifier takes a patch for the first time."""

    def __init__(self, cancelled: Event) -> None:
        super().__init__(cancelled=cancelled)
        self.first: float | None = None

    def record(self, stage: str, n: int, value: object, seconds: float) -> None:
        """Keep the value, and the time of the first accepting verdict on the monotonic clock."""
        if self.first is None and isinstance(value, Verdict) and value.accepted:
            self.first = time.monotonic()
        super().record(stage, n, value, seconds)


def chosen(report: Report) -> Attempt | None:
    """The attempt that is judged: the proposed one, else the first that the verifier took."""
    return report.accepted or next((attempt for attempt in report.attempts if attempt.verdict.accepted), None)


def _ruled(case: BenchCase, report: Report, tree: SourceTree, means: Means) -> Ruling:
    attempt = chosen(report)
    if attempt is None or case.judge is None or report.reproduction is None:
        return Ruling(None)
    prepare = partial(means.sandbox.prepare, report.reproduction.plan, tree.tar(), means.cancelled)
    return case.judge(Fixed(tree, attempt.candidate.patch, prepare, means.cancelled))


def row_of(case: BenchCase, report: Report, ruling: Ruling, seconds: float, first: float | None, till: Till) -> Row:
    """The row of a run that has ended."""
    attempt = chosen(report)
    shown = attempt or (report.attempts[-1] if report.attempts else None)
    return Row(
        case=case.id,
        group=case.group,
        outcome=report.outcome.value,
        detail=report.detail,
        failure=report.diagnosis.cls.value if report.diagnosis else str(report.data.get("failure", "")),
        tier=shown.candidate.fixer if shown else "",
        plausible=any(_green(one.verdict) for one in report.attempts),
        verified=attempt is not None,
        confidence=attempt.confidence.value if attempt else "",
        correct=ruling.correct,
        why=ruling.why,
        alternatives=attempt.candidate.alternatives if attempt else 0,
        attempts=len(report.attempts),
        seconds=round(seconds, 2),
        stages={stage: round(spent, 2) for stage, spent in report.seconds.items()},
        first_s=None if first is None else round(first, 2),
        calls=till.calls,
        input_tokens=till.usage.input_tokens,
        output_tokens=till.usage.output_tokens,
        usd=till.usage.cost_usd,
        patch=whole_patch(report) or (attempt.candidate.patch if attempt else ""),
        rejected=tuple(one.verdict.rejected_by for one in report.attempts if one.verdict.rejected_by),
        expect=dict(case.expect),
    )


def _green(verdict: Verdict) -> bool:
    return verdict.accepted or (verdict.after is not None and verdict.after.green)
