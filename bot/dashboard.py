"""The pages: the list of runs, one run, its live events, the same as JSON, and the login. Everything works without
JavaScript; the one script of ours only reloads what has changed.
"""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlencode

from jinja2 import Environment, FileSystemLoader, StrictUndefined, select_autoescape
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, RedirectResponse, Response, StreamingResponse
from starlette.routing import BaseRoute, Mount, Route
from starlette.staticfiles import StaticFiles

from bot import views
from bot.access import COOKIE, HOW_TO_OPEN, SESSION_SECONDS, Door, Entry, safe_path, same_origin
from bot.metrics import Metrics
from bot.run_view import doing, elapsed, event_text, run_view
from bot.settings import BotSettings
from workers.domain import Outcome, RunId
from workers.messages.plan import FIDELITY
from workers.store.codec import to_json
from workers.store.models import RunState
from workers.store.pages import Pages, RunLine, RunPage

HERE = Path(__file__).parent
PAGE = 50
LARGEST_FORM = 4096
MOST_LISTENERS = 200
LOOK_SECONDS = 0.5
PING_SECONDS = 15.0

Handler = Callable[[Request], Awaitable[Response]]


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


def _templates() -> Environment:
    templates = Environment(
        loader=FileSystemLoader(HERE / "templates"),
        autoescape=select_autoescape(default=True, default_for_string=True),
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    templates.filters.update(
        duration=views.duration,
        clock=views.clock,
        time_of_day=views.time_of_day,
        iso=views.iso,
        plain=views.plain,
        ticked=views.ticked,
        one_line=views.one_line,
        diff_lines=views.diff_lines,
        log_chunks=views.log_chunks,
        money=views.money,
        event_text=event_text,
    )
    templates.globals.update(
        chip=views.chip,
        doing=doing,
        elapsed=elapsed,
        diff_size=views.diff_size,
        stage_words=views.STAGE_WORDS,
        fidelity_words=FIDELITY,
    )
    return templates


@dataclass
class Dashboard:
    """All page handlers of one app."""

    pages: Pages
    door: Door
    metrics: Metrics
    settings: BotSettings
    _templates: Environment = field(default_factory=_templates, init=False)
    _listeners: int = field(default=0, init=False)

    def routes(self) -> list[BaseRoute]:
        """The routes, in order."""
        return [
            Route("/", self._guarded(self.list_page)),
            Route("/runs/{run}", self._guarded(self.run_page)),
            Route("/runs/{run}/events", self._guarded(self.run_events)),
            Route("/api/runs", self._guarded(self.list_json)),
            Route("/api/runs/{run}", self._guarded(self.run_json)),
            Route("/login", self.login_page, methods=["GET"]),
            Route("/login", self.login, methods=["POST"]),
            Route("/logout", self.logout, methods=["POST"]),
            Mount("/static", StaticFiles(directory=HERE / "static")),
        ]

    def _guarded(self, handler: Handler) -> Handler:
        async def guarded(request: Request) -> Response:
            entry = self.door.entry(request)
            if entry is Entry.OPEN:
                return await handler(request)
            if request.url.path.startswith("/api/") or request.url.path.endswith("/events"):
                return JSONResponse({"error": "not allowed"}, status_code=403 if entry is Entry.FORBIDDEN else 401)
            if entry is Entry.FORBIDDEN:
                return self._message(403, "These pages are closed", HOW_TO_OPEN)
            target = request.url.path + (f"?{request.url.query}" if request.url.query else "")
            return RedirectResponse(f"/login?{urlencode({'next': target})}", status_code=303)

        return guarded

    # Pages

    async def list_page(self, request: Request) -> Response:
        """The list of runs, newest first."""
        wanted = Filter.of(request.query_params)
        found = await run_in_threadpool(self._find, wanted)
        return self._page(
            "runs.html",
            runs=found.lines,
            total=found.total,
            wanted=wanted,
            last_page=max(1, -(-found.total // PAGE)),
            outcomes=list(Outcome),
            states=list(RunState),
            now=datetime.now(UTC),
            public_url=self.settings.public_url.rstrip("/"),
            narrowed=bool(wanted.repo or wanted.outcome or wanted.state),
        )

    async def run_page(self, request: Request) -> Response:
        """One run."""
        page = await self._load(request)
        if page is None:
            return self._message(404, "There is no such run", "It may have been removed when it was old enough.")
        return self._page("run.html", view=run_view(page, datetime.now(UTC)), case=page.case)

    def _page(self, template: str, status: int = 200, **values: Any) -> HTMLResponse:
        values["can_leave"] = bool(self.door.token)
        return HTMLResponse(self._templates.get_template(template).render(**values), status_code=status)

    def _message(self, status: int, title: str, text: str) -> HTMLResponse:
        return self._page("message.html", status, title=title, text=text)

    def _find(self, wanted: Filter) -> Any:
        return self.pages.runs(
            repo=wanted.repo or None,
            state=wanted.state,
            outcome=wanted.outcome,
            limit=PAGE,
            offset=(wanted.page - 1) * PAGE,
        )

    async def _load(self, request: Request) -> RunPage | None:
        run = request.path_params["run"]
        if not (run.isascii() and run.isalnum()):
            return None
        return await run_in_threadpool(self.pages.run, RunId(run))

    # JSON

    async def list_json(self, request: Request) -> Response:
        """The list with the same filters: {"runs": [...], "total": n, "page": n}."""
        wanted = Filter.of(request.query_params)
        found = await run_in_threadpool(self._find, wanted)
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
        page = await self._load(request)
        if page is None:
            return JSONResponse({"error": "no such run"}, status_code=404)
        if self._listeners >= MOST_LISTENERS:
            return JSONResponse({"error": "too many live pages"}, status_code=503, headers={"retry-after": "30"})
        seen = request.headers.get("last-event-id") or request.query_params.get("after", "0")
        after = int(seen) if seen.isascii() and seen.isdecimal() and len(seen) < 19 else 0
        last = page.events[-1].id if page.events else 0
        stream = self._stream(page.line.id, after if after <= last else 0)  # an id from the future: tell all again
        return StreamingResponse(stream, media_type="text/event-stream")

    async def _stream(self, run: RunId, after: int) -> AsyncIterator[str]:
        self._listeners += 1
        quiet_since = time.monotonic()
        try:
            yield "retry: 2000\n\n"
            while True:
                events = await run_in_threadpool(self.pages.events, run, after)
                for event in events:
                    after, quiet_since = event.id, time.monotonic()
                    data = json.dumps({"kind": event.kind, "title": event.title, "at": event.at.isoformat()})
                    yield f"id: {event.id}\nevent: {'done' if event.kind == 'done' else 'line'}\ndata: {data}\n\n"
                    if event.kind == "done":
                        return
                if time.monotonic() - quiet_since > PING_SECONDS:
                    quiet_since = time.monotonic()
                    yield ": ping\n\n"
                await asyncio.sleep(LOOK_SECONDS)
        finally:
            self._listeners -= 1

    # Login

    async def login_page(self, request: Request) -> Response:
        """The form for the token."""
        if not self.door.token:
            return RedirectResponse("/", status_code=303)
        return self._page("login.html", next=safe_path(request.query_params.get("next", "/")), wrong=False)

    async def login(self, request: Request) -> Response:
        """Check the token and give a session."""
        body = b""
        async for chunk in request.stream():
            body += chunk
            if len(body) > LARGEST_FORM:
                return self._message(413, "Too much", "The form holds a token and nothing else.")
        if not same_origin(request):
            return self._message(403, "Not from here", "The form was posted from another site.")
        form = parse_qs(body.decode("utf-8", "replace"))
        target = safe_path(form.get("next", ["/"])[0])
        if not self.door.knows(form.get("token", [""])[0].strip()):
            self.metrics.logins_refused.inc()
            return self._page("login.html", 403, next=target, wrong=True)
        answer = RedirectResponse(target, status_code=303)
        secure = request.url.scheme == "https" or self.settings.public_url.startswith("https://")
        answer.set_cookie(
            COOKIE,
            self.door.session(time.time()),
            max_age=SESSION_SECONDS,
            httponly=True,
            samesite="lax",
            secure=secure,
        )
        return answer

    async def logout(self, request: Request) -> Response:
        """Forget the session in this browser."""
        if not same_origin(request):
            return self._message(403, "Not from here", "The form was posted from another site.")
        answer = RedirectResponse("/login", status_code=303)
        answer.delete_cookie(COOKIE)
        return answer


def _line_json(line: RunLine) -> dict[str, Any]:
    value: dict[str, Any] = json.loads(to_json(line))
    return {**value, "href": f"/runs/{line.id}"}
