"""Who may ask for what. Pure: the role was asked of GitHub before; one that could not be asked is no role at all."""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum

from workers.commands.grammar import Command, Verb


class Role(IntEnum):
    """GitHub's roles in a repository, weakest first."""

    NONE = 0
    READ = 1
    TRIAGE = 2
    WRITE = 3
    MAINTAIN = 4
    ADMIN = 5


@dataclass(frozen=True)
class Standing:
    """What somebody is to a repository and to the pull request they speak in. `fork`: its code comes from elsewhere."""

    role: Role
    author: bool = False
    fork: bool = False


NEEDS: dict[Verb, Role] = {
    Verb.HELP: Role.READ,
    Verb.STATUS: Role.READ,
    Verb.EXPLAIN: Role.READ,
    Verb.FIX: Role.WRITE,
    Verb.RETRY: Role.WRITE,
    Verb.STOP: Role.WRITE,
    Verb.PAUSE: Role.MAINTAIN,
    Verb.RESUME: Role.MAINTAIN,
    Verb.IGNORE: Role.MAINTAIN,
    Verb.UNIGNORE: Role.MAINTAIN,
    Verb.UNDO: Role.MAINTAIN,
    Verb.CONFIG: Role.MAINTAIN,
}
RUNS_CODE = frozenset({Verb.FIX, Verb.RETRY})
AUTHORS = RUNS_CODE | {Verb.STOP}
"""What the author of a pull request may ask for in it, whatever their role is."""


def lacking(command: Command, who: Standing) -> Role | None:
    """The role that somebody would need for a command; None when they may.

    An author without write access may have the code of this repository's branches run, because somebody with write
    access pushed it; never that of a fork, and never in an image of their choice.
    """
    spends = command.model or command.budget_usd is not None
    need = Role.MAINTAIN if spends else NEEDS[command.verb]
    if who.role >= need:
        return None
    as_author = who.author and not spends and not command.image and command.verb in AUTHORS
    if as_author and not (who.fork and command.verb in RUNS_CODE):
        return None
    return need
