"""What somebody may do in a repository, asked of GitHub each time: `author_association` and logins prove nothing."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from typing import Any
from urllib.parse import quote

from workers.commands.rights import Role
from workers.errors import Stop
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
