"""Rows of made-up cases."""

from __future__ import annotations

from workers.bench.row import Row


def row(case: str = "a", **changes: object) -> Row:
    """A case that nothing was found for, with changes."""
    return Row.model_validate({"case": case, "outcome": "NO_FIX_FOUND", **changes})


def fixed(case: str, correct: bool | None, confidence: str = "high", **changes: object) -> Row:
    """A case with a proposed fix."""
    told = {"outcome": "FIXED", "tier": "search", "plausible": True, "verified": True, "first_s": 2.0, "patch": "diff"}
    return row(case, **{**told, "correct": correct, "confidence": confidence, **changes})
