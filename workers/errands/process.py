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
from workers.errands.model import KINDS, Forget, Kind, Payload, Recover
from workers.errors import LeaseLost, Retryable, Stop, UsageError
from workers.github.session import App
from workers.hardening import forbid_core_dumps
from workers.messages.wishes import switched_off
from workers.redact import Redactor
from workers.settings import WorkerSettings
from workers.store.database import open_engine
from workers.store.errands import MOST_TRIES, Claimed, Errands
from workers.store.ledger import Ledger
from workers.store.switches import Switches
from workers.store.tenants import OUT_OF_REACH, Tenants

log = structlog.get_logger(__name__)

LOOK_SECONDS = 0.5
"""A person who gave a command sees our reaction within two seconds of the delivery."""
THREADS = 3
LONGEST_BACKOFF = 30.0
THROUGH_SWITCHES = frozenset({Kind.COMMAND, Kind.SETTLE, Kind.RECOVER, Kind.FORGET})
"""Done also where Heal is switched off: `/heal resume` must work (the others of its kind refuse themselves), and these
write nothing on GitHub."""


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
        self._switches = Switches(self._engine, redactor)
        self._tenants = Tenants(self._engine)
        self._app = app
        self._redactor = redactor
        self._handlers = handlers
        self.stop = threading.Event()

    def close(self) -> None:
        """Let go of the database."""
        self._engine.dispose()

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
        kind = KINDS[type(errand.payload)]
        with structlog.contextvars.bound_contextvars(errand=errand.id, fence=errand.fence, kind=kind.value):
            handler, why_not = self._handlers.get(kind), self._why_not(kind, errand.payload)
            if handler is None:
                self._errands.dead(errand, f"nobody does errands of the kind {kind}")
            elif why_not:
                self._errands.done(errand, f"left alone: {why_not}")
            else:
                self._do(errand, handler)
        return True

    def _why_not(self, kind: Kind, payload: Payload) -> str:
        """Why an errand is not done now; "" when it is."""
        if isinstance(payload, Recover | Forget):
            return ""
        where = payload.place.installation_id, payload.place.repo_id
        if not self._tenants.in_reach(*where):
            return OUT_OF_REACH
        off = None if kind in THROUGH_SWITCHES else self._switches.over(*where)
        return switched_off(off.scope, off.who, off.why, off.until) if off else ""

    def _do(self, errand: Claimed, handler: Handler) -> None:
        desk = Desk(self._settings, self._engine, self._redactor, self._ledger, self._errands, self._app, errand)
        try:
            answer = handler(desk)
        except Stop as end:
            self._errands.done(errand, f"{end.outcome}: {end.detail}")
            log.info("errand.refused", why=end.detail)
        except Retryable as trouble:
            log.warning("errand.again", why=str(trouble))
            self._again(errand, trouble.after, str(trouble))
        except LeaseLost:
            log.warning("errand.lost")
        except SQLAlchemyError:
            raise
        except Exception as bug:  # a bug in one errand must not stop the others
            log.exception("errand.crashed", exc_info=bug)
            self._again(errand, 5.0, f"{type(bug).__name__}: {bug}")
        else:
            self._errands.done(errand, answer)
            log.info("errand.done", answer=answer)

    def _again(self, errand: Claimed, after: float, why: str) -> None:
        if errand.tries >= MOST_TRIES:
            log.error("errand.dead", tries=errand.tries, why=why)
        self._errands.again(errand, after, why)


def main() -> None:
    """`python -m workers.errands.process`: works until standard input closes."""
    forbid_core_dumps()
    settings = WorkerSettings()
    redactor = Redactor(*settings.secrets())
    telemetry.configure(redactor)
    try:
        app = App.of(settings)
    except UsageError:
        log.warning("errands.no_key")  # not ended: it would be started again every few seconds
        sys.stdin.read()
        return
    engine = open_engine(settings.database_url)
    ledger = Ledger(engine, settings.lease_seconds, redactor)
    counter = Counter(settings, Errands(engine, redactor), ledger, app, redactor)
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
