"""Turns stored deliveries into runs and rings the bell for what is due. One thread, woken by the receiver.

Everything it does may happen twice: runs are opened once per key, a bell for a run that somebody holds costs one query.
A delivery taken by a dispatcher that died is handed out again by the inbox.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import assert_never

import structlog
from sqlalchemy.exc import SQLAlchemyError

from bot.metrics import Metrics
from bot.payload import UnreadableEvent
from bot.reading import parse
from bot.triage import (
    CancelBranch,
    CancelInstallation,
    Decision,
    Identity,
    Ignore,
    Send,
    Settle,
    Start,
    Wake,
    decide,
)
from workers.domain import Outcome, RunId, Sha
from workers.store.errands import Errands
from workers.store.inbox import Inbox, Mark, TakenDelivery
from workers.store.ledger import Ledger
from workers.store.models import DeliveryState

SWEEP_SECONDS = 5.0
BREATH_SECONDS = 0.2
"""Least time between two sweeps. Under load deliveries are then routed in batches, and the writer that GitHub waits for
seldom meets the dispatcher at the database's write lock; a delivery that comes alone is routed at once."""
LONGEST_BACKOFF = 30.0
WAIT_FOR_WORKFLOW = 300.0
"""A red job starts its run after this long even when the workflow run's own event never comes."""

log = structlog.get_logger(__name__)

Ring = Callable[[RunId], bool]
"""Rings `drive(run)`; False when the broker did not take it. The next sweep is the retry."""


@dataclass(frozen=True)
class Routed:
    """What became of a delivery, for its row. `decision` is the metric's label."""

    state: DeliveryState
    reason: str
    decision: str


class Dispatcher:
    """The loop. `sweep_seconds` is how often it looks when nobody wakes it."""

    def __init__(
        self,
        inbox: Inbox,
        ledger: Ledger,
        errands: Errands,
        ring: Ring,
        own: Identity,
        metrics: Metrics,
        sweep_seconds: float = SWEEP_SECONDS,
    ) -> None:
        self._inbox = inbox
        self._ledger = ledger
        self._errands = errands
        self._ring = ring
        self._own = own
        self._metrics = metrics
        self._sweep_seconds = sweep_seconds
        self._wake = threading.Event()
        self._ended = threading.Event()
        self._swept_at = 0.0
        self._thread = threading.Thread(target=self._loop, name="heal-dispatcher", daemon=True)

    def start(self) -> None:
        """Start the thread."""
        self._thread.start()

    def stop(self) -> None:
        """Finish the sweep under way, then end."""
        self._ended.set()
        self._wake.set()
        if self._thread.is_alive():
            self._thread.join(timeout=10)

    def wake(self) -> None:
        """Something was stored: look now."""
        self._wake.set()

    @property
    def idle_seconds(self) -> float:
        """Seconds since the last complete sweep; infinite before the first."""
        return time.monotonic() - self._swept_at if self._swept_at else float("inf")

    def _loop(self) -> None:
        backoff = 0.0
        while not self._ended.is_set():
            self._wake.clear()
            try:
                self.sweep()
                backoff = 0.0
            except SQLAlchemyError as error:
                backoff = min(LONGEST_BACKOFF, backoff * 2 or 1.0)
                log.warning("dispatcher.database", error=type(error).__name__, again_in=backoff)
            if backoff:
                self._ended.wait(backoff)  # wake-ups must not turn a sick database into a hot loop
            else:
                self._wake.wait(self._sweep_seconds)
                self._ended.wait(self._pause())

    def _pause(self) -> float:
        """What is left of the time the receiver has the database to itself; nothing after a quiet while."""
        return max(0.0, BREATH_SECONDS - self.idle_seconds)

    def sweep(self) -> None:
        """Route every new delivery and ring every run that is due. A broker that is away is asked once."""
        ringing = True
        taken = self._inbox.take()
        while True:
            self._route_all(taken)
            ringing = ringing and self._ring_due()
            taken = self._inbox.take()
            if not taken:
                break
        self._swept_at = time.monotonic()

    def _route_all(self, taken: Sequence[TakenDelivery]) -> None:
        """Route a batch and mark it in one transaction. Unmarked after a crash, it is routed again, to no effect."""
        marks = [self._route(delivery) for delivery in taken]
        self._inbox.mark_many(marks)
        now = time.time()
        for delivery in taken:
            self._metrics.route_lag.observe(max(0.0, now - delivery.received_at))

    def _route(self, delivery: TakenDelivery) -> Mark:
        try:
            routed = self.routed(delivery)
        except SQLAlchemyError:
            raise
        except Exception as error:  # our own bug on one row must not stop all the others
            log.exception("dispatcher.bug", delivery=delivery.guid, event=delivery.event)
            routed = Routed(DeliveryState.ERROR, f"internal error: {type(error).__name__}", "error")
        self._metrics.routed.labels(routed.decision).inc()
        log.info("delivery.routed", delivery=delivery.guid, github_event=delivery.event, reason=routed.reason)
        return Mark(delivery.id, routed.state, routed.reason)

    def routed(self, delivery: TakenDelivery) -> Routed:
        """Carry out what one delivery asks for."""
        try:
            decision = decide(parse(delivery.event, delivery.body), self._own)
        except UnreadableEvent as error:
            return Routed(DeliveryState.ERROR, error.reason, "unreadable")
        if isinstance(decision, Ignore):
            return Routed(DeliveryState.IGNORED, decision.reason, "ignore")
        reason = self._carry_out(decision, delivery.id)
        return Routed(DeliveryState.ROUTED, reason, type(decision).__name__.lower())

    def _carry_out(self, decision: Decision, delivery_id: int) -> str:
        match decision:
            case Start():
                return self._start(decision, delivery_id)
            case Settle():
                return self._settle(decision.key, Outcome.CANCELLED, decision.why) or decision.why
            case Wake():
                run = self._ledger.find_by_branch(decision.repo_id, decision.branch)
                woken = run is not None and self._ledger.wake(run)
                return f"woke run {run}" if woken else f"no run waits for {decision.branch}"
            case CancelBranch():
                ended = self._ledger.cancel_for_branch(
                    decision.repo_id,
                    decision.branch,
                    Sha(decision.keep),
                    before=decision.before,
                    at=decision.at,
                    outcome=decision.outcome,
                    detail=decision.why,
                )
                return f"cancelled {len(ended)} runs: {decision.why}"
            case CancelInstallation():
                ended = self._ledger.cancel_for_installation(decision.installation_id, decision.why)
                return f"cancelled {len(ended)} runs: {decision.why}"
            case Send():
                new = self._errands.open(decision.payload, decision.key, decision.after)
                return f"errand {decision.key}" + ("" if new else ", known already")
            case Ignore():
                return decision.reason
            case _:
                assert_never(decision)

    def _start(self, start: Start, delivery_id: int) -> str:
        if start.instead:
            self._settle(start.instead, Outcome.DUPLICATE, "A later attempt of the same workflow run took its place.")
        wait = WAIT_FOR_WORKFLOW if start.wait else None
        run, new = self._ledger.open_run(start.case, start.key, "delivery", delivery_id=delivery_id, wait=wait)
        if new:
            return f"opened run {run}" + (", waits for its workflow run" if start.wait else "")
        if not start.wait and self._ledger.release_run(start.key, start.case) is not None:
            return f"released run {run}"
        return f"run {run} has it already"

    def _settle(self, key: str, outcome: Outcome, why: str) -> str:
        """End a waiting run. It never started, so it ends at once."""
        run = self._ledger.release_run(key)
        if run is None:
            return ""
        self._ledger.cancel(run, outcome, why)
        return f"ended run {run}: {why}"

    def _ring_due(self) -> bool:
        """Ring until a bell is not taken; False then. Each such bell costs seconds, and the next sweep tries again."""
        for run in self._ledger.due():
            rung = self._ring(run)
            self._metrics.broker_up.set(1 if rung else 0)
            if not rung:
                return False
            self._ledger.rung(run)
        return True
