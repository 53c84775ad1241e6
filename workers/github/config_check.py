"""The check run `heal / config` on a commit that changes `heal.yml`: one for each pull request and head, found again.

It fails when the file cannot be used. That is the one check of ours that may: it judges nothing but our own file, a
mended file or a dropped change clears it, and silence about a broken file is what people take for a dead bot. It blocks
a merge only where people made it a required check. Heal's check on code stays neutral whatever it finds.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from workers.github.notices import ANNOTATIONS_PER_CALL, TEXT_LIMIT, TITLE_LIMIT
from workers.github.session import Purpose, Session
from workers.messages.markup import visible
from workers.repo_config.problems import Problem
from workers.repo_config.reading import PATH

NAME = "heal / config"


@dataclass(frozen=True)
class Verdict:
    """What the check says of one commit."""

    title: str
    summary: str
    problems: tuple[Problem, ...] = ()

    @property
    def conclusion(self) -> str:
        """In GitHub's words."""
        return "failure" if self.problems else "success"


def show(session: Session, number: int, head_sha: str, verdict: Verdict) -> str:
    """Make the check run of the pull request's head, or bring it up to date; what was done, for operators."""
    api, repo = session.api(Purpose.TELL), session.repository
    summary = session.clean(verdict.summary)[:TEXT_LIMIT]
    output: dict[str, object] = {"title": verdict.title[:TITLE_LIMIT], "summary": summary}
    known = _found(session, number, head_sha)
    if known and known["conclusion"] == verdict.conclusion and _shows(known, output):
        return "the check says it already"
    if verdict.problems and not (known and known["output"].get("annotations_count")):  # they are only ever added
        output["annotations"] = _notes(session, verdict.problems)
    state = {"status": "completed", "conclusion": verdict.conclusion, "output": output}
    if known:
        api.send("PATCH", repo.path(f"/check-runs/{known['id']}"), state)
    else:
        fixed = {"name": NAME, "head_sha": head_sha, "external_id": _id(number)}
        api.send("POST", repo.path("/check-runs"), {**fixed, **state})
    return f"{verdict.conclusion}: {verdict.title}"


def _notes(session: Session, problems: Sequence[Problem]) -> list[dict[str, object]]:
    """The problems at their lines, as many as GitHub takes."""
    return [
        {"path": PATH, "start_line": one.line, "end_line": one.line, "annotation_level": "failure",
         "title": visible(one.key)[:TITLE_LIMIT] or PATH, "message": session.clean(visible(one.reason))[:8_000],
         **({"raw_details": session.clean(visible(one.snippet))[:8_000]} if one.snippet else {})}
        for one in problems[:ANNOTATIONS_PER_CALL]
    ]  # fmt: skip


def _found(session: Session, number: int, head_sha: str) -> Mapping[str, Any] | None:
    path = session.repository.path(f"/commits/{head_sha}/check-runs")
    for run in session.api(Purpose.TELL).pages(path, "check_runs", check_name=NAME, filter="all"):
        if run["external_id"] == _id(number) and (run.get("app") or {}).get("id") == session.app.app_id:
            found: Mapping[str, Any] = run
            return found
    return None


def _shows(known: Mapping[str, Any], output: Mapping[str, object]) -> bool:
    return all((known["output"] or {}).get(key) == value for key, value in output.items())


def _id(number: int) -> str:
    return f"config:{number}"
