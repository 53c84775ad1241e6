"""Every endpoint of a real receiver against its own description: the server never fails, every answer is told."""

from __future__ import annotations

import json
import socket
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from http.client import HTTPResponse
from typing import Any

import httpx
import pytest
import schemathesis
from hypothesis import given
from hypothesis import strategies as st
from pydantic import SecretStr
from schemathesis import Case
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
    status_code_conformance,
)
from starlette.routing import Route

from bot.app import create_app
from bot.settings import BotSettings
from bot.webhook import signed_headers
from tests.bot.command import environment
from tests.bot.deliveries import SECRET
from tests.bot.finished import at_work, healed
from tests.fuzz.shapes import ODD, STRANGE, rebuilt, soup
from tests.fuzz.test_payload import BODIES, JUNK
from tests.processes import Process, free_port
from workers.store import schema as store
from workers.store.database import open_engine

pytestmark = [pytest.mark.uncounted, pytest.mark.process]

TOKEN = "t" * 32
SETTINGS = BotSettings(webhook_secret=SecretStr(SECRET), database_url="sqlite://")
DOCUMENT = create_app(SETTINGS).openapi()
OPERATIONS = [(path, method) for path, methods in DOCUMENT["paths"].items() for method in methods]
CHECKS = [
    not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
]


@dataclass(frozen=True)
class Site:
    """A receiver in a process of its own, with one run that has ended."""

    url: str
    run: str


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """With the operator's token and a login at a GitHub that cannot be reached."""
    folder = tmp_path_factory.mktemp("receiver")
    database, port = f"sqlite:///{folder / 'heal.db'}", free_port()
    store.upgrade(database)
    engine = open_engine(database)
    run = healed(engine, name="unit <b>", log="\x1b[31mred\x1b[0m\n" * 40)
    at_work(engine)
    engine.dispose()
    settings = environment(
        HEAL_WEBHOOK_SECRET=SECRET, HEAL_DATABASE_URL=database, HEAL_STATE_DIR=str(folder), HEAL_DASHBOARD_TOKEN=TOKEN,
        HEAL_REDIS_URL="redis://127.0.0.1:1/0", HEAL_OAUTH_CLIENT_ID="Iv1.x", HEAL_OAUTH_CLIENT_SECRET="s" * 40,
        HEAL_GITHUB_URL="http://127.0.0.1:1", HEAL_GITHUB_API_URL="http://127.0.0.1:1",
    )  # fmt: skip
    command = [sys.executable, "-m", "bot.cli", "serve", "--port", str(port)]
    process = Process("receiver", command, folder, settings)
    url = f"http://127.0.0.1:{port}"
    process.wait_until(lambda: _answers(url))
    yield Site(url, run)
    process.stop()
    assert "Traceback" not in process.log.read_text(errors="replace")


def _answers(url: str) -> bool:
    try:
        return httpx.get(f"{url}/healthz").status_code == 200
    except httpx.TransportError:
        return False


def test_the_description_is_of_this_app() -> None:
    """Exactly the routes that there are, each with its method."""
    app = create_app(SETTINGS)
    routes = [route for route in app.router.routes if isinstance(route, Route)]
    there = {(route.path, method.lower()) for route in routes for method in (route.methods or {"GET"}) - {"HEAD"}}
    assert there == set(OPERATIONS)
    assert app.openapi_url is None


HEADER = st.text(st.characters(min_codepoint=0x20, max_codepoint=0xFF, exclude_categories=["Cc"]), max_size=30)
HEADERS = st.dictionaries(
    st.sampled_from(["Cookie", "Accept", "Referer", "Origin", "Forwarded", "X-Forwarded-For", "If-None-Match", "Range",
                     "Accept-Encoding", "User-Agent", "X-HTTP-Method-Override", "Last-Event-ID"]),
    HEADER
    | st.sampled_from(["heal_session=9999999999.a", "heal_person=gAAAA", "null", "*", "bytes=0-", "7"]),
    max_size=4,
)  # fmt: skip


@pytest.mark.parametrize(("path", "method"), OPERATIONS)
@given(st.data())
def test_every_answer_is_described(site: Site, path: str, method: str, data: st.DataObject) -> None:
    """Whatever the parameters, headers, cookies and bodies of a request are."""
    operation = schemathesis.openapi.from_dict(DOCUMENT)[path][method]
    case: Case[Any] = data.draw(operation.as_strategy())
    if "run" in (case.path_parameters or {}) and data.draw(st.booleans()):
        runs = st.sampled_from([site.run, site.run.upper(), f"{site.run}x", "0", "None"])
        case.path_parameters["run"] = data.draw(runs)
    headers = {name: value.strip().encode("latin-1") for name, value in data.draw(HEADERS).items()}
    if data.draw(st.booleans()):
        headers["Authorization"] = data.draw(st.sampled_from([f"Bearer {TOKEN}", "Bearer x", "Basic Og=="])).encode()
    response = case.call(base_url=site.url, headers=headers, allow_redirects=False, timeout=20)
    case.validate_response(response, checks=CHECKS)


PATHS = soup(("/", "runs", "api", "login", "static", "app.css", "..", "%2e%2e", "%00", "%ff", "events", "webhook",
              "?", "=", "healthz", ";", "%2f", "schema", "//"), most=8, glue=("", "/"))  # fmt: skip
METHODS = st.sampled_from(["GET", "POST", "HEAD", "PUT", "DELETE", "OPTIONS", "PATCH", "TRACE", "PROPFIND"])


@given(PATHS, METHODS, HEADERS, st.binary(max_size=60))
def test_no_path_and_no_method_is_too_much(
    site: Site, path: str, method: str, headers: dict[str, str], body: bytes
) -> None:
    """Also what there is not and what is no HTTP: an answer of the client's fault, and pages stay shut."""
    told = {"host": "localhost", **headers, "content-length": str(len(body)), "connection": "close"}
    head = f"{method} /{path} HTTP/1.1\r\n" + "".join(f"{name}: {value}\r\n" for name, value in told.items())
    with socket.create_connection(("127.0.0.1", httpx.URL(site.url).port or 0), timeout=20) as line:
        line.sendall(head.encode("utf-8", "replace") + b"\r\n" + body)
        answer = HTTPResponse(line, method=method)
        answer.begin()
        answer.read()
    assert answer.status < 500 or (answer.status == 503 and answer.headers["retry-after"])
    if (answer.headers["content-type"] or "").startswith("text/html"):
        assert "default-src 'none'" in (answer.headers["content-security-policy"] or "")


DELIVERIES = st.sampled_from(BODIES).flatmap(lambda pair: st.tuples(st.just(pair[0]), rebuilt(pair[1], JUNK)))


@given(DELIVERIES)
def test_a_signed_delivery_is_stored_whatever_is_in_it(site: Site, delivery: tuple[str, object]) -> None:
    """And the receiver goes on: its threads are alive and its pages are there."""
    event, value = delivery
    body = json.dumps(value).encode()
    answer = httpx.post(f"{site.url}/webhook", content=body, headers=signed_headers(SECRET, event, body), timeout=20)
    assert answer.status_code == (200 if event == "ping" else 202), answer.text
    checks = httpx.get(f"{site.url}/readyz", timeout=20).json()["checks"]
    assert checks["writer"]["ok"]
    assert checks["dispatcher"]["ok"] or checks["dispatcher"]["seen"] == "has not swept yet"


LIVE = soup(("1", "0", "-", "9" * 20, "\xb2", *ODD[:4], *STRANGE[:3]), most=3, glue=("",))


@given(LIVE)
def test_a_live_page_begins_anywhere(site: Site, after: str) -> None:
    """The stream of an ended run ends, from whatever line on it is asked for."""
    address = f"{site.url}/runs/{site.run}/events"
    asked = {"authorization": f"Bearer {TOKEN}"}
    answer = httpx.get(address, params={"after": after.encode("utf-8", "replace")}, headers=asked, timeout=20)
    assert answer.status_code == 200
    assert answer.text.endswith("\n\n")
