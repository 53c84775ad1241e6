"""What GitHub keeps back from one repository holds up nobody else."""

from __future__ import annotations

import time

import pytest

from tests.workers.store.test_ledger import now_due
from tests.workers.whole.house import FILES, House

LIMITED, OTHER = "octo/limited", "octo/other"
RESET = 900


@pytest.mark.fault(47)
def test_others_go_on_while_one_waits_for_its_limit(house: House) -> None:
    """The limit of one repository's requests is used up for a quarter of an hour: its run waits until then and asks
    nothing meanwhile, the other's is mended. Once the time is over it goes on and is mended, too."""
    limited = f"/repos/{LIMITED}/"
    for repo in (LIMITED, OTHER):
        house.hub.create_repo(repo, files=FILES)
    house.hub.exhaust_requests(limited, reset_in=RESET)
    started = time.time()
    for repo in (LIMITED, OTHER):
        house.hub.finish_ci(repo)
    house.work(lambda: bool(house.runs(LIMITED)) and house.runs(LIMITED)[0]["tries"] == 1)
    asked = sum(one["path"].startswith(limited) for one in house.hub.requests())
    house.heal(OTHER)
    (waiting,) = house.runs(LIMITED)
    assert (waiting["state"], waiting["outcome"]) == ("queued", None)
    assert waiting["next_ring"] > started + RESET - 10
    assert sum(one["path"].startswith(limited) for one in house.hub.requests()) == asked
    assert house.runs(OTHER)[0]["outcome"] == "FIXED"
    now_due(house.engine, waiting["id"])
    house.heal(LIMITED)
    (mended,) = house.runs(LIMITED)
    assert (mended["id"], mended["outcome"]) == (waiting["id"], "FIXED")
