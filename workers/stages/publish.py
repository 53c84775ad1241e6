"""Show the fix: words and evidence from `workers.messages`, the commit and the one pull request through the forge."""

from __future__ import annotations

from workers import messages
from workers.domain import Confidence, Outcome, Published, Report
from workers.errors import Stop
from workers.ports import Admission, Forge, Proposal, SourceTree


def publish(report: Report, admission: Admission, tree: SourceTree, forge: Forge, run_url: str) -> Published:
    """Propose the accepted candidate. Raises `Stop(NO_FIX_FOUND)` when it is not trustworthy enough to be shown as
    a pull request: then it is told, not proposed."""
    accepted = report.accepted
    if accepted is None:
        raise ValueError("publish needs an accepted candidate")
    if accepted.candidate.confidence is Confidence.LOW:
        raise Stop(
            Outcome.NO_FIX_FOUND,
            "A patch makes the check green, but what is known about it is too little to propose it.",
            patch=accepted.candidate.patch,
        )
    proposal = Proposal(
        branch=messages.branch(report),
        target=admission.target,
        title=messages.pull_request_title(report),
        body=messages.pull_request_body(report, run_url),
        commit_message=messages.commit_message(report),
        draft=admission.config.pr.draft != "never",
        labels=admission.config.pr.labels,
    )
    return forge.publish(report.case, tree, accepted.candidate.patch, proposal)
