"""One run for a base that is red, however many pull requests lead to it, and whoever reports it first."""

from __future__ import annotations

from dataclasses import replace

import pytest
from sqlalchemy import Engine

from tests.workers.store.test_ledger import claimed, expire
from workers.domain import Blame, Case, Commit, Lead, Outcome, Report, RunId, Sha, StageName
from workers.errors import LeaseLost
from workers.run_key import actions_key
from workers.store.ledger import Ledger
from workers.store.pages import Pages

BASE = Case(RunId(""), "octo/red", 7, 9, Sha("b" * 40), "main", job="test", job_id=41, actions_run_id=40)


def victim(ledger: Ledger, case: Case, n: int) -> RunId:
    return ledger.open_run(replace(case, pull_request=n), f"pull:{n}", "delivery")[0]


def test_two_pull_requests_lead_to_one_run(ledger: Ledger, engine: Engine, case: Case) -> None:
    """The first opens it, the second finds it, and so does the base's own event when it comes."""
    leads = []
    for n in (1, 2):
        with claimed(ledger, victim(ledger, case, n)) as lease:
            leads.append(lease.lead_to(BASE))
            leads.append(lease.lead_to(BASE))
    assert len({lead.run for lead in leads}) == 1
    assert ledger.open_run(BASE, actions_key(7, 40, 1), "delivery") == (leads[0].run, False)
    page = Pages(engine).run(leads[0].run)
    assert page is not None
    assert (page.line.head_sha, page.line.branch, page.line.pull_request) == (BASE.head_sha, "main", None)
    assert leads[0].run in ledger.due()


def test_a_run_that_is_there_tells_what_it_knows(ledger: Ledger, case: Case) -> None:
    """Its outcome and the commit that broke the base, once they are found."""
    run, _ = ledger.open_run(BASE, actions_key(7, 40, 1), "delivery")
    blame = Blame(Sha("c" * 40), (Commit(Sha("d" * 40), author="Ada"),), 1, pull_request=12)
    with claimed(ledger, run) as base:
        base.record(StageName.BLAME, 0, blame, 1.0)
        with claimed(ledger, victim(ledger, case, 1), "host:1/2") as lease:
            assert lease.lead_to(BASE) == Lead(run, "", None, blame)
        base.finish(Report(base.case, Outcome.NO_FIX_FOUND, ""))
    with claimed(ledger, victim(ledger, case, 2), "host:1/3") as lease:
        assert lease.lead_to(BASE) == Lead(run, "NO_FIX_FOUND", None, blame)


def test_a_worker_that_lost_its_run_opens_none(ledger: Ledger, engine: Engine, case: Case) -> None:
    """Who was overtaken changes nothing: the run is opened by the one that has the lease now."""
    run = victim(ledger, case, 1)
    with claimed(ledger, run) as lease:
        expire(engine, run)
        claimed(ledger, run, "host:2/2")
        with pytest.raises(LeaseLost):
            lease.lead_to(BASE)
    assert ledger.open_run(BASE, actions_key(7, 40, 1), "delivery")[1]
