"""Webhook latency at a fixed arrival rate, beside a bare FastAPI endpoint that only verifies the signature.

Both run as uvicorn processes at the same time and get the same load interleaved, so noise of the machine hits both.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import sys
from dataclasses import asdict, dataclass

from benchmarks.deliveries import BODY, Latency, Sender, accepted, at_rate, delivery, latency
from benchmarks.receivers import Database, Server, database, heal, missing, signature_only, size
from workers.bench.machine import describe

RATE = 50.0
WARM_UP = 20


@dataclass(frozen=True)
class Loaded:
    """One endpoint under load."""

    answers: Latency
    cpu_ms: float
    """The server's processor time per delivery, which a busy machine disturbs least."""
    memory_mb: tuple[float, float]
    """Resident after a tenth of the deliveries, and after all of them."""


@dataclass(frozen=True)
class Comparison:
    """One run of the benchmark. `lost` counts deliveries that were answered 202 and are not in the database."""

    machine: str
    database: str
    rate: float
    seconds: float
    heal: Loaded
    bare: Loaded
    p99_ratio: float
    cpu_ratio: float
    lost: int
    bytes_each: int
    """What the database grew by for one delivery."""

    @property
    def failed(self) -> int:
        """What was refused or lost."""
        return self.lost + self.heal.answers.failed + self.bare.answers.failed


def main() -> None:
    """Run, print, and fail when something was lost or refused."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=float, default=30.0)
    parser.add_argument("--rate", type=float, default=RATE, help="deliveries per second to each endpoint")
    parser.add_argument("--database", type=Database, default=Database.SQLITE, choices=list(Database))
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    found = compare(options.rate, options.seconds, options.database)
    print(json.dumps(asdict(found), indent=2) if options.json else table(found))
    if found.failed:
        sys.exit(1)


def compare(rate: float, seconds: float, kind: Database = Database.SQLITE) -> Comparison:
    """Load both endpoints at `rate` each for `seconds`."""
    machine = describe()
    with database(kind) as url:
        empty = size(url)
        with signature_only() as plain, heal(url) as ours:
            guids, loaded = asyncio.run(_load([ours, plain], rate, seconds))
        lost, grown = missing(url, guids), size(url) - empty
    one, other = loaded
    return Comparison(
        machine=machine,
        database=kind,
        rate=rate,
        seconds=seconds,
        heal=one,
        bare=other,
        p99_ratio=round(one.answers.p99_ms / other.answers.p99_ms, 2),
        cpu_ratio=round(one.cpu_ms / other.cpu_ms, 2) if other.cpu_ms else float("nan"),
        lost=lost,
        bytes_each=grown // (len(guids) + WARM_UP),
    )


async def _load(servers: list[Server], rate: float, seconds: float) -> tuple[list[str], list[Loaded]]:
    """What the first of them accepted, and the figures of each."""
    senders = [Sender(server.port) for server in servers]
    for _ in range(WARM_UP):  # both are warm before anything is measured
        await asyncio.gather(*(sender.send(delivery()) for sender in senders))
    before = [server.used() for server in servers]
    begun = await at_rate(senders, rate, seconds / 10)
    early = [server.used() for server in servers]
    rest = await at_rate(senders, rate, seconds - seconds / 10)
    after = [server.used() for server in servers]
    for sender in senders:
        sender.close()
    found = []
    for n in range(len(servers)):
        answers = begun[n] + rest[n]
        cpu_ms = 1000 * (after[n].cpu_seconds - before[n].cpu_seconds) / len(answers)
        memory = round(early[n].memory_mb, 1), round(after[n].memory_mb, 1)
        found.append(Loaded(latency(answers), round(cpu_ms, 2), memory))
    return accepted(begun[0] + rest[0]), found


def table(found: Comparison) -> str:
    """The comparison as Markdown."""
    load = f"{found.rate:g} deliveries/s of {round(len(BODY) / 1000)} kB for {found.seconds:g} s"
    rows = [
        f"{load}, {found.database}, on {found.machine}",
        "",
        "| endpoint | sent | failed | median ms | p99 ms | max ms | CPU ms each | MB after a tenth | MB at the end |",
        "| --- | --- | --- | --- | --- | --- | --- | --- | --- |",
    ]
    for name, one in (("heal", found.heal), ("bare, signature only", found.bare)):
        told = one.answers
        figures = (told.sent, told.failed, told.median_ms, told.p99_ms, told.max_ms, one.cpu_ms, *one.memory_mb)
        rows.append(f"| {name} | {' | '.join(map(str, figures))} |")
    rows += [
        "",
        f"p99 ratio {found.p99_ratio}, CPU ratio {found.cpu_ratio}, database bytes each {found.bytes_each}, "
        f"acknowledged and lost: {found.lost}",
    ]
    return "\n".join(rows)


if __name__ == "__main__":
    main()
