"""Who asks for something, by GitHub's own answer, and how much they asked for lately: the same however they ask."""

from __future__ import annotations

from workers.commands.rights import Role, Standing
from workers.errands.desk import Desk
from workers.errands.model import Kind, Place
from workers.github import people
from workers.github.pulls import Pull
from workers.github.session import Session

PERSON_LIMIT, PERSON_SECONDS = 10, 600.0
"""Errands of a kind that one person may cause in a repository within so many seconds."""
REPO_LIMIT, REPO_SECONDS = 60, 3600.0
"""The same for all together. Those with write access are not held to it: strangers must not lock them out."""


def standing(session: Session, place: Place, pull: Pull | None) -> Standing:
    """What the sender is to the repository and to the pull request. One whom GitHub does not know is no author."""
    role = people.role(session, place.sender, place.sender_id)
    author = pull is not None and pull.author_id == place.sender_id and role is not Role.NONE
    return Standing(role, author, bool(pull and pull.fork))


def too_much(desk: Desk, place: Place, role: Role, kind: Kind) -> bool:
    """The sender asked for more than their share; the errand at hand counts."""
    lately = desk.errands.given_lately
    if lately(place.repo_id, place.sender_id, PERSON_SECONDS, kind) > PERSON_LIMIT:
        return True
    return role < Role.WRITE and lately(place.repo_id, None, REPO_SECONDS, kind) > REPO_LIMIT
