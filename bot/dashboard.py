"""The pages: the list of runs, one run, its live events, and the same as JSON, each only as far as its visitor may see.

Everything works without JavaScript; the one script of ours only reloads what has changed.
"""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Collection
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, TypeVar
from urllib.parse import urlencode

import structlog
from sqlalchemy.exc import SQLAlchemyError
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, Response, StreamingResponse
from starlette.routing import BaseRoute, Mount, Route
from starlette.staticfiles import StaticFiles

from bot.login import Login, Turned, Visitor
from bot.rendering import Render
from bot.run_view import run_view
from bot.seats import Seated, Seats
from bot.watched import LOOK_SECONDS, Watched
from workers.domain import Outcome, RunId
from workers.store.codec import to_json
from workers.store.database import is_away
from workers.store.models import RunState
from workers.store.pages import Pages, RunLine, RunList, RunPage

HERE = Path(__file__).parent
PAGE = 50
PING_SECONDS = 15.0

log = structlog.get_logger(__name__)

T = TypeVar("T")
Handler = Callable[[Request], Awaitable[Response]]


async def _answered(handler: Handler, request: Request) -> Response:
    try:
        return await handler(request)
    except SQLAlchemyError as error:
        if not is_away(error):
            raise
        log.warning("no page without the database", error=type(error).__name__)
        raise Turned(503, "The database does not answer", "Please try again in a minute.") from error


@dataclass(frozen=True)
class Filter:
    """What the list is narrowed to, as the address says it. Values that mean nothing narrow nothing."""

    repo: str = ""
    outcome: Outcome | None = None
    state: RunState | None = None
    page: int = 1

    @classmethod
    def of(cls, query: Any) -> Filter:
        """Read from query parameters."""
        page = query.get("page", "1")
        return cls(
            repo=query.get("repo", "").replace("\0", "")[:255],
            outcome=next((one for one in Outcome if one.value == query.get("outcome")), None),
            state=next((one for one in RunState if one.value == query.get("state")), None),
            page=min(max(int(page), 1), 100_000) if page.isascii() and page.isdecimal() and len(page) < 7 else 1,
        )

    def address(self, page: int) -> str:
        """The address of another page of the same list."""
        held = {"repo": self.repo, "outcome": self.outcome, "state": self.state, "page": page if page > 1 else ""}
        query = urlencode({name: str(value) for name, value in held.items() if value})
        return f"/?{query}" if query else "/"


@dataclass
class Dashboard:
    """All page handlers of one app."""

    pages: Pages
    login: Login
    public_url: str
    render: Render
    seats: Seats = field(default_factory=Seats, init=False)
    watched: Watched = field(init=False)

    def __post_init__(self) -> None:
        self.watched = Watched(self.pages.newest)

    def routes(self) -> list[BaseRoute]:
        """The routes, in order."""
        return [
            Route("/", self._guarded(self.list_page)),
            Route("/runs/{run}", self._guarded(self.run_page)),
            Route("/runs/{run}/events", self._guarded(self.run_events)),
            Route("/api/runs", self._guarded(self.list_json)),
            Route("/api/runs/{run}", self._guarded(self.run_json)),
            *self.login.routes(),
            Mount("/static", StaticFiles(directory=HERE / "static")),
        ]

    def _guarded(self, handler: Handler) -> Handler:
        async def guarded(request: Request) -> Response:
            try:
                request.state.visitor = await self.login.visitor(request)
                return await _answered(handler, request)
            except Turned as turned:
                if request.url.path.startswith("/api/") or request.url.path.endswith("/events"):
                    return JSONResponse({"error": turned.title or "not allowed"}, status_code=turned.status)
                return self.login.turned(request, turned)

        return guarded

    # Pages

    async def list_page(self, request: Request) -> Response:
        """The list of runs, newest first."""
        wanted = Filter.of(request.query_params)
        found = await run_in_threadpool(self._find, request, wanted)
        return self._page(
            request,
            "runs.html",
            runs=found.lines,
            total=found.total,
            wanted=wanted,
            last_page=max(1, -(-found.total // PAGE)),
            outcomes=list(Outcome),
            states=list(RunState),
            now=datetime.now(UTC),
            public_url=self.public_url.rstrip("/"),
            narrowed=bool(wanted.repo or wanted.outcome or wanted.state),
        )

    async def run_page(self, request: Request) -> Response:
        """One run."""
        page = await self._load(request)
        if page is None:
            gone = "It may have been removed when it was old enough, or belong to a repository that you cannot see."
            return self._page(request, "message.html", 404, title="There is no such run", text=gone)
        return self._page(request, "run.html", view=run_view(page, datetime.now(UTC)), case=page.case)

    def _page(self, request: Request, template: str, status: int = 200, **values: Any) -> HTMLResponse:
        return self.render(template, status, who=_visitor(request).login, **values)

    def _find(self, request: Request, wanted: Filter) -> RunList:
        return self.pages.runs(
            repo=wanted.repo or None,
            state=wanted.state,
            outcome=wanted.outcome,
            limit=PAGE,
            offset=(wanted.page - 1) * PAGE,
            sees=_visitor(request).sees,
        )

    async def _load(self, request: Request) -> RunPage | None:
        return await self._ask(request, self.pages.run)

    async def _ask(self, request: Request, question: Callable[[RunId, Collection[int] | None], T]) -> T | None:
        """What the visitor may know of the run of the address; nothing where there is none for them."""
        run = request.path_params["run"]
        if not (run.isascii() and run.isalnum()):
            return None
        visitor = _visitor(request)
        found = await run_in_threadpool(question, RunId(run), visitor.sees)
        if not found and visitor.sees is not None:
            log.warning("page.refused", visitor=visitor.login, run=run, path=request.url.path)
        return found

    # JSON

    async def list_json(self, request: Request) -> Response:
        """The list with the same filters: {"runs": [...], "total": n, "page": n}."""
        wanted = Filter.of(request.query_params)
        found = await run_in_threadpool(self._find, request, wanted)
        runs = [_line_json(line) for line in found.lines]
        return JSONResponse({"runs": runs, "total": found.total, "page": wanted.page})

    async def run_json(self, request: Request) -> Response:
        """One run with stages, attempts, timeline and, once it has ended, its report."""
        page = await self._load(request)
        if page is None:
            return JSONResponse({"error": "no such run"}, status_code=404)
        return Response(to_json(page), media_type="application/json")

    # Live

    async def run_events(self, request: Request) -> Response:
        """Server-sent events: one message per line of the timeline, from Last-Event-ID (or ?after=) on."""
        return Seated(self.seats, lambda: self._live(request))

    async def _live(self, request: Request) -> Response:
        if not await self._ask(request, self.pages.visible):
            return JSONResponse({"error": "no such run"}, status_code=404)
        seen = request.headers.get("last-event-id") or request.query_params.get("after", "0")
        after = int(seen) if seen.isascii() and seen.isdecimal() and len(seen) < 19 else 0
        stream = self._stream(request, RunId(request.path_params["run"]), after)
        return StreamingResponse(stream, media_type="text/event-stream")

    async def _stream(self, request: Request, run: RunId, after: int) -> AsyncIterator[str]:
        with self.watched.watching(run):
            async for message in self._messages(request, run, after):
                yield message

    async def _messages(self, request: Request, run: RunId, after: int) -> AsyncIterator[str]:
        quiet_since = time.monotonic()
        yield "retry: 2000\n\n"
        if after > await self.watched.newest(run):  # an id of the future: tell all again
            after = 0
        while True:
            new = await self.watched.newest(run) > after
            for event in await run_in_threadpool(self.pages.events, run, after) if new else ():
                after, quiet_since = event.id, time.monotonic()
                data = json.dumps({"kind": event.kind, "title": event.title, "at": event.at.isoformat()})
                yield f"id: {event.id}\nevent: {'done' if event.kind == 'done' else 'line'}\ndata: {data}\n\n"
                if event.kind == "done":
                    return
            if time.monotonic() - quiet_since > PING_SECONDS:
                quiet_since = time.monotonic()
                if not await self._still(request, run):
                    return
                yield ": ping\n\n"
            await asyncio.sleep(LOOK_SECONDS)

    async def _still(self, request: Request, run: RunId) -> bool:
        """Whoever listens may still see the run: rights end while pages are open."""
        try:
            visitor = await self.login.visitor(request)
        except Turned:
            return False
        return await run_in_threadpool(self.pages.visible, run, visitor.sees)


def _visitor(request: Request) -> Visitor:
    """Whom the door let in."""
    visitor: Visitor = request.state.visitor
    return visitor


def _line_json(line: RunLine) -> dict[str, Any]:
    value: dict[str, Any] = json.loads(to_json(line))
    return {**value, "href": f"/runs/{line.id}"}
