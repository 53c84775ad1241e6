"""Which commit a command means: the one its author could see. Pure; a comment carries no commit of its own.

A command is bound to the head that the pull request had before the comment was made. Otherwise somebody could push
other code in the seconds between, and have that run (GitHub's own advice since `pull_request_target` was abused so).
"""

from __future__ import annotations

from enum import StrEnum


class Unbound(StrEnum):
    """Why a command means no commit that may be worked on."""

    CLOSED = "closed"
    FORK = "fork"  # code of a fork needs `/heal <sha>`
    OTHER = "other"  # the commit that was named is not the head
    LATER = "later"  # the head came after the comment, or nobody knows that it came before


def unbound(head: str, before: str, named: str, *, fork: bool, open_: bool) -> Unbound | None:
    """None when the command is bound to `head`.

    `before` is the head as it was known before the comment, "" when nobody knows. A commit that was named in full needs
    no other proof; the seven digits that are usual can be had by another commit in minutes.
    """
    if not open_:
        return Unbound.CLOSED
    if fork and not named:
        return Unbound.FORK
    if named and not head.startswith(named):
        return Unbound.OTHER
    return None if head in {before, named} else Unbound.LATER
