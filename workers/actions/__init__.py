"""The well-known actions and what takes their place in the sandbox. Actions themselves are never executed here.

row        what an action can mean, and how its inputs fill in its commands
languages  those that give a language
commands   those that stand for commands
beside     those that run nothing here, by the reason that people are told
special    those whose meaning depends on more than a row can hold
"""

from __future__ import annotations

from collections.abc import Mapping
from itertools import chain

from workers.actions import beside, commands, languages, special
from workers.actions.row import Action, Effect, filled

__all__ = ["Action", "Effect", "look_up"]

_ROWS: Mapping[str, Action] = dict(chain(languages.ROWS.items(), commands.ROWS.items(), beside.ROWS.items()))
_UNKNOWN = Action(Effect.UNKNOWN, "the sandbox does not know this action")


def look_up(uses: str, inputs: Mapping[str, str]) -> Action:
    """What the action means here, given its `with:` inputs."""
    if uses.startswith("docker://"):
        return Action(Effect.REFUSED, "it is a container action")
    name, _, version = uses.partition("@")
    name = name.strip().rstrip("/").lower()
    if name in special.FUNCTIONS:
        return special.FUNCTIONS[name](version, inputs)
    row = _ROWS.get(name) or beside.BY_OWNER.get(name.partition("/")[0]) or languages.by_name(name) or _UNKNOWN
    return filled(row, inputs)
