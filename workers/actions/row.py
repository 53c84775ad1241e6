"""What an action can mean for the sandbox, and how the commands of a row are filled in with the action's inputs.

A command is a template: all that an input can change about it is written in braces where it changes it.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from enum import StrEnum
from shlex import quote

_HOLE = re.compile(
    r"(?P<space> ?)\{(?:(?P<lead>[^{}:?]{1,160})(?P<kind>[:?]))?(?P<negated>!?)(?P<names>[\w,-]{1,80})"
    r"(?P<form>\.\.\.|\*|!)?(?:\|(?P<default>[^{}]{0,80}))?\}"
)
_WORKSPACE = re.compile(r"(?<![\w/])/home/runner/work/[\w.-]{1,100}/[\w.-]{1,100}(?=[\s/]|$)")
"""The place of the files on GitHub's machine, which logs print."""
_NOTHING = ("", "false", "none", "null")
"""How actions write in their logs that an input is not given, or off."""
_COMPARES = ("<", ">", "=", "~", "!")


class Effect(StrEnum):
    """What an action means for the sandbox."""

    TREE = "tree"  # gives the files: we have them, all but what `why` says
    LANGUAGE = "language"  # gives a language the sandbox has an image for
    HARMLESS = "harmless"  # reports, caches or publishes: leaving it out changes nothing for the steps around it
    RUNS = "runs"  # stands for commands we know
    LEFT_OUT = "left out"  # gives or checks something that is missing here: a green run proves less
    REFUSED = "refused"  # the job's own steps cannot work without it
    UNKNOWN = "unknown"


@dataclass(frozen=True)
class Action:
    """A row: `install` goes before, `run` is the command; `why` is told to people; `language` is what it needs.

    `folder` names the input that says in which folder the commands run.
    """

    effect: Effect
    why: str = ""
    install: str = ""
    run: str = ""
    language: str = ""
    folder: str = ""

    @property
    def weakens_proof(self) -> bool:
        """Leaving it out means that a green run proves less than it did in CI."""
        if self.effect is Effect.TREE:
            return bool(self.why)
        return self.effect in (Effect.LEFT_OUT, Effect.REFUSED, Effect.UNKNOWN)


def filled(row: Action, inputs: Mapping[str, str]) -> Action:
    """The row with its commands as these inputs make them.

    `{name}` is the input as one word, `{name...}` its words as they are written, `{name*}` each of its words quoted
    for itself, `{name!}` a whole script; `|default` stands where the input is not given. `{lead:name}` is the text with
    the input behind it, nothing without the input; `{text?name}` is the text where the input is given,
    `{text?!name}` where it is not. Of `{new,old}` the first that is given counts. What is empty takes the space
    before it along. With `install-only` nothing is run.
    """
    if row.effect is not Effect.RUNS:
        return row
    given = {
        name.lower(): _WORKSPACE.sub(".", value.strip())
        for name, value in inputs.items()
        if value.strip().lower() not in _NOTHING
    }
    install, run = (_HOLE.sub(lambda hole: _value(hole, given), part).strip() for part in (row.install, row.run))
    run = "" if "install-only" in given else run
    if "${{" in install + run:
        return _without_commands(row, Effect.LEFT_OUT, "what it is told to do is known to GitHub only")
    if not install and not run:
        effect = Effect.LANGUAGE if row.language else Effect.LEFT_OUT
        return _without_commands(row, effect, "it is given no command")
    folder = given.get(row.folder, "")
    enter = f"cd {quote(folder)}\n" if folder not in ("", ".", "./") else ""
    return replace(row, install=install and enter + install, run=run and enter + run)


def _without_commands(row: Action, effect: Effect, why: str) -> Action:
    return replace(row, effect=effect, why=why, install="", run="")


def _value(hole: re.Match[str], given: Mapping[str, str]) -> str:
    value = next((given[name] for name in hole["names"].lower().split(",") if name in given), "")
    form = hole["form"] or ""
    if hole["kind"] == "?":
        text = hole["lead"] if bool(value) != bool(hole["negated"]) else ""
    elif hole["kind"] == ":":
        text = _behind(hole["lead"], value, form)
    else:
        text = _formed(value or hole["default"] or "", form)
    return hole["space"] + text if text else ""


def _behind(lead: str, value: str, form: str) -> str:
    """Behind `==` or `@` stands a version: the newest where none is known, and pip writes ranges its own way."""
    if lead.endswith(("==", "@")) and (value == "latest" or "${{" in value):
        return lead.removesuffix("==").removesuffix("@")
    if lead == "==" and value:
        return quote(value if value.startswith(_COMPARES) else f"=={re.sub(r'[.]x$', '.*', value)}")
    return lead + _formed(value, form) if value else ""


def _formed(value: str, form: str) -> str:
    if form == "!" or not value:
        return value
    if form == "...":
        return " ".join(value.split())
    return " ".join(map(quote, value.split())) if form == "*" else quote(value)
