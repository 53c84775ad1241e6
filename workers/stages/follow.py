"""The real CI on our commit: waits for it, writes its answer into the pull request, and reads what is red.

Red with another failure than the one that was mended, one more run goes on with it, as often as the repository allows.
Red with the same, the sandbox and CI disagree, and people are told. What is red without us as well is not ours.
"""

from __future__ import annotations

import time
from dataclasses import replace

from workers import diagnosis, messages
from workers.domain import Aim, Case, Confidence, How, Outcome, Published, Report
from workers.errors import Park, Stop
from workers.messages import Red
from workers.messages.markup import quote
from workers.ports import CI, Admission, Checks, Forge, Journal, Light, Signal

NO_CI = 120.0
"""After this many seconds without a single run on the branch, there is no CI to wait for."""

DISAGREES = "heal: ci disagrees"
"""The label of a pull request on which CI shows the failure that it mends in the sandbox."""

_WATCHED = (How.PULL, How.PUSH)


def follow(
    report: Report, admission: Admission, forge: Forge, journal: Journal, run_url: str, patience: float, poll: float
) -> str:
    """The state CI ended in: "green", "red" when all of it is red without us too, "none" when there is no CI to ask,
    or "merged" when nobody waited for it.

    Raises `Park` while it runs, for at most `patience` seconds since the fix was published (asking again after `poll`
    seconds when no event wakes the run), `Stop(UNCONFIRMED)` when it is red, with the next round as its follow-up if
    there is one, and `Stop(HEAD_MOVED)` when the branch went on from our commit.
    """
    published = report.published
    if published is None or published.pull_request is None or published.how not in _WATCHED:
        return CI.NONE.value
    checks = forge.ci(report.case, published)
    if checks.state is CI.MERGED:
        return checks.state.value
    _stop_when_left(checks, published)
    waited = time.time() - published.at
    silent = checks.state is CI.NONE and waited < min(NO_CI, patience)
    if silent or (checks.state is CI.PENDING and waited < patience):
        raise Park("waiting for the repository's CI on the fix", after=poll)
    journal.answered(checks.state)
    red, again = _read(report, checks, admission, forge, journal)
    ready = checks.state is CI.GREEN and report.confidence is Confidence.HIGH and admission.config.pr.draft == "auto"
    body = messages.pull_request_body(report, run_url, checks, red)
    forge.confirm(report.case, published, body, ready, (DISAGREES,) if red is Red.SAME else ())
    if red in (Red.NONE, Red.BELOW):
        return checks.state.value
    raise Stop(Outcome.UNCONFIRMED, messages.said(checks, red, published.branch)).leading_to(again)


def _stop_when_left(checks: Checks, published: Published) -> None:
    where = f"{quote(published.branch)} has moved on from `{published.commit[:7]}`"
    if checks.state is CI.LEFT:
        raise Stop(
            Outcome.HEAD_MOVED, f"{where}: somebody else pushed to it, so it is theirs now, and Heal leaves it alone."
        )
    if checks.state is CI.MOVED:
        raise Stop(Outcome.HEAD_MOVED, f"{where} before CI had spoken.")


def _read(
    report: Report, checks: Checks, admission: Admission, forge: Forge, journal: Journal
) -> tuple[Red, Case | None]:
    """How the red is to be read, and the case of the round that goes on with it."""
    if checks.state is not CI.RED:
        return Red.NONE, None
    mended = report.job.name if report.job else report.case.job
    ours = [signal for signal in checks.red if signal.name == mended or signal.below is not Light.RED]
    if not ours:
        return Red.BELOW, None
    if any(_same(report, signal, mended, forge) for signal in ours):
        return Red.SAME, None
    told = next((signal.job for signal in ours if signal.job is not None), None)
    if told is None:
        return Red.MUTE, None
    change = journal.ours()
    if change is None or change.runs > admission.config.limits.rounds:
        return Red.SPENT, None
    asked = report.case
    return Red.NEW, replace(
        told,
        aim=Aim.AGAIN,
        ours=change,
        issue=asked.issue,
        requested_by=asked.requested_by,
        model=asked.model,
        budget_usd=asked.budget_usd,
    )


def _same(report: Report, signal: Signal, mended: str, forge: Forge) -> bool:
    """The job that was mended is red as it was before. Where its log does not say what failed, that is to be feared."""
    if signal.name != mended or report.reproduction is None:
        return False
    if signal.job is None:
        return True
    before = report.reproduction
    return diagnosis.same_failure(before.plan.check.script, before.before, forge.job(signal.job)).same
