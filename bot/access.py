"""Who may see the pages: holders of the dashboard token or, when none is set, this very machine.

A session is an expiry time, a random part and an HMAC of both under the token: nothing is stored, every login has a
session of its own, and a new token ends all of them.
"""

from __future__ import annotations

import hashlib
import hmac
import ipaddress
import secrets
import time
from dataclasses import dataclass
from enum import StrEnum
from urllib.parse import urlsplit

from starlette.requests import HTTPConnection

COOKIE = "heal_session"
SESSION_SECONDS = 7 * 24 * 3600

HOW_TO_OPEN = (
    "The pages answer this machine only, because HEAL_DASHBOARD_TOKEN is not set. "
    "Set it to a random text of at least 32 characters to open them to whoever holds it, or HEAL_OAUTH_CLIENT_ID and "
    "HEAL_OAUTH_CLIENT_SECRET to let people log in with GitHub."
)

_FORWARDING = ("forwarded", "x-forwarded-for", "x-forwarded-host", "x-forwarded-proto", "x-real-ip", "via")


class Entry(StrEnum):
    """What a request gets."""

    OPEN = "open"
    LOGIN = "login"
    FORBIDDEN = "forbidden"


@dataclass(frozen=True)
class Door:
    """The rule of one installation; `token` is empty when none is set. `people`: they log in with GitHub, so being at
    this machine is no way in any more."""

    token: str = ""
    people: bool = False

    def entry(self, request: HTTPConnection) -> Entry:
        """What this request gets."""
        if not self.token and self.people:
            return Entry.LOGIN
        if not self.token:
            return Entry.OPEN if is_local(request) else Entry.FORBIDDEN
        scheme, _, given = request.headers.get("authorization", "").partition(" ")
        if scheme.lower() == "bearer" and self.knows(given.strip()):
            return Entry.OPEN
        return Entry.OPEN if self._is_session(request.cookies.get(COOKIE, ""), time.time()) else Entry.LOGIN

    def knows(self, token: str) -> bool:
        """The token is right; takes as long when it is not."""
        return bool(self.token) and hmac.compare_digest(token.encode("utf-8", "replace"), self.token.encode())

    def session(self, now: float) -> str:
        """A cookie's value that opens the pages from now on for `SESSION_SECONDS`; another one each time."""
        signed = f"{int(now) + SESSION_SECONDS}.{secrets.token_urlsafe(16)}"
        return f"{signed}.{self._mac(signed)}"

    def _is_session(self, cookie: str, now: float) -> bool:
        signed, _, mac = cookie.rpartition(".")
        expires = signed.partition(".")[0]
        if not (cookie.isascii() and expires.isdecimal() and len(expires) <= 12):
            return False
        return hmac.compare_digest(mac, self._mac(signed)) and now < int(expires)

    def _mac(self, signed: str) -> str:
        return hmac.new(self.token.encode(), f"heal session {signed}".encode(), hashlib.sha256).hexdigest()


def is_local(request: HTTPConnection) -> bool:
    """From this machine, not through a proxy, and asked for by a name of this machine (no DNS rebinding)."""
    if any(name in request.headers for name in _FORWARDING):
        return False
    client = request.client.host if request.client else ""
    return _is_loopback(client) and _is_loopback(_host(request.headers.get("host", "")))


def same_origin(request: HTTPConnection) -> bool:
    """A form was posted from one of our own pages; browsers send Origin with every POST."""
    origin = request.headers.get("origin")
    if origin is None:
        return True
    try:
        return urlsplit(origin).netloc == request.headers.get("host")
    except ValueError:
        return False


def safe_path(target: str) -> str:
    """`target` when it is a path on this site, else "/"."""
    plain = target.isascii() and target.isprintable() and "\\" not in target
    return target if plain and target.startswith("/") and not target.startswith("//") else "/"


def _host(header: str) -> str:
    try:
        return urlsplit(f"//{header}").hostname or ""
    except ValueError:
        return ""


def _is_loopback(name: str) -> bool:
    if name == "localhost":
        return True
    try:
        address = ipaddress.ip_address(name)
    except ValueError:
        return False
    mapped = getattr(address, "ipv4_mapped", None)
    return (mapped or address).is_loopback
