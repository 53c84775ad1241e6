"""Reviews of our pull requests: reading one with its comments, answering in its threads, closing threads and attempts.

Everything said is found again by a marker that people do not see, so nothing is said twice.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from workers.domain import Remark, Sha
from workers.errors import Stop
from workers.github import ours
from workers.github.api import Api, Refused
from workers.github.notices import is_own
from workers.github.session import Purpose, Session
from workers.ports import Reply

_log = logging.getLogger(__name__)

_THREADS = """
query($owner: String!, $name: String!, $number: Int!, $after: String) {
  repository(owner: $owner, name: $name) { pullRequest(number: $number) { reviewThreads(first: 50, after: $after) {
    pageInfo { hasNextPage endCursor }
    nodes { id isResolved comments(first: 1) { nodes { url } } }
  } } }
}
"""
_MARK = "<!-- heal:reply="
MOST_PAGES = 20
SEEN, REFUSED = "eyes", "confused"


@dataclass(frozen=True)
class Review:
    """A review as it stands on GitHub. `state` is lower case; `author` a login, empty when the account is gone."""

    id: int
    author: str
    author_id: int
    bot: bool
    state: str
    remarks: tuple[Remark, ...]

    @property
    def body(self) -> str:
        """The review's own text."""
        return next((one.body for one in self.remarks if not one.comment_id), "")

    @property
    def comments(self) -> tuple[Remark, ...]:
        """What it says at lines of the change."""
        return tuple(one for one in self.remarks if one.comment_id)


@dataclass(frozen=True)
class Standing:
    """A pull request of ours as it stands now. `at_home`: its branch lies in the repository itself."""

    open: bool
    branch: str
    head_sha: str
    at_home: bool


class Reading:
    """Reads with the least token."""

    def __init__(self, session: Session) -> None:
        self._session = session
        self._api = session.api(Purpose.READ)
        self._repo = session.repository

    def pull(self, number: int) -> Standing:
        """The pull request."""
        data = self._api.get(self._repo.path(f"/pulls/{number}"))
        home = (data["head"].get("repo") or {}).get("id") == self._repo.id
        return Standing(data["state"] == "open", data["head"]["ref"], data["head"]["sha"], home)

    def review(self, number: int, review: int) -> Review | None:
        """The review with its comments in order; None when there is no such review (any more)."""
        path = self._repo.path(f"/pulls/{number}/reviews/{review}")
        data = self._api.find(path)
        if data is None:
            return None
        author, author_id, bot = _who(data.get("user"))
        body = data.get("body") or ""
        own = [Remark(author, body, review_id=review)] if body.strip() else []
        comments = [_remark(one, review) for one in self._api.pages(f"{path}/comments")]
        return Review(review, author, author_id, bot, str(data["state"]).lower(), (*own, *comments))

    def spoken_in(self, number: int) -> frozenset[int]:
        """The threads that we answered in, by their first comments."""
        found = _own(self._session, self._api, f"/pulls/{number}/comments")
        return frozenset(int(one.get("in_reply_to_id") or one["id"]) for one in found if _MARK in (one["body"] or ""))


class Threads:
    """Speaks on one pull request of ours."""

    def __init__(self, session: Session, number: int) -> None:
        self._session = session
        self._api = session.api(Purpose.SUGGEST)
        self._repo = session.repository
        self._number = number

    def react(self, remarks: Sequence[Remark], content: str = SEEN) -> None:
        """Show that the remarks were taken up, or not. Once more changes nothing: GitHub keeps one reaction of a
        kind."""
        for remark in remarks:
            if remark.comment_id:
                path = self._repo.path(f"/pulls/comments/{remark.comment_id}/reactions")
                self._api.send("POST", path, {"content": content})

    def say(self, replies: Sequence[Reply]) -> None:
        """Each reply once, in the thread of its remark or beside the pull request; threads that are solved are closed
        when all is said."""
        for reply in replies:
            self._say(reply)
        solved = frozenset(str(reply.remark.thread) for reply in replies if reply.solved and reply.remark.thread)
        if solved:
            self._solve(solved)

    def close(self) -> None:
        """Close the pull request, if it is open."""
        path = self._repo.path(f"/pulls/{self._number}")
        if self._api.get(path)["state"] == "open":
            self._api.send("PATCH", path, {"state": "closed"})

    def delete_branch(self, branch: str, commit: str) -> bool:
        """Delete our branch while it still ends in our commit; False when somebody pushed to it, or it is gone."""
        if not branch.startswith("heal/"):
            raise ValueError("only branches below heal/ are ours to delete")
        return ours.delete_branch(self._session, branch, Sha(commit))

    def _say(self, reply: Reply) -> None:
        remark = reply.remark
        marker = f"{_MARK}{remark.comment_id or f'review-{remark.review_id}'} -->"
        if any(marker in text for text in (self._in_threads if remark.comment_id else self._beside)):
            return
        body = {"body": f"{reply.text}\n\n{marker}"}
        if not remark.comment_id:
            self._api.send("POST", self._repo.path(f"/issues/{self._number}/comments"), body)
            return
        path = self._repo.path(f"/pulls/{self._number}/comments/{remark.thread or remark.comment_id}/replies")
        try:
            self._api.send("POST", path, body, expect=(404,))
        except Refused:
            _log.info("the thread of comment %s on #%s is gone", remark.comment_id, self._number)

    def _solve(self, threads: frozenset[str]) -> None:
        """Close the threads that begin with these comments. What is said stays said where GitHub does not let us."""
        try:
            api = self._session.api(Purpose.PUBLISH)  # GitHub asks for write access to the contents for this
            for node in self._nodes(api):
                # The number of a comment does not fit into GraphQL's integers any more; its address holds it.
                first = {one["url"].rpartition("#discussion_r")[2] for one in node["comments"]["nodes"]}
                if first & threads and not node["isResolved"]:
                    api.mutate("resolveReviewThread", {"threadId": node["id"]}, "thread { id isResolved }")
        except Stop as refused:
            _log.warning("threads of #%s could not be closed: %s", self._number, refused)

    def _nodes(self, api: Api) -> Iterator[Mapping[str, Any]]:
        after = None
        where = {"owner": self._repo.owner, "name": self._repo.full_name.partition("/")[2], "number": self._number}
        for _ in range(MOST_PAGES):
            data = api.ask(_THREADS, {**where, "after": after})
            found = data["repository"]["pullRequest"]["reviewThreads"]
            yield from found["nodes"]
            after = found["pageInfo"]["endCursor"]
            if not found["pageInfo"]["hasNextPage"]:
                return

    @cached_property
    def _in_threads(self) -> tuple[str, ...]:
        return self._said(f"/pulls/{self._number}/comments")

    @cached_property
    def _beside(self) -> tuple[str, ...]:
        return self._said(f"/issues/{self._number}/comments")

    def _said(self, path: str) -> tuple[str, ...]:
        return tuple(one["body"] or "" for one in _own(self._session, self._api, path))


def _own(session: Session, api: Api, path: str) -> Iterator[Mapping[str, Any]]:
    """Our comments of a list. People can write a marker too; of comments in threads GitHub does not say which bot's."""
    return (one for one in api.pages(session.repository.path(path)) if is_own(one, session.app.app_id))


def _remark(data: Mapping[str, Any], review: int) -> Remark:
    """A comment at a line. On the side of what was removed, a line is none of the new file."""
    right = (data.get("side") or "RIGHT") == "RIGHT"
    start_right = (data.get("start_side") or "RIGHT") == "RIGHT"
    return Remark(
        author=_who(data.get("user"))[0],
        body=data.get("body") or "",
        comment_id=int(data["id"]),
        review_id=review,
        path=data.get("path") or "",
        line=data.get("line") if right else None,
        start_line=data.get("start_line") if right and start_right else None,
        thread=int(data.get("in_reply_to_id") or data["id"]),
    )


def _who(user: Mapping[str, Any] | None) -> tuple[str, int, bool]:
    """Login, id and whether it is a bot; nobody for an account that is gone."""
    return (str(user["login"]), int(user["id"]), user.get("type") == "Bot") if user else ("", 0, False)
