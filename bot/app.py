"""Puts the receiver together: the webhook, the dispatcher thread, health, metrics and the pages, on one database.

`create_app` opens nothing; threads and connections live from the server's start to its stop.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from importlib.metadata import version
from typing import Any

from fastapi import FastAPI
from starlette.middleware import Middleware
from starlette.middleware.trustedhost import TrustedHostMiddleware
from starlette.routing import Route

from bot.access import Door
from bot.carrying import Carrier
from bot.dashboard import Dashboard
from bot.decisions import Identity
from bot.dispatcher import Dispatcher
from bot.github_login import Addresses, GitHubLogin
from bot.headers import SecurityHeaders
from bot.health import Health
from bot.login import BACK, Login
from bot.metrics import Metrics
from bot.rendering import Render
from bot.schema import Schema
from bot.settings import BotSettings
from bot.throttle import RateLimit, Throttle
from bot.webhook import PATH, Receiver, Shortcut
from bot.writer import Writer
from workers.queue import Bell
from workers.redact import Redactor
from workers.store.database import open_engine
from workers.store.errands import Errands
from workers.store.inbox import Inbox
from workers.store.ledger import Ledger
from workers.store.pages import Pages
from workers.store.roster import Roster


class _Receiver(FastAPI):
    """Its routes are plain ones of Starlette, which FastAPI cannot describe; the document is written by hand."""

    def openapi(self) -> dict[str, Any]:
        """The description of every endpoint."""
        from bot.description import description

        return description(self.version)


def create_app(settings: BotSettings) -> FastAPI:
    """The ASGI application. Each app has its own threads, metrics and database connections."""
    engine = open_engine(settings.database_url)
    readers = open_engine(settings.database_url)  # however many look at pages, a delivery finds a connection
    redactor = Redactor(*settings.secrets())
    inbox, ledger, pages = Inbox(engine), Ledger(engine, settings.lease_seconds, redactor), Pages(readers, redactor)
    bell = Bell(settings.redis_url)
    metrics = Metrics()
    own = Identity(app_id=settings.app_id, app_slug=settings.app_slug)
    carrier = Carrier(engine, ledger, Errands(engine, redactor))
    dispatcher = Dispatcher(inbox, ledger, carrier, bell.ring, own, metrics, settings.sweep_seconds)
    writer = Writer(inbox.store, dispatcher.wake)
    token = settings.dashboard_token.get_secret_value() if settings.dashboard_token else ""
    door = Door(token, people=settings.oauth_client_secret is not None)
    render = Render(can_leave=bool(token) or door.people)
    secure = settings.public_url.startswith("https://")
    login = Login(door, _github_login(settings), metrics, secure, render, Throttle(10, 10))
    receiver = Receiver(settings.webhook_secrets(), writer, metrics, settings.app_id)
    workers, state = Roster(readers).alive, settings.state_dir.expanduser()
    health = Health(engine, writer, dispatcher, metrics, door, pages.figures, bell.answers, workers, state)

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:  # noqa: ARG001 - the framework's signature
        writer.start()
        dispatcher.start()
        yield
        writer.stop()
        dispatcher.stop()
        engine.dispose()
        readers.dispose()

    hosts = [Middleware(TrustedHostMiddleware, list(settings.allowed_hosts))] if settings.allowed_hosts else []
    app = _Receiver(
        title="Heal",
        version=version("heal-bot"),
        lifespan=lifespan,
        docs_url=None,
        redoc_url=None,
        openapi_url=None,
        telemetry={"tracing": False, "metrics": False, "logs": False},  # ours are /metrics and structured lines
        middleware=[
            Middleware(SecurityHeaders),
            Middleware(RateLimit, Throttle(600, 600)),
            *hosts,
            Middleware(Shortcut, receiver),
        ],
    )
    app.router.routes.extend(
        [
            Route(PATH, receiver, methods=["POST"]),
            Route("/healthz", health.alive, methods=["GET"]),
            Route("/readyz", health.ready, methods=["GET"]),
            Route("/metrics", health.scrape, methods=["GET"]),
            *Schema().routes(),
            *Dashboard(pages, login, settings.public_url, render).routes(),
        ]
    )
    return app


def _github_login(settings: BotSettings) -> GitHubLogin | None:
    if settings.oauth_client_secret is None:
        return None
    web, api = settings.github_url.rstrip("/"), settings.github_api_url.rstrip("/")
    addresses = Addresses(web, api, settings.public_url.rstrip("/") + BACK)
    return GitHubLogin(settings.oauth_client_id, settings.oauth_client_secret.get_secret_value(), addresses)
