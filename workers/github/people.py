"""People of a repository: who may write to it, and what they said about a pull request. Reads only."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from workers.errors import Stop
from workers.github.api import Api, ref
from workers.github.session import Purpose, Session


def words_of(session: Session, number: int) -> tuple[tuple[str, str], ...]:
    """(login, text) of what people who may write here said about it last: reviews, comments at lines, comments.

    Oldest first. Whoever may not write is not quoted: their words would steer later runs.
    """
    api, repo = session.api(Purpose.READ), session.repository
    spoken: list[tuple[str, str, str]] = []
    for rest, when in ((f"/pulls/{number}/reviews", "submitted_at"), (f"/pulls/{number}/comments", "created_at")):
        spoken += [_spoken(one, when) for one in _listed(api, repo.path(rest))]
    comments = _listed(session.api(Purpose.TELL), repo.path(f"/issues/{number}/comments"))
    spoken += [_spoken(one, "created_at") for one in comments]
    people = [(at, login, text) for at, login, text in sorted(spoken) if login and text.strip()]
    may: dict[str, bool] = {}
    for _, login, _ in people:
        if login not in may:
            may[login] = may_write(session, login)
    return tuple((login, text) for _, login, text in people if may[login])


def may_write(session: Session, login: str) -> bool:
    """The person may push here, by GitHub's own word. No answer is a no."""
    path = session.repository.path(f"/collaborators/{ref(login)}/permission")
    try:
        found = session.api(Purpose.READ).find(path) or {}
    except Stop:
        return False
    return found.get("permission") in {"write", "maintain", "admin"}


def _listed(api: Api, path: str) -> tuple[Any, ...]:
    """What GitHub does not let us read was not said: what was decided is known without it."""
    try:
        return tuple(api.pages(path))
    except Stop:
        return ()


def _spoken(one: Mapping[str, Any], when: str) -> tuple[str, str, str]:
    user = one.get("user") or {}
    login = str(user.get("login") or "") if user.get("type") == "User" else ""
    return str(one.get(when) or ""), login, str(one.get("body") or "")
