"""Show the fix: words and evidence from `workers.messages`, the commit and the one pull request through the forge."""

from __future__ import annotations

from dataclasses import replace

from workers import messages
from workers.domain import Case, Published, Report, Sha
from workers.ports import Admission, Forge, Proposal, SourceTree


def publish(report: Report, admission: Admission, tree: SourceTree, forge: Forge, run_url: str) -> Published:
    """Propose the accepted candidate: always a draft unless the repository says otherwise, until its CI has spoken."""
    accepted = report.accepted
    if accepted is None:
        raise ValueError("publish needs an accepted candidate")
    case, patch = report.case, accepted.candidate.patch
    proposal = Proposal(
        branch=case.ours.branch if case.ours else messages.branch(report),
        target=case.ours.target if case.ours else admission.target,
        title=messages.pull_request_title(report),
        body=messages.pull_request_body(report, run_url),
        commit_message=messages.commit_message(report),
        draft=admission.config.pr.draft != "never",
        labels=admission.config.pr.labels,
    )
    published = forge.publish(case, tree, patch, proposal)
    onto, all_of_it = _whole(case, tree, patch, forge)
    return replace(published, onto=onto, patch=all_of_it)


def _whole(case: Case, tree: SourceTree, patch: str, forge: Forge) -> tuple[Sha, str]:
    """All that the change does by now, and the commit it is against: on top of our own commit, both patches as one."""
    if case.ours is None or case.head_sha != case.ours.commit:
        return case.head_sha, patch
    before = forge.tree(replace(case, head_sha=case.ours.onto))
    edits = {**before.apply(case.ours.patch), **tree.apply(patch)}
    left = {path: data for path, data in edits.items() if data is not None or before.read(path) is not None}
    return case.ours.onto, before.diff(left)
