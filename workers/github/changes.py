"""The verified fix on GitHub: a commit by the Git Data API (so that GitHub signs it), a branch, a pull request.

Each step is found again before it is made, so a second try after a lost answer adopts what the first one left.
"""

from __future__ import annotations

import base64
import logging
import time
from collections.abc import Mapping
from typing import Any

from workers.domain import Ours, Outcome, Published
from workers.errors import Retryable, Stop
from workers.git.tree import MirrorTree
from workers.github.api import Api, Refused, ref
from workers.github.session import Repository
from workers.ports import Proposal

_log = logging.getLogger(__name__)

READY = "markPullRequestReadyForReview"


class Changes:
    """Writes for one case with the publishing token."""

    def __init__(self, api: Api, repo: Repository) -> None:
        self._api = api
        self._repo = repo

    def publish(self, tree: MirrorTree, patch: str, proposal: Proposal) -> Published:
        """Commit the patch on top of the tree's commit, point the branch at it, open or adopt the pull request."""
        if not proposal.branch.startswith("heal/"):
            raise ValueError("only branches below heal/ are ours to write")
        edits = tree.apply(patch)
        commit = self._adopted(tree, edits, proposal) or self._committed(tree, edits, proposal)
        pull = self._pull(proposal, commit)
        self._label(pull, proposal)
        return Published(pull["number"], pull["html_url"], proposal.branch, commit, time.time())

    def revise(self, tree: MirrorTree, patch: str, proposal: Proposal, ours: Ours) -> Published:
        """One more commit on the branch of our pull request. Its files are those of the tree's commit with the whole
        new patch; the evidence in the body is the new one, the title stays."""
        edits = tree.apply(patch)
        commit = self._next(tree, edits, ours) or self._added(tree, edits, proposal, ours)
        pull = self._api.get(self._repo.path(f"/pulls/{ours.pull_request}"))
        if pull["state"] != "open":
            raise Stop(Outcome.CANCELLED, f"#{ours.pull_request} was closed.")
        if pull["body"] != proposal.body:
            self._sent("PATCH", f"/pulls/{ours.pull_request}", {"body": proposal.body})
        return Published(ours.pull_request, pull["html_url"], ours.branch, commit, time.time(), target=ours.target)

    def _next(self, tree: MirrorTree, edits: Mapping[str, bytes | None], ours: Ours) -> str | None:
        """The commit after ours, when it is exactly this change; None while our branch still ends in ours."""
        found = self._api.find(self._repo.path(f"/git/ref/heads/{ref(ours.branch)}"))
        if found is not None and found["object"]["sha"] == ours.commit:
            return None
        commit = self._api.get(self._repo.path(f"/git/commits/{found['object']['sha']}")) if found else {"parents": []}
        if [one["sha"] for one in commit["parents"]] == [ours.commit] and commit["tree"]["sha"] == tree.hash(edits):
            return str(commit["sha"])
        raise Stop(Outcome.HEAD_MOVED, f"{ours.branch} has moved on from {ours.commit[:7]}; it is left alone.")

    def _added(self, tree: MirrorTree, edits: Mapping[str, bytes | None], proposal: Proposal, ours: Ours) -> str:
        commit = self._commit(tree, edits, proposal.commit_message, ours.commit)
        path = self._repo.path(f"/git/refs/heads/{ref(ours.branch)}")
        try:
            self._api.send("PATCH", path, {"sha": commit, "force": False}, expect=(409, 422))
        except Refused as refused:
            adopted = self._next(tree, edits, ours)
            if adopted is None:
                raise Stop(Outcome.REFUSED_BY_POLICY, f"GitHub refused the commit: {refused}") from refused
            return adopted
        return commit

    def confirm(self, number: int, body: str, ready: bool) -> None:
        """Replace the body when it differs; take the pull request out of draft when it is ready."""
        pull = self._api.get(self._repo.path(f"/pulls/{number}"))
        if pull["state"] != "open":
            return
        if pull["body"] != body:
            self._api.send("PATCH", self._repo.path(f"/pulls/{number}"), {"body": body})
        if ready and pull.get("draft"):
            self._api.mutate(READY, {"pullRequestId": pull["node_id"]}, "pullRequest { id isDraft }")

    def _adopted(self, tree: MirrorTree, edits: Mapping[str, bytes | None], proposal: Proposal) -> str | None:
        """The commit the branch holds already, when it is exactly this change."""
        found = self._api.find(self._repo.path(f"/git/ref/heads/{ref(proposal.branch)}"))
        if found is None:
            return None
        commit = self._api.get(self._repo.path(f"/git/commits/{found['object']['sha']}"))
        parents = [parent["sha"] for parent in commit["parents"]]
        if parents == [tree.sha] and commit["tree"]["sha"] == tree.hash(edits):
            return str(commit["sha"])
        raise Stop(Outcome.DUPLICATE, f"Branch {proposal.branch} holds another change already; it is left alone.")

    def _commit(self, tree: MirrorTree, edits: Mapping[str, bytes | None], message: str, parent: str) -> str:
        entries = [self._entry(path, content, tree.mode(path)) for path, content in sorted(edits.items())]
        made = self._api.send("POST", self._repo.path("/git/trees"), {"base_tree": tree.hash({}), "tree": entries})
        # No author and no committer: that is what makes GitHub sign the commit as the App's.
        body = {"message": message, "tree": made["sha"], "parents": [parent]}
        commit = self._api.send("POST", self._repo.path("/git/commits"), body)
        verified = (commit.get("verification") or {}).get("verified")
        _log.info("commit %s on %s, signed by GitHub: %s", commit["sha"], self._repo.full_name, bool(verified))
        return str(commit["sha"])

    def _committed(self, tree: MirrorTree, edits: Mapping[str, bytes | None], proposal: Proposal) -> str:
        commit = self._commit(tree, edits, proposal.commit_message, tree.sha)
        target = {"ref": f"refs/heads/{proposal.branch}", "sha": commit}
        try:
            self._api.send("POST", self._repo.path("/git/refs"), target, expect=(422,))
        except Refused as refused:
            adopted = self._adopted(tree, edits, proposal)
            if adopted is None:
                raise Stop(Outcome.REFUSED_BY_POLICY, f"GitHub refused the branch: {refused}") from refused
            return adopted
        return commit

    def _entry(self, path: str, content: bytes | None, mode: str) -> dict[str, object]:
        entry: dict[str, object] = {"path": path, "mode": mode, "type": "blob"}
        if content is None:
            return {**entry, "sha": None}
        try:
            return {**entry, "content": content.decode()}
        except UnicodeDecodeError:
            blob = {"content": base64.b64encode(content).decode(), "encoding": "base64"}
            return {**entry, "sha": self._api.send("POST", self._repo.path("/git/blobs"), blob)["sha"]}

    def _pull(self, proposal: Proposal, commit: str) -> Mapping[str, Any]:
        pull = self._known(proposal)
        if pull is None:
            return self._opened(proposal, proposal.draft)
        if pull["state"] != "open":
            raise Stop(Outcome.DUPLICATE, f"Somebody closed #{pull['number']}, which held this fix ({commit[:7]}).")
        if (pull["title"], pull["body"]) != (proposal.title, proposal.body):
            text = {"title": proposal.title, "body": proposal.body}
            return self._sent("PATCH", f"/pulls/{pull['number']}", text)
        return pull

    def _known(self, proposal: Proposal) -> Mapping[str, Any] | None:
        where = {"head": f"{self._repo.owner}:{proposal.branch}", "base": proposal.target}
        found: list[Mapping[str, Any]] = self._api.get(self._repo.path("/pulls"), state="all", **where)
        ours = [pull for pull in found if pull["head"]["ref"] == proposal.branch]
        return next((pull for pull in ours if pull["state"] == "open"), ours[0] if ours else None)

    def _opened(self, proposal: Proposal, draft: bool) -> Mapping[str, Any]:
        body = {"title": proposal.title, "head": proposal.branch, "base": proposal.target, "body": proposal.body}
        try:
            return self._sent("POST", "/pulls", {**body, "draft": draft}, expect=(422,))
        except Refused as refused:
            said = str(refused)
            if draft and "draft" in said.lower():  # the repository's plan has no drafts
                return self._opened(proposal, draft=False)
            pull = self._known(proposal) if "already exists" in said else None
            if pull is None:
                raise Stop(Outcome.REFUSED_BY_POLICY, f"GitHub refused the pull request: {said}") from refused
            return pull

    def _label(self, pull: Mapping[str, Any], proposal: Proposal) -> None:
        missing = set(proposal.labels) - {label["name"] for label in pull.get("labels") or ()}
        if not missing:
            return
        try:
            self._api.send("POST", self._repo.path(f"/issues/{pull['number']}/labels"), {"labels": sorted(missing)})
        except (Stop, Retryable) as trouble:  # a label is not worth losing a pull request that exists
            _log.warning("labels could not be set on #%s: %s", pull["number"], trouble)

    def _sent(
        self, method: str, rest: str, body: Mapping[str, object], *, expect: tuple[int, ...] = ()
    ) -> Mapping[str, Any]:
        answer: Mapping[str, Any] = self._api.send(method, self._repo.path(rest), body, expect=expect)
        return answer
