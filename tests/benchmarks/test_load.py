"""The short form of the load: what was acknowledged is there, nothing that had to be taken was refused. No seconds."""

from __future__ import annotations

import pytest

from benchmarks import storms, throughput, webhook
from benchmarks.receivers import Database
from benchmarks.throughput import Sample, Throughput

pytestmark = pytest.mark.uncounted

RATE, SECONDS = 100.0, 30.0


@pytest.mark.parametrize(
    "kind", [Database.SQLITE, pytest.param(Database.POSTGRESQL, marks=pytest.mark.postgres)], ids=str.lower
)
@pytest.mark.process
def test_a_steady_rate(kind: Database) -> None:
    """Every delivery is answered with 202 and kept."""
    found = webhook.compare(RATE, SECONDS, kind)
    assert (found.heal.answers.sent, found.heal.answers.failed, found.lost) == (RATE * SECONDS, 0, 0)


@pytest.mark.process
def test_killed_under_load() -> None:
    """What was acknowledged before a SIGKILL is there afterwards."""
    found = storms.killed(2)
    assert found.acknowledged > 0
    assert found.lost == 0


@pytest.mark.fault(56)
@pytest.mark.process
@pytest.mark.redis
def test_redis_half_open_and_frozen() -> None:
    """Deliveries that open runs are taken as ever while the bell does not ring."""
    found = storms.frozen(1.0)
    assert [phase.redis for phase in found.phases] == ["well", "half open", "frozen", "well again"]
    assert found.failed == 0


def test_memory_is_compared_with_the_first_hundred_runs() -> None:
    """Growth counts from the first look after so many runs, and the table has a line for each look."""
    looks = tuple(Sample(runs, 100.0 + runs / 100, 400.0, 200.0 - runs / 50) for runs in (50, 100, 150, 200))
    found = Throughput(2, 200, 100.0, 1.0, 20.0, 30.0, 2600, looks)
    assert found.per_hour == 7200
    assert found.growth() == (1.0, -2.0)
    lines = throughput.table([found]).splitlines()
    assert "| 2 | 200 | 100.0 | 7200 | 0.100 | 0.005 | 0.150 |" in lines
    assert sum(line.startswith(("| 50 |", "| 100 |", "| 150 |", "| 200 |")) for line in lines) == 4
