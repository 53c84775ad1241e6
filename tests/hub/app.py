"""Puts the double together behind one FastAPI application: REST, GraphQL, git, logs and the human side."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl

from fastapi import FastAPI, Request, Response
from fastapi.concurrency import run_in_threadpool
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from tests.hub.ci import CiRunner
from tests.hub.contract import Contract
from tests.hub.control import Control
from tests.hub.events import Events
from tests.hub.gitweb import GitWeb
from tests.hub.graphql import GraphQl
from tests.hub.hooks import Hooks
from tests.hub.rest import actions, apps, checks, gitdata, issues, oauth, pulls, repos, reviews, statuses
from tests.hub.rest.actions import read_log
from tests.hub.rest.dispatch import Answer, ApiError, Dispatcher
from tests.hub.runs import Runs
from tests.hub.state import Json, World

ROUTES = (
    *apps.ROUTES,
    *oauth.ROUTES,
    *repos.ROUTES,
    *gitdata.ROUTES,
    *checks.ROUTES,
    *statuses.ROUTES,
    *actions.ROUTES,
    *pulls.ROUTES,
    *reviews.ROUTES,
    *issues.ROUTES,
)
_METHODS = ["GET", "POST", "PATCH", "PUT", "DELETE"]


class _Severed(Response):
    """Closes the connection without a word: what a client sees whose answer got lost on the way."""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        await send({"type": "hub.sever"})


class _Severing:
    """The outermost layer: it alone still knows the server's own connection."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        async def sent(message: Message) -> None:
            if message["type"] == "hub.sever":
                cycle: Any = getattr(send, "__self__")  # noqa: B009 - `send` is a method of uvicorn's own cycle
                cycle.disconnected = True
                cycle.transport.abort()
            else:
                await send(message)

        await self._app(scope, receive, sent)


def _send(answer: Answer) -> Response:
    if answer.severed:
        return _Severed()
    if answer.body is None:
        return Response(status_code=answer.status, headers=answer.headers)
    text = json.dumps(answer.body)
    return Response(text, answer.status, answer.headers, media_type="application/json; charset=utf-8")


def build(data: Path, url: str, ci_image: str) -> FastAPI:
    """The application for an address that is already known."""
    world = World(data, url, ci_image)
    contract = Contract(world, oauth.NOT_COPIED)
    hooks = Hooks(world, contract)
    events = Events(world, hooks)
    runs = Runs(world, events)
    ci = events.ci = CiRunner(world, runs)
    dispatcher = Dispatcher(world, contract, events, ROUTES)
    graphql = GraphQl(world, contract, events, dispatcher)
    git = GitWeb(world, events, dispatcher)
    control = Control(world, contract, hooks, events, runs)
    app = FastAPI(openapi_url=None)
    app.state.contract, app.state.ci = contract, ci

    @app.api_route("/api/v3/{path:path}", methods=_METHODS)
    async def rest(path: str, request: Request) -> Response:
        body = await request.body()
        raw_path = request.scope["raw_path"].decode().removeprefix("/api/v3").partition("?")[0]
        headers = dict(request.headers)
        return _send(
            await run_in_threadpool(dispatcher.handle, request.method, raw_path, request.url.query, headers, body)
        )

    @app.post("/api/graphql")
    async def graph(request: Request) -> Response:
        body = await request.body()
        authorization = request.headers.get("authorization", "")
        try:
            return _send(await run_in_threadpool(graphql.handle, authorization, json.loads(body)))
        except ApiError as error:
            return _send(Answer(error.status, error.body()))

    _add_login(app, world)

    @app.get("/_logs/{job_id}")
    def log(job_id: int, repo: int, se: int, sig: str) -> Response:
        status, text = read_log(world, repo, job_id, se, sig)
        return Response(text, status, media_type="text/plain; charset=utf-8")

    @app.api_route("/_control/{verb}", methods=["GET", "POST"])
    async def human(verb: str, request: Request) -> Response:
        asked: Json = json.loads(await request.body() or b"{}")
        try:
            return _send(Answer(200, await run_in_threadpool(control.call, verb, asked)))
        except LookupError as error:
            return _send(Answer(404, {"message": f"{verb}: {error!r}"}))
        except ApiError as error:
            return _send(Answer(error.status, error.body()))

    @app.api_route("/{owner}/{name}.git/{tail:path}", methods=["GET", "POST"])
    async def smart_http(owner: str, name: str, tail: str, request: Request) -> Response:
        body = await request.body()
        headers = dict(request.headers)
        answer = await run_in_threadpool(
            git.answer, request.method, f"{owner}/{name}", tail, request.url.query, headers, body
        )
        return _Severed() if answer.severed else Response(answer.body, answer.status, answer.headers)

    return app


def _add_login(app: FastAPI, world: World) -> None:
    @app.get("/login/oauth/authorize")
    def consent(request: Request) -> Response:
        return _send(oauth.authorize(world, dict(request.query_params)))

    @app.post("/login/oauth/access_token")
    async def exchange(request: Request) -> Response:
        return _send(oauth.access_token(world, dict(parse_qsl((await request.body()).decode()))))


def served(app: FastAPI) -> ASGIApp:
    """The application as a server runs it."""
    return _Severing(app)
