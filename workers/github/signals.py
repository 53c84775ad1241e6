"""What CI says of a commit of ours: check runs of all Apps but our own, and the statuses of older CI systems.

Reads only. Statuses need a permission that an installation may not have granted: then there are none.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from workers.domain import Case, How, Published, Sha
from workers.errors import Stop
from workers.github.history import red_case
from workers.github.pulls import head
from workers.github.session import Purpose, Session
from workers.ports import CI, Checks, Light, Signal

MOST_RED = 10
"""Red jobs of which the workflow run is asked for."""

_LEFT_OUT = frozenset({"neutral", "skipped"})
_PASSED = _LEFT_OUT | {"success"}
_STATES = {"success": Light.GREEN, "failure": Light.RED, "error": Light.RED}


@dataclass(frozen=True)
class Heard:
    """One check as GitHub has it: `raw` is its check run, None for a status."""

    signal: Signal
    raw: Mapping[str, Any] | None = None


def checks(session: Session, case: Case, published: Published) -> Checks:
    """All of it together. When something is red, the red jobs come with their cases and with what is said without us:
    on the branch that the fix goes to, or of a fix that was pushed, on the commit before it."""
    heard = _all(session, published.commit)
    found = Checks(_state(one.signal.light for one in heard), tuple(one.signal for one in heard))
    if found.state is not CI.RED:
        return found
    about = replace(case, head_sha=Sha(published.commit), branch=published.branch)
    red = [one for one in heard if one.signal.light is Light.RED][:MOST_RED]
    jobs = {one.signal.name: _case(session, about, one) for one in red}
    without = _without(session, published)
    below = {one.signal.name: one.signal.light for one in _all(session, without)} if without else {}
    told = (replace(one, job=jobs.get(one.name), below=below.get(one.name, one.below)) for one in found.signals)
    return replace(found, signals=tuple(told))


def light(session: Session, commit: str, name: str) -> Light:
    """What one check says of a commit; UNKNOWN where it is not there, not over, or was left out."""
    found = next((one for one in _all(session, commit) if one.signal.name == name), None)
    left_out = found is None or (found.raw is not None and found.raw["conclusion"] in _LEFT_OUT)
    return Light.UNKNOWN if found is None or left_out else found.signal.light


def gathered(runs: Iterable[Mapping[str, Any]], statuses: Iterable[Mapping[str, Any]], own: int) -> tuple[Heard, ...]:
    """Check runs and statuses by name. Where two have one name, the worse one counts: red, not over, green."""
    found: dict[str, Heard] = {}
    heard = [Heard(_of_run(run), run) for run in runs if (run.get("app") or {}).get("id") != own]
    heard += [Heard(_of_status(status)) for status in statuses]
    for one in heard:
        known = found.get(one.signal.name)
        if known is None or _WORSE.index(one.signal.light) < _WORSE.index(known.signal.light):
            found[one.signal.name] = one
    return tuple(found[name] for name in sorted(found))


_WORSE = (Light.RED, Light.UNKNOWN, Light.GREEN)


def _all(session: Session, commit: str) -> tuple[Heard, ...]:
    path = session.repository.path(f"/commits/{commit}")
    runs = session.api(Purpose.READ).pages(f"{path}/check-runs", "check_runs", filter="latest")
    return gathered(runs, _statuses(session, path), session.app.app_id)


def _statuses(session: Session, path: str) -> Sequence[Mapping[str, Any]]:
    try:
        api = session.api(Purpose.STATUS)
    except Stop:  # the permission came later than the installation, and nobody has accepted it
        return ()
    return tuple(api.pages(f"{path}/status", "statuses"))


def _without(session: Session, published: Published) -> str | None:
    if published.how is How.PUSH or not published.target:
        return published.onto or None
    return head(session.api(Purpose.READ), session.repository, published.target)


def _state(lights: Iterable[Light]) -> CI:
    seen = set(lights)
    if not seen:
        return CI.NONE
    if Light.UNKNOWN in seen:
        return CI.PENDING
    return CI.RED if Light.RED in seen else CI.GREEN


def _of_run(run: Mapping[str, Any]) -> Signal:
    over = run["status"] == "completed"
    light = (Light.GREEN if run["conclusion"] in _PASSED else Light.RED) if over else Light.UNKNOWN
    return Signal(str(run["name"]), light, str(run.get("html_url") or ""))


def _of_status(status: Mapping[str, Any]) -> Signal:
    light = _STATES.get(str(status["state"]), Light.UNKNOWN)
    return Signal(str(status["context"]), light, str(status.get("target_url") or ""))


def _case(session: Session, about: Case, one: Heard) -> Case | None:
    if one.raw is None:
        return None
    return red_case(session.api(Purpose.READ), session.repository, about, one.raw)
