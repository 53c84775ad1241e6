"""The failing checks of a commit as cases: the jobs of one workflow run together, each other check by itself.

The same grouping as events have, so a command and an event mean the same run. Reads only.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from workers.domain import Case
from workers.errors import Stop
from workers.github.jobs import RED
from workers.github.session import Purpose, Session

ACTIONS = "github-actions"
_RED_STATES = frozenset({"failure", "error"})


@dataclass(frozen=True)
class Checks:
    """What CI says of a commit: a case per failing workflow run or check, how many still run, and all their names."""

    failing: tuple[Case, ...] = ()
    running: int = 0
    names: tuple[str, ...] = ()


def checks(session: Session, about: Case, job: str = "") -> Checks:
    """The checks of `about`'s head, our own left out. `job` names the one that is wanted, red or not."""
    api, repo = session.api(Purpose.READ), session.repository
    path = repo.path(f"/commits/{about.head_sha}/check-runs")
    runs = [run for run in api.pages(path, "check_runs", filter="latest") if not _own(run, session.app.app_id)]
    states = _statuses(session, about)
    named = {run["name"]: run for run in runs} | {state["context"]: state for state in states}
    if job:
        wanted = [run for run in runs if run["name"] == job and run["status"] == "completed"]
        old = [state for state in states if state["context"] == job]
    else:
        wanted = [run for run in runs if run["conclusion"] in RED]
        old = [state for state in states if state["state"] in _RED_STATES]
    cases = (*_cases(session, about, wanted), *(replace(about, job=state["context"]) for state in old))
    running = sum(run["status"] != "completed" for run in runs) + sum(state["state"] == "pending" for state in states)
    return Checks(cases, running, tuple(sorted(named)))


def first_seen(session: Session, sha: str) -> str:
    """When GitHub first made a check suite for a commit (ISO 8601): it was in the repository by then. "" if never."""
    path = session.repository.path(f"/commits/{sha}/check-suites")
    made = [str(suite.get("created_at") or "") for suite in session.api(Purpose.READ).pages(path, "check_suites")]
    return min((at for at in made if at), default="")


def _cases(session: Session, about: Case, runs: Sequence[Mapping[str, Any]]) -> Iterator[Case]:
    """One per workflow run, which has a check suite of its own, and one per check of another app."""
    seen = set()
    for run in sorted(runs, key=lambda run: int(run["id"])):
        of_actions = (run.get("app") or {}).get("slug") == ACTIONS
        suite = (run.get("check_suite") or {}).get("id")
        if of_actions and suite in seen:
            continue
        case = replace(about, job=run["name"], job_id=int(run["id"]))
        if of_actions:
            seen.add(suite)
            found = session.api(Purpose.READ).find(session.repository.path(f"/actions/jobs/{run['id']}"))
            if found is None:
                continue
            case = replace(case, actions_run_id=int(found["run_id"]), attempt=int(found.get("run_attempt") or 1))
        yield case


def _statuses(session: Session, about: Case) -> Sequence[Mapping[str, Any]]:
    """The newest commit status of each context. An installation that grants none has none."""
    try:
        path = session.repository.path(f"/commits/{about.head_sha}/status")
        found: Sequence[Mapping[str, Any]] = session.api(Purpose.STATUS).get(path)["statuses"]
    except Stop:
        return ()
    return found


def _own(run: Mapping[str, Any], app_id: int) -> bool:
    return (run.get("app") or {}).get("id") == app_id
