"""How what an installation needs grows from 1 to 1,000,000 deliveries a day, from measured figures and stated habits.

Pure arithmetic: it measures nothing, and whoever has other figures or other habits gets another table.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import Enum

DAY, HOUR = 86_400.0, 3_600.0
STEPS = (1, 100, 1_000, 10_000, 100_000, 1_000_000)
RUNS_A_WORKER = 4
BUSY = 0.6
"""A processor that is used more than this makes whoever comes next wait."""


@dataclass(frozen=True)
class Measured:
    """Figures of one machine, each from a run of a benchmark there."""

    receiver_cpu_ms: float
    """Processor time of receiver and dispatcher for one delivery."""
    delivery_bytes: float
    """What the database grows by for one."""
    overhead_cpu_s: float
    """Processor time of a worker for one run beside its sandbox: queue, store and GitHub."""
    run_seconds: float
    """How long a run that heals holds its slot."""
    receiver_mb: float
    worker_mb: float
    """Resident, after a thousand runs."""
    run_requests: float
    """Requests to GitHub for one run."""


@dataclass(frozen=True)
class Habits:
    """What people and their CI do; assumed, not measured."""

    red_share: float = 0.02
    """Deliveries that start a run: most tell of jobs that begin, pass or are queued."""
    peak: float = 5.0
    """The busiest hour against the mean of the day."""
    body_days: float = 14.0
    log_days: float = 30.0
    log_kb: float = 200.0
    """Logs and other large parts of one run, packed."""
    run_days: float = 400.0
    run_kb: float = 50.0
    """What stays of one run after that: stages, patches, timeline."""
    sandbox_cores: float = 1.0
    sandbox_mb: float = 1024.0
    """What a check takes while it runs; it runs nearly as long as its run."""
    requests_an_hour: float = 5_000.0
    """GitHub's limit for one installation of an App."""


@dataclass(frozen=True)
class Need:
    """What so many deliveries a day take, in the busiest hour."""

    deliveries: int
    a_second: float
    receiver_cores: float
    runs_a_day: float
    slots: float
    requests_an_hour: float
    disk_gb: float
    memory_gb: float
    cores: float


class Part(Enum):
    """What may be too small first, and what is added then."""

    SLOTS = "slots", "another worker, or a larger engine host and HEAL_SLOTS"
    RECEIVER = "receiver", "PostgreSQL and a second `heal serve` behind the proxy"
    GITHUB = "GitHub's limit", "nothing: only that installation's runs wait; each installation has a limit of its own"
    DISK = "disk", "PostgreSQL on a disk of its own, or shorter HEAL_KEEP_BODIES_DAYS"

    def __init__(self, title: str, remedy: str) -> None:
        self.title = title
        self.remedy = remedy


@dataclass(frozen=True)
class Smallest:
    """The smallest installation: one machine of two cores with SQLite."""

    slots: int = 1
    receiver_cores: float = 1.0
    disk_gb: float = 20.0
    installations: int = 1


def need(deliveries: int, measured: Measured, habits: Habits) -> Need:
    """What `deliveries` a day take."""
    a_second = deliveries / DAY * habits.peak
    runs_a_second = a_second * habits.red_share
    receiver_cores = a_second * measured.receiver_cpu_ms / 1000
    slots = runs_a_second * measured.run_seconds
    receivers, workers = max(1, math.ceil(receiver_cores / BUSY)), max(1, math.ceil(slots / RUNS_A_WORKER))
    runs_a_day = deliveries * habits.red_share
    bodies = deliveries * habits.body_days * measured.delivery_bytes
    kept = bodies + runs_a_day * 1e3 * (habits.log_days * habits.log_kb + habits.run_days * habits.run_kb)
    memory = receivers * measured.receiver_mb + workers * measured.worker_mb + math.ceil(slots) * habits.sandbox_mb
    return Need(
        deliveries=deliveries,
        a_second=a_second,
        receiver_cores=receiver_cores,
        runs_a_day=runs_a_day,
        slots=slots,
        requests_an_hour=runs_a_second * HOUR * measured.run_requests,
        disk_gb=kept / 1e9,
        memory_gb=memory / 1e3,
        cores=receiver_cores + runs_a_second * measured.overhead_cpu_s + slots * habits.sandbox_cores,
    )


def loads(one: Need, habits: Habits, has: Smallest) -> dict[Part, float]:
    """How full each part of an installation is; above 1 it does not keep up."""
    return {
        Part.SLOTS: one.slots / has.slots,
        Part.RECEIVER: one.receiver_cores / (has.receiver_cores * BUSY),
        Part.GITHUB: one.requests_an_hour / (has.installations * habits.requests_an_hour),
        Part.DISK: one.disk_gb / has.disk_gb,
    }


def reach(part: Part, measured: Measured, habits: Habits, has: Smallest) -> float:
    """Deliveries a day at which the part is full. Every load grows in proportion."""
    probe = 1_000_000
    return probe / loads(need(probe, measured, habits), habits, has)[part]


def table(measured: Measured, habits: Habits | None = None, steps: Sequence[int] = STEPS) -> str:
    """Needs for each number of deliveries a day, and where the smallest installation ends, as Markdown."""
    assumed, has = habits or Habits(), Smallest()
    titles = (
        *("deliveries a day", "a second, busiest hour", "receiver cores", "runs a day", "runs at a time"),
        *("requests to GitHub an hour", "disk GB", "memory GB", "cores in all", "full on the smallest installation"),
    )
    rows = [_row(titles), _row(["---"] * len(titles))]
    for count in steps:
        one = need(count, measured, assumed)
        by_load = sorted(loads(one, assumed, has).items(), key=lambda pair: -pair[1])
        full = ", ".join(part.title for part, load in by_load if load > 1)
        figures = (one.a_second, one.receiver_cores, one.runs_a_day, one.slots, one.requests_an_hour)
        told = map(_figure, (*figures, one.disk_gb, one.memory_gb, one.cores))
        rows.append(_row([f"{count:,}", *told, full or "nothing"]))
    rows += ["", _row(["what is full first", "at deliveries a day", "what to add"]), _row(["---"] * 3)]
    ends = sorted((reach(part, measured, assumed, has), part.title, part.remedy) for part in Part)
    rows += [_row([title, f"{at:,.0f}", remedy]) for at, title, remedy in ends]
    return "\n".join(rows)


def said(measured: Measured, habits: Habits | None = None) -> str:
    """Which figures went in, in words."""
    assumed = habits or Habits()
    return (
        f"Measured: {measured.receiver_cpu_ms:g} ms of processor time and {measured.delivery_bytes / 1e3:.1f} kB of "
        f"database for a delivery; {measured.overhead_cpu_s:.2f} s of a worker's processor time and "
        f"{measured.run_requests:.0f} requests to GitHub for a run, which holds its slot {measured.run_seconds:g} s; "
        f"{measured.receiver_mb:.0f} MB for a receiver, {measured.worker_mb:.0f} MB for a worker. "
        f"Assumed: {assumed.red_share:.0%} of deliveries start a run, the busiest hour has {assumed.peak:g} times the "
        f"mean, a check takes {assumed.sandbox_cores:g} core and {assumed.sandbox_mb / 1024:g} GB while it runs. "
        f"Bodies are kept {assumed.body_days:g} days, {assumed.log_kb:g} kB of logs for each run {assumed.log_days:g} "
        f"days, {assumed.run_kb:g} kB of it {assumed.run_days:g} days."
    )


def _row(cells: Iterable[str]) -> str:
    return f"| {' | '.join(cells)} |"


def _figure(value: float) -> str:
    """Two digits that count, or all of a whole number."""
    return f"{value:,.0f}" if value >= 10 else f"{value:.2g}"
