"""What runs use of the sandbox, one row per stage that uses it: what a stage may have of it, and what each had."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from sqlalchemy import Connection, case, func, select

from workers.domain import Case, RunId
from workers.llm.budgets import Limit, Refusal, Unit, Use, granted
from workers.store.models import CallState, SandboxUse
from workers.store.reservations import Kind, Reservation, alone

LONGEST_STAGE = 3600.0
"""Seconds after which what a stage set aside counts no longer, unless it is taken up or asks for more: then nobody is
at work on it, as a run is taken up within its lease. What it used is settled all the same when it ends later."""

_USES = Kind(
    SandboxUse,
    used={Unit.SANDBOX_SECONDS: SandboxUse.seconds, Unit.CANDIDATES: SandboxUse.candidates},
    worst={Unit.SANDBOX_SECONDS: SandboxUse.reserved_seconds, Unit.CANDIDATES: SandboxUse.reserved_candidates},
    longest=LONGEST_STAGE,
)


@dataclass(frozen=True)
class UseLine:
    """What one stage used, as the run page shows it: while it is `under_way`, what is set aside for it."""

    key: str
    seconds: float
    candidates: int
    under_way: bool


def set_aside(
    connection: Connection, run: Case, key: str, wanted: Use, least: Use, limits: Sequence[Limit]
) -> Use | Refusal:
    """As `workers.llm.purse.Purse.set_aside`, within the caller's transaction."""
    now, use = alone(connection), _reservation(run, key)
    spent = {span: _use(sums) for span, sums in use.spent(connection, limits, now).items()}
    answer = granted(limits, spent, wanted, least)
    if isinstance(answer, Refusal):
        return use.dated(connection, answer, now)
    aside = {"reserved_seconds": answer.seconds, "reserved_candidates": answer.candidates}
    use.keep(connection, now, aside, first={}, again={})
    return answer


def settle(connection: Connection, run: Case, key: str, use: Use) -> None:
    """As `workers.llm.purse.Purse.used`, within the caller's transaction."""
    _reservation(run, key).settle(connection, {"seconds": use.seconds, "candidates": use.candidates})


def of_run(connection: Connection, run: RunId) -> tuple[UseLine, ...]:
    """What the stages of a run used, in their order."""
    over = SandboxUse.state == CallState.SETTLED.value
    seconds = case((over, SandboxUse.seconds), else_=SandboxUse.reserved_seconds)
    candidates = case((over, SandboxUse.candidates), else_=SandboxUse.reserved_candidates)
    query = select(SandboxUse.key, seconds, candidates, over).where(SandboxUse.run_id == run).order_by(SandboxUse.id)
    return tuple(UseLine(row[0], float(row[1]), int(row[2]), not row[3]) for row in connection.execute(query))


def total(connection: Connection) -> Use:
    """What all runs have used that are kept."""
    row = connection.execute(select(func.sum(SandboxUse.seconds), func.sum(SandboxUse.candidates))).one()
    return Use(float(row[0] or 0), int(row[1] or 0))


def _reservation(run: Case, key: str) -> Reservation:
    return Reservation(_USES, run, key[:64])


def _use(sums: Mapping[Unit, float]) -> Use:
    return Use(sums[Unit.SANDBOX_SECONDS], int(sums[Unit.CANDIDATES]))
