"""The one issue about a `heal.yml` on the default branch that cannot be used: made, edited and closed, never twice.

It is found again among the App's own issues by a marker; one that people closed stays closed while nothing changed.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import islice
from typing import Any

from workers.github.notices import is_own
from workers.github.session import Purpose, Session, as_app
from workers.messages import config as words
from workers.repo_config.problems import Problem

_NO_ISSUES = "the repository has no issues"
"""They can be switched off: then its runs and checks are all that says it."""
_LOOKED_AT = 200
"""Of the App's issues and pull requests, newest first."""


def show(session: Session, problems: Sequence[Problem]) -> str:
    """Bring the issue in line with the problems; what was done, for operators."""
    api, repo = session.api(Purpose.TELL), session.repository
    if not _has_issues(session):
        return _NO_ISSUES
    body = session.clean(words.issue_body(problems, repo.default_branch))
    known = _ours(session)
    newest = known[0] if known else None
    if newest and newest["state"] == "closed" and words.digest_of(newest["body"]) == words.digest(problems):
        return f"#{newest['number']} about the same problems was closed: left alone"
    if newest and newest["state"] == "open":
        if newest["body"] == body:
            return f"#{newest['number']} says it already"
        api.send("PATCH", repo.path(f"/issues/{newest['number']}"), {"body": body})
        return f"edited #{newest['number']}"
    made = api.send("POST", repo.path("/issues"), {"title": words.ISSUE_TITLE, "body": body})
    _only_one(session)
    return f"opened #{made['number']}"


def close(session: Session) -> str:
    """The file can be used, or is gone: close what is open, and let the same problems be news again."""
    api, repo = session.api(Purpose.TELL), session.repository
    if not _has_issues(session):
        return _NO_ISSUES
    closed = []
    for issue in _ours(session):
        if issue["state"] == "open" or words.digest_of(issue["body"]) != words.MENDED:
            change = {"body": words.mended(issue["body"]), "state": "closed", "state_reason": "completed"}
            api.send("PATCH", repo.path(f"/issues/{issue['number']}"), change)
            closed.append(f"#{issue['number']}")
    return f"closed {', '.join(closed)}" if closed else "nothing to close"


def _has_issues(session: Session) -> bool:
    return bool(session.api(Purpose.TELL).get(session.repository.path("")).get("has_issues", True))


def _ours(session: Session) -> list[Mapping[str, Any]]:
    """Our issues about the file, newest first. Anybody can write the marker: only the App's own issues count."""
    with as_app(session.app) as api:
        login = f"{api.get('/app')['slug']}[bot]"
    found = session.api(Purpose.TELL).pages(session.repository.path("/issues"), state="all", creator=login)
    return [issue for issue in islice(found, _LOOKED_AT) if _about(issue, session.app.app_id)]


def _about(issue: Mapping[str, Any], app_id: int) -> bool:
    own = is_own(issue, app_id) and not issue.get("pull_request")
    return own and bool(words.digest_of(issue["body"]))


def _only_one(session: Session) -> None:
    """Two that noticed the problem at the same moment opened two issues: the first one stays."""
    api, repo = session.api(Purpose.TELL), session.repository
    still = sorted(issue["number"] for issue in _ours(session) if issue["state"] == "open")
    for number in still[1:]:
        api.send("PATCH", repo.path(f"/issues/{number}"), {"state": "closed", "state_reason": "not_planned"})
