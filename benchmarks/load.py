"""`make bench-load`: steady load on both databases, the storms, runs an hour and memory, and what follows for growth.

Fails when a delivery was refused that had to be taken, when one was acknowledged and is not there, or a run went wrong.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any

from benchmarks import growth, storms, throughput, webhook
from benchmarks.deliveries import Latency
from benchmarks.growth import Measured
from benchmarks.receivers import Database
from benchmarks.results import keep
from benchmarks.storms import Burst, Frozen, Killed, Large, Stall
from benchmarks.throughput import Throughput
from benchmarks.webhook import Comparison
from workers.bench.machine import describe

RATE = 100.0
SLOTS = (1, 2, 4)
PARTS = ("steady", "storms", "runs")


@dataclass(frozen=True)
class Wanted:
    """How long and how much."""

    seconds: float = 600.0
    at_once: int = 1_000
    stalled: int = 500
    """Bodies, and as many heads."""
    kills: int = 40
    phase_seconds: float = 20.0
    runs: int = 1_000
    """With two at a time, for the memory; the others do a fifth of it."""
    run_seconds: float = 10.0
    """How long a healing run holds its slot, for the growth: see `Red event to pull request`."""


@dataclass(frozen=True)
class Storms:
    """Everything that is no steady load."""

    burst: Burst
    stall: Stall
    large: Large
    killed: Killed
    frozen: Frozen

    @property
    def failed(self) -> int:
        """What was refused or lost in any of them."""
        return sum(one.failed for one in (self.burst, self.stall, self.large, self.killed, self.frozen))


@dataclass(frozen=True)
class Found:
    """What was measured; parts that were not asked for are empty."""

    machine: str
    steady: tuple[Comparison, ...] = ()
    storms: Storms | None = None
    runs: tuple[Throughput, ...] = ()

    @property
    def wrong(self) -> tuple[str, ...]:
        """Each part in which something was refused, lost or came out wrong."""
        loads = tuple(f"steady, {one.database}: {one.failed} refused or lost" for one in self.steady if one.failed)
        storms = (f"storms: {self.storms.failed} refused or lost",) if self.storms and self.storms.failed else ()
        return (*loads, *storms, *(one.wrong for one in self.runs if one.wrong))

    def data(self) -> Mapping[str, Any]:
        """For JSON."""
        return asdict(self)

    def sections(self, wanted: Wanted) -> Mapping[str, str]:
        """Tables by their titles in RESULTS.md."""
        told: dict[str, str] = {}
        if self.steady:
            told["Load: a steady rate"] = "\n\n".join(webhook.table(one) for one in self.steady)
        if self.storms:
            told["Load: storms"] = f"On {self.machine}.\n\n{storms_table(self.storms)}"
        if self.runs:
            told["Load: runs of one worker"] = f"On {self.machine}.\n\n{throughput.table(self.runs)}"
        if self.steady and self.runs:
            figures = measured(self.steady, self.runs, wanted.run_seconds)
            told["Load: growth"] = f"{growth.said(figures)}\n\n{growth.table(figures)}"
        return told


def steady(wanted: Wanted) -> list[Comparison]:
    """The steady load on each database."""
    return [webhook.compare(RATE, wanted.seconds, kind) for kind in Database]


def all_storms(wanted: Wanted) -> Storms:
    """One after the other."""
    return Storms(
        burst=storms.burst(wanted.at_once),
        stall=storms.stall(wanted.stalled, wanted.stalled),
        large=storms.large(),
        killed=storms.killed(wanted.kills),
        frozen=storms.frozen(wanted.phase_seconds),
    )


def runs(wanted: Wanted) -> list[Throughput]:
    """One worker with each number of slots."""
    return [throughput.measure(wanted.runs if slots == 2 else max(20, wanted.runs // 5), slots) for slots in SLOTS]


def measured(loads: Sequence[Comparison], done: Sequence[Throughput], run_seconds: float) -> Measured:
    """What growth is computed from: the dearer database, and the longest series of runs."""
    longest = max(done, key=lambda one: one.runs)
    last = longest.samples[-1]
    return Measured(
        receiver_cpu_ms=max(load.heal.cpu_ms for load in loads),
        delivery_bytes=max(load.bytes_each for load in loads),
        overhead_cpu_s=longest.worker_cpu / longest.runs,
        run_seconds=run_seconds,
        receiver_mb=max(last.receiver_mb, *(load.heal.memory_mb[1] for load in loads)),
        worker_mb=last.worker_mb,
        run_requests=longest.requests / longest.runs,
    )


def storms_table(found: Storms) -> str:
    """The storms as Markdown."""
    burst, stall, large, killed = found.burst, found.stall, found.large, found.killed
    rows = [
        "| storm | sent | failed | median ms | p99 ms | max ms |",
        "| --- | --- | --- | --- | --- | --- |",
        _latency_row("at once, each over its own connection", burst.answers),
        _latency_row("others before clients stall", stall.alone),
        _latency_row(f"others while {stall.stalled} clients stall", stall.meanwhile),
        *(_latency_row(f"Redis {phase.redis}", phase.answers) for phase in found.frozen.phases),
        "",
        f"- At once: the last answer after {burst.seconds} s; acknowledged and lost: {burst.lost}.",
        f"- Stalled: {stall.told} of {stall.stalled} told 408, the last after {stall.seconds} s.",
        f"- 25 MB: {large.status} in {large.seconds} s, {large.growth_mb} MB more until then, {large.routed_mb} MB "
        f"while it was routed, {large.kept_mb} MB afterwards.",
        f"- SIGKILL: {killed.kills} times, {killed.acknowledged} of {killed.sent} deliveries acknowledged, "
        f"{killed.lost} of them lost.",
        f"- Redis half open and frozen: acknowledged and lost: {found.frozen.lost}.",
    ]
    return "\n".join(rows)


def _latency_row(name: str, one: Latency) -> str:
    figures = (one.sent, one.failed, one.median_ms, one.p99_ms, one.max_ms)
    return f"| {name} | {' | '.join(map(str, figures))} |"


def measure(wanted: Wanted, parts: Sequence[str] = PARTS) -> Iterator[Found]:
    """What is known after each of these parts, so that a later one that breaks takes nothing with it."""
    found = Found(describe())
    if "steady" in parts:
        yield (found := replace(found, steady=tuple(steady(wanted))))
    if "storms" in parts:
        yield (found := replace(found, storms=all_storms(wanted)))
    if "runs" in parts:
        yield replace(found, runs=tuple(runs(wanted)))


def main() -> None:
    """Measure, print, keep, and fail when something was refused, lost or wrong."""
    normal = Wanted()
    parser = argparse.ArgumentParser(prog="python -m benchmarks.load", description=__doc__)
    parser.add_argument("--only", nargs="+", choices=PARTS, default=PARTS)
    for name, value in asdict(normal).items():
        parser.add_argument(f"--{name.replace('_', '-')}", type=type(value), default=value)
    parser.add_argument("--keep", action="store_true", help="write the figures into RESULTS.md")
    parser.add_argument("--json", action="store_true")
    options = vars(parser.parse_args())
    wanted = Wanted(**{name: options[name] for name in asdict(normal)})
    told: set[str] = set()
    for found in measure(wanted, options["only"]):
        sections = found.sections(wanted)
        for title in [one for one in sections if one not in told]:
            if not options["json"]:
                print(f"## {title}\n\n{sections[title]}\n", flush=True)
            if options["keep"] and not found.wrong:
                keep(title, sections[title])
        told |= sections.keys()
    if options["json"]:
        print(json.dumps(found.data(), indent=2))
    if found.wrong:
        sys.exit("\n".join(found.wrong))


if __name__ == "__main__":
    main()
