"""What tox, nox, make, pre-commit and a tracing shell print of the commands they run.

A tool is recognised by its command line, and a step that says `make lint` hides it: the printed lines show it again.
Where a wrapper keeps environments of its own, the tool is named by its path in there, so that it can be called again.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Set

from workers.scripts import commands, words
from workers.tools.reading import readable

_LIMIT = 50
_LENGTH = 2_000
_TOX = re.compile(
    r"^(?P<env>[\w.-]{1,80})(?:: commands(?:_pre|_post)?\[\d{1,4}\](?: \S{1,300})?>"
    r"| run-test(?:-pre|-post)?: commands\[\d{1,4}\] \|) (?P<command>\S.*)$"
)
_NOX_ENV = re.compile(
    r"^nox > (?:Creating virtual environment|Re-using existing virtual environment)[^/\n]{0,200}(?: in| at) "
    r"(?P<place>\S{1,300}?)\.?$"
)
_NOX = re.compile(r"^nox > (?P<command>\S.*)$")
_HOOK = re.compile(r"^- hook id: (?P<hook>\w[\w.-]{0,99})$")
_TRACED = re.compile(r"^(?:\+{1,5}|\$|>) (?P<command>\S.*)$")
_ECHOES = frozenset({"make", "gmake", "just", "task", "hatch", "sh", "bash"})
_HOOKS = {"ruff": "ruff check", "ruff-check": "ruff check", "ruff-format": "ruff format"}
_RUNNERS = frozenset({"python", "python3", "uv", "uvx", "poetry", "pdm", "hatch", "pipenv", "npx"})


def script(check: str, output: str, names: Set[str]) -> str:
    """The check's script, and after it each printed command that calls one of the tools of these names."""
    firsts = [word for command in commands(check) for word in words(command)[:1]]
    echoes = any(_base(first) in _ECHOES or _is_file(first) for first in firsts)
    found: dict[str, None] = {}
    for command in _printed(readable(output), bare=echoes):
        if len(found) >= _LIMIT:
            break
        if len(command) <= _LENGTH and _calls(command, names):
            found.setdefault(command)
    return "\n".join([check, *found])


def _printed(output: str, *, bare: bool) -> Iterator[str]:
    place = hook = ""
    for line in output.split("\n"):
        if match := _TOX.match(line):
            yield _inside(f".tox/{match['env']}", match["command"])
        elif match := _NOX_ENV.match(line):
            place = match["place"]
        elif match := _NOX.match(line):
            yield _inside(place, match["command"]) if place else match["command"]
        elif match := _HOOK.match(line):
            hook = match["hook"]
        elif hook and line.startswith("- exit code: "):  # one that only changed files found nothing to tell
            yield _HOOKS.get(hook, hook)
            hook = ""
        elif match := _TRACED.match(line):
            yield match["command"]
        elif bare:
            yield line.strip()


def _inside(place: str, command: str) -> str:
    """The command with its first word's path in an environment; one that has a path keeps it."""
    first, _, rest = command.partition(" ")
    return command if "/" in first else f"{place}/bin/{first} {rest}".rstrip()


def _calls(command: str, names: Set[str]) -> bool:
    """By the first word alone, which is cheap: what it really calls is asked of each tool."""
    first = _base(command.split(" ", 1)[0])
    return first in names or first in _RUNNERS


def _base(word: str) -> str:
    return word.rsplit("/", 1)[-1]


def _is_file(word: str) -> bool:
    """A script of the repository: it may trace itself, or call make."""
    return word.startswith(("./", "scripts/", "bin/", "ci/", ".ci/")) or word.endswith(".sh")
