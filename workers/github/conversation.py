"""Answers to a comment: a reaction, and one reply that is found again by a marker. Knows the two places of comments."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from typing import Any

from workers.github.api import Api, Refused
from workers.github.notices import find_own, is_own
from workers.github.session import Purpose, Session


class Reaction(StrEnum):
    """GitHub's names."""

    SEEN = "eyes"
    DONE = "rocket"
    UNCLEAR = "confused"
    NO = "-1"


class Conversation:
    """With whoever wrote one comment: under an issue or a pull request, or (`at_line`) at a line of a diff."""

    def __init__(self, session: Session, number: int, comment_id: int, at_line: bool = False) -> None:
        self._session = session
        self._number = number
        self._comment_id = comment_id
        self._at_line = at_line

    def react(self, reaction: Reaction) -> None:
        """GitHub keeps one of a kind, so this may be repeated. A comment that was deleted needs none."""
        kind = "pulls" if self._at_line else "issues"
        path = self._path(f"/{kind}/comments/{self._comment_id}/reactions")
        try:
            self._api.send("POST", path, {"content": reaction.value}, expect=(404,))
        except Refused:
            return

    def reply(self, text: str) -> None:
        """Say it once: another try with the same comment finds what was said."""
        marker = f"<!-- heal:reply={self._comment_id} -->"
        body = {"body": f"{text}\n\n{marker}"}
        if self._at_line:
            if not self._said_at_line(marker):
                self._api.send("POST", self._path(f"/pulls/{self._number}/comments/{self._thread()}/replies"), body)
        elif not self.said(marker):
            self._api.send("POST", self._path(f"/issues/{self._number}/comments"), body)

    def said(self, marker: str) -> bool:
        """A comment of ours under the issue or pull request holds the marker."""
        session = self._session
        return (
            find_own(self._api, session.repository, self._number, session.app.app_id, lambda b: marker in b) is not None
        )

    def _said_at_line(self, marker: str) -> bool:
        path = self._path(f"/pulls/{self._number}/comments")
        said = (one for one in self._api.pages(path) if marker in (one["body"] or ""))
        return any(is_own(one, self._session.app.app_id) for one in said)

    def _thread(self) -> int:
        """The comment that began the thread: GitHub takes replies to that one alone."""
        found: Mapping[str, Any] = self._api.find(self._path(f"/pulls/comments/{self._comment_id}")) or {}
        return int(found.get("in_reply_to_id") or self._comment_id)

    @property
    def _api(self) -> Api:
        return self._session.api(Purpose.CONVERSE if self._at_line else Purpose.TELL)

    def _path(self, rest: str) -> str:
        return self._session.repository.path(rest)
