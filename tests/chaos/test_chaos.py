"""The short form of `make chaos`, on both databases, and proof that it can fail."""

from __future__ import annotations

import pytest

from tests.chaos.suite import Half, naive, play, short

pytestmark = [pytest.mark.story, pytest.mark.redis, pytest.mark.timeout(900)]
SEED = 7


@pytest.mark.fault(54, 55, 56, 58, 67)
def test_nothing_is_lost_on_sqlite() -> None:
    """Kills, flushes, a half-open and a frozen Redis, a process that sleeps past its lease, lost answers, a full disk:
    every accepted delivery comes to one run that ended, seen once on GitHub, and nothing stays behind."""
    keeps(short("sqlite", SEED))


@pytest.mark.postgres
@pytest.mark.engine
@pytest.mark.fault(54, 55, 62)
def test_nothing_is_lost_on_postgresql() -> None:
    """The same with a database that goes away, and with containers at work."""
    keeps(short("postgresql", SEED))


def keeps(half: Half) -> None:
    played = play(half)
    assert played.audit.wrong == []
    assert played.audit.due > half.runs
    assert played.done == half.acts


def test_without_the_ledger_runs_are_lost() -> None:
    """The same kills and flushes lose runs of a worker that keeps its queue in Redis: the suite can fail. Each flush
    costs one at least, for a bell hangs in Redis when it comes; what the kills cost is luck."""
    played = play(naive(SEED))
    assert len([what for what in played.audit.lost if what.startswith("run ")]) >= played.done["flush"] >= 2
