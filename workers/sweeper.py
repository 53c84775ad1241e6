"""Finds what a lost bell, a dead worker or a passed pause leaves behind: runs that are due, containers past their time.

A worker starts this module as a process of its own (`python -m
workers.sweeper`), because its pool forks, and a process that forks must not hold a SQLite database open. The worker
writes a line to the sweeper's standard input every 10 s; when the pipe closes, the worker is gone and its leases are
freed.
"""

from __future__ import annotations

import dataclasses
import sys
import threading
from collections.abc import Callable
from importlib.metadata import version
from pathlib import Path
from typing import TextIO

import structlog
from sqlalchemy.exc import SQLAlchemyError

from sandbox import explain
from sandbox.engine import Engine
from sandbox.errors import SandboxError
from sandbox.inventory import prune
from sandbox.reaper import reap
from workers import telemetry
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
REAP_SECONDS = 60.0
DROP_SECONDS = 600.0
KEEP_SECONDS = 3600.0
PRUNE_ROUNDS, FIRST_PRUNE = 15, 3
"""Sizes are asked for every so many rounds: to count them costs the engine seconds. Not at once: right after a start
runs wait to be taken up again."""


def sweep(ledger: Ledger, ring_for: Ring, limit: int = 100) -> int:
    """Ring once for every due run; stops at the first bell that is not taken (Redis is away). Gives how many rang."""
    rang = 0
    for run in ledger.due(limit):
        if not ring_for(run):
            break
        ledger.rung(run)
        rang += 1
    return rang


def sweep_forever(ledger: Ledger, ring_for: Ring, stop: threading.Event, every: float = 5.0) -> None:
    """Sweep every few seconds until `stop` is set. A database that is away is tried again at the next round."""
    while not stop.wait(every):
        try:
            sweep(ledger, ring_for)
        except SQLAlchemyError as trouble:
            log.warning("sweep failed", error=str(trouble))


def reap_forever(
    engine: Engine, installation: str, stop: threading.Event, cap: int, every: float = REAP_SECONDS
) -> None:
    """Clear the engine now and every minute, and at a slower pace hold what is kept under its cap, until `stop` is
    set. An engine that is away is tried again next time."""
    rounds = 0
    while True:
        try:
            reaped = reap(engine, installation)
            if any(dataclasses.astuple(reaped)):
                log.info("cleared the engine", **dataclasses.asdict(reaped))
            if rounds % PRUNE_ROUNDS == FIRST_PRUNE:
                _hold_cap(engine, installation, cap)
            rounds += 1
        except SandboxError as trouble:
            log.warning("the engine could not be cleared", error=explain.error(trouble))
        if stop.wait(every):
            return


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


def attend_worker(worker: str, lines: TextIO, ledger: Ledger, roster: Roster, slots: int) -> None:
    """Note each sign of life; when the lines end, free the worker's leases."""
    said_goodbye = False
    for line in lines:
        said_goodbye = said_goodbye or line.strip() == GOODBYE
        try:
            roster.seen(worker, version("heal-bot"), slots)
        except SQLAlchemyError as trouble:
            log.warning("sign of life not stored", error=str(trouble))
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
    clearing = (settings.installation, stop, int(settings.sandbox_cap))
    forgetting = (Retention(engine), kept(settings), stop)
    dropping = (mirrors.folder(settings.state_dir), Tenants(engine), stop)
    loops = (
        threading.Thread(target=sweep_forever, args=(ledger, bell.ring, stop, settings.sweep_seconds), daemon=True),
        threading.Thread(target=drop_mirrors_forever, args=dropping, daemon=True),
        threading.Thread(target=forget_forever, args=forgetting, daemon=True),
        *(
            threading.Thread(target=reap_forever, args=(containers, *clearing), daemon=True)
            for containers in engines(settings)
        ),
    )
    for loop in loops:
        loop.start()
    attend_worker(worker, sys.stdin, ledger, Roster(engine), slots)
    stop.set()


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]))
