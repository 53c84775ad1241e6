"""Candidates that a fixer works out all at once, kept as one journaled list and handed out one by one."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from workers.domain import Attempt, Candidate, Change, Confidence
from workers.ports import Workbench

Rows = Sequence[Mapping[str, Any]]
"""JSON-able candidates, best first: patch, reasoning, confidence, alternatives, title; `change` where it is no EDIT."""


def following(
    bench: Workbench, fixer: str, tried: Sequence[Attempt], work_out: Callable[[], Rows], most: int | None = None
) -> Candidate | None:
    """The candidate after those of this fixer that were tried, of the first `most`; None when there is no more.

    The list is worked out once in a run, however often that is taken up.
    """
    turn = sum(attempt.candidate.fixer == fixer for attempt in tried)
    rows = json.loads(bench.once(f"{fixer}:candidates", str, lambda: json.dumps(work_out())))[:most]
    if turn >= len(rows):
        return None
    row = rows[turn]
    return Candidate(
        fixer=fixer,
        patch=row["patch"],
        reasoning=row["reasoning"],
        confidence=Confidence(row["confidence"]),
        alternatives=row["alternatives"],
        title=row["title"],
        change=Change(row.get("change", Change.EDIT)),
    )
