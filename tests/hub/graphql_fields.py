"""The fields of GraphQL's query and mutation that the double answers, one resolver each, and the objects they give.

Objects are dictionaries that hold more than a query asks for; a field with arguments is a function of them.
"""

from __future__ import annotations

import base64
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from tests.hub import rules
from tests.hub.events import Events
from tests.hub.gitstore import Entry, Signature
from tests.hub.rest.dispatch import FORBIDDEN, allows, reaches
from tests.hub.rest.reviews import add_reply
from tests.hub.state import Comment, Json, Pull, Repo, Token, User, World

_CLOSING = re.compile(r"\b(?:close[sd]?|fix(?:e[sd])?|resolve[sd]?):?\s+#(\d+)", re.IGNORECASE)


class GraphQlError(Exception):
    """An entry of `errors` with GitHub's type."""

    def __init__(self, kind: str, message: str) -> None:
        super().__init__(message)
        self.kind = kind


@dataclass(frozen=True)
class Ask:
    """A field with its arguments, and who asks."""

    world: World
    events: Events
    token: Token
    arguments: Json

    @property
    def input(self) -> Json:
        found: Json = self.arguments.get("input") or {}
        return found

    @property
    def bot(self) -> User:
        return self.token.installation.app.bot

    def may(self, repo: Repo, need: str) -> None:
        """GitHub's refusal for what the token may not see or do."""
        if repo.gone or (repo.private and not reaches(self.token, repo)):
            raise GraphQlError("NOT_FOUND", f"Could not resolve to a Repository with the name '{repo.full_name}'.")
        public_read = need.endswith(":read") and not repo.private
        if not public_read and not (reaches(self.token, repo) and allows(self.token, need)):
            raise GraphQlError("FORBIDDEN", FORBIDDEN)

    def payload(self, **fields: Any) -> Json:
        return {"clientMutationId": self.input.get("clientMutationId"), **fields}


def _unknown(node: object) -> GraphQlError:
    return GraphQlError("NOT_FOUND", f"Could not resolve to a node with the global id of '{node}'")


def _pull(ask: Ask, node: object) -> tuple[Repo, Pull]:
    for repo in ask.world.repos.values():
        for pull in repo.pulls.values():
            if pull.node_id == node:
                return repo, pull
    raise _unknown(node)


def _thread(ask: Ask, node: object) -> tuple[Repo, Comment]:
    for repo in ask.world.repos.values():
        for comment in repo.review_comments.values():
            if f"PRRT_{comment.id}" == node and comment.reply_to is None:
                return repo, comment
    raise _unknown(node)


def _comment(ask: Ask, node: object) -> tuple[Repo, Comment]:
    for repo in ask.world.repos.values():
        for prefix, comments in (("IC_kwDO", repo.comments), ("PRRC_kwDO", repo.review_comments)):
            for comment in comments.values():
                if f"{prefix}{comment.id}" == node:
                    return repo, comment
    raise _unknown(node)


def _actor(who: User) -> Json:
    return {"__typename": who.kind, "login": who.login.removesuffix("[bot]"), "id": f"U_kgDO{who.id}"}


def _pull_object(ask: Ask, repo: Repo, pull: Pull) -> Json:
    dirty = repo.git.conflicts(pull.base_sha, pull.head_sha)
    return {
        "__typename": "PullRequest",
        "id": pull.node_id,
        "isDraft": pull.draft,
        "number": pull.number,
        "title": pull.issue.title,
        "state": pull.issue.state.upper(),
        "url": f"{ask.world.url}/{repo.full_name}/pull/{pull.number}",
        "headRefOid": pull.head_sha,
        "mergeable": "CONFLICTING" if dirty else "MERGEABLE",
        "reviewDecision": _decision(repo, pull),
        "reviewThreads": lambda asked: _threads(ask, repo, pull, asked),
        "closingIssuesReferences": lambda asked: {"nodes": _closing(repo, pull)[: asked.get("first", 10)]},
    }


def _decision(repo: Repo, pull: Pull) -> str | None:
    newest: dict[int, str] = {}
    for review in repo.reviews.values():
        if review.number == pull.number and review.state != "COMMENTED":
            newest[review.user.id] = review.state
    states = set(newest.values())
    return next((state for state in ("CHANGES_REQUESTED", "APPROVED") if state in states), None)


def _closing(repo: Repo, pull: Pull) -> list[Json]:
    numbers = {int(one) for one in _CLOSING.findall(pull.issue.body or "")}
    found = [repo.issues[n] for n in sorted(numbers) if n in repo.issues and n not in repo.pulls]
    return [{"id": f"I_kwDO{i.id}", "number": i.number, "title": i.title, "body": i.body or ""} for i in found]


def _threads(ask: Ask, repo: Repo, pull: Pull, asked: Json) -> Json:
    firsts = [c for c in repo.review_comments.values() if c.number == pull.number and c.reply_to is None]
    start = int(asked.get("after") or 0)
    size = int(asked.get("first") or 50)
    shown = firsts[start : start + size]
    more = start + size < len(firsts)
    return {
        "nodes": [_thread_object(ask, repo, pull, one) for one in shown],
        "pageInfo": {"hasNextPage": more, "endCursor": str(start + size) if more else None},
    }


def _thread_object(ask: Ask, repo: Repo, pull: Pull, first: Comment) -> Json:
    own = [c for c in repo.review_comments.values() if first.id in {c.id, c.reply_to}]
    may = reaches(ask.token, repo) and allows(ask.token, "pull_requests:write")
    outdated = first.commit_id != pull.head_sha
    return {
        "__typename": "PullRequestReviewThread",
        "id": f"PRRT_{first.id}",
        "isResolved": first.resolved_by is not None,
        "isOutdated": outdated,
        "path": first.path,
        "line": None if outdated else first.line,
        "startLine": None if outdated else first.start_line,
        "diffSide": first.side,
        "viewerCanResolve": may and first.resolved_by is None,
        "viewerCanReply": may,
        "comments": {"nodes": [_comment_object(ask, repo, one) for one in own]},
    }


def _comment_object(ask: Ask, repo: Repo, one: Comment) -> Json:
    line = bool(one.path)
    place = f"{'discussion_r' if line else 'issuecomment-'}{one.id}"
    body: Json = {
        "__typename": "PullRequestReviewComment" if line else "IssueComment",
        "id": f"{'PRRC_kwDO' if line else 'IC_kwDO'}{one.id}",
        "databaseId": one.id,
        "body": one.body,
        "author": _actor(one.user),
        "createdAt": one.created,
        "url": f"{ask.world.url}/{repo.full_name}/pull/{one.number}#{place}",
        "replyTo": {"id": f"PRRC_kwDO{one.reply_to}"} if one.reply_to else None,
        "isMinimized": one.minimized is not None,
        "minimizedReason": one.minimized,
        "includesCreatedEdit": bool(one.edits),
        "lastEditedAt": one.edits[-1]["editedAt"] if one.edits else None,
        "editor": _actor(ask.world.user(one.edits[-1]["editor"])) if one.edits else None,
    }
    edits = [{**edit, "editor": _actor(ask.world.user(edit["editor"]))} for edit in one.edits]
    return {**body, "userContentEdits": lambda asked: {"nodes": edits[: asked.get("first", 10)]}}


def repository(ask: Ask) -> Json:
    """`repository(owner, name)`, which follows renames."""
    wanted = f"{ask.arguments['owner']}/{ask.arguments['name']}"
    repo = ask.world.repo(wanted) or ask.world.former(wanted)
    if repo is None:
        raise GraphQlError("NOT_FOUND", f"Could not resolve to a Repository with the name '{wanted}'.")
    ask.may(repo, "pull_requests:read")

    def pull(asked: Json) -> Json:
        found = repo.pulls.get(int(asked["number"]))
        if found is None:
            text = f"Could not resolve to a PullRequest with the number of {asked['number']}."
            raise GraphQlError("NOT_FOUND", text)
        return _pull_object(ask, repo, found)

    return {"__typename": "Repository", "id": f"R_kgDO{repo.id}", "pullRequest": pull}


def rate_limit(ask: Ask) -> Json:
    return {"cost": 1, "remaining": 4999, "resetAt": ask.world.stamp()}


def node(ask: Ask) -> Json:
    """`node(id)` of a comment."""
    repo, comment = _comment(ask, ask.arguments["id"])
    ask.may(repo, "issues:read")
    return _comment_object(ask, repo, comment)


def ready(ask: Ask) -> Json:
    return _drafted(ask, draft=False)


def to_draft(ask: Ask) -> Json:
    return _drafted(ask, draft=True)


def _drafted(ask: Ask, *, draft: bool) -> Json:
    repo, pull = _pull(ask, ask.input.get("pullRequestId"))
    ask.may(repo, "pull_requests:write")
    if pull.draft != draft:
        pull.draft, pull.issue.updated = draft, ask.world.stamp()
        ask.events.pull(repo, pull, "converted_to_draft" if draft else "ready_for_review", ask.bot)
    return ask.payload(pullRequest=_pull_object(ask, repo, pull))


def resolve_thread(ask: Ask) -> Json:
    """`resolveReviewThread`: once; a second time changes nothing. GitHub asks for write access to the contents too."""
    repo, first = _thread(ask, ask.input.get("threadId"))
    ask.may(repo, "pull_requests:write")
    ask.may(repo, "contents:write")
    if first.resolved_by is None:
        first.resolved_by = ask.bot
        ask.events.thread(repo, first, ask.bot)
    return ask.payload(thread=_thread_object(ask, repo, repo.pulls[first.number], first))


def reply(ask: Ask) -> Json:
    """`addPullRequestReviewThreadReply`."""
    repo, first = _thread(ask, ask.input.get("pullRequestReviewThreadId"))
    ask.may(repo, "pull_requests:write")
    made = add_reply(ask.world, ask.events, repo, first, ask.bot, str(ask.input.get("body", "")))
    return ask.payload(comment=_comment_object(ask, repo, made))


def minimize(ask: Ask) -> Json:
    """`minimizeComment`."""
    repo, comment = _comment(ask, ask.input.get("subjectId"))
    ask.may(repo, "issues:write")
    comment.minimized = str(ask.input["classifier"]).lower()
    return ask.payload(minimizedComment=_comment_object(ask, repo, comment))


def commit_on_branch(ask: Ask) -> Json:
    """`createCommitOnBranch`: always signed, files always of mode 100644, refused when the branch is elsewhere."""
    asked = ask.input
    name, branch = asked["branch"].get("repositoryNameWithOwner", ""), asked["branch"].get("branchName", "")
    repo, ref = ask.world.repo(name), f"refs/heads/{branch.removeprefix('refs/heads/')}"
    head = repo.git.ref(ref) if repo else None
    if repo is None or head is None:
        raise GraphQlError("NOT_FOUND", f"Could not resolve to a branch {branch} of {name}")
    ask.may(repo, "contents:write")
    if head != asked["expectedHeadOid"]:
        text = f'Expected branch to point to "{asked["expectedHeadOid"]}" but it did not. Pull and try again.'
        raise GraphQlError("STALE_DATA", text)
    sha = _commit(ask, repo, head, asked)
    repo.verified.add(sha)
    said = rules.broken(repo, ref, sha)
    if said is not None:
        raise GraphQlError("UNPROCESSABLE", said)
    repo.git.update_ref(ref, sha, head)
    ask.events.ref_moved(repo, ref, head, sha, ask.bot)
    signature = {"__typename": "GpgSignature", "isValid": True, "state": "VALID", "wasSignedByGitHub": True}
    url = f"{ask.world.url}/{repo.full_name}/commit/{sha}"
    commit = {"__typename": "Commit", "id": f"C_{sha}", "oid": sha, "url": url, "signature": signature}
    target = {"__typename": "Commit", "oid": sha}
    return ask.payload(commit=commit, ref={"id": f"REF_{repo.id}_{ref}", "name": branch, "target": target})


def _commit(ask: Ask, repo: Repo, head: str, asked: Json) -> str:
    changes = asked.get("fileChanges") or {}
    entries = [Entry("100644", "blob", None, one["path"]) for one in changes.get("deletions") or []]
    entries += [
        Entry("100644", "blob", repo.git.write_blob(base64.b64decode(one["contents"])), one["path"])
        for one in changes.get("additions") or []
    ]
    if any(e.path.startswith(".github/workflows/") for e in entries) and not allows(ask.token, "workflows:write"):
        raise GraphQlError("FORBIDDEN", FORBIDDEN)
    who = Signature(ask.bot.login, ask.bot.email, ask.world.stamp())
    message = asked["message"]
    text = "\n\n".join(part for part in (message["headline"], message.get("body")) if part)
    return repo.git.write_commit(repo.git.write_tree(head, entries), [head], text, who, who)


Resolver = Callable[[Ask], Json]

FIELDS: Mapping[str, Resolver] = {
    "repository": repository,
    "rateLimit": rate_limit,
    "node": node,
    "markPullRequestReadyForReview": ready,
    "convertPullRequestToDraft": to_draft,
    "resolveReviewThread": resolve_thread,
    "addPullRequestReviewThreadReply": reply,
    "minimizeComment": minimize,
    "createCommitOnBranch": commit_on_branch,
}
