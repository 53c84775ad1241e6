"""The process that works on errands beside a worker: a few threads that look at the database several times a second.

It holds the App's key and no model's, touches no engine and no checkout. When the worker's pipe closes it ends.
"""

from __future__ import annotations

import os
import socket
import sys
import threading
from collections.abc import Mapping

import structlog
from sqlalchemy.exc import SQLAlchemyError

from workers import telemetry
from workers.errands.desk import Desk, Handler
from workers.errands.handlers import HANDLERS
from workers.errands.model import KINDS, Kind
from workers.errors import LeaseLost, Retryable, Stop
from workers.github.session import App
from workers.hardening import forbid_core_dumps
from workers.redact import Redactor
from workers.settings import WorkerSettings
from workers.store.database import open_engine
from workers.store.errands import Claimed, Errands
from workers.store.ledger import Ledger

log = structlog.get_logger(__name__)

LOOK_SECONDS = 0.5
"""A person who gave a command sees our reaction within two seconds of the delivery."""
THREADS = 3
LONGEST_BACKOFF = 30.0


class Counter:
    """Works on errands until it is told to stop."""

    def __init__(
        self,
        settings: WorkerSettings,
        errands: Errands,
        ledger: Ledger,
        app: App,
        redactor: Redactor,
        handlers: Mapping[Kind, Handler] = HANDLERS,
    ) -> None:
        self._settings = settings
        self._engine = open_engine(settings.database_url)
        self._errands = errands
        self._ledger = ledger
        self._app = app
        self._redactor = redactor
        self._handlers = handlers
        self.stop = threading.Event()

    def work(self, owner: str) -> None:
        """One thread: take, do, answer, until `stop`."""
        backoff = 0.0
        while not self.stop.is_set():
            try:
                busy = self.once(owner)
                backoff = 0.0
            except SQLAlchemyError as trouble:
                busy, backoff = False, min(LONGEST_BACKOFF, backoff * 2 or 1.0)
                log.warning("errands.database", error=type(trouble).__name__, again_in=backoff)
            if not busy:
                self.stop.wait(backoff or LOOK_SECONDS)

    def once(self, owner: str) -> bool:
        """Do the next errand; False when there is none."""
        errand = self._errands.claim(owner)
        if errand is None:
            return False
        with structlog.contextvars.bound_contextvars(errand=errand.id, fence=errand.fence):
            self._do(errand)
        return True

    def _do(self, errand: Claimed) -> None:
        kind = KINDS[type(errand.payload)]
        handler = self._handlers.get(kind)
        if handler is None:
            self._errands.dead(errand, f"nobody does errands of the kind {kind}")
            return
        desk = Desk(self._settings, self._engine, self._redactor, self._ledger, self._errands, self._app, errand)
        try:
            answer = handler(desk)
        except Stop as end:
            self._errands.done(errand, f"{end.outcome}: {end.detail}")
            log.info("errand.refused", kind=kind, why=end.detail)
        except Retryable as trouble:
            self._errands.again(errand, trouble.after, str(trouble))
            log.warning("errand.again", kind=kind, why=str(trouble))
        except LeaseLost:
            log.warning("errand.lost", kind=kind)
        except SQLAlchemyError:
            raise
        except Exception as bug:  # a bug in one errand must not stop the others
            log.exception("errand.crashed", kind=kind, exc_info=bug)
            self._errands.again(errand, 5.0, f"{type(bug).__name__}: {bug}")
        else:
            self._errands.done(errand, answer)
            log.info("errand.done", kind=kind, answer=answer)


def main() -> None:
    """`python -m workers.errands.process`: works until standard input closes."""
    forbid_core_dumps()
    settings = WorkerSettings()
    redactor = Redactor(*settings.secrets())
    telemetry.configure(redactor)
    key = settings.app_key()
    if not settings.app_id or key is None:
        log.warning("errands.no_key")
        return
    app = App(settings.github_api_url, settings.app_id, key.get_secret_value(), pace=settings.github_pace)
    engine = open_engine(settings.database_url)
    counter = Counter(
        settings, Errands(engine, redactor), Ledger(engine, settings.lease_seconds, redactor), app, redactor
    )
    host = f"{socket.gethostname()}:{os.getpid()}"
    threads = [
        threading.Thread(target=counter.work, args=(f"{host}/{n}",), name=f"heal-errand-{n}", daemon=True)
        for n in range(THREADS)
    ]
    for thread in threads:
        thread.start()
    sys.stdin.read()
    counter.stop.set()
    for thread in threads:
        thread.join(timeout=5)


if __name__ == "__main__":
    main()
