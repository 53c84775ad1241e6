"""What goes wrong on the way to GitHub: who repeats, how long a run waits, and when it is over."""

from __future__ import annotations

import json
import socket
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import pytest
from github import Auth, Github

from tests.workers.forge.scripted import Reply, Scripted, scripted
from workers.domain import Outcome
from workers.errors import LeaseLost, Retryable, Stop
from workers.github.api import API_VERSION, READS_ONLY, Api, Refused
from workers.github.session import Purpose, web_url


def said(message: str) -> bytes:
    return json.dumps({"message": message}).encode()


@contextmanager
def github(*replies: Reply) -> Iterator[tuple[Api, Scripted]]:
    with scripted(*replies) as server:
        client = Github(
            auth=Auth.Token("ghs_" + "x" * 40),
            base_url=server.url,
            retry=READS_ONLY,
            seconds_between_requests=None,
            seconds_between_writes=None,
            api_version=API_VERSION,
        )
        yield Api(client.requester), server
        client.close()


@pytest.mark.fault(49)
def test_reads_are_repeated() -> None:
    """A GET that meets a 502 is sent again; every request names the API version."""
    with github(Reply(502), Reply(200, b'{"a": 1}')) as (api, server):
        assert api.get("/x")["a"] == 1
    assert [method for method, _, _ in server.seen] == ["GET", "GET"]
    assert {headers["x-github-api-version"] for _, _, headers in server.seen} == {"2022-11-28"}


@pytest.mark.fault(49)
def test_writes_are_sent_once() -> None:
    """A POST that meets a 502 is not repeated: the run tries again later, after looking what exists."""
    with github(Reply(502)) as (api, server), pytest.raises(Retryable) as parked:
        api.send("POST", "/x", {"a": 1})
    assert parked.value.blame == "github"
    assert len(server.seen) == 1


@pytest.mark.fault(14)
@pytest.mark.parametrize("status", [301, 307, 308])
@pytest.mark.parametrize("elsewhere", [False, True], ids=["same host", "other host"])
@pytest.mark.parametrize(
    "ask",
    [
        lambda api: api.get("/x", state="all"),
        lambda api: api.send("POST", "/x", {"a": 1}),
        lambda api: api.send("PATCH", "/x", {"a": 1}),
        lambda api: api.delete("/x"),
        lambda api: api.mutate("resolveReviewThread", {"threadId": "x"}, "thread { id }"),
    ],
    ids=["GET", "POST", "PATCH", "DELETE", "GraphQL"],
)
def test_no_redirect_is_followed(ask: Callable[[Api], object], elsewhere: bool, status: int) -> None:
    """Neither at GitHub nor to another host, which would get the token; and it is no answer: nothing counts as done."""
    with scripted(Reply()) as other:
        moved = Reply(status, said("Moved Permanently"), {"Location": f"{other.url if elsewhere else ''}/y"})
        with github(moved, Reply()) as (api, server), pytest.raises(Stop, match="lies elsewhere") as stopped:
            ask(api)
    assert (stopped.value.outcome, len(server.seen), other.seen) == (Outcome.DISABLED, 1, [])


def test_what_was_moved_away_is_not_there() -> None:
    """An issue that was moved to another repository is none of this one."""
    with github(Reply(301, said("Moved Permanently"), {"Location": "/y"})) as (api, _):
        assert api.find("/x") is None


@pytest.mark.fault(47)
@pytest.mark.parametrize(
    ("reply", "seconds"),
    [
        (Reply(429, said("slow down"), {"Retry-After": "17"}), 17),
        (Reply(403, said("You have exceeded a secondary rate limit"), {"Retry-After": "90"}), 90),
        (Reply(403, said("You have exceeded a secondary rate limit")), 60),
        (Reply(429, said("slow down")), 60),
        (
            Reply(403, said("API rate limit exceeded"), {"X-RateLimit-Remaining": "0", "X-RateLimit-Reset": "@+300"}),
            301,
        ),
        (
            Reply(403, said("API rate limit exceeded"), {"X-RateLimit-Remaining": "0", "X-RateLimit-Reset": "@+90000"}),
            3700,
        ),
        (Reply(403, said("API rate limit exceeded"), {"X-RateLimit-Remaining": "0", "X-RateLimit-Reset": "@-50"}), 1),
    ],
    ids=["429", "secondary", "secondary bare", "429 bare", "primary", "absurd", "past"],
)
def test_rate_limits_park_the_run(reply: Reply, seconds: float) -> None:
    """Neither form of the limit is slept out in the worker: the run is parked for as long as GitHub asks."""
    headers = dict(reply.headers)
    if "X-RateLimit-Reset" in headers:
        headers["X-RateLimit-Reset"] = str(int(time.time()) + int(headers["X-RateLimit-Reset"].removeprefix("@")))
    started = time.monotonic()
    with github(Reply(reply.status, reply.body, headers)) as (api, server), pytest.raises(Retryable) as parked:
        api.get("/x")
    took = time.monotonic() - started
    assert parked.value.after == pytest.approx(seconds, abs=2 + took)
    assert len(server.seen) == 1
    assert took < 20


def test_a_limit_is_no_refusal() -> None:
    """A rate limit is not taken for the 403 that a caller asked to see."""
    with github(Reply(403, said("secondary rate limit"))) as (api, _), pytest.raises(Retryable):
        api.send("POST", "/x", {}, expect=(403,))
    with github(Reply(403, said("no"))) as (api, _), pytest.raises(Refused, match="no"):
        api.send("POST", "/x", {}, expect=(403,))


@pytest.mark.fault(48)
@pytest.mark.parametrize(
    ("status", "outcome"),
    [(403, Outcome.DISABLED), (404, Outcome.DISABLED), (410, Outcome.DISABLED), (451, Outcome.DISABLED),
     (422, Outcome.REFUSED_BY_POLICY)],
)  # fmt: skip
def test_refusals_end_the_run(status: int, outcome: Outcome) -> None:
    """What GitHub will refuse tomorrow too ends the run in a stated outcome, with GitHub's words."""
    body = json.dumps({"message": "Validation Failed", "errors": [{"message": "body is too long"}, "or so"]}).encode()
    with github(Reply(status, body)) as (api, _), pytest.raises(Stop) as stopped:
        api.send("POST", "/x", {})
    assert stopped.value.outcome is outcome
    if status == 422:
        assert "body is too long; or so" in stopped.value.detail


@pytest.mark.parametrize("status", [401, 409, 500, 503])
def test_trouble_that_passes_parks_the_run(status: int) -> None:
    """A dead token, a conflict and a broken server are tried again with a fresh session."""
    with github(Reply(status)) as (api, _), pytest.raises(Retryable):
        api.send("POST", "/x", {})


def test_no_connection_parks_the_run() -> None:
    """Nobody listening is trouble that passes."""
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        client = Github(base_url=f"http://127.0.0.1:{unused.getsockname()[1]}", retry=None, timeout=2)
        with pytest.raises(Retryable):
            Api(client.requester).get("/x")
        client.close()


def test_guard_stands_before_every_write() -> None:
    """A worker that lost its lease reads, but sends no write."""

    def lost() -> float:
        raise LeaseLost

    with scripted(Reply(200, b"{}")) as server:
        client = Github(base_url=server.url, retry=None)
        api = Api(client.requester, lost)
        api.get("/x")
        with pytest.raises(LeaseLost):
            api.send("POST", "/x", {})
        with pytest.raises(LeaseLost):
            api.mutate("m", {}, "x")
        client.close()
    assert len(server.seen) == 1


@pytest.mark.parametrize(
    ("api", "web"),
    [
        ("https://api.github.com", "https://github.com"),
        ("https://api.github.com/", "https://github.com"),
        ("https://git.example.org/api/v3", "https://git.example.org"),
        ("https://api.acme.ghe.com", "https://acme.ghe.com"),
        ("http://127.0.0.1:8123/api/v3", "http://127.0.0.1:8123"),
    ],
)
def test_clone_address_follows_from_the_api_address(api: str, web: str) -> None:
    """One setting serves github.com, Enterprise Server and ghe.com tenants."""
    assert web_url(api) == web


def test_permissions_are_the_least() -> None:
    """Reading asks for no write, telling cannot touch contents, and nobody ever asks for workflows."""
    assert set(Purpose.READ.permissions.values()) == {"read"}
    assert "contents" not in Purpose.TELL.permissions
    assert all("workflows" not in purpose.permissions for purpose in Purpose)
    assert {name for name, level in Purpose.PUBLISH.permissions.items() if level == "write"} == {
        "contents", "pull_requests", "issues",
    }  # fmt: skip
