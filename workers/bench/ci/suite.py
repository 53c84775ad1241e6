"""`heal bench ci`: our own red repositories as a suite, and the figures that only it has.

The run is handed the workflow and the job's log, as on GitHub: the recipe, the diagnosis and the outcome are its own.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from workers.bench.case import BenchCase
from workers.bench.ci.judge import Gold
from workers.bench.ci.red import OFFLINE, WORKFLOW, RedCase, Tier, read
from workers.bench.row import Row
from workers.bench.score import Share, share
from workers.domain import FailureClass, Outcome
from workers.fixers import Search, Static, fixers
from workers.fixers.llm import NOT_FOR_A_MODEL

_OWN = {Static.name: Tier.STATIC, Search.name: Tier.SEARCH}
_TIERS: Mapping[str, Tier] = {fixer.name: _OWN.get(fixer.name, Tier.AUTOFIX) for fixer in fixers("offline")}
"""By the name of the fixer; all others ask a model."""


@dataclass(frozen=True)
class Ci:
    """The suite. The fixers' authors know these cases, so it shows that nothing broke, and what is missing."""

    name: str = "ci"
    in_sample: bool = True
    options: Mapping[str, str] = field(default_factory=dict)

    def cases(self) -> Iterator[BenchCase]:
        """Every case, by its id."""
        return map(_made, read())

    def figures(self, rows: Sequence[Row]) -> Sequence[tuple[str, str]]:
        """The shares that this suite is for, and every miss."""
        return [(label, _told(one)) for label, one in shares(rows)] + [(row.case, miss(row)) for row in missed(rows)]


def _made(case: RedCase) -> BenchCase:
    return BenchCase(
        case.id,
        case.tree(),
        job=case.job,
        log=case.log.encode(),
        workflow=WORKFLOW,
        base=case.tree(case.base) if case.base else {},
        green=case.tree(case.green) if case.green else {},
        green_log=case.green_log.encode(),
        plain=case.plain,
        group=case.kind,
        gold=case.gold,
        expect={"tier": case.tier.value, "outcomes": json.dumps(case.outcomes), "trap": case.trap},
        judge=Gold(case),
    )


def shares(rows: Sequence[Row]) -> tuple[tuple[str, Share], ...]:
    """What is aimed at: 0.9 of the tiers and of the outcomes, 0.7 of what needs no key, and no wrong patch at all."""
    fixable = [row for row in rows if expected(row) in OFFLINE]
    traps = [row for row in rows if row.expect.get("trap")]
    return (
        ("right tier", share(rows, right_tier)),
        ("right outcome", share(rows, right_outcome)),
        ("mended without a key, of those that can be", share(fixable, mended)),
        ("right outcome of the traps", share(traps, right_outcome)),
        ("wrong patches published", share(rows, wrong)),
    )


def expected(row: Row) -> Tier:
    """Who ought to mend the case."""
    return Tier(row.expect["tier"])


def reached(row: Row) -> Tier:
    """How far the ladder was climbed: whose patch was proposed; the model, where all others had none and its class is
    one that a model is asked about; else nobody."""
    if row.outcome == Outcome.FIXED:
        return _TIERS.get(row.tier, Tier.MODEL)
    asked = row.outcome in (Outcome.NO_FIX_FOUND, Outcome.OVER_BUDGET)
    return Tier.MODEL if asked and FailureClass(row.failure or "unknown") not in NOT_FOR_A_MODEL else Tier.NONE


def right_tier(row: Row) -> bool:
    """The expected one, or a cheaper one whose patch is right."""
    ladder = tuple(Tier)
    tier = reached(row)
    cheaper = ladder.index(tier) < ladder.index(expected(row)) and tier in OFFLINE
    return tier is expected(row) or (cheaper and mended(row))


def right_outcome(row: Row) -> bool:
    """An end that a maintainer would call right: one of the expected ones, or a right patch. A wrong patch never is."""
    if row.outcome == Outcome.FIXED:
        return mended(row)
    return row.outcome in json.loads(row.expect["outcomes"])


def mended(row: Row) -> bool:
    """Proposed, and right by the judge."""
    return row.proposed and row.correct is True


def wrong(row: Row) -> bool:
    """A patch was proposed that is not right."""
    return row.proposed and row.correct is not True


def missed(rows: Sequence[Row]) -> tuple[Row, ...]:
    """Those of the wrong tier or with the wrong end."""
    return tuple(row for row in rows if not (right_tier(row) and right_outcome(row)))


def miss(row: Row) -> str:
    """What was expected of a case and what came of it."""
    wanted = " or ".join(json.loads(row.expect["outcomes"]))
    judged = "" if row.correct is None else ", right" if row.correct else f", wrong: {row.why}"
    came = f"{row.outcome} at tier {reached(row)}{judged if row.proposed else ''}"
    return f"expected {wanted} at tier {expected(row)}, came {came}"


def _told(one: Share) -> str:
    low, high = one.interval
    share = "" if one.value is None else f" ({one.value:.1%}, 95 % interval {low:.0%} to {high:.0%})"
    return f"{one.hits} of {one.cases}{share}"
