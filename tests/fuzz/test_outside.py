"""What comes over the network or from the operator: GitHub's answers, visitors' cookies, the environment."""

from __future__ import annotations

import asyncio
import json
import os
from collections.abc import Mapping
from contextlib import suppress
from urllib.parse import parse_qs, urlsplit

import httpx
from github import GithubException
from hypothesis import example, given
from hypothesis import strategies as st
from pydantic import ValidationError
from pydantic_settings import SettingsError
from starlette.requests import Request

from bot import access, throttle
from bot.access import Door
from bot.dashboard import Filter
from bot.github_login import Addresses, GitHubAwayError, GitHubLogin, LoginRefusedError
from bot.settings import BotSettings
from tests.fuzz.shapes import ODD, STRANGE, nested, rebuilt, soup
from workers.errors import Retryable, Stop
from workers.github.api import translate
from workers.settings import PruneSettings, SweeperSettings, WorkerSettings, secrets_in_url

HEADERS = st.dictionaries(
    st.sampled_from(["retry-after", "x-ratelimit-remaining", "x-ratelimit-reset", "content-type"]),
    st.sampled_from(["0", "7", "-1", "9" * 30, "\xb2", "nan", "", "1e9", "Wed, 21 Oct 2099 07:28:00 GMT"])
    | st.text(max_size=5),
)
REFUSAL = {
    "message": "Validation Failed",
    "errors": [{"resource": "Issue", "code": "custom", "message": "x"}],
    "status": "422",
}
REFUSED = nested(
    ("message", "errors", "code", "type", "documentation_url"), ("FORBIDDEN", "rate limit", "No commit found for SHA")
)


@given(st.integers(300, 599), rebuilt(REFUSAL, REFUSED) | REFUSED | st.text(max_size=20), HEADERS | st.none())
@example(422, {"message": "x", "errors": 5}, None)
@example(429, "", {"retry-after": "\xb2"})
@example(403, "", {"x-ratelimit-remaining": "0", "x-ratelimit-reset": "9" * 400})
def test_any_refusal_of_github_is_over_or_for_later(status: int, data: object, headers: dict[str, str] | None) -> None:
    """Whatever body and headers a refusal has: a stated end or a bounded wait."""
    found = translate(GithubException(status, data, headers))
    assert isinstance(found, Stop | Retryable)
    if isinstance(found, Retryable):
        assert 0 < found.after <= 3700


def person(answers: Mapping[str, httpx.Response]) -> GitHubLogin:
    """A login whose GitHub answers by the path's end; `transport` is the seam that httpx has for it."""

    def answer(request: httpx.Request) -> httpx.Response:
        told = next((told for end, told in answers.items() if request.url.path.endswith(end)), httpx.Response(404))
        return httpx.Response(told.status_code, content=told.content, headers={"content-type": "application/json"})

    addresses = Addresses("https://github.test", "https://api.github.test", "https://heal.test/login/github/done")
    return GitHubLogin("id", "secret", addresses, transport=httpx.MockTransport(answer))


LISTED = {
    "total_count": 1,
    "installations": [{"id": 1, "suspended_at": None}],
    "repositories": [{"id": 7, "full_name": "o/r"}],
}
TOLD = nested(
    ("id", "login", "access_token", "installations", "repositories", "suspended_at", "error"), ("t", "mona", "\ud800")
)
BODIES = st.one_of(rebuilt(LISTED, TOLD), TOLD).map(lambda value: json.dumps(value).encode()) | st.binary(max_size=20)
RESPONSES = st.builds(httpx.Response, st.sampled_from([200, 200, 200, 401, 403, 404, 500]), content=BODIES)
GOOD = {
    "access_token": httpx.Response(200, json={"access_token": "t"}),
    "/user": httpx.Response(200, json={"login": "mona"}),
    "/installations": httpx.Response(200, json=LISTED),
    "/repositories": httpx.Response(200, json=LISTED),
}


@given(st.dictionaries(st.sampled_from(sorted(GOOD)), RESPONSES, min_size=1))
@example({"/user": httpx.Response(200, content=b"[]")})
@example({"/user": httpx.Response(200, content=b"<html>")})
@example({"access_token": httpx.Response(200, content=b"[" * 100_000)})
def test_github_may_answer_a_login_with_anything(odd: dict[str, httpx.Response]) -> None:
    """Somebody with exactly the repositories that GitHub named, a refusal, or GitHub is away."""
    login = person({**GOOD, **odd})
    where, way = login.leave("/runs/x")
    state = parse_qs(urlsplit(where).query)["state"][0]
    with suppress(LoginRefusedError, GitHubAwayError):
        session, target = asyncio.run(login.arrive({"state": state, "code": "c"}, way))
        assert target == "/runs/x"
        found = asyncio.run(login.person(session))
        assert found is None or found.sees <= {1, 7} or odd
        asyncio.run(login.forget(session))


COOKIES = soup(("gAAAA", ".", "=", "9999999999", "a" * 64, *ODD), most=6, glue=("",))


@given(COOKIES, COOKIES, st.dictionaries(st.sampled_from(["state", "code", "error"]), COOKIES))
def test_nobody_gets_in_by_a_made_up_cookie(cookie: str, token: str, query: dict[str, str]) -> None:
    """Neither as a session of the operator, nor of a person, nor as a way back from GitHub."""
    login, door = person(GOOD), Door("t" * 32)
    assert asyncio.run(login.person(cookie)) is None
    with suppress(LoginRefusedError):
        asyncio.run(login.arrive(query, cookie))
        raise AssertionError("a login that did not begin here was taken")
    asyncio.run(login.forget(cookie))
    assert not door.knows(token)
    request = asked({"cookie": f"{access.COOKIE}={cookie}", "authorization": f"Bearer {token}"})
    assert door.entry(request) is access.Entry.LOGIN


def asked(headers: Mapping[str, str], query: bytes = b"", host: str = "192.0.2.7") -> Request:
    """A request as the server hands it on: header values are any bytes."""
    raw = [(name.encode(), value.encode("utf-8", "replace")) for name, value in headers.items()]
    return Request(
        {"type": "http", "method": "GET", "path": "/", "query_string": query, "headers": raw, "client": (host, 1)}
    )


HOSTS = soup(
    (
        "localhost",
        "127.0.0.1",
        "[::1]",
        ":8080",
        "@",
        "evil.test",
        "[",
        "]",
        "//",
        "%2f",
        "::ffff:127.0.0.1",
        "%eth0",
        *ODD,
    ),
    most=5,
    glue=("",),
)


@given(st.dictionaries(st.sampled_from(["host", "origin", "x-forwarded-for", "forwarded"]), HOSTS), HOSTS)
def test_only_this_machine_is_this_machine(headers: dict[str, str], client: str) -> None:
    """Any headers: never raised on, and through a proxy nobody is local."""
    request = asked(headers, host=client)
    local = access.is_local(request)
    assert not local or not {"x-forwarded-for", "forwarded"} & headers.keys()
    access.same_origin(request)
    assert len(throttle.address(request)) <= 64


TARGETS = soup(
    ("/", "//", "\\", "http:", "evil.test", "?next=", "#", "%2f", "@", "runs", "javascript:", *STRANGE[:20]),
    most=6,
    glue=("",),
)


@given(TARGETS)
def test_a_way_back_stays_on_this_site(target: str) -> None:
    """What browsers make of it has no other host."""
    safe = access.safe_path(target)
    found = urlsplit(f"https://heal.test{safe}")
    assert (found.scheme, found.netloc) == ("https", "heal.test")
    assert not urlsplit(safe).netloc
    assert safe.startswith("/")


QUERY = st.dictionaries(
    st.sampled_from(["page", "repo", "outcome", "state", "after"]),
    st.sampled_from(["0", "-1", "\xb2", "9" * 99, "FIXED", "done", "1e3", "\u0661"]) | st.text(max_size=12),
)


@given(QUERY)
def test_any_filter_is_read(query: dict[str, str]) -> None:
    """And its own address leads to the same list."""
    found = Filter.of(query)
    again = {name: values[0] for name, values in parse_qs(urlsplit(found.address(found.page)).query).items()}
    assert Filter.of(again) == found or found.repo.strip() != found.repo or "\ud800" in found.repo


NAMES = sorted(
    {
        f"HEAL_{name}".upper()
        for kind in (BotSettings, WorkerSettings, SweeperSettings, PruneSettings)
        for name in kind.model_fields
    }
)
SECRET = "canary-8f2e1c7d9a4b6053"
VALUES = st.sampled_from(["1", "0", "-1", "true", "nan", "inf", "1e999", "[]", '["a"]', "{}", "null", "[", "/x",
                          "~", "5GB", "", " ", "http://[", "openai:x", "redis://u:p@h:1/0", "sqlite:////x",
                          "postgresql://u:p@h/d", "a,b", "\x1b[31m", SECRET, f"http://u:{SECRET}@[",
                          f'["{SECRET}'])  # fmt: skip


@given(
    st.dictionaries(
        st.sampled_from(NAMES),
        VALUES | st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"]), max_size=9),
        max_size=6,
    )
)
def test_any_environment_is_taken_or_refused_without_showing_it(environment: dict[str, str]) -> None:
    """A refusal names the variable, and no value, which may be a secret."""
    before = dict(os.environ)
    os.environ.update({"HEAL_WEBHOOK_SECRET": "s" * 32, **environment})
    try:
        for kind in (BotSettings, WorkerSettings, PruneSettings):
            try:
                kind()
            except (ValidationError, SettingsError) as error:
                assert SECRET not in str(error)
    finally:
        os.environ.clear()
        os.environ.update(before)


@given(
    soup(
        ("redis://", "postgresql+psycopg://", "user", ":", "p%40ss", "@", "host", "/", "?", "[", "]", "%", "%zz", *ODD),
        most=8,
        glue=("",),
    )
)
def test_passwords_are_found_in_any_address(url: str) -> None:
    """Whatever stands in it: texts that are in the address, plain or as they travel."""
    for found in secrets_in_url(url):
        assert found
