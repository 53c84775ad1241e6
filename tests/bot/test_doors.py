"""Every door of the receiver: no route without a login or a stated reason, none without a limit, and no request of ours
to an address that a payload names."""

from __future__ import annotations

import json
import re
import socket
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from fastapi import FastAPI
from pydantic import SecretStr
from sqlalchemy import Engine
from starlette.routing import BaseRoute, Mount, Route

from bot.app import create_app
from bot.headers import POLICY
from bot.login import BACK
from bot.settings import BotSettings
from tests.bot.conftest import DEAD_REDIS, Serve, rows, until
from tests.bot.deliveries import PAYLOADS, REAL_PAYLOADS, SECRET, encoded, headers
from tests.hub.process import Hub
from workers.errands.process import Counter
from workers.github.session import App
from workers.redact import Redactor
from workers.settings import WorkerSettings
from workers.store.errands import Errands
from workers.store.ledger import Ledger

STRANGER = ("203.0.113.9", 4711)
PUBLIC = {
    "POST /webhook": 401,
    "GET /healthz": 200,
    "GET /readyz": 503,
    "GET /login": 200,
    "POST /login": 403,
    "GET /login/github": 303,
    f"GET {BACK}": 403,
    "POST /logout": 303,
    "GET /schema/heal-v1.json": 200,
    "GET /static/x": 404,
}
"""What anybody may ask for, and what they get: a signature is asked for, or nothing of anybody is told."""
TURNED = (303, 401, 403)


def app_of(database: str, **changes: Any) -> FastAPI:
    return create_app(
        BotSettings(webhook_secret=SecretStr(SECRET), database_url=database, redis_url=DEAD_REDIS, **changes)
    )


def doors(routes: list[BaseRoute], run: str = "01J0000000000000000000000X") -> Iterator[tuple[str, str]]:
    """(method, path) of every route, with the run in the place of each parameter."""
    for route in routes:
        if isinstance(route, Mount):
            yield "GET", f"{route.path}/x"
        elif isinstance(route, Route):
            for method in sorted((route.methods or {"GET"}) - {"HEAD"}):
                yield method, re.sub(r"\{[^}]+\}", run, route.path)


def browser(app: FastAPI) -> httpx.AsyncClient:
    transport, json_ = httpx.ASGITransport(app, client=STRANGER), {"content-type": "application/json"}
    return httpx.AsyncClient(transport=transport, base_url="http://heal.example", headers=json_)


async def drained(client: httpx.AsyncClient) -> None:
    """The stranger's share is used up; it fills again by ten a second."""
    while (await client.get("/healthz")).status_code == 200:
        continue


async def at_the_limit(client: httpx.AsyncClient, method: str, path: str) -> int:
    """The answer to one whose share is used up; asked again where the machine paused until there was room."""
    status = 0
    for _ in range(20):
        await drained(client)
        status = (await client.request(method, path)).status_code
        if status == 429:
            break
    return status


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


@pytest.mark.anyio
@pytest.mark.parametrize(
    "login",
    [
        {},
        {"dashboard_token": "t" * 40},
        {"oauth_client_id": "Iv1.x", "oauth_client_secret": "s" * 40},
        {"dashboard_token": "t" * 40, "oauth_client_id": "Iv1.x", "oauth_client_secret": "s" * 40},
    ],
    ids=["closed", "token", "people", "both"],
)
async def test_every_route_asks_who_is_there(database: str, login: dict[str, str]) -> None:
    """Whatever is set up: a stranger gets what is said to be public, and is turned away from everything else; every
    answer says what a browser may do with it."""
    app = app_of(database, **login)
    found = list(doors(app.routes))
    assert {f"{method} {path}" for method, path in found} >= PUBLIC.keys()
    async with browser(app) as client:
        for method, path in found:
            answer = await client.request(method, path)
            known = PUBLIC.get(f"{method} {path}")
            with_github = "oauth_client_id" in login or "github" not in path
            expected = TURNED if known is None else (known,) if with_github else (404,)
            if path == "/login" and not login:
                expected = TURNED  # there is nothing to log in with
            assert answer.status_code in expected, (method, path, answer.status_code)
            assert answer.headers["content-security-policy"] == POLICY


@pytest.mark.anyio
async def test_every_route_has_a_limit(database: str) -> None:
    """An address that has used up its share gets 429 everywhere; a delivery is measured by its signature instead."""
    app = app_of(database, dashboard_token="t" * 40)
    async with browser(app) as client:
        limited = {f"{method} {path}": await at_the_limit(client, method, path) for method, path in doors(app.routes)}
    assert limited.pop("POST /webhook") == 401
    assert set(limited.values()) == {429}


@pytest.mark.anyio
async def test_every_way_to_log_in_is_counted(database: str) -> None:
    """Ten tries a minute, whichever way: the token, to GitHub, and back."""
    for method, path in (("POST", "/login"), ("GET", "/login/github"), ("GET", BACK)):
        app = app_of(database, dashboard_token="t" * 40, oauth_client_id="Iv1.x", oauth_client_secret="s" * 40)
        async with browser(app) as client:
            answers = [0]
            while answers[-1] != 429 and len(answers) < 40:  # where the machine pauses, there is room again
                answers.append((await client.request(method, path)).status_code)
        assert 429 not in answers[:11]
        assert answers[-1] == 429


def test_no_page_changes_anything(database: str) -> None:
    """Nothing can be sent but deliveries and logins: whoever holds a session can only look."""
    changing = {f"{method} {path}" for method, path in doors(app_of(database).routes) if method != "GET"}
    assert changing == {"POST /webhook", "POST /login", "POST /logout"}


class Canary:
    """An address that nobody has a reason to ask; it counts who does."""

    def __init__(self) -> None:
        self._socket = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._socket.getsockname()[1]
        self.asked = 0
        self._thread = threading.Thread(target=self._listen, daemon=True)
        self._thread.start()

    def _listen(self) -> None:
        while True:
            try:
                connection, _ = self._socket.accept()
            except OSError:  # closed: the test is over
                return
            self.asked += 1
            connection.close()

    def close(self) -> None:
        self._socket.shutdown(socket.SHUT_RDWR)
        self._socket.close()
        self._thread.join(5)


@pytest.fixture
def canary() -> Iterator[Canary]:
    made = Canary()
    yield made
    made.close()


def with_addresses(value: Any, address: str) -> Any:
    """A payload in which every address is this one, also those that GitHub would send and the recording lacks."""
    if isinstance(value, dict):
        more = dict.fromkeys(("url", "html_url", "clone_url", "logs_url", "ssh_url", "archive_url"), address)
        return {**more, **{name: with_addresses(one, address) for name, one in value.items()}}
    if isinstance(value, list):
        return [with_addresses(one, address) for one in value]
    if isinstance(value, str):
        return re.sub(r"\b(?:https?|git|ssh)://[^\s\"')]+|git@[\w.]+:[^\s\"')]+", address, value)
    return value


def sent() -> Iterator[tuple[str, dict[str, Any]]]:
    """(event, payload) of everything recorded; that an installation is gone comes last, for it ends the rest."""
    files = [*PAYLOADS.glob("*.json"), *REAL_PAYLOADS.rglob("*.*.json")]
    for file in sorted(files, key=lambda one: (one.name.startswith("installation"), str(one))):
        body = json.loads(file.read_text())
        if isinstance(body, dict):
            yield file.name.partition(".")[0], body


def test_no_address_of_a_payload_is_asked(
    serve: Serve, engine: Engine, database: str, hub: Hub, canary: Canary, tmp_path: Path
) -> None:
    """Receiver, dispatcher and errands take in every recorded payload with each address replaced, and ask none."""
    site, address = serve(), f"http://127.0.0.1:{canary.port}/x"
    count = 0
    for event, body in sent():
        raw = encoded(with_addresses(body, address))
        status = site.client.post("/webhook", content=raw, headers=headers(event, raw)).status_code
        assert status < 300, event
        count += status == 202
    until(lambda: all(row["state"] != "new" for row in rows(engine, "delivery")), 60)
    assert len(rows(engine, "delivery")) == count
    opened = rows(engine, "run")
    assert opened
    assert address not in str(opened)  # so that no worker can ask it either
    keys, settings = hub.create_app(), WorkerSettings(database_url=database, state_dir=tmp_path)
    app = App(hub.api_url, keys.app_id, keys.private_key, pace=0)
    counter = Counter(settings, Errands(engine), Ledger(engine), app, Redactor())
    errands = 0
    while counter.once("host:1/1"):
        errands += 1
    assert errands >= 5
    assert canary.asked == 0
    socket.create_connection(("127.0.0.1", canary.port)).close()
    until(lambda: canary.asked == 1)
