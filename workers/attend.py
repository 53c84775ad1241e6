"""One visit to a run: claim it, tell its story, let go of it in the way its end asks for. Knows nothing of Celery."""

from __future__ import annotations

import time
import traceback
from collections.abc import Callable
from enum import StrEnum

import structlog
from sqlalchemy.exc import SQLAlchemyError

from workers.domain import Case, Outcome, Report, RunId
from workers.errors import LeaseLost, Park, Retryable, Stop
from workers.store.database import is_away
from workers.store.lease import MOST_CLAIMS, Lease
from workers.store.ledger import Ledger

log = structlog.get_logger(__name__)

PATIENCE = 120.0
"""Seconds for which a visit waits for the database to come back. Nobody can take the run up before, and a lease that
just runs out would count as a death of its worker."""
LONGEST_PAUSE = 5.0
LONGEST_TRACE = 8_000
"""Characters of a traceback that are kept, the last ones."""

_MOVED = Retryable("the repository was moved to another account where Heal is installed", blame="github", after=1.0)
"""The tokens of this visit are of the old one, which GitHub refuses; those of the next are of the new one."""

Told = Callable[[Case, Lease], Report]
"""The story of a run: works it through and gives its report, or raises one of `workers.errors`."""


class Visit(StrEnum):
    """How a visit ended."""

    NOT_OURS = "not ours"  # not due, or somebody else has it
    FINISHED = "finished"
    PARKED = "parked"
    RETRY = "retry"
    CRASHED = "crashed"  # to be tried again
    LOST = "lost"


def attend(ledger: Ledger, run: RunId, owner: str, story: Told) -> Visit:
    """Claim the run and take it as far as it goes now. Safe to call twice at once: only one visit works."""
    lease = ledger.claim(run, owner)
    if lease is None:
        return Visit.NOT_OURS
    with lease, structlog.contextvars.bound_contextvars(run=run, fence=lease.fence):
        try:
            return _through_outages(lease, story)
        except LeaseLost:
            log.warning("lease lost")
            return Visit.LOST
        except SystemExit:  # how the pool ends its processes when the worker is stopped
            lease.give_back()
            raise


def _through_outages(lease: Lease, story: Told) -> Visit:
    try:
        return _told(lease, story)
    except SQLAlchemyError as trouble:
        if not is_away(trouble):
            raise
        log.warning("the database is away", error=type(trouble).__name__)
    until, pause = time.monotonic() + PATIENCE, 0.5
    while time.monotonic() < until:
        time.sleep(pause)
        try:
            return _again(lease, Retryable("the database did not answer", blame="database", after=1.0))
        except SQLAlchemyError as trouble:
            if not is_away(trouble):
                raise
            pause = min(pause * 2, LONGEST_PAUSE)
    log.error("the database stays away; the run is taken up when its lease has run out")
    return Visit.LOST


def _told(lease: Lease, story: Told) -> Visit:
    try:
        report = story(lease.case, lease)
        if report.outcome is Outcome.DISABLED and lease.has_moved():
            return _again(lease, _MOVED)
        lease.finish(report)
        return Visit.FINISHED
    except Stop as end:
        if end.outcome is Outcome.DISABLED and lease.has_moved():
            return _again(lease, _MOVED)
        return _end(lease, Report(lease.case, end.outcome, end.detail), untold="silent" not in end.data)
    except Park as wait:
        lease.park(wait.after, str(wait))
        return Visit.PARKED
    except Retryable as trouble:
        return _again(lease, trouble)
    except LeaseLost:
        raise
    except Exception as bug:  # one of the three places: whatever it is, the run must not be lost
        if is_away(bug):
            raise
        return _crash(lease, bug)


def _again(lease: Lease, trouble: Retryable) -> Visit:
    if lease.retry(trouble.after, str(trouble), trouble.blame):
        return Visit.RETRY
    detail = f"Gave up after many tries: {trouble.blame} did not answer as it should. Last: {trouble}"
    return _end(lease, Report(lease.case, Outcome.INFRASTRUCTURE, detail))


def _crash(lease: Lease, bug: Exception) -> Visit:
    log.exception("the story crashed", exc_info=bug)
    reason = f"{type(bug).__name__}: {bug}"[:2000]
    trace = "".join(traceback.format_exception(bug))[-LONGEST_TRACE:]
    if lease.crashed(reason, trace):
        return Visit.CRASHED
    detail = f"Heal itself failed {MOST_CLAIMS} times. Last: {reason}"
    return _end(lease, Report(lease.case, Outcome.CRASHED, detail))


def _end(lease: Lease, report: Report, untold: bool = True) -> Visit:
    """An end that the story did not tell itself (given up, cancelled midway, our bug): an errand tells it, unless
    nobody is to be told."""
    lease.finish(report, untold=untold)
    log.info("run ended", outcome=report.outcome.value)
    return Visit.FINISHED
