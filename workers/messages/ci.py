"""What the repository's own CI says of a fix, in the words of the evidence table and of a run's end."""

from __future__ import annotations

import re
from collections.abc import Sequence
from enum import StrEnum

from workers.messages.markup import quote
from workers.ports import CI, Checks, Light, Signal

_LINK = re.compile(r"https?://[^\s()<>\[\]|\\`]{1,500}")
_SHOWN = 5


class Red(StrEnum):
    """How a red CI on a fix is to be read."""

    NONE = ""  # nothing is red
    SAME = "same"  # it is the failure that the fix mends in the sandbox
    NEW = "new"  # another failure, and one more run goes on with it
    SPENT = "spent"  # another failure, and no more runs may be made for it
    MUTE = "mute"  # another failure, of which there is no log to start from
    BELOW = "below"  # only what is red without the fix as well


def row(checks: Checks, red: Red, target: str) -> str:
    """The cell of the evidence table."""
    failing = _listed(checks.red)
    if checks.state is not CI.RED:
        passed = [signal for signal in checks.signals if signal.light is Light.GREEN]
        return {
            CI.GREEN: f"\u2705 green: {_listed(passed)}" if passed else "\u2705 green",
            CI.NONE: "no run seen on this branch",
        }.get(checks.state, "running")
    if red is Red.BELOW:
        without = f" on {quote(target)}" if target else ""
        return f"\u2705 green, but for what is red{without} without this change too: {failing}"
    return f"\u274c red: {failing + ': ' if failing else ''}{_READINGS[red]}"


def said(checks: Checks, red: Red, branch: str) -> str:
    """The end of a run on whose fix CI is red, in one or two sentences."""
    names = ", ".join(quote(signal.name) for signal in checks.red[:_SHOWN]) or "A check"
    return f"{names} {'are' if len(checks.red) > 1 else 'is'} red on {quote(branch)}: {_READINGS[red]}."


_READINGS = {
    Red.NONE: "the sandbox and CI disagree",
    Red.SAME: "the sandbox and CI disagree, it is the failure that this mends in the sandbox",
    Red.NEW: "another failure than the one that was mended, one more run goes on with it",
    Red.SPENT: "another failure than the one that was mended, and `limits.rounds` allows no further run for it",
    Red.MUTE: "another failure than the one that was mended, and it has no log to start from",
    Red.BELOW: "it is red without this change as well",
}


def _listed(signals: Sequence[Signal]) -> str:
    more = [f"and {len(signals) - _SHOWN} more"] if len(signals) > _SHOWN else []
    return ", ".join([*(_linked(signal) for signal in signals[:_SHOWN]), *more])


def _linked(signal: Signal) -> str:
    """The name with its page. An address of a status is anybody's text: what could break the markup is no link."""
    name = quote(signal.name, 80)
    return f"[{name}]({signal.url})" if _LINK.fullmatch(signal.url) else name
