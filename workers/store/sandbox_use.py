"""What runs use of the sandbox, one row per stage that uses it: set aside before, settled after, summed for the limits.

A row is found again by its key, so what a dead worker set aside is taken over by the next one, and counts once.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from sqlalchemy import ColumnElement, Connection, and_, case, func, insert, select, update

from workers.domain import Case, RunId
from workers.llm.budgets import Limit, Refusal, Unit, Use, free_at, granted
from workers.store.database import db_now
from workers.store.models import CallState, SandboxUse
from workers.store.spans import alone, within

LONGEST_STAGE = 3600.0
"""Seconds after which what a stage set aside counts no longer, unless it is taken up or asks for more: then nobody is
at work on it, as a run is taken up within its lease. What it used is settled all the same when it ends later."""


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
    alone(connection)
    now = float(connection.execute(select(db_now())).scalar_one())
    mine = and_(SandboxUse.run_id == run.run, SandboxUse.key == key, SandboxUse.state == CallState.RESERVED.value)
    spans = {limit.span for limit in limits}
    spent = {span: _sum(connection, and_(within(SandboxUse, run, span, now), ~mine), now) for span in spans}
    answer = granted(limits, spent, wanted, least)
    if isinstance(answer, Refusal):
        counted = _counted(answer.limit.unit, now)
        which = and_(within(SandboxUse, run, answer.limit.span, now), ~mine)
        rows = connection.execute(select(SandboxUse.at, counted).where(which).order_by(SandboxUse.at))
        return replace(answer, free_at=free_at(answer, [(float(at), float(amount)) for at, amount in rows], now))
    _keep(connection, run, key, mine, answer, now)
    return answer


def settle(connection: Connection, run: Case, key: str, use: Use) -> None:
    """As `workers.llm.purse.Purse.used`, within the caller's transaction."""
    mine = and_(SandboxUse.run_id == run.run, SandboxUse.key == key, SandboxUse.state == CallState.RESERVED.value)
    values = {"state": CallState.SETTLED.value, "seconds": use.seconds, "candidates": use.candidates}
    connection.execute(update(SandboxUse).where(mine).values(**values, settled_at=db_now()))


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


def _keep(connection: Connection, run: Case, key: str, mine: ColumnElement[bool], use: Use, now: float) -> None:
    aside = {"reserved_seconds": use.seconds, "reserved_candidates": use.candidates, "expires_at": now + LONGEST_STAGE}
    if connection.execute(update(SandboxUse).where(mine).values(**aside, at=now)).rowcount:
        return
    whose = {"run_id": run.run, "installation_id": run.installation_id, "repo_id": run.repo_id, "key": key[:64]}
    connection.execute(insert(SandboxUse).values(**whose, state=CallState.RESERVED.value, at=now, **aside))


def _counted(unit: Unit, now: float) -> ColumnElement[float]:
    """What a row counts of a unit: what was used, what is set aside while that lasts, else nothing."""
    settled, under_way = SandboxUse.state == CallState.SETTLED.value, SandboxUse.expires_at > now
    if unit is Unit.CANDIDATES:
        return case((settled, SandboxUse.candidates), (under_way, SandboxUse.reserved_candidates), else_=0)
    return case((settled, SandboxUse.seconds), (under_way, SandboxUse.reserved_seconds), else_=0.0)


def _sum(connection: Connection, which: ColumnElement[bool], now: float) -> Use:
    seconds, candidates = (func.sum(_counted(unit, now)) for unit in (Unit.SANDBOX_SECONDS, Unit.CANDIDATES))
    row = connection.execute(select(seconds, candidates).where(which)).one()
    return Use(float(row[0] or 0), int(row[1] or 0))
