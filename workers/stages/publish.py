"""Show the fix: words and evidence from `workers.messages`, the commit and the one pull request through the forge."""

from __future__ import annotations

from workers import messages
from workers.domain import Published, Report
from workers.ports import Admission, First, Forge, Proposal, SourceTree


def publish(report: Report, admission: Admission, tree: SourceTree, forge: Forge, run_url: str) -> Published:
    """Propose the accepted candidate: always a draft unless the repository says otherwise, until its CI has spoken."""
    accepted = report.accepted
    if accepted is None:
        raise ValueError("publish needs an accepted candidate")
    proposal = Proposal(
        branch=messages.branch(report),
        target=admission.target,
        title=messages.pull_request_title(report),
        body=messages.pull_request_body(report, run_url),
        commit_message=messages.commit_message(report),
        draft=admission.config.pr.draft != "never",
        labels=admission.config.pr.labels,
        first=_first(report),
    )
    return forge.publish(report.case, tree, accepted.candidate.patch, proposal)


def _first(report: Report) -> First | None:
    """The test that shows a bug report, in a commit of its own."""
    witness = report.witness
    if witness is None:
        return None
    return First({witness.path: witness.text.encode()}, messages.first_message(report, conventional=True))
