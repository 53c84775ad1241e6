"""People log in with GitHub and see what GitHub lets them see, for as long as it does; nobody gets in another way."""

from __future__ import annotations

from dataclasses import replace
from urllib.parse import parse_qs, urlsplit

import httpx
import pytest
from pydantic import SecretStr, ValidationError
from sqlalchemy import Engine, update
from starlette.responses import PlainTextResponse

from bot.app import create_app
from bot.github_login import FRESH_SECONDS, Addresses, GitHubAwayError, GitHubLogin, LoginRefusedError, _Session
from bot.login import PERSON_COOKIE, WAY_COOKIE
from bot.settings import BotSettings
from bot.throttle import RateLimit, Throttle
from tests.bot.conftest import Serve, Site
from tests.bot.deliveries import SECRET
from tests.bot.finished import healed
from tests.bot.test_doors import doors
from tests.hub.process import AppKeys, Hub
from workers.store.database import transact
from workers.store.models import Run

BACK = "http://heal.example/login/github/done"


class Clock:
    """A time that stands still until it is moved."""

    now = 0.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def app(hub: Hub) -> AppKeys:
    return hub.create_app()


@pytest.fixture
def login(hub: Hub, app: AppKeys) -> GitHubLogin:
    return GitHubLogin(app.client_id, app.client_secret, Addresses(hub.url, hub.api_url, BACK), clock=Clock())


def agreed(hub: Hub, where: str) -> dict[str, str]:
    """What GitHub sends the browser back with."""
    answer = httpx.get(where)
    assert answer.status_code == 302, answer.text
    back = urlsplit(answer.headers["location"])
    return {name: values[0] for name, values in parse_qs(back.query).items()}


async def session(hub: Hub, login: GitHubLogin, who: str) -> str:
    hub.signs_in(who)
    where, way = login.leave("/runs/x")
    cookie, target = await login.arrive(agreed(hub, where), way)
    assert target == "/runs/x"
    return cookie


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


@pytest.mark.anyio
async def test_people_see_what_they_and_the_app_can_read(hub: Hub, login: GitHubLogin) -> None:
    """Public repositories of the account, private ones with a role, none of another account."""
    public, mine, _ = (
        hub.create_repo(f"octo/{name}", files={"a": "1"}, private=private)
        for name, private in (("public", False), ("mine", True), ("closed", True))
    )
    hub.create_repo("elsewhere/other", files={"a": "1"})
    hub.call("set_permission", repo="octo/mine", user="ada", permission="read")
    cookie = await session(hub, login, "ada")
    person = await login.person(cookie)
    assert person is not None
    assert person.login == "ada"
    assert person.sees == {public.id, mine.id}


@pytest.mark.anyio
async def test_a_right_that_was_taken_away_ends_here_too(hub: Hub, login: GitHubLogin) -> None:
    """GitHub is asked again after five minutes; a token that it does not take ends the session, an outage closes."""
    hub.create_repo("octo/mine", files={"a": "1"}, private=True)
    hub.call("set_permission", repo="octo/mine", user="ada", permission="read")
    cookie = await session(hub, login, "ada")
    first = await login.person(cookie)
    hub.call("set_permission", repo="octo/mine", user="ada", permission="none")
    assert await login.person(cookie) == first
    assert isinstance(login.clock, Clock)
    login.clock.now += FRESH_SECONDS + 1
    assert first is not None
    assert await login.person(cookie) == replace(first, sees=frozenset())
    login.clock.now += FRESH_SECONDS + 1
    hub.fail_requests("/user/installations")
    with pytest.raises(GitHubAwayError):
        await login.person(cookie)
    await login.forget(cookie)
    assert await login.person(cookie) is None


@pytest.mark.fault(69)
@pytest.mark.anyio
async def test_only_the_way_that_began_here_leads_in(hub: Hub, login: GitHubLogin) -> None:
    """Another browser's code, a changed state, a code that was used, a foreign or an old cookie: refused."""
    hub.signs_in("ada")
    where, way = login.leave("/")
    query = agreed(hub, where)
    other = GitHubLogin(login.client_id, "another secret", login.addresses)
    for given, cookie in (
        (query, ""),
        (query, login.leave("/")[1]),
        ({**query, "state": "x"}, way),
        ({**query, "state": "\u00e9"}, way),
        (query, other.leave("/")[1]),
        ({"state": query["state"], "error": "access_denied"}, way),
        ({**query, "code": "guessed"}, way),
    ):
        with pytest.raises(LoginRefusedError):
            await login.arrive(given, cookie)
    good, _ = await login.arrive(query, way)
    with pytest.raises(LoginRefusedError):
        await login.arrive(query, way)
    assert await login.person(good) is not None
    assert await login.person(way) is None
    assert await other.person(good) is None
    for forged in ("", "x", good[:-4] + "AAAA", "\u00e9"):
        assert await login.person(forged) is None


@pytest.mark.anyio
async def test_an_answer_that_is_none_closes_the_door(login: GitHubLogin) -> None:
    """Whatever stands in GitHub's place: no page is shown on its word."""
    for status, body in ((200, "<html>"), (200, "[]"), (200, '{"installations": 3}'), (302, ""), (500, "{}")):
        answer = httpx.Response(status, text=body, headers={"location": "http://127.0.0.1:1/"})
        told = replace(login, transport=httpx.MockTransport(lambda _, answer=answer: answer))
        with pytest.raises(GitHubAwayError):
            await told.person(told._seal(_Session("ghu_x", "ada")))


# The pages


@pytest.fixture
def site(serve: Serve, hub: Hub, app: AppKeys) -> Site:
    return serve(
        oauth_client_id=app.client_id,
        oauth_client_secret=app.client_secret,
        github_url=hub.url,
        github_api_url=hub.api_url,
        public_url="http://heal.example",
    )


def logged_in(site: Site, hub: Hub, who: str) -> httpx.Response:
    """The browser's way to GitHub and back; the answer that ends it."""
    hub.signs_in(who)
    away = site.client.get("/login/github?next=/api/runs")
    assert away.status_code == 303
    back = urlsplit(httpx.get(away.headers["location"]).headers["location"])
    assert back.path == "/login/github/done"
    return site.client.get(f"{back.path}?{back.query}")


def owned(engine: Engine, run: str, repo_id: int) -> None:
    moved = update(Run).where(Run.id == run).values(repo_id=repo_id)
    transact(engine, lambda connection: connection.execute(moved))


@pytest.mark.fault(70)
def test_nobody_sees_the_runs_of_others(site: Site, hub: Hub, engine: Engine) -> None:
    """List, count, page, JSON and events hold only the repositories of the visitor; the rest is not there."""
    ours, closed = (hub.create_repo(f"octo/{name}", files={"a": "1"}, private=True) for name in ("mine", "theirs"))
    hub.call("set_permission", repo="octo/mine", user="ada", permission="read")
    mine, theirs = healed(engine), healed(engine, n=2)
    owned(engine, mine, ours.id)
    owned(engine, theirs, closed.id)
    client = site.client
    assert client.get("/").status_code == 303
    assert client.get("/api/runs").status_code == 401
    done = logged_in(site, hub, "ada")
    assert (done.status_code, done.headers["location"]) == (303, "/api/runs")
    assert [one["id"] for one in client.get("/api/runs").json()["runs"]] == [mine]
    assert client.get("/api/runs").json()["total"] == 1
    assert theirs not in client.get("/").text
    assert "ada" in client.get("/").text
    known = [path for method, path in doors(create_app(site.settings).routes, theirs) if method == "GET"]
    about_one = [path for path in known if theirs in path]
    assert len(about_one) >= 3
    for path in about_one:
        assert client.get(path, headers={"last-event-id": "0"}).status_code == 404
        assert client.get(path.replace(theirs, mine)).status_code == 200
    asked = [f"{path}?repo=octo/theirs&after=0&page=1" for path in known if path != "/login/github"]
    assert [path for path in asked if theirs in client.get(path).text.replace(path, "")] == []
    assert client.get("/metrics").status_code == 403
    client.post("/logout")
    assert client.get("/api/runs").status_code == 401


def test_cookies_are_sealed_and_out_of_reach(site: Site, hub: Hub) -> None:
    """No script reads them, no other site sends them along, and no token can be read in them."""
    done = logged_in(site, hub, "ada")
    given = [value for name, value in done.headers.multi_items() if name == "set-cookie"]
    session = next(value for value in given if value.startswith(PERSON_COOKIE))
    assert "HttpOnly" in session
    assert "SameSite=lax" in session
    assert "ghu_" not in session
    assert any(value.startswith(f'{WAY_COOKIE}=""') for value in given)


@pytest.mark.fault(69)
def test_a_way_back_without_a_beginning_is_refused(site: Site, hub: Hub, app: AppKeys) -> None:
    """A link that logs somebody in as another person is worth nothing."""
    hub.signs_in("mallory")
    made = httpx.get(
        f"{hub.url}/login/oauth/authorize",
        params={"client_id": app.client_id, "redirect_uri": "http://heal.example/login/github/done", "state": "s"},
    )
    back = urlsplit(made.headers["location"])
    answer = site.client.get(f"{back.path}?{back.query}")
    assert answer.status_code == 403
    assert "did not begin in this browser" in answer.text
    assert site.client.get("/api/runs").status_code == 401


def test_github_away_is_told(site: Site, hub: Hub) -> None:
    """Nobody is let in on an old answer, and nobody is thrown out for it."""
    logged_in(site, hub, "ada")
    hub.fail_requests("/user/installations", times=2)
    answer = site.client.get("/")
    assert answer.status_code == 503
    assert "GitHub does not answer" in answer.text
    assert site.client.get("/api/runs").status_code == 503
    assert site.client.get("/").status_code == 200


def test_tries_to_log_in_are_counted(serve: Serve) -> None:
    """Beyond ten a minute an address gets 429, the right token among them."""
    site = serve(dashboard_token="t" * 40)
    answers = [site.client.post("/login", data={"token": "wrong"}).status_code for _ in range(12)]
    assert answers[:10] == [403] * 10
    assert answers[10:] == [429] * 2


@pytest.mark.anyio
async def test_an_address_has_its_share() -> None:
    """Each address gets 429 beyond its share; deliveries and this machine are not counted."""
    limited = RateLimit(PlainTextResponse("ok"), Throttle(per_minute=60, burst=2, clock=Clock()))

    async def asked(client: str, path: str, host: str = "heal.example") -> int:
        transport = httpx.ASGITransport(limited, client=(client, 1))
        async with httpx.AsyncClient(transport=transport, base_url=f"http://{host}") as browser:
            return (await browser.get(path)).status_code

    assert [await asked("203.0.113.7", "/healthz") for _ in range(3)] == [200, 200, 429]
    assert await asked("203.0.113.8", "/") == 200
    assert await asked("203.0.113.7", "/webhook") == 200
    assert [await asked(f"2001:db8::{n}", "/") for n in range(3)] == [200, 200, 429]
    assert [await asked("127.0.0.1", "/", "127.0.0.1") for _ in range(3)] == [200] * 3


def test_half_a_login_is_no_setting() -> None:
    """The client's id and secret go together."""
    with pytest.raises(ValidationError, match="go together"):
        BotSettings(webhook_secret=SecretStr(SECRET), oauth_client_id="Iv1.x")


def test_a_share_fills_again_and_strangers_do_not_fill_the_memory() -> None:
    """Three at once, then one every second; the addresses that were quiet for longest are forgotten."""
    clock = Clock()
    throttle = Throttle(per_minute=60, burst=3, clock=clock, most=2)
    assert [throttle.allows("a") for _ in range(4)] == [True, True, True, False]
    clock.now += 1.0
    assert [throttle.allows("a"), throttle.allows("a")] == [True, False]
    for address in ("b", "c", "d"):
        assert throttle.allows(address)
    assert len(throttle._left) == 2
