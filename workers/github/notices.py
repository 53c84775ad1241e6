"""What people are told on GitHub: one check run `heal` per run and one sticky comment, found again and edited in place.

Knows GitHub's limits on them; the words come from outside.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from workers.domain import Case
from workers.github.api import Api
from workers.github.session import Repository
from workers.messages.room import clipped, in_bytes, shorten
from workers.ports import Notice

CHECK_NAME = "heal"
ANNOTATIONS_PER_CALL = 50
TEXT_LIMIT = 65_535
"""Bytes. Messages are made shorter; this is for what redaction added to them."""
MESSAGE_LIMIT = 16_384
"""Bytes of an annotation: GitHub takes 64 KB, nobody reads them."""
BODY_LIMIT = 65_536
"""Characters of a comment."""
TITLE_LIMIT = 255
"""Bytes."""


class CheckRun:
    """The check run of one case. It is looked for by its external id before it is made, so a lost answer makes no
    second one; its conclusion is always neutral."""

    def __init__(self, api: Api, repo: Repository, case: Case, app_id: int) -> None:
        self._api = api
        self._repo = repo
        self._case = case
        self._app_id = app_id
        self._known: Mapping[str, Any] | None = None

    def show(self, notice: Notice) -> None:
        """Make it or bring it up to date; nothing is sent when GitHub shows it already."""
        self._known = self._known or self._found()
        state = {"status": "completed", "conclusion": "neutral"} if notice.final else {"status": "in_progress"}
        output = {"title": clipped(notice.title, TITLE_LIMIT), "summary": shorten(notice.summary, TEXT_LIMIT, in_bytes)}
        if notice.text:
            output["text"] = shorten(notice.text, TEXT_LIMIT, in_bytes)
        missing = self._missing(notice)
        if self._known is None or missing or not _shows(self._known, state, output):
            self._write(state, output, missing[:ANNOTATIONS_PER_CALL])
        for at in range(ANNOTATIONS_PER_CALL, len(missing), ANNOTATIONS_PER_CALL):
            self._write(state, output, missing[at : at + ANNOTATIONS_PER_CALL])

    def _write(self, state: Mapping[str, str], output: Mapping[str, str], notes: list[dict[str, object]]) -> None:
        body: dict[str, object] = {**state, "output": {**output, **({"annotations": notes} if notes else {})}}
        if self._known is None:
            fixed = {"name": CHECK_NAME, "head_sha": self._case.head_sha, "external_id": self._case.run}
            started = datetime.now(UTC).isoformat(timespec="seconds")
            self._known = self._api.send(
                "POST", self._repo.path("/check-runs"), {**fixed, "started_at": started, **body}
            )
        else:
            self._known = self._api.send("PATCH", self._repo.path(f"/check-runs/{self._known['id']}"), body)

    def _found(self) -> Mapping[str, Any] | None:
        path = self._repo.path(f"/commits/{self._case.head_sha}/check-runs")
        for run in self._api.pages(path, "check_runs", check_name=CHECK_NAME, filter="all"):
            if run["external_id"] == self._case.run and (run.get("app") or {}).get("id") == self._app_id:
                found: Mapping[str, Any] = run
                return found
        return None

    def _missing(self, notice: Notice) -> list[dict[str, object]]:
        """GitHub appends annotations with each update: those it holds already are not sent again."""
        held = int(self._known["output"].get("annotations_count") or 0) if self._known else 0
        notes: list[dict[str, object]] = [
            {"path": one.path, "start_line": one.line, "end_line": one.line, "annotation_level": "failure",
             "message": clipped(one.message, MESSAGE_LIMIT) or "failed"}
            for one in notice.annotations if one.path and one.line
        ]  # fmt: skip
        return notes[held:]


class Comment:
    """The one comment of a run on a pull request, found again by a marker that people do not see."""

    def __init__(self, api: Api, repo: Repository, case: Case, app_id: int) -> None:
        self._api = api
        self._repo = repo
        self._marker = f"<!-- heal:run={case.run}"
        self._app_id = app_id
        self._known: dict[int, Mapping[str, Any]] = {}

    def show(self, number: int, text: str) -> None:
        """Make it or edit it; nothing is sent when the words are the same."""
        mark = "" if self._marker in text else f"\n\n{self._marker} -->"
        body = shorten(text, BODY_LIMIT - len(mark)) + mark
        known = self._known.get(number) or self._found(number)
        if known is None:
            path = self._repo.path(f"/issues/{number}/comments")
            self._known[number] = self._api.send("POST", path, {"body": body})
        elif known["body"] != body:
            path = self._repo.path(f"/issues/comments/{known['id']}")
            self._known[number] = self._api.send("PATCH", path, {"body": body})

    def _found(self, number: int) -> Mapping[str, Any] | None:
        for comment in self._api.pages(self._repo.path(f"/issues/{number}/comments")):
            # Anybody can write the marker, and we may edit anybody's comment: only our own counts.
            by = (comment.get("performed_via_github_app") or {}).get("id", self._app_id)
            ours = comment["user"]["type"] == "Bot" and by == self._app_id
            if ours and self._marker in (comment["body"] or ""):
                found: Mapping[str, Any] = comment
                return found
        return None


def _shows(known: Mapping[str, Any], state: Mapping[str, str], output: Mapping[str, str]) -> bool:
    same_state = all(known.get(key) == value for key, value in state.items())
    return same_state and all((known["output"] or {}).get(key) == value for key, value in output.items())
