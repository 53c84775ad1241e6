"""Sentences about what people switched off or told Heal to ignore: since when it holds, until when, and by whom."""

from __future__ import annotations

from datetime import UTC, datetime

from workers.messages.markup import plain, quote


def switched_off(scope: str, who: str, why: str, until: float | None) -> str:
    """Why nothing is done here."""
    where = {"all": "everywhere", "installation": "for this account"}.get(
        scope.partition(":")[0], "for this repository"
    )
    reason = f" Reason: {plain(why, 300)}" if why else ""
    return f"Heal is paused {where} {lasting(until)}, by {quote(who, 60)}.{reason}"


def ignored(kind: str, value: str, who: str, until: float | None) -> str:
    """Why this failure is left alone."""
    what = "This failure" if kind == "fingerprint" else quote(value, 300)
    return f"{what} is ignored {lasting(until)}, by {quote(who, 60)}."


def lasting(until: float | None) -> str:
    """Until when, in UTC to the minute."""
    if until is None:
        return "until that is taken back"
    return f"until {datetime.fromtimestamp(until, UTC):%Y-%m-%d %H:%M} UTC"
