"""One request to GitHub's REST or GraphQL API over PyGithub's requester, and what its refusals mean for a run.

PyGithub's objects are left aside: they ask GitHub again for fields that nobody needs, and every call counts.
"""

from __future__ import annotations

import json
import logging
import re
import time
from collections.abc import Callable, Iterator, Mapping
from functools import partial
from types import TracebackType
from typing import Any, BinaryIO, TypeVar, cast
from urllib.parse import parse_qs, quote, urlsplit

import requests
from github import GithubException
from github.Requester import Requester
from urllib3 import BaseHTTPResponse
from urllib3.connectionpool import ConnectionPool
from urllib3.util import Retry

from workers.domain import Outcome
from workers.errors import Retryable, Stop
from workers.fencing import Guard, unfenced
from workers.github.punctual import Punctual, TooLate

T = TypeVar("T")

_log = logging.getLogger(__name__)

API_VERSION = "2022-11-28"
PAGE = 100
MOST_PAGES = 20
SECONDARY_WAIT_S = 60.0
LONGEST_WAIT_S = 3700.0

_DIGITS = re.compile(r"[0-9]{1,12}")
_NEXT = re.compile(r'<([^<>]{1,2000})>; rel="next"')

_GRAPHQL_SAYS_NO = 400
"""The status of an answer 200 with errors in it, as PyGithub has it for queries."""

_STARTS = 3
"""How often a write is begun that then waits too long, on a machine that is too busy or stopped again and again."""

_MOVED = frozenset({301, 307, 308})
"""What is asked for lies elsewhere. 302 is left to those who ask for an address."""


class ReadsOnly(Retry):
    """Repeats reads after a 5xx, and follows no redirect. PyGithub's own default repeats POSTs as well and sleeps out
    rate limits inside the worker. Writes are repeated only by a new try of the whole run, which first looks for what a
    lost answer may have made.

    PyGithub itself would follow a 301 without its query, writes too, and take a 307 for an answer. Repositories are
    asked for by their id, so a redirect leads to what this token is not for.
    """

    def is_retry(self, method: str, status_code: int, has_retry_after: bool = False) -> bool:
        """`increment` hears of these answers."""
        return status_code in _MOVED or super().is_retry(method, status_code, has_retry_after)

    def increment(
        self,
        method: str | None = None,
        url: str | None = None,
        response: BaseHTTPResponse | None = None,
        error: Exception | None = None,
        _pool: ConnectionPool | None = None,
        _stacktrace: TracebackType | None = None,
    ) -> ReadsOnly:
        """Raises `GithubException` for a redirect."""
        if response is not None and response.status in _MOVED:
            response.drain_conn()
            raise GithubException(response.status, {"message": "moved"}, dict(response.headers))
        return super().increment(method, url, response, error, _pool, _stacktrace)


READS_ONLY = ReadsOnly(
    total=3,
    allowed_methods={"GET", "HEAD"},
    status_forcelist={500, 502, 503, 504},
    backoff_factor=0.3,
    respect_retry_after_header=False,
    raise_on_status=False,
)


_PEOPLES = re.compile(
    r"/(merge|merges|merge-upstream|auto-merge|update-branch|approve|dismissals)$|^(merge|enable|approve|dismiss)[A-Z]"
)
"""Paths and mutations that merge, approve or dismiss, whatever the token would allow."""


class Refused(Exception):  # noqa: N818 - an answer, not an error
    """GitHub said no with a status the caller asked to see."""

    def __init__(self, status: int, message: str) -> None:
        super().__init__(message)
        self.status = status


class Api:
    """GitHub with one token. `guard` is called before every write and may raise; what it allowed and what did not begin
    in time is not sent, and the guard is asked again. Not for use from several threads.

    `renew`, where it is set, gives a requester with a fresh token: a request whose token GitHub did not accept was not
    done, so it is sent once more with the new one.
    """

    def __init__(self, requester: Requester, guard: Guard = unfenced) -> None:
        self._requester = requester
        self._guard = guard
        self.renew: Callable[[], Requester] | None = None

    def get(self, path: str, **parameters: object) -> Any:
        """The JSON answer of a GET."""
        return self._call("GET", path, parameters=parameters)[1]

    def find(self, path: str, **parameters: object) -> Any | None:
        """The JSON answer of a GET, or None when GitHub says there is no such thing (any more), or we may not see
        it."""
        try:
            return self._call("GET", path, parameters=parameters, expect=(301, 404))[1]
        except Refused:
            return None

    def location(self, path: str) -> str | None:
        """Where a GET redirects to; None when GitHub says 404 or 410."""
        try:
            headers, _ = self._call("GET", path, expect=(404, 410))
        except Refused:
            return None
        return str(headers["location"]) if headers.get("location") else None

    def pages(self, path: str, key: str = "", **parameters: object) -> Iterator[Any]:
        """Every item of a list, over its pages; `key` names the list inside an object."""
        for page in range(1, MOST_PAGES + 1):
            answer = self.get(path, per_page=PAGE, page=page, **parameters)
            items = answer[key] if key else answer
            yield from items
            if len(items) < PAGE:
                return

    def newest(self, path: str) -> Iterator[Any]:
        """Every item of a list that GitHub pages by a cursor, as long as it is asked for more."""
        parameters: dict[str, object] = {"per_page": PAGE}
        while True:
            headers, items = self._call("GET", path, parameters=parameters)
            yield from items
            following = _NEXT.search(headers.get("link") or "")
            cursor = parse_qs(urlsplit(following[1]).query).get("cursor") if following else None
            if not cursor:
                return
            parameters["cursor"] = cursor[0]

    def send(self, method: str, path: str, body: Mapping[str, object], *, expect: tuple[int, ...] = ()) -> Any:
        """The JSON answer of a write; raises `Refused` for the statuses in `expect`."""
        _never(path, body.get("event"))
        return self._call(method, path, body=body, expect=expect)[1]

    def delete(self, path: str) -> None:
        """A DELETE."""
        self._call("DELETE", path)

    def ask(self, query: str, variables: Mapping[str, object]) -> Any:
        """The data of one GraphQL query."""
        try:
            return self._requester.graphql_query(query, dict(variables))[1]["data"]
        except (GithubException, requests.RequestException) as error:
            raise translate(error) from error

    def mutate(self, name: str, variables: Mapping[str, object], fields: str, *, refusals: bool = False) -> None:
        """One GraphQL mutation; raises `Refused` for what GraphQL itself answers when `refusals` are asked for."""
        _never(name, None)
        given = f"{name[:1].upper()}{name[1:]}Input!"
        query = f"mutation Mutation($input: {given}) {{ {name}(input: $input) {{ {fields} }} }}"
        try:
            self._mutated({"query": query, "variables": {"input": dict(variables)}})
        except GithubException as error:
            if refusals and error.status == _GRAPHQL_SAYS_NO and not _limited(error):
                raise Refused(error.status, _message(error)) from error
            raise translate(error) from error
        except requests.RequestException as error:
            raise translate(error) from error

    def _call(
        self,
        method: str,
        path: str,
        *,
        parameters: Mapping[str, object] | None = None,
        body: Mapping[str, object] | None = None,
        expect: tuple[int, ...] = (),
    ) -> tuple[dict[str, Any], Any]:
        try:
            if body is not None:
                return self._written(method, path, body)
            given = dict(parameters) if parameters else None
            return self._renewing(lambda github: github.requestJsonAndCheck(method, path, parameters=given))
        except GithubException as error:
            if error.status in expect and not _limited(error):
                raise Refused(error.status, _message(error)) from error
            raise translate(error) from error
        except requests.RequestException as error:
            raise translate(error) from error

    def _mutated(self, body: Mapping[str, object]) -> None:
        headers, answer = self._written("POST", self._requester.graphql_url, body)
        if "errors" in answer:
            error = self._requester.createException(_GRAPHQL_SAYS_NO, headers, answer)
            gone = [one.get("type") for one in _problems(error) if isinstance(one, dict)] == ["NOT_FOUND"]
            raise self._requester.createException(404, headers, answer) if gone else error

    def _written(self, method: str, path: str, body: Mapping[str, object]) -> tuple[dict[str, Any], Any]:
        content = json.dumps(body).encode()
        for _ in range(_STARTS):
            sent = cast(BinaryIO, Punctual(content, self._guard()))
            try:
                return self._renewing(partial(_send, method=method, path=path, body=sent))
            except TooLate:
                _log.info("%s %s was not sent: it began too late", method, path)
        raise Retryable("A request to GitHub could not begin in time", blame="github", after=15)

    def _renewing(self, ask: Callable[[Requester], T]) -> T:
        try:
            return ask(self._requester)
        except GithubException as error:
            if error.status != 401 or self.renew is None:
                raise
        self._requester = self.renew()
        return ask(self._requester)


def _send(github: Requester, method: str, path: str, body: BinaryIO) -> tuple[dict[str, Any], Any]:
    """The one call of the library that takes a body as it is."""
    return github.requestMemoryBlobAndCheck(method, path, None, {"Content-Type": "application/json"}, body)


def _never(asked: str, event: object) -> None:
    """Merging and approving are people's. Asking for either is a bug of ours, and ends here."""
    if _PEOPLES.search(asked) or event in ("APPROVE", "DISMISS"):
        raise ValueError(f"Heal never merges and never approves: {asked}")


def translate(error: GithubException | requests.RequestException) -> Stop | Retryable:
    """What a failed request means for the run: over (`Stop`) or again later (`Retryable`)."""
    if isinstance(error, requests.RequestException):
        return Retryable(f"GitHub cannot be reached: {type(error).__name__}", blame="github", after=15)
    status, said = error.status, _message(error)
    if _limited(error):
        return Retryable(f"GitHub's rate limit: {said}", blame="github", after=_delay(error))
    if status == 401:
        return Retryable("GitHub does not accept the token any more", blame="github", after=5)
    if status in {403, 451} or _forbidden(error):
        return Stop(Outcome.DISABLED, f"GitHub does not let Heal do this: {said}")
    if status in _MOVED:
        return Stop(Outcome.DISABLED, "GitHub says this lies elsewhere now, and Heal follows nothing there.")
    if status in {404, 410}:
        return Stop(Outcome.DISABLED, "GitHub says this is gone, or Heal may not see it any more.")
    if status == 422 and said.startswith("No commit found"):
        return Stop(Outcome.HEAD_MOVED, "The commit is gone from GitHub.")
    if status == 422:
        return Stop(Outcome.REFUSED_BY_POLICY, f"GitHub refused the change: {said}")
    return Retryable(f"GitHub answered {status}: {said}", blame="github", after=30)


def ref(name: str) -> str:
    """A branch or path as part of a URL."""
    return quote(name, safe="/")


def _limited(error: GithubException) -> bool:
    if error.status == 429:
        return True
    headers = error.headers or {}
    spent = headers.get("x-ratelimit-remaining") == "0"
    return error.status == 403 and (spent or "retry-after" in headers or "rate limit" in _message(error).lower())


def _forbidden(error: GithubException) -> bool:
    """GraphQL's way to say 403; the client's library makes a 400 of it."""
    return any(isinstance(one, dict) and one.get("type") == "FORBIDDEN" for one in _problems(error))


def _problems(error: GithubException) -> list[Any]:
    """What a refusal lists, whatever else stands in that place."""
    listed = error.data.get("errors") if isinstance(error.data, dict) else None
    return listed if isinstance(listed, list) else []


def _delay(error: GithubException) -> float:
    headers = error.headers or {}
    after, reset = headers.get("retry-after", ""), headers.get("x-ratelimit-reset", "")
    if _DIGITS.fullmatch(after):
        wait = float(after)
    elif headers.get("x-ratelimit-remaining") == "0" and _DIGITS.fullmatch(reset):
        wait = float(reset) - time.time() + 1
    else:
        wait = SECONDARY_WAIT_S
    return min(max(wait, 1.0), LONGEST_WAIT_S)


def _message(error: GithubException) -> str:
    data = error.data if isinstance(error.data, dict) else {}
    parts = [str(data.get("message", "")) or f"status {error.status}"]
    parts += [
        str(one.get("message") or one.get("code") or "") if isinstance(one, dict) else str(one)
        for one in _problems(error)
    ]
    return "; ".join(part for part in parts if part)[:500]
