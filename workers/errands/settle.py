"""A red job was told, and the end of its workflow run was not: GitHub is asked, and the run that waits is let go.

While the workflow run still works, the run is held back further and this errand follows itself, for some hours at most.
"""

from __future__ import annotations

import time
from collections.abc import Mapping
from contextlib import closing
from dataclasses import replace
from datetime import datetime
from typing import Any, cast

from workers.domain import Case, Outcome, Sha
from workers.errands.desk import Desk
from workers.errands.model import RunWaits
from workers.github.jobs import RED
from workers.github.session import Purpose
from workers.run_key import run_key

ASK_AGAIN_S = 120.0
HOLD_S = 300.0
"""Longer than `ASK_AGAIN_S`: the run starts by itself only when nobody asks any more."""
LONGEST_WAIT_S = 6 * 3600.0
"""GitHub ends a job after so long. What still goes on then waits for something else than its jobs."""


def settle(desk: Desk) -> str:
    """Let the waiting run go, end it, or wait on."""
    waits = cast(RunWaits, desk.errand.payload)
    held = desk.ledger.waiting(waits.key)
    if held is None:
        return "the run does not wait any more"
    with closing(desk.session(waits.place)) as session:
        path = session.repository.path(f"/actions/runs/{waits.actions_run_id}")
        found = session.api(Purpose.READ).find(path)
    if found is None:
        desk.ledger.settle(waits.key, Outcome.CANCELLED, "The workflow run is gone from GitHub.")
        return "the workflow run is gone"
    if found["status"] != "completed" and _age(found) < LONGEST_WAIT_S:
        return _wait_on(desk, waits)
    return _let_go(desk, waits.key, held, found)


def _wait_on(desk: Desk, waits: RunWaits) -> str:
    desk.ledger.hold(waits.key, HOLD_S)
    turn = int(time.time() // ASK_AGAIN_S)
    desk.errands.open(waits, f"settle:{waits.key}:{turn}", ASK_AGAIN_S)
    return "the workflow run still works"


def _let_go(desk: Desk, key: str, held: Case, found: Mapping[str, Any]) -> str:
    path = str(found.get("path") or "").partition("@")[0]
    conclusion = found["conclusion"]
    if found["status"] == "completed" and (conclusion not in RED or path.startswith("dynamic/")):
        why = f"workflow run ended as {conclusion}: nothing to heal"
        desk.ledger.settle(key, Outcome.CANCELLED, why)
        return why
    case = _told(held, found, path)
    if run_key(case) == key:
        run = desk.ledger.release_run(key, case)
        return f"released run {run}"
    desk.ledger.settle(key, Outcome.DUPLICATE, "A later attempt of the same workflow run took its place.")
    run, _ = desk.ledger.open_run(case, run_key(case), "settle")
    return f"opened run {run} for attempt {case.attempt}"


def _told(held: Case, found: Mapping[str, Any], path: str) -> Case:
    """The case as the workflow run tells it."""
    head = found.get("head_repository") or {}
    return replace(
        held,
        head_sha=Sha(found["head_sha"]),
        branch=found.get("head_branch") or held.branch,
        attempt=int(found.get("run_attempt") or 1),
        workflow_path=path,
        fork=head.get("id") != held.repo_id,
    )


def _age(found: Mapping[str, Any]) -> float:
    started = datetime.fromisoformat(found.get("run_started_at") or found["created_at"])
    return time.time() - started.timestamp()
