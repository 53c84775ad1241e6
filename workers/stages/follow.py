"""The real CI on our branch: waits for it, writes its answer into the pull request, and says so when it disagrees."""

from __future__ import annotations

import time

from workers import messages
from workers.domain import Confidence, How, Outcome, Report
from workers.errors import Park, Stop
from workers.ports import Admission, Forge

NO_CI = 120.0
"""After this many seconds without a single run on the branch, there is no CI to wait for."""


def follow(report: Report, admission: Admission, forge: Forge, run_url: str, patience: float, poll: float) -> str:
    """The state CI ended in: "green", "none" when there is no CI to ask, or "merged" when nobody waited for it.

    Raises `Park` while it runs, for at most `patience` seconds since the pull request was opened (asking again after
    `poll` seconds when no event wakes the run), and `Stop(UNCONFIRMED)` when it is red.
    """
    published = report.published
    if published is None or published.pull_request is None or published.how in (How.SUGGEST, How.COMMENT):
        return "none"
    state = forge.ci(report.case, published)
    if state == "merged":
        return state
    waited = time.time() - published.at
    if (state == "pending" and waited < patience) or (state == "none" and waited < min(NO_CI, patience)):
        raise Park("waiting for the repository's CI on the fix", after=poll)
    ready = state == "green" and report.confidence is Confidence.HIGH and admission.config.pr.draft == "auto"
    forge.confirm(report.case, published, messages.pull_request_body(report, run_url, ci=state), ready)
    if state == "red":
        raise Stop(Outcome.UNCONFIRMED, f"The repository's CI is red on `{published.branch}`.")
    return state
