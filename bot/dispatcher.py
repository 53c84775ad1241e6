"""Turns stored deliveries into runs and rings the bell for what is due. One thread, woken by the receiver.

Everything it does may happen twice: runs are opened once per key, a bell for a run that somebody holds costs one query.
A delivery taken by a dispatcher that died is handed out again by the inbox.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import structlog
from sqlalchemy.exc import SQLAlchemyError

from bot.carrying import RECOVER_EVERY, Carrier
from bot.decisions import Identity, Ignore
from bot.events import NOWHERE, Event
from bot.metrics import Metrics
from bot.payload import UnreadableEvent
from bot.reading import parse
from bot.triage import decide
from workers.domain import RunId
from workers.store.inbox import TAKEN_AT_ONCE, Inbox, Mark, TakenDelivery
from workers.store.ledger import Ledger
from workers.store.models import DeliveryState

SWEEP_SECONDS = 5.0
BREATH_SECONDS = 0.4
"""Least time between two sweeps. Under load deliveries are then routed in batches (forty at a hundred a second, which
one `take` hands out), and the writer that GitHub waits for seldom meets the dispatcher at the database's write lock; a
delivery that comes alone is routed at once."""
LONGEST_BACKOFF = 30.0

log = structlog.get_logger(__name__)

Ring = Callable[[RunId], bool]
"""Rings `drive(run)`; False when the broker did not take it. The next sweep is the retry."""


@dataclass(frozen=True)
class Routed:
    """What became of a delivery, for its row. `decisions` are the metric's labels."""

    state: DeliveryState
    reason: str
    decisions: tuple[str, ...]
    event: Event | None = None


class Dispatcher:
    """The loop. `sweep_seconds` is how often it looks when nobody wakes it."""

    def __init__(
        self,
        inbox: Inbox,
        ledger: Ledger,
        carry: Carrier,
        ring: Ring,
        own: Identity,
        metrics: Metrics,
        sweep_seconds: float = SWEEP_SECONDS,
    ) -> None:
        self._inbox = inbox
        self._ledger = ledger
        self._carry = carry
        self._ring = ring
        self._own = own
        self._metrics = metrics
        self._sweep_seconds = sweep_seconds
        self._wake = threading.Event()
        self._ended = threading.Event()
        self._swept_at = 0.0
        self._looked = 0
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
        """Route every new delivery and ring every run that is due. A broker that is away is asked once.

        What comes while it works on the last of them has woken it again, and is for the next sweep, all together.
        """
        ringing = True
        taken = self._inbox.take()
        while True:
            self._route_all(taken)
            ringing = ringing and self._ring_due()
            if self._wake.is_set() and len(taken) < TAKEN_AT_ONCE:
                break
            taken = self._inbox.take()
            if not taken:
                break
        self._look_for_missed()
        self._swept_at = time.monotonic()

    def _look_for_missed(self) -> None:
        turn = int(time.time() // RECOVER_EVERY)
        if turn != self._looked:
            self._carry.look_for_missed(time.time())
            self._looked = turn

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
            routed = Routed(DeliveryState.ERROR, f"internal error: {type(error).__name__}", ("error",))
        for decision in routed.decisions:
            self._metrics.routed.labels(decision).inc()
        # most start nothing, their rows say why, and a line for each was a quarter of what routing them costs
        tell = log.debug if routed.state is DeliveryState.IGNORED else log.info
        tell("delivery.routed", delivery=delivery.guid, github_event=delivery.event, reason=routed.reason)
        scope = routed.event.scope if routed.event is not None else NOWHERE
        return Mark(delivery.id, routed.state, routed.reason, scope.installation_id, scope.repo.id)

    def routed(self, delivery: TakenDelivery) -> Routed:
        """Carry out what one delivery asks for, in order."""
        if (body := delivery.body) is None:
            return Routed(DeliveryState.ERROR, "the stored body is damaged", ("unreadable",))
        try:
            event = parse(delivery.event, body)
        except UnreadableEvent as error:
            return Routed(DeliveryState.ERROR, error.reason, ("unreadable",))
        decisions = decide(event, self._own)
        reasons = [self._carry(decision, delivery.id) for decision in decisions]
        ignored = all(isinstance(decision, Ignore) for decision in decisions)
        state = DeliveryState.IGNORED if ignored else DeliveryState.ROUTED
        names = tuple(type(decision).__name__.lower() for decision in decisions)
        return Routed(state, "; ".join(reasons), names, event)

    def _ring_due(self) -> bool:
        """Ring until a bell is not taken; False then. Each such bell costs seconds, and the next sweep tries again."""
        taken: list[RunId] = []
        due = self._ledger.due()
        for run in due:
            rung = self._ring(run)
            self._metrics.broker_up.set(1 if rung else 0)
            if not rung:
                break
            taken.append(run)
        # Together: a note for each would keep the database from the deliveries when Redis is back after an hour.
        self._ledger.rung(*taken)
        return len(taken) == len(due)
