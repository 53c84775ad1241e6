"""Show the fix: in which form, in whose habit, with which words; the forge makes the commit, the review or neither."""

from __future__ import annotations

import hashlib
from dataclasses import replace

from workers import messages
from workers.domain import Case, Confidence, How, Published, Report, Sha
from workers.patch.suggest import Replacement, suggest
from workers.ports import Admission, First, Forge, Proposal, SourceTree, Suggestion, Wish


def publish(report: Report, admission: Admission, tree: SourceTree, forge: Forge, run_url: str) -> Published:
    """Propose the accepted candidate, as `publish` of heal.yml wants it where that is possible.

    A pull request of ours is always a draft unless the repository says otherwise, until its CI has spoken. A run that
    goes on with one of ours writes to that one.
    """
    accepted = report.accepted
    if accepted is None:
        raise ValueError("publish needs an accepted candidate")
    patch, ours, config = accepted.candidate.patch, report.case.ours, admission.config.pr
    how, note = _form(report, admission)
    ground = forge.ground(
        report.case, Wish(how, admission.target, ours.branch if ours else messages.branch(report), config.signoff)
    )
    found = suggest(tree, patch, ground.hunks) if how is How.SUGGEST else ()
    if isinstance(found, str):
        how, note = (How.COMMENT, "") if report.case.fork else (How.PULL, f"{found} So this is a pull request.")
    branch = ours.branch if ours else ground.branch
    target = ours.target if ours else admission.target
    told = replace(report, published=Published(branch=branch, how=how, target=target, note=note))
    key = hashlib.sha256(f"{report.case.head_sha}\n{patch}".encode(errors="replace")).hexdigest()[:16]
    habit = messages.habit(ground.subjects, config.commit_style)
    first = _first(report, habit.conventional)
    proposal = Proposal(
        branch=branch,
        target=target,
        title=messages.pull_request_title(told, habit),
        body=_body(told, run_url, key),
        commit_message=messages.commit_message(told, habit, ground.asked_by, ground.signed_by),
        draft=config.draft != "never",
        labels=config.labels,
        reviewers=config.reviewers,
        assignees=config.assignees,
        max_open=config.max_open,
        closed=() if ours else ground.closed,
        how=how,
        suggestions=_suggestions(found),
        ours=ours,
        note=note,
        key=key,
        first=first,
    )
    published = forge.publish(report.case, tree, patch, proposal)
    onto, all_of_it = _whole(report.case, tree, patch, first, forge)
    return replace(published, onto=onto, patch=all_of_it)


def _form(report: Report, admission: Admission) -> tuple[How, str]:
    """The form that is wanted, and why it is another one than heal.yml names."""
    case = report.case
    if case.fork:
        return How.SUGGEST, ""
    if case.ours is not None:  # what was pushed to a branch of theirs goes on there
        return (How.PUSH if case.ours.branch == case.ours.target else How.PULL), ""
    if case.pull_request is None or admission.config.publish == "stacked":
        return How.PULL, ""
    if admission.config.publish == "suggest":
        return How.SUGGEST, ""
    if report.confidence is not Confidence.HIGH:
        why = "The evidence leaves room for another fix, so this is a pull request and nothing was pushed to yours."
        return How.PULL, why
    return How.PUSH, ""


def _body(report: Report, run_url: str, key: str) -> str:
    suggested = report.published is not None and report.published.how is How.SUGGEST
    return messages.review_body(report, run_url, key) if suggested else messages.pull_request_body(report, run_url)


def _suggestions(found: tuple[Replacement, ...] | str) -> tuple[Suggestion, ...]:
    if isinstance(found, str):
        return ()
    return tuple(Suggestion(one.path, one.start, one.end, messages.suggestion(one.text)) for one in found)


def _whole(case: Case, tree: SourceTree, patch: str, first: First | None, forge: Forge) -> tuple[Sha, str]:
    """All that the change does by now, and the commit it is against: on top of our own commit, both patches as one,
    and with a test that it brings."""
    if first is not None:
        return case.head_sha, forge.tree(case).diff({**first.files, **tree.apply(patch)})
    if case.ours is None or case.head_sha != case.ours.commit:
        return case.head_sha, patch
    before = forge.tree(replace(case, head_sha=case.ours.onto))
    edits = {**before.apply(case.ours.patch), **tree.apply(patch)}
    left = {path: data for path, data in edits.items() if data is not None or before.read(path) is not None}
    return case.ours.onto, before.diff(left)


def _first(report: Report, conventional: bool) -> First | None:
    """The test that shows a bug report, in a commit of its own."""
    witness = report.witness
    if witness is None or report.case.ours is not None:
        return None
    return First({witness.path: witness.text.encode()}, messages.first_message(report, conventional))
