"""The buttons of the check run, per ending: what a person may want next. GitHub shows them when the run is over."""

from __future__ import annotations

from workers.domain import Outcome, Report
from workers.ports import Button

RETRY = Button("Try again", "Work on this failure once more.", "retry")
EXPLAIN = Button("Explain", "Post what was found out about it.", "explain")
IGNORE = Button("Ignore", "Leave this failure alone for 30 days.", "ignore")

_NOTHING_LEFT = frozenset({Outcome.HEAD_MOVED, Outcome.DUPLICATE})
_GOOD = frozenset({Outcome.FIXED})


def buttons(report: Report) -> tuple[Button, ...]:
    """Three at most. Explaining needs a diagnosis and a place to post it, ignoring a failure that is known."""
    if report.outcome in _NOTHING_LEFT:
        return ()
    case, published = report.case, report.published
    posted = case.pull_request or case.issue or (published.pull_request if published else None)
    found = [] if report.outcome in _GOOD else [RETRY]
    if report.diagnosis is not None and posted:
        found.append(EXPLAIN)
    if report.diagnosis is not None and report.outcome not in _GOOD:
        found.append(IGNORE)
    return tuple(found)
