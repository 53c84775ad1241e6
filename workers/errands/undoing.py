"""`undo`: takes back the open fix of a pull request or an issue, and touches nothing that anybody else has made."""

from __future__ import annotations

from workers.commands.grammar import Command
from workers.domain import How, Published
from workers.errands.request import Answer, Request, no
from workers.github.api import Refused, ref
from workers.github.pulls import OWN
from workers.github.session import Purpose
from workers.messages import replies


def undo(request: Request, command: Command) -> Answer:  # noqa: ARG001 - an `Act`
    """Close our open pull request, or revert our pushed commit: the newest fix that was made for this number."""
    for run in request.runs.about(request.number):
        published = request.runs.published(run.id)
        if published is None:
            continue
        if published.how is How.PULL and published.pull_request is not None:
            answer = _close(request, published.pull_request, published.branch)
        elif published.how is How.PUSH:
            answer = _revert(request, published)
        else:
            answer = None
        if answer is not None:
            return answer
    return no(replies.nothing_to_undo())


def _close(request: Request, number: int, branch: str) -> Answer | None:
    """None when somebody closed or merged it before, unless our own branch is still there from a first try."""
    repo, reads = request.session.repository, request.session.api(Purpose.READ)
    pull = reads.get(repo.path(f"/pulls/{number}"))
    if pull["merged"] or not branch.startswith(OWN):
        return None
    path = repo.path(f"/git/refs/heads/{ref(branch)}")
    there = reads.find(repo.path(f"/git/ref/heads/{ref(branch)}")) is not None
    if pull["state"] != "open" and not there:
        return None
    commits = reads.pages(repo.path(f"/pulls/{number}/commits"))
    only_ours = all((commit.get("author") or {}).get("id") == pull["user"]["id"] for commit in commits)
    writes = request.session.api(Purpose.PUBLISH)
    if pull["state"] == "open":
        writes.send("PATCH", repo.path(f"/pulls/{number}"), {"state": "closed"})
    elif not only_ours:
        return None
    if only_ours and there:
        request.desk.guard()
        writes.delete(path)
    return Answer(True, replies.undone(number, branch, only_ours))


def _revert(request: Request, published: Published) -> Answer:
    """A new commit with the tree of the one before ours; only while ours is the newest of the branch."""
    repo, reads = request.session.repository, request.session.api(Purpose.READ)
    head = reads.find(repo.path(f"/git/ref/heads/{ref(published.branch)}"))
    now = str(head["object"]["sha"]) if head else ""
    if now != published.commit:
        return _reverted_before(request, published, now)
    ours = reads.get(repo.path(f"/git/commits/{published.commit}"))
    before = reads.get(repo.path(f"/git/commits/{ours['parents'][0]['sha']}"))
    message = f'Revert "{ours["message"].splitlines()[0]}"\n\nThis reverts commit {published.commit}.\n'
    writes = request.session.api(Purpose.PUBLISH)
    body = {"message": message, "tree": before["tree"]["sha"], "parents": [published.commit]}
    made = str(writes.send("POST", repo.path("/git/commits"), body)["sha"])
    try:
        target = {"sha": made, "force": False}
        writes.send("PATCH", repo.path(f"/git/refs/heads/{ref(published.branch)}"), target, expect=(409, 422))
    except Refused:
        return no(replies.cannot_revert(published.commit, published.branch))
    return Answer(True, replies.reverted(published.commit, made))


def _reverted_before(request: Request, published: Published, now: str) -> Answer:
    """A try before this one may have made the commit, and its answer was lost."""
    repo, reads = request.session.repository, request.session.api(Purpose.READ)
    newest = reads.find(repo.path(f"/git/commits/{now}")) if now else None
    if newest is not None and f"This reverts commit {published.commit}." in str(newest["message"]):
        return Answer(True, replies.reverted(published.commit, now))
    return no(replies.cannot_revert(published.commit, published.branch))
