"""One door for every call under `/api/v3`: who is asking, may they, which handler, and is the answer GitHub's.

Handlers are plain functions from a `Call` to an `Answer`; they run one at a time.
"""

from __future__ import annotations

import hashlib
import json
import math
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from email.utils import format_datetime
from typing import Any
from urllib.parse import parse_qsl, unquote, urlencode

import jwt

from tests.hub.contract import Contract, path_regex
from tests.hub.events import Events
from tests.hub.gitstore import GitError
from tests.hub.luck import on_request
from tests.hub.state import App, Json, Repo, Token, User, World

DOCS = "https://docs.github.com/rest"


class ApiError(Exception):
    """An error answer in GitHub's form."""

    def __init__(self, status: int, message: str, errors: Sequence[object] = (), docs: str = DOCS) -> None:
        super().__init__(message)
        self.status, self.message, self.errors, self.docs = status, message, list(errors), docs

    def body(self) -> Json:
        errors: Json = {"errors": self.errors} if self.errors else {}
        return {"message": self.message, **errors, "documentation_url": self.docs, "status": str(self.status)}


class Moved(ApiError):  # noqa: N818 - an answer, not an error
    """The thing has another address now."""

    def __init__(self, status: int, target: str) -> None:
        super().__init__(status, "Moved Permanently")
        self.target = target

    def body(self) -> Json:
        return {"message": self.message, "url": self.target, "documentation_url": self.docs}


def invalid(resource: str, field_name: str = "", code: str = "custom", message: str = "") -> ApiError:
    """422 Validation Failed with one entry."""
    entry: Json = {"resource": resource, "code": code}
    entry |= {"field": field_name} if field_name else {}
    entry |= {"message": message} if message else {}
    return ApiError(422, "Validation Failed", [entry])


NOT_FOUND = "Not Found"
FORBIDDEN = "Resource not accessible by integration"


@dataclass
class Answer:
    """What is sent back. `body` None means no body."""

    status: int
    body: Any = None
    headers: dict[str, str] = field(default_factory=dict)
    severed: bool = False
    """Nothing of it arrives: the connection is closed instead."""


@dataclass
class Call:
    """A request, taken apart, with its caller."""

    world: World
    events: Events
    method: str
    path: str
    query: dict[str, str]
    headers: dict[str, str]
    body: Any
    params: dict[str, str] = field(default_factory=dict)
    app: App | None = None
    token: Token | None = None
    found: Repo | None = None

    @property
    def repo(self) -> Repo:
        """The repository of the path; only for routes below `/repos/{owner}/{repo}`."""
        if self.found is None:
            raise ApiError(404, NOT_FOUND)
        return self.found

    @property
    def actor(self) -> User:
        """Who the effects of this call belong to: the App's bot."""
        if self.app is None:
            raise ApiError(401, "Requires authentication")
        return self.app.bot

    def number(self, name: str) -> int:
        try:
            return int(self.params[name])
        except ValueError:
            raise ApiError(404, NOT_FOUND) from None

    def page(self, items: Sequence[Any], render: Callable[[Any], Any], key: str = "") -> Answer:
        """One page of a list with its Link header; with `key` the wrapped form with total_count."""
        size = min(max(int(self.query.get("per_page", "30") or 30), 1), 100)
        page = max(int(self.query.get("page", "1") or 1), 1)
        last = max(math.ceil(len(items) / size), 1)
        shown = [render(item) for item in items[(page - 1) * size : page * size]]
        links = []
        for name, target, show in (
            ("prev", page - 1, page > 1),
            ("next", page + 1, page < last),
            ("last", last, page < last),
            ("first", 1, page > 1),
        ):
            if show:
                rest = urlencode({**self.query, "page": str(target)})
                links.append(f'<{self.world.api}{self.path}?{rest}>; rel="{name}"')
        headers = {"Link": ", ".join(links)} if links else {}
        return Answer(200, {"total_count": len(items), key: shown} if key else shown, headers)


Handler = Callable[[Call], Answer]


@dataclass(frozen=True)
class Route:
    """An operation. `needs` holds alternatives like `contents:read`; `auth` is jwt, token or none."""

    method: str
    template: str
    handler: Handler
    needs: tuple[str, ...] = ()
    model: str = ""
    auth: str = "token"


class Dispatcher:
    """Finds the route of a request and runs it."""

    def __init__(self, world: World, contract: Contract, events: Events, routes: Sequence[Route]) -> None:
        self._world, self._contract, self._events = world, contract, events
        ordered = sorted(routes, key=lambda r: (r.template.count("{"), -len(r.template)))
        self._routes = [(path_regex(r.template), r) for r in ordered]

    def handle(self, method: str, raw_path: str, query: str, headers: dict[str, str], raw: bytes) -> Answer:
        """Answer a request; every one is recorded."""
        path, repo = self._named(unquote(raw_path))
        found = self._match(method, path)
        record: Json = {"method": method, "path": path, "query": query, "at": time.time()}
        self._world.requests.append(record)
        fault = on_request(self._world, method, path)
        if fault is not None and not fault["after"]:
            return self._injected(fault, record)
        call = Call(self._world, self._events, method, path, dict(parse_qsl(query)), headers, None, found=repo)
        answer = self._answer(call, raw, found, record)
        if fault is not None:
            return self._injected(fault, record)
        record["status"] = answer.status
        return answer

    def _answer(self, call: Call, raw: bytes, found: tuple[Route, dict[str, str]] | None, record: Json) -> Answer:
        method, path, headers = call.method, call.path, call.headers
        if found is None:
            self._contract.violate("unknown path", f"{method} {path}", ["the double knows no such operation"])
            return self._dress(Answer(404, ApiError(404, NOT_FOUND).body()), headers, None)
        route, call.params = found
        try:
            call.body = _json(raw)
            record["body"] = call.body
            if raw and call.body is not None:
                self._contract.check_request(method, route.template, call.body)
            with self._world.lock:
                self._admit(call, route)
                record["token"] = call.token.serial if call.token else None
                answer = route.handler(call)
        except Moved as moved:
            return self._dress(Answer(moved.status, moved.body(), {"Location": moved.target}), headers, route)
        except ApiError as error:
            answer = Answer(error.status, error.body())
        except GitError as error:
            answer = Answer(422, ApiError(422, f"Object does not exist or is not usable: {error}").body())
        self._contract.check_answer(method, route.template, answer.status, answer.body, route.model)
        return self._dress(answer, headers, route)

    def _match(self, method: str, path: str) -> tuple[Route, dict[str, str]] | None:
        for pattern, route in self._routes:
            if route.method == method and (hit := pattern.match(path)):
                return route, hit.groupdict()
        return None

    def _named(self, path: str) -> tuple[str, Repo | None]:
        """The path with the repository's name where it has its id, and the repository of that id."""
        number, slash, tail = path.removeprefix("/repositories/").partition("/")
        asked = path.startswith("/repositories/") and number.isdigit()
        repo = self._world.repos.get(int(number)) if asked else None
        return (f"/repos/{repo.full_name}{slash}{tail}", repo) if repo else (path, None)

    def _injected(self, fault: Json, record: Json) -> Answer:
        answer = injected(fault)
        record["status"] = 0 if answer.severed else answer.status
        return answer

    def _dress(self, answer: Answer, asked: dict[str, str], route: Route | None) -> Answer:
        now = int(self._world.now().timestamp())
        answer.headers |= {
            "Date": format_datetime(self._world.wall(), usegmt=True),
            "X-GitHub-Media-Type": "github.v3; format=json",
            "x-github-api-version-selected": "2022-11-28",
            "X-RateLimit-Limit": "5000",
            "X-RateLimit-Remaining": "4999",
            "X-RateLimit-Reset": str(now + 3600),
            "X-RateLimit-Used": "1",
            "X-RateLimit-Resource": "core",
            "X-GitHub-Request-Id": f"{self._world.id():X}:HUB",
        }
        if route is not None and route.needs:
            answer.headers["X-Accepted-GitHub-Permissions"] = "; ".join(n.replace(":", "=") for n in route.needs)
        if answer.status == 200 and route is not None and route.method == "GET":
            tag = f'"{hashlib.sha256(json.dumps(answer.body).encode()).hexdigest()}"'
            answer.headers["ETag"] = tag
            if asked.get("if-none-match", "").removeprefix("W/") == tag:
                return Answer(304, None, answer.headers)
        return answer

    def _admit(self, call: Call, route: Route) -> None:
        _, _, credential = call.headers.get("authorization", "").partition(" ")
        if route.auth == "none":
            return
        if not credential:
            raise ApiError(401, "Requires authentication")
        if route.auth == "jwt":
            call.app = self._by_jwt(credential)
        else:
            call.token = self.by_token(credential)
            call.app = call.token.installation.app
        if route.template.startswith("/repos/{owner}/{repo}"):
            self._find_repo(call, route)

    def _find_repo(self, call: Call, route: Route) -> None:
        repo = call.found or self._world.repo(f"{call.params['owner']}/{call.params['repo']}")
        if repo is None or repo.gone:
            self._moved(call)
            raise ApiError(404, NOT_FOUND)
        call.found = repo
        if call.token is None:
            return
        if not reaches(call.token, repo):
            if repo.private:
                raise ApiError(404, NOT_FOUND)
            if call.method != "GET":
                raise ApiError(403, FORBIDDEN)
            return
        if route.needs and not any(allows(call.token, need) for need in route.needs):
            raise ApiError(403, FORBIDDEN)
        if repo.archived and call.method != "GET":
            raise ApiError(403, "Repository was archived so is read-only.")

    def _moved(self, call: Call) -> None:
        """A name that a repository had before leads to it, with the rest of the address and the query."""
        old = f"{call.params.get('owner')}/{call.params.get('repo')}"
        repo = self._world.former(old)
        if repo is None:
            return
        query = f"?{urlencode(call.query)}" if call.query else ""
        target = f"{self._world.api}/repositories/{repo.id}{call.path.removeprefix(f'/repos/{old}')}{query}"
        raise Moved(301 if call.method == "GET" else 307, target)

    def _by_jwt(self, text: str) -> App:
        try:
            issuer = str(jwt.decode(text, options={"verify_signature": False}).get("iss", ""))
        except jwt.PyJWTError:
            raise ApiError(401, "A JSON web token could not be decoded") from None
        known = (a for a in self._world.apps.values() if issuer in {str(a.id), a.client_id} and a.public_pem)
        app = next(known, None)
        if app is None:
            raise ApiError(401, "'Issuer' claim ('iss') must be an Integer or a client ID of an App")
        try:
            claims = jwt.decode(
                text,
                app.public_pem,
                algorithms=["RS256"],
                options={"require": ["exp", "iat"], "verify_exp": False, "verify_iat": False},
            )
        except jwt.PyJWTError:
            raise ApiError(401, "A JSON web token could not be decoded") from None
        now = self._world.wall().timestamp()
        if claims["iat"] > now:
            raise ApiError(
                401, "'Issued at' claim ('iat') must be an Integer representing the time that the assertion was issued"
            )
        if claims["exp"] < now:
            raise ApiError(401, "'Expiration time' claim ('exp') must be a numeric value in the future")
        if claims["exp"] > now + 660:
            raise ApiError(401, "'Expiration time' claim ('exp') is too far in the future")
        return app

    def by_token(self, text: str) -> Token:
        """The live token with this text; 401 otherwise."""
        token = self._world.tokens.get(text)
        if token is None or token.revoked or token.expires <= self._world.now():
            raise ApiError(401, "Bad credentials")
        if token.installation.suspended:
            raise ApiError(403, "This installation has been suspended")
        return token


def reaches(token: Token, repo: Repo) -> bool:
    """Whether a token's installation, as narrowed, covers a repository."""
    installation = token.installation
    covered = installation.account is repo.owner and (installation.repo_ids is None or repo.id in installation.repo_ids)
    return covered and (token.repo_ids is None or repo.id in token.repo_ids)


def allows(token: Token, need: str) -> bool:
    """Whether a token has a permission like `contents:write`; write includes read."""
    name, _, level = need.partition(":")
    held = token.permissions.get(name, "read" if name == "metadata" else "")
    return held in {"write", "admin"} or (level == "read" and held == "read")


def _json(raw: bytes) -> Any:
    if not raw:
        return None
    try:
        return json.loads(raw)
    except ValueError:
        raise ApiError(400, "Problems parsing JSON") from None


def injected(fault: Json) -> Answer:
    """What a fault of a request answers."""
    if fault["kind"] == "sever":
        return Answer(0, severed=True)
    body = fault.get("body") or {"message": fault.get("message", "Server Error"), "documentation_url": DOCS}
    return Answer(int(fault["status"]), body, dict(fault.get("headers") or {}))
