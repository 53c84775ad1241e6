"""Whose turn it is: no installation waits for another one's backlog."""

from __future__ import annotations

import dataclasses

from sqlalchemy import Engine

from tests.workers.store.test_ledger import claimed, expire, now_due
from workers.domain import Case, JobReport, RunId
from workers.store.ledger import Ledger


def opened(ledger: Ledger, case: Case, installation: int, count: int) -> list[RunId]:
    of = dataclasses.replace(case, installation_id=installation)
    return [ledger.open_run(of, f"{installation}:{n}", "delivery")[0] for n in range(count)]


def served(ledger: Ledger, bells: int) -> list[RunId]:
    """What so many bells lead to, on workers that are all at work until the end."""
    taken = []
    for _ in range(bells):
        run = ledger.turns()[0]
        claimed(ledger, run)
        taken.append(run)
    return taken


def test_a_backlog_of_one_installation_holds_up_no_other(ledger: Ledger, case: Case) -> None:
    """Thirty red jobs of one, then one job each of two more: the bells come in that order, and the newcomers are served
    second and third."""
    many, one, another = (opened(ledger, case, n, count) for n, count in ((9, 30), (10, 1), (11, 1)))
    assert served(ledger, 4) == [many[0], one[0], another[0], many[1]]


def test_within_an_installation_the_oldest_is_first(ledger: Ledger, case: Case) -> None:
    """Turns keep the order of arrival among those who have as many at work."""
    runs = opened(ledger, case, 9, 4)
    assert ledger.turns() == runs
    assert served(ledger, 2) == runs[:2]
    assert ledger.turns() == runs[2:]


def test_only_what_is_at_work_counts_against_an_installation(engine: Engine, ledger: Ledger, case: Case) -> None:
    """A run that is over, that waits, or whose worker died takes nobody's turn."""
    first, second, third = opened(ledger, case, 9, 3)
    other = opened(ledger, case, 10, 1)[0]
    claimed(ledger, first).park(3600, "CI")
    claimed(ledger, second)
    expire(engine, second)
    assert ledger.turns() == [second, third, other]
    claimed(ledger, second)
    assert ledger.turns() == [other, third]


def test_what_was_begun_goes_on_before_what_waits(engine: Engine, ledger: Ledger, case: Case) -> None:
    """A run whose worker died does not queue up again behind the backlog: people have waited for it already."""
    first, *others = opened(ledger, case, 9, 4)
    claimed(ledger, first)
    expire(engine, first)
    assert ledger.turns() == [first, *others]
    claimed(ledger, others[1])
    expire(engine, others[1])
    assert ledger.turns() == [first, others[1], others[0], others[2]]
    claimed(ledger, others[2], "host:2/1").record("checkout", 0, JobReport("test"), 1.0)
    ledger.release_worker("host:2")
    now_due(engine, others[2])
    assert ledger.turns() == [first, others[1], others[2], others[0]]
