"""Deliveries that GitHub could not bring: it never tries again by itself, keeps them for three days, and is asked here.

What counts is the GUID: a delivery is missed when the inbox has not got it and none of its attempts succeeded, or was
taken (202): then a backup of the database was restored since.
"""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import takewhile
from typing import Any

from workers.errands.desk import Desk
from workers.errands.model import Kind
from workers.errors import Retryable
from workers.github.api import Api, Refused
from workers.github.session import as_app
from workers.store.inbox import Inbox

KEPT_S = 3 * 86_400.0
"""GitHub keeps deliveries for three days."""
ASKED_AGAIN_S = 3600.0
"""A GUID is asked for once an hour at most."""
OVERLAP_S = 900.0
"""Clocks differ, and GitHub may list a delivery minutes after it was tried."""
MOST_ASKED = 50
"""Deliveries asked for in one round."""
AGAIN_S = 60.0
LOOKS_KEPT_S = 86_400.0
"""Errands of this kind are made every few minutes; those of the last day tell enough."""


@dataclass(frozen=True)
class Tried:
    """One attempt of GitHub's. `at` is when it was made, in seconds since 1970 by GitHub's clock. `taken`: a receiver
    answered that it is stored."""

    id: int
    guid: str
    at: float
    again: bool
    ok: bool
    taken: bool = False


def recover(desk: Desk) -> str:
    """Ask for what was missed since the last look. Raises `Retryable` when there is more than one round may ask for."""
    last = desk.errands.begun(Kind.RECOVER)
    now = time.time()
    since = _since(last, now)
    with as_app(desk.app, desk.guard) as api:
        tried = [*takewhile(lambda one: one.at >= since, map(_tried, api.newest("/app/hook/deliveries")))]
        wanted = missed(tried, now)
        if last is not None:  # a database that never looked is a new one: it has forgotten nothing
            wanted = [*wanted, *taken(tried, now)]
        known = Inbox(desk.engine).known([one.guid for one in wanted], desk.app.app_id)
        wanted = [one for one in wanted if one.guid not in known]
        asked = sum(_ask(api, one) for one in wanted[:MOST_ASKED])
    desk.errands.prune(Kind.RECOVER, LOOKS_KEPT_S)
    if len(wanted) > MOST_ASKED:
        raise Retryable(f"{len(wanted) - MOST_ASKED} missed deliveries are left", blame="github", after=AGAIN_S)
    return f"looked at {len(tried)} deliveries, asked for {asked} again"


def missed(tried: Iterable[Tried], now: float) -> Sequence[Tried]:
    """Of all attempts the newest of each GUID that never succeeded, the longest missed first; those that were tried
    again within the hour are left out."""
    return _newest(attempts for attempts in _by_guid(tried, now) if not any(one.ok for one in attempts))


def taken(tried: Iterable[Tried], now: float) -> Sequence[Tried]:
    """Of all attempts the newest of each GUID that some receiver said to have stored, likewise. An inbox without it has
    lost it: an older copy of the database took its place."""
    return _newest(attempts for attempts in _by_guid(tried, now) if any(one.taken for one in attempts))


def _by_guid(tried: Iterable[Tried], now: float) -> Iterator[Sequence[Tried]]:
    """The attempts of each GUID that was not tried again within the hour."""
    of: dict[str, list[Tried]] = {}
    for one in tried:
        of.setdefault(one.guid, []).append(one)
    for attempts in of.values():
        if not any(one.again and now - one.at < ASKED_AGAIN_S for one in attempts):
            yield attempts


def _newest(of_each: Iterable[Sequence[Tried]]) -> Sequence[Tried]:
    newest = (max(attempts, key=lambda one: (one.at, one.id)) for attempts in of_each)
    return sorted(newest, key=lambda one: (one.at, one.id))


def _since(last: float | None, now: float) -> float:
    """How far back to look: to the last look, and far enough to see what was asked for within the hour."""
    if last is None:
        return now - KEPT_S
    return max(now - KEPT_S, min(last, now - ASKED_AGAIN_S) - OVERLAP_S)


def _ask(api: Api, one: Tried) -> int:
    """Have GitHub try once more; 0 when it keeps the delivery no longer."""
    try:
        api.send("POST", f"/app/hook/deliveries/{one.id}/attempts", {}, expect=(400, 404, 422))
    except Refused:
        return 0
    return 1


def _tried(listed: Any) -> Tried:
    return Tried(
        id=int(listed["id"]),
        guid=str(listed["guid"]),
        at=datetime.fromisoformat(listed["delivered_at"]).timestamp(),
        again=bool(listed["redelivery"]),
        ok=listed["status"] == "OK",
        taken=listed["status_code"] == 202,
    )
