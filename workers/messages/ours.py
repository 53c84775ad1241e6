"""What is said on a pull request of ours when it goes on without us: once each, in a comment of its own."""

from __future__ import annotations

from workers.messages.markup import quote


def mended_elsewhere(target: str, sha: str) -> str:
    """The failure is gone without us."""
    gone = f"the failure that this mends is gone on {quote(target)} (`{sha[:7]}`) without it"
    return f"Not needed any more: {gone}. I close this pull request."


def taken_in(target: str) -> str:
    """Somebody else brought the very change."""
    return f"Not needed any more: {quote(target)} has this very change already. I close this pull request."


def taken_over(branch: str, sha: str) -> str:
    """Somebody else pushed to our branch."""
    return (
        f"Somebody else pushed `{sha[:7]}` to {quote(branch)}, so it is theirs now: I keep my hands off this pull "
        "request from here on."
    )


def conflicts_for_good(target: str) -> str:
    """There is no red check by which it could be proven on another base."""
    return (
        f"This conflicts with {quote(target)}. I make anew only what mends a red check, so the conflict is a person's "
        "to solve."
    )


def conflicts_again(target: str) -> str:
    """It was made anew once, and that is all."""
    return (
        f"This conflicts with {quote(target)} again. I make a pull request anew once and no more, so the conflict is a "
        "person's to solve."
    )
