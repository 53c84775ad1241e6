"""GitHub at its worst: what is lost, late, twice or refused on the way changes nothing about how a heal ends."""

from __future__ import annotations

import pytest

from tests.story.scenes import RED, STEPS
from tests.story.test_fixed import confirmed, only_pull, proposed
from tests.story.theatre import Theatre

pytestmark = [pytest.mark.story, pytest.mark.engine, pytest.mark.redis]


@pytest.mark.fault(4, 18)
def test_deliveries_lost_late_twice_and_in_another_order(theatre: Theatre, repo: str) -> None:
    """The red job's event is late and another one lost, the workflow run's end comes before its beginning, everything
    about our own branch arrives twice, and all of it once more in the end: one run, one check run, one pull request out
    of draft."""
    hub = theatre.hub
    hub.create_repo(repo, files=RED)
    before = {delivery["guid"] for delivery in hub.deliveries()}
    hub.drop_deliveries("^check_run$")
    hub.delay_deliveries("^check_run$", seconds=1.5)
    hub.reorder_deliveries("^workflow_run$", times=2)
    hub.finish_ci(repo, steps=STEPS, beside=["lint", "docs"])
    hub.duplicate_deliveries("^(pull_request|push)$", times=4)
    proposed(theatre, repo)
    hub.duplicate_deliveries("^(check_run|workflow_run)$", times=4)
    hub.reorder_deliveries("^(check_run|workflow_run)$", times=2)
    run = confirmed(theatre, repo)
    for delivery in hub.deliveries():
        if delivery["guid"] not in before and delivery["event"] in {"workflow_run", "check_run"}:
            hub.redeliver(delivery["guid"])
    theatre.wait_until_routed()
    assert run["outcome"] == "FIXED"
    assert len(theatre.runs_of(repo)) == 1
    assert not only_pull(theatre, repo)["draft"]
    assert [check["status"] for check in theatre.checks(repo)] == ["completed"]
    assert len(theatre.said(repo)) == 1


@pytest.mark.fault(46, 47, 49, 50, 53)
def test_answers_lost_refused_and_cut_off(theatre: Theatre, repo: str) -> None:
    """The log is not there at first and its address too old, tokens end in the middle, limits are hit, and answers to
    work that was done are lost: one branch, commit, pull request, comment and check run all the same."""
    hub = theatre.hub
    hub.create_repo(repo, files=RED)
    hub.fail_requests("/logs$", status=404, times=2, message="Not Found")
    hub.expire_log_links()
    hub.sever_requests(f"/{repo}/check-runs$", method="POST")
    hub.expire_tokens_at(f"/{repo}/git/trees$", method="POST")
    hub.fail_requests(f"/{repo}/git/refs$", method="POST", after=True)
    hub.limit_requests(f"/{repo}/pulls$", method="POST", status=429, retry_after=1)
    hub.limit_requests(rf"/{repo}/issues/\d+/comments$", method="POST", status=403)
    hub.sever_requests(f"/{repo}/pulls$", method="POST")
    hub.finish_ci(repo, steps=STEPS, log="##[error]Process completed with exit code 1.\n")
    theatre.hurry(repo, "parked")
    assert len(theatre.pulls(repo)) == 1
    hub.fail_requests("/graphql$", after=True)
    hub.sever_requests(f"/{repo}/check-runs/", method="PATCH")
    hub.finish_ci(repo, branch=theatre.pulls(repo)[0]["head"]["ref"], conclusion="success")
    run = theatre.hurry(repo, "done")
    assert run["outcome"] == "FIXED"
    assert not only_pull(theatre, repo)["draft"]
    assert [check["status"] for check in theatre.checks(repo)] == ["completed"]
    assert len(theatre.said(repo)) == 1
    assert len([name for name in hub.repo(repo)["branches"] if name.startswith("heal/")]) == 1
    assert hub.call("faults")["left"] == []
