"""The verified fix on GitHub: a pull request of ours, or a commit on the branch of theirs.

Each effect is found again before it is made, so a second try after a lost answer adopts what the first one left.
"""

from __future__ import annotations

import logging
import re
import time
from collections.abc import Mapping, Sequence
from typing import Any

from workers.domain import Outcome, Published
from workers.errors import Retryable, Stop
from workers.git.tree import MirrorTree
from workers.github.api import Api, Refused
from workers.github.commits import Change, Commits
from workers.github.pulls import OWN, Pull, of_branch, open_ones
from workers.github.session import Repository
from workers.ports import Proposal

_log = logging.getLogger(__name__)

READY = "markPullRequestReadyForReview"
_RUN = re.compile(r"<!-- heal:run=(\S+) kind=pr\b")


class Changes:
    """Writes for one case with the publishing token."""

    def __init__(self, api: Api, repo: Repository, commits: Commits) -> None:
        self._api = api
        self._repo = repo
        self._commits = commits

    def publish(self, tree: MirrorTree, patch: str, proposal: Proposal) -> Published:
        """Commit the patch, point a branch of ours at it, open or update the one pull request of that branch."""
        if not proposal.branch.startswith(OWN):
            raise ValueError("only branches below heal/ are ours to write")
        first = proposal.first
        edits = {**(first.files if first else {}), **tree.apply(patch)}
        change = Change(tree, edits, proposal.commit_message, proposal.target, first)
        for number, head in proposal.closed:
            if self._commits.holds(head, change):
                raise Stop(Outcome.DUPLICATE, f"#{number} held this very fix and was closed.")
        pull = self._known(proposal)
        if pull is None:
            self._room(proposal)
        commit = self._commits.propose(change, proposal.branch, proposal.ours)
        pull = self._opened(proposal, proposal.draft) if pull is None else self._updated(pull, proposal)
        self._decorate(pull, proposal)
        return _published(pull["number"], pull["html_url"], proposal, branch=proposal.branch, commit=commit)

    def push(self, tree: MirrorTree, patch: str, proposal: Proposal, pull: Pull) -> Published:
        """One commit on the head branch of a pull request of theirs."""
        change = Change(tree, tree.apply(patch), proposal.commit_message, proposal.target)
        commit = self._commits.push(change, proposal.target)
        return _published(pull.number, pull.url, proposal, branch=proposal.target, commit=commit)

    def confirm(self, number: int, body: str, ready: bool, labels: tuple[str, ...] = ()) -> None:
        """Replace the body when it differs, add the labels; take the pull request out of draft when it is ready."""
        pull = self._api.get(self._repo.path(f"/pulls/{number}"))
        if pull["state"] != "open":
            return
        if pull["body"] != body:
            self._api.send("PATCH", self._repo.path(f"/pulls/{number}"), {"body": body})
        if ready and pull.get("draft"):
            self._api.mutate(READY, {"pullRequestId": pull["node_id"]}, "pullRequest { id isDraft }")
        self._set(pull, "issues", "labels", {"labels": _missing(pull, labels)})

    def _known(self, proposal: Proposal) -> Mapping[str, Any] | None:
        """The open pull request of the branch; raises `Stop` when people closed it."""
        found = list(of_branch(self._api, self._repo, proposal.branch))
        pull = next((one for one in found if one["state"] == "open"), found[0] if found else None)
        if pull is not None and pull["state"] != "open":
            over = Outcome.CANCELLED if proposal.ours else Outcome.DUPLICATE
            raise Stop(over, f"#{pull['number']}, which held this fix, was closed.")
        if pull is None and proposal.ours is not None:
            raise Stop(Outcome.CANCELLED, f"#{proposal.ours.pull_request} is gone.")
        return pull

    def _room(self, proposal: Proposal) -> None:
        """One more pull request of ours may be opened."""
        count = sum(1 for _ in open_ones(self._api, self._repo))
        if count >= proposal.max_open:
            many = f"{count} pull request{'s' if count > 1 else ''} of Heal"
            raise Stop(
                Outcome.OVER_BUDGET,
                f"{many} {'are' if count > 1 else 'is'} open, and `pr.max_open` allows {proposal.max_open}: "
                "merge or close one, then ask again.",
            )

    def _updated(self, pull: Mapping[str, Any], proposal: Proposal) -> Mapping[str, Any]:
        # The title of a pull request that people have talked about stays theirs to change.
        title = pull["title"] if proposal.ours else proposal.title
        if (pull["title"], pull["body"]) == (title, proposal.body):
            return pull
        self._api.send("PATCH", self._repo.path(f"/pulls/{pull['number']}"), {"title": title, "body": proposal.body})
        return pull

    def _opened(self, proposal: Proposal, draft: bool) -> Mapping[str, Any]:
        body = {"title": proposal.title, "head": proposal.branch, "base": proposal.target, "body": proposal.body}
        try:
            opened: Mapping[str, Any] = self._api.send(
                "POST", self._repo.path("/pulls"), {**body, "draft": draft}, expect=(422,)
            )
            return opened
        except Refused as refused:
            said = str(refused)
            if draft and "draft" in said.lower():  # the repository's plan has no drafts
                return self._opened(proposal, draft=False)
            pull = self._known(proposal) if "already exists" in said else None
            if pull is None:
                raise Stop(Outcome.REFUSED_BY_POLICY, f"GitHub refused the pull request: {said}") from refused
            return pull

    def _decorate(self, pull: Mapping[str, Any], proposal: Proposal) -> None:
        """Labels, reviewers and assignees: by the run that opened it alone, so that what people take away stays
        away."""
        if _opener(pull) != _opener({"body": proposal.body}):
            return
        users = {user["login"].lower() for user in pull.get("requested_reviewers") or ()}
        wanted = [name for name in proposal.reviewers if name.lower() not in users]
        people = {user["login"].lower() for user in pull.get("assignees") or ()}
        self._set(pull, "issues", "labels", {"labels": _missing(pull, proposal.labels)})
        self._set(
            pull, "issues", "assignees", {"assignees": [a for a in proposal.assignees if a.lower() not in people]}
        )
        self._set(pull, "pulls", "requested_reviewers", {
            "reviewers": [name for name in wanted if "/" not in name],
            "team_reviewers": [name.rpartition("/")[2] for name in wanted if "/" in name],
        })  # fmt: skip

    def _set(self, pull: Mapping[str, Any], kind: str, what: str, names: Mapping[str, list[str]]) -> None:
        given = {key: value for key, value in names.items() if value}
        if not given:
            return
        try:
            self._api.send("POST", self._repo.path(f"/{kind}/{pull['number']}/{what}"), given)
        except (Stop, Retryable) as trouble:  # not worth losing a pull request that exists
            _log.warning("%s could not be set on #%s: %s", what, pull["number"], trouble)


def _missing(pull: Mapping[str, Any], labels: Sequence[str]) -> list[str]:
    return sorted(set(labels) - {label["name"] for label in pull.get("labels") or ()})


def _published(number: int, url: str, proposal: Proposal, *, branch: str, commit: str) -> Published:
    return Published(number, url, branch, commit, time.time(), proposal.how, proposal.target, proposal.note)


def _opener(pull: Mapping[str, Any]) -> str:
    """The run that wrote a pull request's body."""
    found = _RUN.search(pull.get("body") or "")
    return found[1] if found else ""
