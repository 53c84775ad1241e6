"""People of a repository: what they may do, and what they said about a pull request. Reads only.

GitHub is asked each time: `author_association` and logins prove nothing.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping
from typing import Any
from urllib.parse import quote

from workers.commands.rights import Role
from workers.errors import Stop
from workers.github.api import Api
from workers.github.session import Purpose, Session

_log = logging.getLogger(__name__)

_NAMED = {role.name.lower(): role for role in Role}
_BASE = {"admin": Role.ADMIN, "write": Role.WRITE, "read": Role.READ}


def role(session: Session, login: str, user_id: int) -> Role:
    """The role of the person with this id, who had this login when it happened.

    `Role.NONE` for everybody whom GitHub does not vouch for: an unknown login, another id under it, a bot, a question
    that GitHub refuses. What passes (a rate limit, an outage) is `Retryable`.
    """
    found = _asked(session, login) if login and user_id else None
    user = (found or {}).get("user") or {}
    if found is None or user.get("id") != user_id or user.get("type") != "User":
        return Role.NONE
    # A role of the organisation's own has a name of its own; `permission` says what it is at least.
    base = _BASE.get(str(found.get("permission")), Role.NONE)
    return max(base, _NAMED.get(str(found.get("role_name")), base)) if base else Role.NONE


def words_of(session: Session, number: int) -> tuple[tuple[str, str], ...]:
    """(login, text) of what people who may write here said about it last: reviews, comments at lines, comments.

    Oldest first. Whoever may not write is not quoted: their words would steer later runs.
    """
    api, repo = session.api(Purpose.READ), session.repository
    spoken: list[tuple[str, str, int, str]] = []
    for rest, when in ((f"/pulls/{number}/reviews", "submitted_at"), (f"/pulls/{number}/comments", "created_at")):
        spoken += [_spoken(one, when) for one in _listed(api, repo.path(rest))]
    comments = _listed(session.api(Purpose.ISSUE), repo.path(f"/issues/{number}/comments"))
    spoken += [_spoken(one, "created_at") for one in comments]
    people = [one for one in sorted(spoken) if one[1] and one[3].strip()]
    may: dict[int, bool] = {}
    for _, login, who, _ in people:
        if who not in may:
            may[who] = role(session, login, who) >= Role.WRITE
    return tuple((login, text) for _, login, who, text in people if may[who])


def _asked(session: Session, login: str) -> Mapping[str, Any] | None:
    """With the weaker token first: GitHub's table says that it is enough, its answers to some say that it is not."""
    path = session.repository.path(f"/collaborators/{quote(login, safe='')}/permission")
    for purpose in (Purpose.READ, Purpose.ROLES):
        try:
            found: Mapping[str, Any] | None = session.api(purpose).find(path)
        except Stop as refused:
            _log.info("the role of a commenter could not be asked: %s", refused.detail)
            continue
        return found
    return None


def _listed(api: Api, path: str) -> tuple[Any, ...]:
    """What GitHub does not let us read was not said: what was decided is known without it."""
    try:
        return tuple(api.pages(path))
    except Stop:
        return ()


def _spoken(one: Mapping[str, Any], when: str) -> tuple[str, str, int, str]:
    user = one.get("user") or {}
    login = str(user.get("login") or "") if user.get("type") == "User" else ""
    return str(one.get(when) or ""), login, int(user.get("id") or 0), str(one.get("body") or "")
