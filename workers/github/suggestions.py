"""The verified fix as one review with suggestion blocks on a pull request of theirs."""

from __future__ import annotations

import time
from collections.abc import Mapping
from typing import Any

from workers.domain import Published
from workers.github.api import Api
from workers.github.pulls import Pull
from workers.github.session import Repository
from workers.ports import Proposal


class Suggestions:
    """Writes with a token that can do nothing but this. `bot` is the App's own login."""

    def __init__(self, api: Api, repo: Repository, bot: str) -> None:
        self._api = api
        self._repo = repo
        self._bot = bot

    def show(self, pull: Pull, proposal: Proposal) -> Published:
        """One review, which only comments; never a second one for the same fix."""
        review = self._found(pull, proposal) or self._written(pull, proposal)
        return Published(
            pull.number,
            review["html_url"],
            at=time.time(),
            how=proposal.how,
            target=proposal.target,
            note=proposal.note,
        )

    def _found(self, pull: Pull, proposal: Proposal) -> Mapping[str, Any] | None:
        for review in self._api.pages(self._repo.path(f"/pulls/{pull.number}/reviews")):
            ours = (review["user"] or {}).get("login") == self._bot  # anybody can write the marker
            if ours and f"heal:fix={proposal.key} " in (review["body"] or ""):
                found: Mapping[str, Any] = review
                return found
        return None

    def _written(self, pull: Pull, proposal: Proposal) -> Mapping[str, Any]:
        comments: list[dict[str, object]] = [
            {"path": one.path, "body": one.body, "side": "RIGHT", "line": one.end}
            | ({"start_line": one.start, "start_side": "RIGHT"} if one.start < one.end else {})
            for one in proposal.suggestions
        ]
        body = {"commit_id": pull.head_sha, "event": "COMMENT", "body": proposal.body, "comments": comments}
        written: Mapping[str, Any] = self._api.send("POST", self._repo.path(f"/pulls/{pull.number}/reviews"), body)
        return written
