"""The door of the pages, pushed from all sides; and that each process is given only its own secrets."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml
from starlette.requests import Request

from bot.access import COOKIE, SESSION_SECONDS, Door, Entry, safe_path, same_origin

TOKEN = "t" * 40
ROOT = Path(__file__).resolve().parents[2]


def request(client: str = "203.0.113.9", **headers: str) -> Request:
    named = [(name.replace("_", "-").lower().encode(), value.encode("latin-1")) for name, value in headers.items()]
    scope = {"type": "http", "method": "GET", "path": "/", "headers": named, "client": (client, 1), "query_string": b""}
    return Request(scope)


@pytest.mark.fault(69)
@pytest.mark.parametrize(
    "origin", ["http://evil.example", "null", "http://[", "https://heal.example.evil", "", "heal.example", "http://"]
)
def test_forms_of_other_sites_are_refused(origin: str) -> None:
    """Only our own origin may post, and a broken one is no server error."""
    assert not same_origin(request(origin=origin, host="heal.example"))


def test_our_own_forms_pass() -> None:
    """A browser's own origin, and a client that sends none."""
    assert same_origin(request(origin="https://heal.example", host="heal.example"))
    assert same_origin(request(host="heal.example"))


@pytest.mark.fault(69)
@pytest.mark.parametrize(
    "cookie",
    [
        *("", ".", "9999999999.", "9999999999." + "0" * 64, "-1.x", "\u00e9.\u00e9", "9" * 5000 + ".x", "1.2.3"),
        *("0x9.a", "9999999999.x." + "0" * 64),
    ],
)
def test_forged_sessions_do_not_open(cookie: str) -> None:
    """A session that this token did not sign leads to the login."""
    assert Door(TOKEN).entry(request(cookie=f"{COOKIE}={cookie}")) is Entry.LOGIN


@pytest.mark.fault(69)
def test_every_login_has_a_session_of_its_own() -> None:
    """Two logins of one second are two sessions: what somebody put into a browser before is none of them."""
    door = Door(TOKEN)
    one, two = door.session(now=2_000_000_000), door.session(now=2_000_000_000)
    assert one != two
    assert {door.entry(request(cookie=f"{COOKIE}={each}")) for each in (one, two)} == {Entry.OPEN}
    mixed = f"{one.rpartition('.')[0]}.{two.rpartition('.')[2]}"
    assert door.entry(request(cookie=f"{COOKIE}={mixed}")) is Entry.LOGIN


def test_a_session_ends_and_dies_with_its_token() -> None:
    """An old session, and one of another token, are worth nothing."""
    good = Door(TOKEN).session(now=2_000_000_000)
    assert Door(TOKEN).entry(request(cookie=f"{COOKIE}={good}")) is Entry.OPEN
    assert Door("u" * 40).entry(request(cookie=f"{COOKIE}={good}")) is Entry.LOGIN
    old = Door(TOKEN).session(now=1_000 - SESSION_SECONDS)
    assert Door(TOKEN).entry(request(cookie=f"{COOKIE}={old}")) is Entry.LOGIN


@pytest.mark.parametrize(
    "target", ["//evil", "/\\evil", "https://evil", "\\\\evil", "/a\r\nSet-Cookie: x", "", "javascript:x"]
)
def test_a_login_leads_nowhere_else(target: str) -> None:
    """After the login people stay on this site."""
    assert safe_path(target) == "/"


def test_the_composition_keeps_secrets_apart() -> None:
    """In the shipped composition the receiver has no key of App or model, and the worker no webhook secret."""
    services = yaml.safe_load((ROOT / "deploy" / "compose.yaml").read_text())["services"]
    given = {name: str(services[name].get("environment")) + str(services[name].get("secrets")) for name in services}
    assert "PRIVATE_KEY" not in given["bot"] + given["migrate"]
    assert "app_key" not in given["bot"] + given["migrate"]
    assert "OPENAI" not in given["bot"]
    assert "WEBHOOK" not in given["worker"]
    assert "DASHBOARD" not in given["worker"]
    files = {name: {one["path"] for one in services[name].get("env_file", [])} for name in ("bot", "worker")}
    assert not files["bot"] & files["worker"]
    assert not any("docker.sock" in volume for volume in services["bot"].get("volumes", []))
