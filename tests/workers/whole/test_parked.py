"""What GitHub keeps back from one repository holds up nobody else, and ends nothing when it lasts."""

from __future__ import annotations

import time

import pytest

from tests.workers.store.test_ledger import now_due
from tests.workers.whole.house import FILES, House
from workers.store.lease import Lease

pytestmark = pytest.mark.uncounted

LIMITED, OTHER = "octo/limited", "octo/other"
RESET = 900
STORM = 600


@pytest.mark.fault(47)
def test_others_go_on_while_one_waits_for_its_limit(house: House) -> None:
    """The limit of one repository's requests is used up for a quarter of an hour: its run waits until then and asks
    nothing meanwhile, the other's is mended. Once the time is over it goes on and is mended, too."""
    limited = f"/repos/{LIMITED}/"
    for repo in (LIMITED, OTHER):
        house.hub.create_repo(repo, files=FILES)
    started = time.time()
    house.hub.exhaust_requests(limited, reset_in=RESET)
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


@pytest.mark.fault(49)
def test_github_answers_502_for_ten_minutes(house: House) -> None:
    """From the moment at which a fix is to be published, and after the work was done, which is the worst: the run comes
    again and again, in pauses that grow, by their sum for more than ten minutes. Then everything is there once."""
    storm: list[str] = []

    def began(stage: str, lease: Lease) -> None:
        if stage == "publish" and not storm:
            storm.append(stage)
            for method in ("POST", "PATCH"):
                house.hub.fail_requests(f"/repos/{OTHER}/", method=method, times=1_000, after=True)

    house.began = began
    house.hub.create_repo(OTHER, files=FILES)
    house.hub.finish_ci(OTHER)
    pauses: list[float] = []
    while sum(pauses) < STORM:
        house.work(lambda: bool(house.runs(OTHER)) and house.runs(OTHER)[0]["tries"] == len(pauses) + 1)
        (run,) = house.runs(OTHER)
        assert (run["state"], run["outcome"]) == ("queued", None)
        retried = [one["at"] for one in house.events(run["id"]) if one["kind"] == "retry"]
        pauses.append(run["next_ring"] - retried[-1].timestamp())
        now_due(house.engine, run["id"])
    house.hub.clear_faults()
    house.heal(OTHER)
    assert house.runs(OTHER)[0]["outcome"] == "FIXED"
    assert set(house.effects(OTHER).values()) == {1}
    assert pauses == sorted(pauses)
    assert min(pauses) > 10
