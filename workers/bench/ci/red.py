"""The red repositories of our own: one TOML file each, with workflow, job log, files and what a maintainer expects.

A case says what would be right, never what Heal does with it. All of it is written for this corpus and nobody else's.
"""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path

from workers.domain import FailureClass, Outcome

CASES = Path(__file__).parent / "cases"
WORKFLOW = ".github/workflows/ci.yml"
"""Where each case's workflow lies."""
_ESCAPE = "\N{SYMBOL FOR ESCAPE}"
"""Stands for the escape character in logs, which no TOML text can hold."""


class Tier(StrEnum):
    """Who ought to mend it: the cheapest that can be expected to, or nobody."""

    AUTOFIX = "autofix"
    STATIC = "static"
    SEARCH = "search"
    MODEL = "model"
    NONE = "none"


OFFLINE = (Tier.AUTOFIX, Tier.STATIC, Tier.SEARCH)
"""What needs no key, cheapest first."""


@dataclass(frozen=True)
class RedCase:
    """One red repository, and what is right for it.

    `cls` and `tool` are what the job's log shows; the tool is empty where none finds anything. `outcomes` are the
    right ends of a run without a key, the best first. `gold` is a maintainer's patch, empty where no patch is right. A
    patch may touch `allowed` alone, and add no line that one of the patterns of `never` is found in. `hidden` are files
    for `hidden_check`, a command that is green with a right patch only; `must` are patterns that each added line
    has to begin with one of. `trap` says what tempts.

    `base` are the files of the pull request's base, which is red itself, `green` those of the commit before, which was
    green: only what is different there, an empty mapping without such a commit. `green_log` is the log of the job when
    it was last green, empty where nobody knows of such a run, `plain` are scripts that lack their executable bit.
    """

    id: str
    title: str
    kind: str
    cls: FailureClass
    tool: str
    tier: Tier
    outcomes: tuple[Outcome, ...]
    job: str
    workflow: str
    log: str
    files: Mapping[str, str]
    trap: str = ""
    gold: str = ""
    allowed: tuple[str, ...] = ()
    never: tuple[str, ...] = ()
    must: tuple[str, ...] = ()
    hidden: Mapping[str, str] = field(default_factory=dict)
    hidden_check: str = ""
    base: Mapping[str, str] = field(default_factory=dict)
    green: Mapping[str, str] = field(default_factory=dict)
    green_log: str = ""
    plain: tuple[str, ...] = ()

    @property
    def exact(self) -> bool:
        """Nothing else says what a right patch is: its files must be the gold's to the byte."""
        return not (self.hidden_check or self.must)

    def tree(self, differing: Mapping[str, str] | None = None) -> dict[str, bytes]:
        """The repository's files, the workflow among them, with what is different in another commit."""
        files = {**self.files, **(differing or {}), WORKFLOW: self.workflow}
        return {path: text.encode() for path, text in files.items()}


def read(folder: Path = CASES) -> tuple[RedCase, ...]:
    """Every case, by its id, which is its file's name. Raises `ValueError` naming the file that is no case."""
    return tuple(_case(path) for path in sorted(folder.glob("*.toml")))


def _case(path: Path) -> RedCase:
    try:
        told = tomllib.loads(path.read_text(encoding="utf-8"))
        own = {
            "cls": FailureClass(told.pop("class")),
            "tier": Tier(told.pop("tier")),
            "outcomes": tuple(map(Outcome, told.pop("outcomes"))),
            **{key: told.pop(key, "").replace(_ESCAPE, "\x1b") for key in ("log", "green_log")},
            **{key: tuple(told.pop(key, ())) for key in ("allowed", "never", "must", "plain")},
        }
        return RedCase(id=path.stem, **own, **told)
    except (tomllib.TOMLDecodeError, KeyError, TypeError, ValueError) as error:
        raise ValueError(f"{path.name}: {error}") from error
