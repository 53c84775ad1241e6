"""What people are told on GitHub: one check run `heal` per head, one sticky comment per pull request or issue.

Knows GitHub's limits on them; the words come from outside.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from dataclasses import asdict
from datetime import UTC, datetime
from typing import Any

from workers.domain import Case
from workers.errors import Retryable
from workers.github.api import Api, Refused
from workers.github.session import Repository
from workers.messages.markup import LIMIT
from workers.messages.notices import told_elsewhere
from workers.messages.room import clipped, in_bytes, shorten
from workers.messages.sticky import Block, is_sticky, joined, merged
from workers.ports import Notice

CHECK_NAME = "heal"
ANNOTATIONS_PER_CALL = 50
MOST_BUTTONS = 3
TEXT_LIMIT = 65_535
"""Bytes. Messages are made shorter; this is for what redaction added to them."""
MESSAGE_LIMIT = 16_384
"""Bytes of an annotation: GitHub takes 64 KB, nobody reads them."""
TITLE_LIMIT = 255
"""Bytes."""


class CheckRun:
    """The check run of one case. It is looked for by its external id before it is made, so a lost answer makes no
    second one; its conclusion is always neutral. A request that arrives after its sender was given up can still make
    one, and GitHub deletes none: after it was made and at the end all of the run's are looked at, the newest, which is
    the one that GitHub shows, goes on, and the others are concluded.

    A later run on the same commit goes on with the check run that an earlier one has closed. Only while two are at work
    on one commit each has its own: neither may close the other's.
    """

    def __init__(self, api: Api, repo: Repository, case: Case, app_id: int) -> None:
        self._api = api
        self._repo = repo
        self._case = case
        self._app_id = app_id
        self._known: Mapping[str, Any] | None = None

    def show(self, notice: Notice) -> None:
        """Make it or bring it up to date; nothing is sent when GitHub shows it already."""
        body = _body(notice)
        if self._known is None or notice.final:
            self._known = self._found()
        known = self._known or self._made(body)
        missing = self._missing(known, notice)
        if missing or not self._shows(known, body):
            known = self._write(known, body, missing[:ANNOTATIONS_PER_CALL])
        for at in range(ANNOTATIONS_PER_CALL, len(missing), ANNOTATIONS_PER_CALL):
            known = self._write(known, body, missing[at : at + ANNOTATIONS_PER_CALL])
        self._known = known

    def _made(self, body: Mapping[str, Any]) -> Mapping[str, Any]:
        """Make it, and look whether another was made in the same moment."""
        fixed = {"name": CHECK_NAME, "head_sha": self._case.head_sha, **self._ours()}
        made: Mapping[str, Any] = self._api.send("POST", self._repo.path("/check-runs"), {**fixed, **body})
        self._known = made
        return self._found() or made

    def _write(
        self, known: Mapping[str, Any], body: Mapping[str, Any], notes: list[dict[str, object]]
    ) -> Mapping[str, Any]:
        fixed = {} if known["external_id"] == self._case.run else self._ours()
        output = {**body["output"], "annotations": notes} if notes else body["output"]
        written: Mapping[str, Any] = self._api.send("PATCH", self._path(known), {**fixed, **body, "output": output})
        return written

    def _found(self) -> Mapping[str, Any] | None:
        """This run's newest check run, its others concluded; else the newest that another run has closed."""
        path = self._repo.path(f"/commits/{self._case.head_sha}/check-runs")
        held: list[Mapping[str, Any]] = [
            run
            for run in self._api.pages(path, "check_runs", check_name=CHECK_NAME, filter="all")
            if (run.get("app") or {}).get("id") == self._app_id
        ]
        own = {int(run["id"]): run for run in held if run["external_id"] == self._case.run}
        if self._known is not None:  # a list may lag behind
            own.setdefault(int(self._known["id"]), self._known)
        for _, twin in sorted(own.items())[:-1]:
            if twin["status"] != "completed":
                self._api.send("PATCH", self._path(twin), _body(told_elsewhere()))
        closed = {int(run["id"]): run for run in held if run["status"] == "completed"}
        return max((own or closed).items(), default=(0, None))[1]

    def _ours(self) -> Mapping[str, object]:
        return {"external_id": self._case.run, "started_at": datetime.now(UTC).isoformat(timespec="seconds")}

    def _path(self, run: Mapping[str, Any]) -> str:
        return self._repo.path(f"/check-runs/{run['id']}")

    def _shows(self, known: Mapping[str, Any], body: Mapping[str, Any]) -> bool:
        same_run = known["external_id"] == self._case.run
        same_state = all(known.get(key) == body[key] for key in ("status", "conclusion") if key in body)
        said = known["output"] or {}
        return same_run and same_state and all(said.get(key) == value for key, value in body["output"].items())

    def _missing(self, known: Mapping[str, Any], notice: Notice) -> list[dict[str, object]]:
        """GitHub appends annotations with each update: those it holds already are not sent again."""
        notes: list[dict[str, object]] = [
            {"path": one.path, "start_line": one.line, "end_line": one.line, "annotation_level": "failure",
             "message": clipped(one.message, MESSAGE_LIMIT) or "failed"}
            for one in notice.annotations if one.path and one.line
        ]  # fmt: skip
        if not notes or not known["output"].get("annotations_count"):
            return notes
        listed = self._api.pages(f"{self._path(known)}/annotations")
        held = {(one["path"], one["start_line"], one["message"]) for one in listed}
        return [note for note in notes if (note["path"], note["start_line"], note["message"]) not in held]


def _body(notice: Notice) -> dict[str, Any]:
    """What GitHub is sent of a notice, without its annotations. Buttons are shown when the run is over."""
    output = {"title": clipped(notice.title, TITLE_LIMIT), "summary": shorten(notice.summary, TEXT_LIMIT, in_bytes)}
    if notice.text:
        output["text"] = shorten(notice.text, TEXT_LIMIT, in_bytes)
    if not notice.final:
        return {"status": "in_progress", "output": output}
    buttons = [asdict(button) for button in notice.buttons[:MOST_BUTTONS]]
    return {"status": "completed", "conclusion": "neutral", "output": output, "actions": buttons}


class Comment:
    """The one comment on a pull request or an issue, found again by a marker that people do not see.

    Every run writes its own part of it (`workers.messages.sticky`), so what it holds is read before each edit. GitHub
    lets several be made at once, by two runs or by a request that arrives after its sender was given up: the oldest
    takes in what the others say, and those go.
    """

    def __init__(self, api: Api, repo: Repository, case: Case, app_id: int) -> None:
        self._api = api
        self._repo = repo
        self._case = case
        self._app_id = app_id
        self._known: dict[int, Mapping[str, Any]] = {}

    def show(self, number: int, text: str) -> None:
        """Make it or edit it; nothing is sent when the words are the same."""
        block = Block(self._case.run, self._case.head_sha[:7], shorten(text, LIMIT))
        known = self._known.get(number)  # once one is, only what came after it is looked at
        held = self._held(number, known["created_at"] if known else "") or self._made(number, block)
        self._known[number], *others = held
        body = merged(joined([one["body"] or "" for one in held]), block)
        if held[0]["body"] != body:
            self._edit(held[0], body)
        for other in others:
            with suppress(Refused):  # another worker was faster
                self._api.send("DELETE", self._path(other), {}, expect=(404,))

    def _edit(self, comment: Mapping[str, Any], body: str) -> None:
        try:
            self._api.send("PATCH", self._path(comment), {"body": body}, expect=(404,))
        except Refused as refused:
            raise Retryable("The comment was taken away while it was edited.", blame="github", after=1) from refused

    def _made(self, number: int, block: Block) -> list[Mapping[str, Any]]:
        """Make it, and look whether another was made since the first look: it may be the older one."""
        path = self._repo.path(f"/issues/{number}/comments")
        made = self._known[number] = self._api.send("POST", path, {"body": merged("", block)})
        return self._held(number) or [made]

    def _held(self, number: int, since: str = "") -> list[Mapping[str, Any]]:
        """All that are there, the oldest first; with `since` the one that is known and those of this time or later."""
        known = self._known.get(number)
        held = [*all_own(self._api, self._repo, number, self._app_id, is_sticky, since)]
        if known and all(one["id"] != known["id"] for one in held):  # a list may lag behind, and people may delete it
            held += filter(None, [self._api.find(self._path(known))])
        return sorted(held, key=lambda one: int(one["id"]))

    def _path(self, comment: Mapping[str, Any]) -> str:
        return self._repo.path(f"/issues/comments/{comment['id']}")


def find_own(
    api: Api, repo: Repository, number: int, app_id: int, wanted: Callable[[str], bool]
) -> Mapping[str, Any] | None:
    """The first comment of ours on an issue or a pull request whose body is the wanted one."""
    return next(all_own(api, repo, number, app_id, wanted), None)


def all_own(
    api: Api, repo: Repository, number: int, app_id: int, wanted: Callable[[str], bool], since: str = ""
) -> Iterator[Mapping[str, Any]]:
    """All of them; with `since`, an ISO 8601 time, those that were made or edited from then on."""
    parameters = {"since": since} if since else {}
    for comment in api.pages(repo.path(f"/issues/{number}/comments"), **parameters):
        if is_own(comment, app_id) and wanted(comment["body"] or ""):
            yield comment


def is_own(comment: Mapping[str, Any], app_id: int) -> bool:
    """Anybody can write a marker, and we may edit anybody's comment: only what the App itself wrote counts."""
    by = (comment.get("performed_via_github_app") or {}).get("id", app_id)
    return (comment.get("user") or {}).get("type") == "Bot" and by == app_id
