"""An older copy of the database takes the place of the newest one: what GitHub has is found, what is missing comes."""

from __future__ import annotations

import time
from functools import partial
from pathlib import Path

import pytest

from tests.bot.conftest import Serve, until
from tests.bot.deliveries import SECRET
from tests.hub.process import Hub
from tests.workers.errands.desks import Office, office
from tests.workers.whole.house import FILES, House
from workers.errands.model import Recover
from workers.store.backup import back_up
from workers.store.lease import Lease

pytestmark = pytest.mark.uncounted

BEFORE, SINCE = "octo/before", "octo/since"


def look(desks: Office) -> None:
    """Look for missed deliveries, and do what else there is to do."""
    desks.do(Recover(), f"look {time.monotonic()}")
    while desks.counter.once("test"):
        pass


@pytest.mark.fault(65)
def test_a_restored_backup_makes_nothing_twice_and_misses_nothing(
    hub: Hub, serve: Serve, database: str, tmp_path: Path
) -> None:
    """The copy is taken while one run is about to publish; then that one publishes, and another repository turns red,
    is healed and proposed. Brought back, the first run adopts its pull request; the deliveries of the second, which
    GitHub counts as brought, are asked for, and the run they lead to adopts the other."""
    site = serve(database_url=database)
    keys = hub.create_app(account="octo", webhook_url=f"{site.url}/webhook", webhook_secret=SECRET)
    house, copy = House(hub, keys, database, tmp_path, lease_seconds=1.0), tmp_path / "copy.db"
    desks = office(hub, keys, database, tmp_path)
    look(desks)

    def began(stage: str, lease: Lease) -> None:
        if stage == "publish" and not copy.exists():
            back_up(database, copy)

    house.began = began
    for repo in (BEFORE, SINCE):
        hub.create_repo(repo, files=FILES)
        hub.finish_ci(repo)
        house.work(partial(house.all_are, repo, "parked"))
    made = {repo: house.pulls(repo)[0]["number"] for repo in (BEFORE, SINCE)}
    hub.settle()  # what was written to GitHub last may still be on its way back
    lost = {row["guid"] for row in house.rows("SELECT guid FROM delivery")}
    house.close()
    desks.engine.dispose()

    restored = serve(database_url=f"sqlite:///{copy}")
    hub.set_webhook(keys.app_id, f"{restored.url}/webhook")
    house = House(hub, keys, f"sqlite:///{copy}", tmp_path, lease_seconds=1.0)
    desks = office(hub, keys, f"sqlite:///{copy}", tmp_path)
    lost -= {row["guid"] for row in house.rows("SELECT guid FROM delivery")}
    assert house.runs(SINCE) == []
    assert lost
    look(desks)
    hub.settle()
    until(lambda: lost <= {row["guid"] for row in house.rows("SELECT guid FROM delivery")})
    for repo in (BEFORE, SINCE):
        house.heal(repo)
        assert [run["outcome"] for run in house.runs(repo)] == ["FIXED"]
        assert [pull["number"] for pull in house.pulls(repo)] == [made[repo]]
        effects = house.effects(repo)
        assert (effects["pulls"], effects["branches"], effects["comments"]) == (1, 1, 1)
        # the check run of a run that was forgotten stays open below the newest, which is the one that GitHub shows
        assert house.checks(repo)[-1]["status"] == "completed"
    look(desks)
    asked = [one["path"] for one in hub.requests() if one["path"].endswith("/attempts")]
    assert len(asked) == len(set(asked)) == len(lost)
    house.close()
    desks.engine.dispose()
