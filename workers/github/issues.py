"""A bug report on GitHub: the issue with what people said below it. Reads only."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from workers.domain import IssueReport, Outcome, Remark
from workers.errors import Stop
from workers.github.api import Api
from workers.github.session import Repository
from workers.redact import Redactor
from workers.witness import reported


def report(api: Api, repo: Repository, number: int, redactor: Redactor) -> IssueReport:
    """The issue as Heal works with it. Raises `Stop(CANCELLED)` for one that is closed or gone."""
    found = api.find(repo.path(f"/issues/{number}"))
    if found is None or found["state"] != "open":
        raise Stop(Outcome.CANCELLED, f"#{number} {'is gone' if found is None else 'was closed'}.")
    said = [one for one in api.pages(repo.path(f"/issues/{number}/comments")) if _by_person(one)]
    raw = IssueReport(
        number=number,
        title=found["title"] or "",
        body=found["body"] or "",
        author=_login(found),
        labels=tuple(label if isinstance(label, str) else label["name"] or "" for label in found["labels"]),
        comments=tuple(Remark(_login(one), one["body"] or "", one["id"]) for one in said),
    )
    return reported.kept(raw, redactor)


def _by_person(comment: Mapping[str, Any]) -> bool:
    """Comments of apps, ours among them, are no part of the report."""
    return comment.get("performed_via_github_app") is None and (comment.get("user") or {}).get("type") == "User"


def _login(written: Mapping[str, Any]) -> str:
    """Whoever deleted their account has none."""
    return (written.get("user") or {}).get("login") or ""
