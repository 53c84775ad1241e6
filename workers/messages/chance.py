"""Sentences about what hangs on chance or on the order of tests: their history, what a reversed run showed, and which
red tests were not repeated."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime

from workers import spared
from workers.domain import Past, Reproduction
from workers.messages.markup import quote

_SHOWN = 3


def history(past: Sequence[Past]) -> str:
    """What earlier runs saw of the most unsteady of these tests, without a full stop; empty where there is none."""
    if not past:
        return ""
    first = past[0]
    since = datetime.fromtimestamp(first.since, UTC).date().isoformat()
    runs = f"{first.unsteady} earlier run{'s' if first.unsteady > 1 else ''}"
    return f"{quote(first.test)} was unsteady in {runs} since {since}: {first.red} of {first.executions} executions red"


def steadiness(reproduction: Reproduction) -> list[str]:
    """What people should know of a failure that is always red: what has to do with order or chance, and what was run
    once only."""
    lines = []
    if reproduction.order:
        named = ", ".join(map(quote, reproduction.order[:_SHOWN]))
        more = len(reproduction.order) - _SHOWN
        named += f" and {more} more" if more > 0 else ""
        lines.append(
            f"{named}: green when the suite runs in reverse order, so a test before it leaves something behind."
        )
    if reproduction.past:
        lines.append(f"{history(reproduction.past)}; on this commit it was red in every run.")
    groups = spared.groups(reproduction.before)
    if groups:
        tests = sum(map(len, groups))
        where = "the same place" if len(groups) == 1 else f"{len(groups)} places"
        lines.append(
            f"{tests} tests took long to fail in {where}: all of them were run once, and in the repeated runs one of "
            "each place, the others no more once it was red again."
        )
    return lines
