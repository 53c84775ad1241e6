"""Logging in with GitHub: who somebody is, and which repositories GitHub lets them see through this App.

The person's token is kept by their own browser, sealed: nothing of it is stored here. What they may see is asked of
GitHub again every few minutes, so a right that was taken away ends here as well.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import json
import secrets
import time
from collections import OrderedDict
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, field
from typing import Any, TypeVar
from urllib.parse import urlencode

import httpx
from cryptography.fernet import Fernet, InvalidToken

FRESH_SECONDS = 300.0
"""For so long GitHub is not asked again what a person may see."""
SESSION_SECONDS = 8 * 3600
"""As long as GitHub's own tokens for people live."""
LOGIN_SECONDS = 600
"""From the way to GitHub until the way back."""
MOST_PAGES = 50
MOST_REPOS = 5000
MOST_REMEMBERED = 2000
_TIMEOUT = httpx.Timeout(10.0, connect=5.0)
_T = TypeVar("_T", "_Session", "_Way")
_JSON = {"accept": "application/vnd.github+json", "x-github-api-version": "2022-11-28"}


class LoginRefusedError(Exception):
    """GitHub, or the person, said no; the text is for people."""


class GitHubAwayError(Exception):
    """GitHub does not answer: nobody can be told what they may see."""


@dataclass(frozen=True)
class Person:
    """Somebody who has logged in. `sees` are the ids of the repositories that they and the App can both read."""

    login: str
    sees: frozenset[int]


@dataclass(frozen=True)
class Addresses:
    """Where GitHub is, and where it sends people back to."""

    web: str
    api: str
    back: str


@dataclass(frozen=True)
class _Session:
    token: str
    login: str


@dataclass(frozen=True)
class _Way:
    """What has to be the same when a person comes back."""

    state: str
    verifier: str
    target: str


@dataclass
class GitHubLogin:
    """The login of one App. `client_secret` seals the cookies too: a new one ends every session."""

    client_id: str
    client_secret: str
    addresses: Addresses
    transport: httpx.AsyncBaseTransport | None = None
    clock: Callable[[], float] = time.monotonic
    _remembered: OrderedDict[str, tuple[float, frozenset[int]]] = field(default_factory=OrderedDict, init=False)

    def leave(self, target: str) -> tuple[str, str]:
        """The address at GitHub that a person is sent to, and the cookie that they bring back."""
        way = _Way(secrets.token_urlsafe(32), secrets.token_urlsafe(48), target)
        challenge = base64.urlsafe_b64encode(hashlib.sha256(way.verifier.encode()).digest()).rstrip(b"=").decode()
        asked = {
            "client_id": self.client_id,
            "redirect_uri": self.addresses.back,
            "state": way.state,
            "code_challenge": challenge,
            "code_challenge_method": "S256",
        }
        return f"{self.addresses.web}/login/oauth/authorize?{urlencode(asked)}", self._seal(way)

    async def arrive(self, query: Mapping[str, str], cookie: str) -> tuple[str, str]:
        """The cookie of the new session and where the person wanted to go.

        Raises `LoginRefusedError` for a way back that did not begin here, and where GitHub does not know the person;
        `GitHubAwayError` when it cannot be asked.
        """
        way = self._open(cookie, _Way, LOGIN_SECONDS)
        if way is None or not hmac.compare_digest(
            query.get("state", "").encode("utf-8", "replace"), way.state.encode()
        ):
            raise LoginRefusedError("This login did not begin in this browser, or it took too long. Please try again.")
        if "code" not in query:
            raise LoginRefusedError("GitHub did not let you in.")
        async with self._client() as client:
            token = await self._exchanged(client, query["code"], way.verifier)
            who = await self._asked(client, token, "/user")
        login = _told(who).get("login") if who.status_code == 200 else None
        if not isinstance(login, str):
            raise LoginRefusedError("GitHub did not say who you are.")
        return self._seal(_Session(token, login)), way.target

    async def person(self, cookie: str) -> Person | None:
        """Who has this session; None without one, and when GitHub does not take its token any more."""
        session = self._open(cookie, _Session, SESSION_SECONDS)
        if session is None:
            return None
        key, now = hashlib.sha256(session.token.encode()).hexdigest(), self.clock()
        known = self._remembered.get(key)
        if known is None or now - known[0] > FRESH_SECONDS:
            self._remembered.pop(key, None)
            async with self._client() as client:
                sees = await self._visible(client, session.token)
            if sees is None:
                return None
            known = self._remembered[key] = (now, sees)
            while len(self._remembered) > MOST_REMEMBERED:
                self._remembered.popitem(last=False)
        return Person(session.login, known[1])

    async def forget(self, cookie: str) -> None:
        """Give the session's token back to GitHub, if it can be reached."""
        session = self._open(cookie, _Session, SESSION_SECONDS)
        if session is None:
            return
        self._remembered.pop(hashlib.sha256(session.token.encode()).hexdigest(), None)
        async with self._client() as client:
            path = f"{self.addresses.api}/applications/{self.client_id}/token"
            who = httpx.BasicAuth(self.client_id, self.client_secret)
            try:
                await client.request("DELETE", path, json={"access_token": session.token}, auth=who, headers=_JSON)
            except httpx.HTTPError:
                return  # it ends by itself after eight hours

    # GitHub

    def _client(self) -> httpx.AsyncClient:
        return httpx.AsyncClient(timeout=_TIMEOUT, follow_redirects=False, transport=self.transport)

    async def _exchanged(self, client: httpx.AsyncClient, code: str, verifier: str) -> str:
        given = {
            "client_id": self.client_id,
            "client_secret": self.client_secret,
            "code": code,
            "redirect_uri": self.addresses.back,
            "code_verifier": verifier,
        }
        try:
            path = f"{self.addresses.web}/login/oauth/access_token"
            answer = await client.post(path, data=given, headers={"accept": "application/json"})
        except httpx.HTTPError as error:
            raise GitHubAwayError from error
        token = _told(answer).get("access_token") if answer.status_code == 200 else None
        if not isinstance(token, str) or not token.isascii():
            raise LoginRefusedError("GitHub did not let you in.")
        return token

    async def _asked(self, client: httpx.AsyncClient, token: str, path: str, **query: str) -> httpx.Response:
        try:
            headers = {**_JSON, "authorization": f"Bearer {token}"}
            answer = await client.get(f"{self.addresses.api}{path}", params=query, headers=headers)
        except httpx.HTTPError as error:
            raise GitHubAwayError from error
        if answer.status_code not in (200, 401):
            raise GitHubAwayError
        return answer

    async def _visible(self, client: httpx.AsyncClient, token: str) -> frozenset[int] | None:
        """Through every installation that the person can see. None: the token is worth nothing any more."""
        found: set[int] = set()
        installations = await self._listed(client, token, "/user/installations", "installations")
        if installations is None:
            return None
        for one in installations:
            if one.get("suspended_at"):
                continue
            repos = await self._listed(client, token, f"/user/installations/{one['id']}/repositories", "repositories")
            found |= {repo["id"] for repo in repos or ()}
        return frozenset(sorted(found)[:MOST_REPOS])

    async def _listed(self, client: httpx.AsyncClient, token: str, path: str, key: str) -> list[dict[str, Any]] | None:
        found: list[dict[str, Any]] = []
        for page in range(1, MOST_PAGES + 1):
            answer = await self._asked(client, token, path, per_page="100", page=str(page))
            if answer.status_code == 401:
                return None
            rows = _rows(answer, key)
            found += rows
            if len(rows) < 100:
                break
        return found

    # Cookies

    def _seal(self, value: _Session | _Way) -> str:
        return self._box().encrypt(json.dumps(asdict(value)).encode()).decode()

    def _open(self, cookie: str, kind: type[_T], seconds: int) -> _T | None:
        """What we sealed, at most so long ago; None for anything else, also for what was sealed for another use."""
        try:
            return kind(**json.loads(self._box().decrypt(cookie.encode(), ttl=seconds)))
        except (InvalidToken, TypeError, ValueError, binascii.Error):
            return None

    def _box(self) -> Fernet:
        key = hashlib.sha256(b"heal session\0" + self.client_secret.encode()).digest()
        return Fernet(base64.urlsafe_b64encode(key))


def _told(answer: httpx.Response) -> dict[str, Any]:
    """The object of an answer. Raises `GitHubAwayError` for one that is none, as proxies and error pages give."""
    try:
        told = answer.json()
    except (ValueError, RecursionError) as error:
        raise GitHubAwayError from error
    if not isinstance(told, dict):
        raise GitHubAwayError
    return told


def _rows(answer: httpx.Response, key: str) -> list[dict[str, Any]]:
    """The list under a key, as far as its things have ids. Raises `GitHubAwayError` for an answer that has none."""
    rows = _told(answer).get(key)
    if not isinstance(rows, list):
        raise GitHubAwayError
    return [row for row in rows if isinstance(row, dict) and isinstance(row.get("id"), int)]
