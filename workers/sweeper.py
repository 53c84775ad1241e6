"""Finds what a lost bell, a dead worker or a passed pause leaves behind: runs that are due, containers past their time.

A worker starts this module as a process of its own (`python -m
workers.sweeper`), because its pool forks, and a process that forks must not hold a SQLite database open. The worker
writes a line to the sweeper's standard input every 10 s; when none comes for a minute its event loop is stuck and it is
ended; when the pipe closes, the worker is gone and its leases are freed.
"""

from __future__ import annotations

import dataclasses
import os
import signal
import sys
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from importlib.metadata import version
from itertools import takewhile
from pathlib import Path
from typing import TextIO

import structlog
from sqlalchemy.exc import SQLAlchemyError

from sandbox import explain
from sandbox.engine import Engine
from sandbox.errors import SandboxError
from sandbox.inventory import prune
from sandbox.reaper import reap
from workers import scratch, telemetry
from workers.domain import RunId
from workers.git import mirrors
from workers.queue import Bell
from workers.redact import Redactor
from workers.settings import SweeperSettings
from workers.store.database import open_engine
from workers.store.ledger import Ledger
from workers.store.retention import Keep, Retention, kept
from workers.store.roster import Roster
from workers.store.tenants import Tenants
from workers.upkeep import engines

log = structlog.get_logger(__name__)

Ring = Callable[[RunId], bool]
GOODBYE = "bye"
BEATS = 6
"""Signs of life that a worker shows in the time after which it is taken to be stuck."""
REAP_SECONDS = 30.0
"""A dead worker's containers go within a minute: the wait for the next look, and the look."""
LAST_LOOK_SECONDS = 20.0
"""For an engine that does not answer nobody stays any longer."""
CAP_SECONDS, FIRST_CAP_SECONDS = 900.0, 180.0
"""Sizes are asked for seldom: to count them costs the engine seconds. Not at once: right after a start runs wait to be
taken up again."""
DROP_SECONDS = 600.0
KEEP_SECONDS = 3600.0


def sweep(ledger: Ledger, ring_for: Ring, limit: int = 100) -> int:
    """Ring once for every due run; stops at the first bell that is not taken (Redis is away). Gives how many rang."""
    taken = list(takewhile(ring_for, ledger.due(limit)))
    ledger.rung(*taken)
    return len(taken)


def sweep_forever(ledger: Ledger, ring_for: Ring, stop: threading.Event, every: float = 5.0) -> None:
    """Sweep every few seconds until `stop` is set. A database that is away is tried again at the next round."""
    while not stop.wait(every):
        try:
            sweep(ledger, ring_for)
        except SQLAlchemyError as trouble:
            log.warning("sweep failed", error=str(trouble))


def reap_forever(engine: Engine, installation: str, stop: threading.Event, every: float = REAP_SECONDS) -> None:
    """Clear the engine now and twice a minute, until `stop` is set, and once more then: the worker has gone, and what
    its processes had made is nobody's. An engine that is away is tried again next time."""
    while True:
        stopped = stop.is_set()
        try:
            reaped = reap(engine, installation)
            if any(dataclasses.astuple(reaped)):
                log.info("cleared the engine", **dataclasses.asdict(reaped))
        except SandboxError as trouble:
            log.warning("the engine could not be cleared", error=explain.error(trouble))
        if stopped:
            return
        stop.wait(every)


def hold_cap_forever(
    engine: Engine, installation: str, stop: threading.Event, cap: int,
    first: float = FIRST_CAP_SECONDS, every: float = CAP_SECONDS,
) -> None:  # fmt: skip
    """Hold what is kept on the engine under its cap, until `stop` is set. A loop of its own: clearing waits for no
    counting."""
    wait = first
    while not stop.wait(wait):
        wait = every
        try:
            _hold_cap(engine, installation, cap)
        except SandboxError as trouble:
            log.warning("what is kept on the engine could not be counted", error=explain.error(trouble))


def _hold_cap(engine: Engine, installation: str, cap: int) -> None:
    pruned = prune(engine, installation, cap)
    if pruned.items:
        log.info("removed what was not used for longest", items=len(pruned.items), freed=pruned.freed, left=pruned.left)
    if pruned.over:
        log.warning("what is in use on the engine is larger than its cap", bytes=pruned.left, cap=cap)


def drop_mirrors_forever(folder: Path, tenants: Tenants, stop: threading.Event, every: float = DROP_SECONDS) -> None:
    """Delete the mirrors of repositories that are gone from this machine's disk, now and then."""
    while True:
        try:
            dropped = mirrors.drop(folder, tenants.gone)
            if dropped:
                log.info("dropped mirrors of repositories that are gone", mirrors=dropped)
        except (SQLAlchemyError, OSError) as trouble:
            log.warning("mirrors could not be dropped", error=str(trouble))
        if stop.wait(every):
            return


def clear_scratch_forever(stop: threading.Event, every: float = REAP_SECONDS) -> None:
    """Remove the temporary folders of processes that were killed, now and twice a minute."""
    while True:
        scratch.clear()
        if stop.wait(every):
            return


def forget_forever(retention: Retention, keep: Keep, stop: threading.Event, every: float = KEEP_SECONDS) -> None:
    """Remove what has become old, and what is over the database's cap, now and every hour."""
    while True:
        try:
            removed = retention.prune(keep)
            if removed:
                log.info("removed what was kept for long enough", **dataclasses.asdict(removed))
        except SQLAlchemyError as trouble:
            log.warning("what is old could not be removed", error=str(trouble))
        if stop.wait(every):
            return


@dataclass
class Signs:
    """Signs of life: when the last one came, by this process's clock, and whether it is news."""

    at: float = field(default_factory=time.monotonic)
    new: threading.Event = field(default_factory=threading.Event)

    def note(self) -> None:
        """One came just now."""
        self.at = time.monotonic()
        self.new.set()


def end_when_stuck(
    worker: str, signs: Signs, broker_answers: Callable[[], bool], stop: threading.Event, patience: float
) -> None:
    """SIGKILL for the worker when it shows no life for so many seconds: its supervisor starts another.

    Celery's loop stands still while it looks for its broker, and what its pool works on goes on: that time counts not.
    """
    pid = os.getppid()
    while worker.endswith(f":{pid}") and not stop.wait(patience / BEATS) and os.getppid() == pid:
        if not broker_answers():
            signs.at = time.monotonic()
        silent = time.monotonic() - signs.at
        if silent > patience:
            log.error("the worker's loop is stuck, so the worker is ended", silent=round(silent, 1))
            os.kill(pid, signal.SIGKILL)
            return


def show_life(worker: str, ledger: Ledger, roster: Roster, slots: int, signs: Signs, stop: threading.Event) -> None:
    """Write the signs of life into the roster, and follow the database's clock. A thread of its own: a database that
    hangs must not look like a worker that does."""
    while not stop.is_set():
        if signs.new.wait(1.0):
            signs.new.clear()
            try:
                if back := ledger.follow_clock():
                    log.warning("the database's clock was set back; what waits was moved along", seconds=round(back))
                roster.seen(worker, version("heal-bot"), slots)
            except SQLAlchemyError as trouble:
                log.warning("sign of life not stored", error=str(trouble))


def attend_worker(worker: str, lines: TextIO, ledger: Ledger, roster: Roster, slots: int, signs: Signs) -> None:
    """Note each sign of life; when the lines end, free the worker's leases."""
    said_goodbye, over = False, threading.Event()
    life = threading.Thread(target=show_life, args=(worker, ledger, roster, slots, signs, over), daemon=True)
    life.start()
    for line in lines:
        said_goodbye = said_goodbye or line.strip() == GOODBYE
        signs.note()
    over.set()
    life.join(timeout=10)
    freed = ledger.release_worker(worker, crashed=not said_goodbye)
    roster.gone(worker)
    log.info("worker gone", worker=worker, freed=freed)


def main(worker: str, slots: int) -> None:
    """The process beside a worker: sweeps until its standard input closes."""
    settings = SweeperSettings()
    telemetry.configure(Redactor(*settings.secrets()))
    engine = open_engine(settings.database_url)
    ledger = Ledger(engine, settings.lease_seconds)
    bell = Bell(settings.redis_url)
    stop = threading.Event()
    forgetting = (Retention(engine), kept(settings), stop)
    signs = Signs()
    watching = (worker, signs, bell.answers, stop, settings.stuck_seconds)
    dropping = (mirrors.folder(settings.state_dir), Tenants(engine), stop)
    containers = engines(settings)
    clearing = [
        threading.Thread(target=reap_forever, args=(each, settings.installation, stop), daemon=True)
        for each in containers
    ]
    holding = (settings.installation, stop, int(settings.sandbox_cap))
    loops = (
        *clearing,
        threading.Thread(target=end_when_stuck, args=watching, daemon=True),
        threading.Thread(target=sweep_forever, args=(ledger, bell.ring, stop, settings.sweep_seconds), daemon=True),
        threading.Thread(target=drop_mirrors_forever, args=dropping, daemon=True),
        threading.Thread(target=clear_scratch_forever, args=(stop,), daemon=True),
        threading.Thread(target=forget_forever, args=forgetting, daemon=True),
        *(threading.Thread(target=hold_cap_forever, args=(each, *holding), daemon=True) for each in containers),
    )
    for loop in loops:
        loop.start()
    attend_worker(worker, sys.stdin, ledger, Roster(engine), slots, signs)
    stop.set()
    last = time.monotonic() + LAST_LOOK_SECONDS
    for loop in clearing:
        loop.join(max(0.0, last - time.monotonic()))


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]))
