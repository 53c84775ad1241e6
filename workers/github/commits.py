"""A commit with the fix on a branch: by the Git Data API, without an author, so that GitHub signs it as the App's.

No branch is ever forced. What stands on one already is adopted when it is the very fix, built upon when it is ours, and
left alone when somebody else wrote it. On a moved base the new commit is a merge: the old commit stays its parent, so
the update is a fast-forward that GitHub refuses once a person has pushed in between.
"""

from __future__ import annotations

import base64
import logging
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from workers.domain import Ours, Outcome, Sha
from workers.errors import Retryable, Stop
from workers.git.tree import FILE, MirrorTree
from workers.github import pulls
from workers.github.api import Api, Refused, ref
from workers.github.session import Repository
from workers.ports import First

_log = logging.getLogger(__name__)

_RULES = ("gh013", "rule violation", "protected branch", "protected ref")
_OVERTAKEN = ("fast forward", "expected branch to point to")
_BY_GITHUB = "web-flow"
"""GitHub's own account: the committer of what is made by API or in the browser."""
_REFUSALS = (403, 409, 422)
"""A rule is told with any of these; what else they mean differs."""


@dataclass(frozen=True)
class Change:
    """A fix as a commit: the files that change against the tree's commit, and the message. `target` is the branch it
    goes to in the end, whose rules count too. The files of `first` are among them, with a commit of their own below."""

    tree: MirrorTree
    edits: Mapping[str, bytes | None]
    message: str
    target: str
    first: First | None = None


class Commits:
    """Writes commits with the publishing token. `bot` is asked for the App's own login only where it is needed."""

    def __init__(self, api: Api, repo: Repository, bot: Callable[[], str]) -> None:
        self._api = api
        self._repo = repo
        self._bot = bot

    def propose(self, change: Change, branch: str, ours: Ours | None = None) -> str:
        """The fix as the head of a branch of ours: the one that is there, else a new commit.

        Raises `Stop` when somebody else pushed to the branch, which is then theirs.
        """
        head = pulls.head(self._api, self._repo, branch)
        if head is None and ours is not None:
            raise Stop(Outcome.CANCELLED, f"Branch {branch} of #{ours.pull_request} is gone.")
        if head is None:
            return self._made(change, branch, [change.tree.sha], new=True)
        if self.holds(head, change):
            return head
        if ours is not None and head != ours.commit:
            raise Stop(Outcome.HEAD_MOVED, f"{branch} has moved on from {ours.commit[:7]}; it is left alone.")
        if ours is None and head != change.tree.sha and not self._ours(head):
            raise _hands_off(branch)
        behind = head == change.tree.sha or self._contains(head, change.tree.sha)
        return self._made(change, branch, [head] if behind else [head, change.tree.sha], new=False)

    def push(self, change: Change, branch: str) -> str:
        """The fix as one commit on a branch of theirs, if that still points to the commit which was healed."""
        head = pulls.head(self._api, self._repo, branch)
        if head is not None and self.holds(head, change):
            return head
        if head != change.tree.sha:
            raise _moved(branch, head)
        return self._made(change, branch, [change.tree.sha], new=False)

    def holds(self, head: str, change: Change) -> bool:
        """The commit is exactly this change: its files are those, and it stands on the healed commit."""
        commit = self._api.get(self._repo.path(f"/git/commits/{head}"))
        if commit["tree"]["sha"] != change.tree.hash(change.edits):
            return False
        parents = [parent["sha"] for parent in commit["parents"]]
        return change.tree.sha in parents or self._contains(head, change.tree.sha)

    def _contains(self, head: str, sha: Sha) -> bool:
        found = self._api.find(self._repo.path(f"/compare/{sha}...{head}"), per_page=1)
        return found is not None and found["status"] in ("ahead", "identical")

    def _ours(self, head: str) -> bool:
        """The App is the author of the head, and no person put it there: a rebase keeps the author, and makes whoever
        did it the committer. Anybody may write our address into a commit, so this decides what is built upon, and
        nothing is ever overwritten for it."""
        commit = self._api.get(self._repo.path(f"/commits/{head}"))
        author, committer = commit.get("author") or {}, commit.get("committer") or {}
        return author.get("login") == self._bot() and committer.get("login") in (_BY_GITHUB, self._bot())

    def _made(self, change: Change, branch: str, parents: Sequence[str], *, new: bool) -> str:
        """Make the commit and point the branch at it."""
        below = list(parents)
        if change.first is not None and below == [change.tree.sha]:
            below = [str(self._commit(change, change.first.files, change.first.message, below)["sha"])]
        commit = self._commit(change, change.edits, change.message, below)
        signed = bool((commit.get("verification") or {}).get("verified"))
        _log.info("commit %s on %s, signed by GitHub: %s", commit["sha"], self._repo.full_name, signed)
        if not signed and self._needs_signature(branch, change.target):
            return self._signed(change, branch, parents, new=new)
        return self._pointed(change, branch, str(commit["sha"]), new=new)

    def _commit(
        self, change: Change, edits: Mapping[str, bytes | None], message: str, parents: Sequence[str]
    ) -> Mapping[str, Any]:
        # No author and no committer: that is what makes GitHub sign the commit as the App's.
        body = {"message": message, "tree": self._tree(change.tree, edits), "parents": list(parents)}
        commit: Mapping[str, Any] = self._api.send("POST", self._repo.path("/git/commits"), body)
        return commit

    def _pointed(self, change: Change, branch: str, sha: str, *, new: bool) -> str:
        try:
            if new:
                target = {"ref": f"refs/heads/{branch}", "sha": sha}
                self._api.send("POST", self._repo.path("/git/refs"), target, expect=_REFUSALS)
            else:
                path = self._repo.path(f"/git/refs/heads/{ref(branch)}")
                self._api.send("PATCH", path, {"sha": sha, "force": False}, expect=_REFUSALS)
        except Refused as refused:
            return self._after(refused, change, branch)
        return sha

    def _after(self, refused: Refused, change: Change, branch: str) -> str:
        """GitHub refused the branch: by a rule, because an earlier try made it already, or somebody else did."""
        said = str(refused)
        if any(mark in said.lower() for mark in _RULES):
            raise Stop(Outcome.REFUSED_BY_POLICY, self._by_rule(branch, said)) from refused
        head = pulls.head(self._api, self._repo, branch)
        if head is not None and self.holds(head, change):
            return head
        if head is not None and "already exists" in said:
            raise _hands_off(branch) from refused
        if any(mark in said.lower() for mark in _OVERTAKEN):
            raise (_hands_off(branch) if branch.startswith(pulls.OWN) else _moved(branch, head)) from refused
        if refused.status == 403:
            raise Stop(Outcome.DISABLED, f"GitHub does not let Heal write to {branch}: {said}") from refused
        if refused.status != 422:  # a lock, or GraphQL, which tells what went wrong with one status for everything
            raise Retryable(f"GitHub did not make the commit: {said}", blame="github") from refused
        raise Stop(Outcome.REFUSED_BY_POLICY, f"GitHub refused the branch {branch}: {said}") from refused

    def _by_rule(self, branch: str, said: str) -> str:
        names = ", ".join(sorted({rule["type"] for rule in self._rules(branch)}))
        told = " ".join(said.split())  # GitHub writes a list of lines
        return f"A rule of the repository forbids it for {branch}{f' ({names})' if names else ''}: {told}"

    def _rules(self, branch: str) -> Sequence[Mapping[str, Any]]:
        found = self._api.find(self._repo.path(f"/rules/branches/{ref(branch)}"), per_page=100)
        return found if isinstance(found, list) else ()

    def _needs_signature(self, *branches: str) -> bool:
        types = {rule["type"] for branch in branches for rule in self._rules(branch)}
        return "required_signatures" in types

    def _signed(self, change: Change, branch: str, parents: Sequence[str], *, new: bool) -> str:
        """The same commit by the mutation that is always signed. It knows one parent and plain files alone."""
        odd = [path for path, content in sorted(change.edits.items()) if change.tree.mode_with(path, content) != FILE]
        if odd or list(parents) != [change.tree.sha]:
            why = f"{odd[0]} is executable" if odd else "it has two parents"
            raise Stop(
                Outcome.REFUSED_BY_POLICY,
                f"Commits to {change.target} have to be signed, and GitHub did not sign this one: {why}.",
            )
        if new:
            self._pointed(change, branch, str(change.tree.sha), new=True)
        headline, _, rest = change.message.partition("\n")
        given = {
            "branch": {"repositoryNameWithOwner": self._repo.full_name, "branchName": branch},
            "message": {"headline": headline, "body": rest.strip()},
            "expectedHeadOid": change.tree.sha,
            "fileChanges": {
                "additions": [
                    {"path": path, "contents": base64.b64encode(content).decode()}
                    for path, content in sorted(change.edits.items())
                    if content is not None
                ],
                "deletions": [{"path": path} for path, content in sorted(change.edits.items()) if content is None],
            },
        }
        try:
            self._api.mutate("createCommitOnBranch", given, "commit { oid }", refusals=True)
        except Refused as refused:
            return self._after(refused, change, branch)
        head = pulls.head(self._api, self._repo, branch)
        if head is None or not self.holds(head, change):
            raise _hands_off(branch)
        return head

    def _tree(self, tree: MirrorTree, edits: Mapping[str, bytes | None]) -> str:
        entries = [self._entry(path, content, tree.mode_with(path, content)) for path, content in sorted(edits.items())]
        body = {"base_tree": tree.hash({}), "tree": entries}
        return str(self._api.send("POST", self._repo.path("/git/trees"), body)["sha"])

    def _entry(self, path: str, content: bytes | None, mode: str) -> dict[str, object]:
        entry: dict[str, object] = {"path": path, "mode": mode, "type": "blob"}
        if content is None:
            return {**entry, "sha": None}
        try:
            text = content.decode()
        except UnicodeDecodeError:
            text = ""
        # Of blobs it is known that they may be empty, of text in a tree it is not.
        return {**entry, "content": text} if text else {**entry, "sha": self._blob(content)}

    def _blob(self, content: bytes) -> str:
        blob = {"content": base64.b64encode(content).decode(), "encoding": "base64"}
        return str(self._api.send("POST", self._repo.path("/git/blobs"), blob)["sha"])


def _hands_off(branch: str) -> Stop:
    return Stop(Outcome.DUPLICATE, f"Somebody else pushed to {branch}; it is theirs now and left alone.")


def _moved(branch: str, head: str | None) -> Stop:
    moved = f"points to {head[:12]} now" if head else "is gone"
    return Stop(Outcome.HEAD_MOVED, f"{branch} {moved}, so the fix was not published.")
