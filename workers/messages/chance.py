"""Sentences about what hangs on chance or on the order of tests: their history, and what a reversed run showed."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime

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
    """What people should know of a failure that is always red and yet has to do with order or chance."""
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
    return lines
