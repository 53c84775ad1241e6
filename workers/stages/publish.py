"""Show the fix: words and evidence from `workers.messages`, the commit and the one pull request through the forge."""

from __future__ import annotations

from workers import messages
from workers.domain import Published, Report
from workers.ports import Admission, Forge, Proposal, SourceTree


def publish(report: Report, admission: Admission, tree: SourceTree, forge: Forge, run_url: str) -> Published:
    """Propose the accepted candidate: always a draft unless the repository says otherwise, until its CI has spoken."""
    accepted = report.accepted
    if accepted is None:
        raise ValueError("publish needs an accepted candidate")
    ours = report.case.ours
    proposal = Proposal(
        branch=ours.branch if ours else messages.branch(report),
        target=admission.target,
        title=messages.pull_request_title(report),
        body=messages.pull_request_body(report, run_url),
        commit_message=messages.commit_message(report),
        draft=admission.config.pr.draft != "never",
        labels=admission.config.pr.labels,
    )
    return forge.publish(report.case, tree, accepted.candidate.patch, proposal)
