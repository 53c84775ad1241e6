"""Bad luck that tests bring: each kind strikes where it was told to, so often, and nowhere else."""

from __future__ import annotations

import httpx
import pytest
from github import GithubException

from tests.hub.conftest import REPO, Setup
from tests.hub.receiver import receiving


def _post(setup: Setup, token: str) -> httpx.Response:
    head = {"Authorization": f"Bearer {token}"}
    url = f"{setup.hub.api_url}/repos/{REPO}/issues/1/comments"
    return httpx.post(url, json={"body": "hello"}, headers=head, trust_env=False)


@pytest.mark.parametrize("after", [True, False])
def test_a_severed_connection_gives_no_answer(setup: Setup, after: bool) -> None:
    """The client sees a broken connection; the work was done or not, as asked; the next request is answered."""
    setup.hub.open_issue(REPO, "octocat", "A bug")
    token = setup.token()
    setup.hub.sever_requests("/comments$", method="POST", after=after)
    with pytest.raises(httpx.TransportError):
        _post(setup, token)
    assert len(setup.hub.repo(REPO)["comments"]) == after
    assert _post(setup, token).status_code == 201


def test_tokens_expire_at_a_request(setup: Setup) -> None:
    """The request that was named is refused with 401, and so is every later one with the same token."""
    setup.hub.open_issue(REPO, "octocat", "A bug")
    token = setup.token()
    setup.hub.expire_tokens_at("/comments$")
    assert [_post(setup, token).status_code for _ in range(2)] == [401, 401]
    assert _post(setup, setup.token()).status_code == 201


def test_limits_say_when_to_come_again(setup: Setup) -> None:
    """The secondary limit with Retry-After, the primary one with nothing left until its reset."""
    client = setup.github()
    setup.hub.limit_requests("/issues$", status=429, retry_after=7)
    setup.hub.exhaust_requests("/branches$", reset_in=9)
    repo = client.get_repo(REPO)
    with pytest.raises(GithubException) as limited:
        list(repo.get_issues())
    assert (limited.value.headers or {})["retry-after"] == "7"
    with pytest.raises(GithubException) as spent:
        list(repo.get_branches())
    assert (spent.value.headers or {})["x-ratelimit-remaining"] == "0"


def test_log_links_can_be_too_old(setup: Setup) -> None:
    """An address of a log that is too old is refused by the log store; the next one works."""
    done = setup.hub.finish_ci(REPO, log="red")
    url = f"{setup.hub.api_url}/repos/{REPO}/actions/jobs/{done.job_id}/logs"
    head = {"Authorization": f"Bearer {setup.token()}"}
    setup.hub.expire_log_links()
    seen = [
        httpx.get(httpx.get(url, headers=head, trust_env=False).headers["location"], trust_env=False).status_code
        for _ in range(2)
    ]
    assert seen == [403, 200]


def test_graphql_has_bad_luck_too(setup: Setup) -> None:
    """Faults named by the path /graphql meet GraphQL requests."""
    setup.hub.fail_requests("/graphql$")
    url = setup.hub.api_url.replace("/v3", "/graphql")
    head = {"Authorization": f"Bearer {setup.token()}"}
    assert httpx.post(url, json={"query": "query { __typename }"}, headers=head, trust_env=False).status_code == 502


def test_deliveries_come_late_twice_and_in_another_order(setup: Setup) -> None:
    """Three issues: two are sent in the opposite order, a third is overtaken by a fourth, a fifth comes twice."""
    with receiving() as receiver:
        setup.hub.set_webhook(setup.keys.app_id, receiver.url)
        setup.hub.call("set_events", app_id=setup.keys.app_id, events=["issues"])
        setup.hub.reorder_deliveries("issues", times=2)
        setup.hub.delay_deliveries("issues", seconds=4)
        for title in ("1", "2", "3", "4"):
            setup.hub.open_issue(REPO, "octocat", title)
        setup.hub.settle()
        setup.hub.duplicate_deliveries("issues")
        setup.hub.open_issue(REPO, "octocat", "5")
        setup.hub.settle()
        assert [one.json["issue"]["title"] for one in receiver.got] == ["2", "1", "4", "3", "5", "5"]
        guids = [one.headers["x-github-delivery"] for one in receiver.got]
        assert len(set(guids)) == 5


def test_settling_lets_go_what_is_held(setup: Setup) -> None:
    """A delivery that waits for another one to overtake it is not lost when none comes."""
    with receiving() as receiver:
        setup.hub.set_webhook(setup.keys.app_id, receiver.url)
        setup.hub.call("set_events", app_id=setup.keys.app_id, events=["issues"])
        setup.hub.reorder_deliveries("issues", times=5)
        setup.hub.open_issue(REPO, "octocat", "1")
        setup.hub.settle()
        assert receiver.names() == ["issues.opened"]
