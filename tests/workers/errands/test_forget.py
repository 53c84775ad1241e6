"""What stays of an account that took the App off: outcomes and times. Everything of its code and people goes."""

from __future__ import annotations

import zlib
from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest
from sqlalchemy import insert

from tests.bot.conftest import database, empty_database
from tests.hub.process import Hub
from tests.workers.errands.desks import Office, office
from workers.domain import Candidate, Case, Confidence, Outcome, Report, RunId, Sha, Sighting, StageName, Usage, Verdict
from workers.errands.model import CommandGiven, Forget, Place
from workers.git import mirrors
from workers.llm.budgets import Purpose, Worst
from workers.llm.exchange import Call
from workers.llm.purse import Asked, Paid
from workers.store.database import transact
from workers.store.heads import Head, Heads
from workers.store.inbox import DeliveryRow, Inbox, Mark
from workers.store.models import Change, DeliveryState, Ignored, InstallationState, Lesson, RepoState
from workers.store.tenants import Tenants

__all__ = ["database", "empty_database"]

SECRET = "the-secret-of-octo"
THEIRS, REMOVED, OTHERS = (501, 7001), (501, 7002), (502, 8001)
"""(installation, repository): the one that leaves, another repository of it, somebody else's."""


def fill(desks: Office, installation_id: int, repo_id: int) -> RunId:
    """A finished run with all that hangs on it, and everything else that is kept of a repository."""
    name = f"{SECRET}/{repo_id}"
    Tenants(desks.engine).repos(installation_id, [(repo_id, name)], RepoState.ACTIVE)
    Tenants(desks.engine).installation(installation_id, SECRET, 1, InstallationState.ACTIVE)
    inbox = Inbox(desks.engine)
    inbox.add(DeliveryRow(f"g-{repo_id}", "workflow_run", SECRET.encode()))
    (delivery,) = inbox.take()
    inbox.mark_many([Mark(delivery.id, DeliveryState.ROUTED, SECRET, installation_id, repo_id)])
    case = Case(
        RunId(""), name, repo_id, installation_id, Sha("a" * 40), SECRET, SECRET, pull_request=3, requested_by=SECRET
    )
    run, _ = desks.ledger.open_run(case, f"key:{SECRET}:{repo_id}", "delivery", delivery_id=delivery.id)
    lease = desks.ledger.claim(run, "test")
    assert lease is not None
    with lease:
        lease.record(StageName.PROPOSE.value, 0, Candidate(SECRET, SECRET, SECRET, Confidence.LOW), 1.0)
        lease.record(StageName.VERIFY.value, 0, Verdict(False, SECRET, SECRET), 1.0)
        purse, worst = lease.purse(()), Worst(10, None)
        purse.reserve(SECRET, Asked(Purpose.FIXER, "openai", "gpt-5", worst))
        purse.settle(SECRET, Paid("gpt-5", Usage(9, 1, None), Call(SECRET)))
        lease.sighted([Sighting(SECRET, 2, 1)])
        lease.finish(Report(lease.case, Outcome.NO_FIX_FOUND, SECRET))
    Heads(desks.engine).note(repo_id, 3, Head(Sha("a" * 40), False, 1.0))
    owned = {"installation_id": installation_id, "repo_id": repo_id, "number": 3, "fingerprint": SECRET}
    change = {"how": "pull", "branch": SECRET, "target": SECRET, "commit": "a", "onto": "b", "patch": SECRET}
    times = {"state": "open", "created_at": 1.0, "updated_at": 1.0, "job": SECRET}
    ignored = {"repo_id": repo_id, "kind": "test", "value": SECRET, "who": SECRET, "at": 1.0}

    def work(connection: object) -> None:
        connection.execute(insert(Lesson).values(**owned, accepted=True, patch=SECRET, signature=SECRET, at=1.0))  # type: ignore[attr-defined]
        connection.execute(insert(Change).values(**owned, **change, **times))  # type: ignore[attr-defined]
        connection.execute(insert(Ignored).values(**ignored))  # type: ignore[attr-defined]

    transact(desks.engine, work)
    place = Place(installation_id, repo_id, name, SECRET, 9)
    desks.errands.open(CommandGiven(place, 3, True, repo_id, SECRET, 1.0), f"command:{repo_id}", after=3600)
    mirror = mirrors.mirror(mirrors.folder(desks.state_dir), repo_id)
    mirror.mkdir(parents=True)
    (mirror / "packed").write_text(SECRET)
    return run


@pytest.fixture
def desks(hub: Hub, database: str, tmp_path: Path) -> Iterator[Office]:
    made = office(hub, hub.create_app(account="octo"), database, tmp_path / "state")
    yield made
    made.engine.dispose()


def kept(desks: Office) -> set[int]:
    """The repositories whose mirrors lie on the disk."""
    return {int(path.stem) for path in mirrors.folder(desks.state_dir).iterdir()}


def told(desks: Office) -> str:
    """Everything the database holds, as text."""
    tables = ("delivery", "run", "stage_result", "attempt", "event", "test_sighting", "errand", "pull_head", "change",
              "lesson", "ignored", "installation", "repo", "llm_call")  # fmt: skip
    found = []
    for table in tables:
        for row in desks.rows(table):
            body = {"body": zlib.decompress(row["body"])} if table == "delivery" else {}
            found.append(str({**row, **body}))
    return "\n".join(found)


def test_an_account_that_left(desks: Office) -> None:
    """Nothing of it can be found any more but the outcome and the times of its runs; its mirrors are off the disk."""
    run = fill(desks, *THEIRS)
    before = next(row for row in desks.rows("run") if row["id"] == run)
    assert SECRET in told(desks)
    Tenants(desks.engine).installation(501, "", 0, InstallationState.DELETED)
    row = desks.do(Forget(501))
    assert (row["state"], row["answer"]) == ("done", "forgot 1 repositories and 1 mirrors")
    assert SECRET not in told(desks)
    assert kept(desks) == set()
    after = desks.rows("run")[0]
    same = ("id", "state", "outcome", "created_at", "started_at", "finished_at", "repo_id", "installation_id")
    assert [after[name] for name in same] == [before[name] for name in same]
    assert [(row["input_tokens"], row["installation_id"]) for row in desks.rows("llm_call")] == [(9, 501)]
    assert [row["state"] for row in desks.rows("errand") if row["kind"] == "command"] == ["dead"]
    assert desks.do(Forget(501), "again")["state"] == "done"


def test_repositories_that_were_taken_out(desks: Office) -> None:
    """Only what belongs to them goes: other repositories of the account and other accounts keep theirs."""
    for one in (THEIRS, REMOVED, OTHERS):
        fill(desks, *one)
    Tenants(desks.engine).repos(501, [(7002, "octo/gone")], RepoState.REMOVED)
    assert desks.do(Forget(501, (7002,)))["state"] == "done"
    assert kept(desks) == {7001, 8001}
    left = [row["repo_id"] for row in desks.rows("run") if row["repo"]]
    assert left == [row["repo_id"] for row in desks.rows("lesson")] == [7001, 8001]
    assert _open_bodies(desks) == [SECRET.encode()] * 2


def _open_bodies(desks: Office) -> Sequence[bytes]:
    bodies = [zlib.decompress(row["body"]) for row in desks.rows("delivery")]
    return [body for body in bodies if body != b"{}"]


def test_a_run_that_still_ends_is_waited_for(desks: Office) -> None:
    """What a run writes while it is being ended is wiped by a later try."""
    fill(desks, *THEIRS)
    case = Case(RunId(""), "octo/x", 7001, 501, Sha("b" * 40), "main")
    run, _ = desks.ledger.open_run(case, "late", "delivery")
    lease = desks.ledger.claim(run, "test")
    assert lease is not None
    Tenants(desks.engine).installation(501, "", 0, InstallationState.DELETED)
    row = desks.do(Forget(501))
    assert (row["state"], row["error"]) == ("queued", "1 runs and errands have not ended")
    with lease:
        lease.finish(Report(lease.case, Outcome.CANCELLED, SECRET))
    assert desks.do(Forget(501), "next")["state"] == "done"
    assert SECRET not in told(desks)


def test_back_before_it_was_forgotten(desks: Office) -> None:
    """A repository that was put back meanwhile keeps its mirror and its name."""
    fill(desks, *THEIRS)
    desks.do(Forget(501, (7001,)))
    assert kept(desks) == {7001}
    assert [row["full_name"] for row in desks.rows("repo")] == [f"{SECRET}/7001"]
