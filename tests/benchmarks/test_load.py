"""The short form of the load: what was acknowledged is there, nothing that had to be taken was refused. No seconds."""

from __future__ import annotations

import pytest

from benchmarks import storms, throughput, webhook
from benchmarks.receivers import Database

pytestmark = pytest.mark.process
RATE, SECONDS = 100.0, 5.0


@pytest.mark.parametrize(
    "kind", [Database.SQLITE, pytest.param(Database.POSTGRESQL, marks=pytest.mark.postgres)], ids=str.lower
)
def test_a_steady_rate(kind: Database) -> None:
    """Every delivery is answered with 202 and kept."""
    found = webhook.compare(RATE, SECONDS, kind)
    assert (found.heal.answers.sent, found.heal.answers.failed, found.lost) == (RATE * SECONDS, 0, 0)


def test_a_thousand_at_once() -> None:
    """None of them is refused, and all are kept."""
    found = storms.burst(1_000)
    assert (found.answers.sent, found.answers.failed, found.lost) == (1_000, 0, 0)


def test_killed_under_load() -> None:
    """What was acknowledged before a SIGKILL is there afterwards."""
    found = storms.killed(2)
    assert found.acknowledged > 0
    assert found.lost == 0


@pytest.mark.fault(56)
@pytest.mark.redis
def test_redis_half_open_and_frozen() -> None:
    """Deliveries that open runs are taken as ever while the bell does not ring."""
    found = storms.frozen(1.5)
    assert [phase.redis for phase in found.phases] == ["well", "half open", "frozen", "well again"]
    assert found.failed == 0


@pytest.mark.story
@pytest.mark.redis
def test_runs_of_one_worker() -> None:
    """Each red workflow run becomes one run and one pull request, and the figures that growth needs are there."""
    found = throughput.measure(8, slots=2, every=4)
    assert found.wrong == ""
    assert found.samples[-1].runs == 8
    assert min(found.samples[-1].receiver_mb, found.samples[-1].steady_mb, found.worker_cpu, found.requests) > 0
