"""How statements reach the database: written once, sent many times."""

from __future__ import annotations

from typing import Any

from sqlalchemy import Engine, create_engine, event
from sqlalchemy.engine.interfaces import CacheStats

from workers.domain import Case
from workers.store.database import normal_url
from workers.store.inbox import DeliveryRow, Inbox
from workers.store.ledger import Ledger
from workers.store.models import DeliveryState
from workers.store.pages import Pages


def test_statements_are_compiled_once(engine: Engine, ledger: Ledger, case: Case) -> None:
    """What each delivery and each run asks of the database is compiled the first time alone, clock and all: compiling
    costs more processor time than all else that is done with it."""
    compiled: list[str] = []

    def look(*told: Any) -> None:
        statement, context = told[2], told[4]
        if context.compiled is not None and context.cache_hit is not CacheStats.CACHE_HIT:
            compiled.append(statement)

    event.listen(engine, "before_cursor_execute", look)
    inbox = Inbox(engine)
    for n in range(2):
        compiled.clear()
        _work(inbox, ledger, case, n)
    assert compiled == []


def test_a_page_takes_one_connection(url: str, ledger: Ledger, case: Case) -> None:
    """Each question of the pages is answered where there is no second connection to be had: forty readers that held one
    and waited for another would wait for each other."""
    run, _ = ledger.open_run(case, "key", "check_run")
    single = create_engine(normal_url(url), pool_size=1, max_overflow=0, pool_timeout=0.2)
    pages = Pages(single)
    page = pages.run(run)
    assert page is not None
    assert [event.id for event in page.events][-1:] == [pages.newest([run]).get(run)]
    assert pages.visible(run, None)
    assert pages.runs().total == 1
    assert pages.figures().runs == {"queued": 1}
    single.dispose()


def test_many_bells_are_noted_in_one_transaction(engine: Engine, ledger: Ledger, case: Case) -> None:
    """A hundred runs that were rung cost one commit: the database's one writer is the one that GitHub waits for."""
    for n in range(100):
        ledger.open_run(case, f"key-{n}", "check_run")
    begun: list[object] = []
    event.listen(engine, "begin", begun.append)
    due = ledger.due()
    ledger.rung(*due)
    assert len(begun) == 2  # the look, and the note
    assert (len(due), ledger.due()) == (100, [])
    ledger.rung()
    assert len(begun) == 3


def _work(inbox: Inbox, ledger: Ledger, case: Case, n: int) -> None:
    """A delivery from its coming to its mark, and a run from its key to its lease."""
    inbox.add_many([DeliveryRow(f"g-{n}", "push", b"{}")])
    (taken,) = inbox.take()
    inbox.mark(taken.id, DeliveryState.ROUTED)
    assert inbox.take() == []
    inbox.counts()
    run, _ = ledger.open_run(case, f"key-{n}", "check_run")
    assert ledger.due() == [run]
    ledger.rung(run)
    lease = ledger.claim(run, "owner")
    assert lease is not None
    lease.guard()
    lease.park(60.0, "later")
