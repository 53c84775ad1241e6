"""Whatever stops a worker, and in whichever stage: the run goes on where it stopped, and nothing is made twice."""

from __future__ import annotations

import signal
import sys
import threading
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import httpx
import pytest

from bot.webhook import signed_headers
from tests.bot.conftest import Serve, until
from tests.bot.deliveries import SECRET
from tests.hub.process import Hub
from tests.workers.store.servers import PostgresServer, postgresql_server
from tests.workers.store.test_ledger import now_due
from tests.workers.whole.house import FILES, House
from workers.store.lease import Lease
from workers.store.schema import upgrade

pytestmark = pytest.mark.uncounted

REPO = "octo/cut"
ONE_OF_EACH = {"pulls": 1, "branches": 1, "checks": 1, "comments": 1}
STAGES = (
    "admit", "checkout", "base", "reproduce", "diagnose", "blame", "locate", "propose", "verify", "publish", "follow",
)  # fmt: skip


@pytest.fixture
def stoppable() -> Iterator[None]:
    """SIGTERM ends this process as it ends a process of the pool."""
    before = signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    yield
    signal.signal(signal.SIGTERM, before)


@pytest.mark.fault(74)
@pytest.mark.usefixtures("stoppable")
def test_sigterm_in_every_stage(house: House) -> None:
    """Once as each stage begins, and once as it has done its work but not yet kept it: the lease is back at once, no
    stage that was kept is done again, none of it counts as a failure, and GitHub sees one of everything."""
    stopped: list[tuple[str, str]] = []

    def stop(when: str, stage: str) -> None:
        if stage in STAGES and (when, stage) not in stopped:
            stopped.append((when, stage))
            signal.raise_signal(signal.SIGTERM)

    house.began = lambda stage, _: stop("began", stage)
    house.ended = lambda stage, _: stop("ended", stage)
    house.hub.create_repo(REPO, files=FILES)
    house.hub.finish_ci(REPO)
    until(lambda: house.all_are(REPO, "queued"))
    while not house.all_are(REPO, "done"):
        with suppress(SystemExit):
            house.work(lambda: house.all_are(REPO, "parked") or house.all_are(REPO, "done"))
            house.turn_green(REPO)
            house.work(lambda: house.all_are(REPO, "done"))
        run = house.runs(REPO)[0]
        assert run["state"] != "running"
        if run["state"] == "queued":
            now_due(house.engine, run["id"])
    assert set(stopped) == {(when, stage) for when in ("began", "ended") for stage in STAGES}
    run = house.runs(REPO)[0]
    assert run["outcome"] == "FIXED"
    assert house.stages(run["id"]) == list(STAGES)
    assert house.effects(REPO) == ONE_OF_EACH
    events = house.events(run["id"])
    assert {event["data"]["claims"] for event in events if event["kind"] == "claimed"} == {1}
    assert [event["kind"] for event in events].count("released") == len(stopped)


@pytest.mark.fault(15)
@pytest.mark.parametrize(("leave", "told"), [("suspend", "suspended"), ("uninstall", "uninstalled")])
def test_the_app_has_to_leave_in_the_middle(house: House, leave: str, told: str) -> None:
    """The run ends within a heartbeat of the news, with the reason. Nothing is proposed, nobody is owed a goodbye, and
    GitHub is asked for nothing but to end the tokens."""
    asked: list[int] = []

    def began(stage: str, lease: Lease) -> None:
        if stage == "verify":
            house.hub.call(leave, installation_id=house.keys.installation_id, user="octocat")
            assert lease.cancelled.wait(60)
            asked.append(len(house.hub.requests()))

    house.began = began
    house.hub.create_repo(REPO, files=FILES)
    house.hub.finish_ci(REPO)
    house.work(lambda: house.all_are(REPO, "done"))
    run = house.runs(REPO)[0]
    assert (run["outcome"], run["detail"]) == ("CANCELLED", f"Heal was {told}.")
    assert house.pulls(REPO) == []
    after = {(one["method"], one["path"]) for one in house.hub.requests()[asked[0] :]}
    assert after <= {("DELETE", "/installation/token")}
    assert house.rows("SELECT * FROM errand WHERE kind = 'farewell'") == []


@pytest.fixture
def server() -> Iterator[PostgresServer]:
    """A PostgreSQL of the test's own, at the newest schema."""
    with postgresql_server() as running:
        upgrade(running.url)
        yield running


@pytest.mark.fault(62)
@pytest.mark.postgres
def test_the_database_goes_away_and_comes_back(hub: Hub, serve: Serve, server: PostgresServer, tmp_path: Path) -> None:
    """PostgreSQL is ended in the middle of a stage, right after the pull request was opened, and while GitHub delivers:
    what is in no database is told as 503; the run waits, goes on, and adopts what it had made."""
    site = serve(database_url=server.url)
    keys = hub.create_app(account="octo", webhook_url=f"{site.url}/webhook", webhook_secret=SECRET)
    house = House(hub, keys, server.url, tmp_path)
    answers: list[int] = []
    outages: list[str] = []

    def away(stage: str) -> None:
        outages.append(stage)
        server.stop()
        body = b'{"action": "created"}'
        answers.append(
            httpx.post(
                f"{site.url}/webhook", content=body, headers=signed_headers(SECRET, "check_run", body)
            ).status_code
        )
        threading.Timer(0.5, server.start).start()

    def ended(stage: str, lease: Lease) -> None:
        if stage in ("diagnose", "publish") and stage not in outages:
            away(stage)

    house.ended = ended
    hub.create_repo(REPO, files=FILES)
    hub.finish_ci(REPO)
    house.work(lambda: server.process is not None and house.all_are(REPO, "parked"), 60)
    house.turn_green(REPO)
    house.work(lambda: house.all_are(REPO, "done"), 60)
    run = house.runs(REPO)[0]
    assert (outages, answers) == (["diagnose", "publish"], [503, 503])
    assert run["outcome"] == "FIXED"
    assert house.effects(REPO) == ONE_OF_EACH
    events = house.events(run["id"])
    assert [event["data"]["blame"] for event in events if event["kind"] == "retry"] == ["database", "database"]
    assert {event["data"]["claims"] for event in events if event["kind"] == "claimed"} == {1}
    assert house.stages(run["id"]) == list(STAGES)
    house.close()
