"""How people talk to Heal: the one `/heal ...` line of a comment. Text in, a value out; nothing is decided here.

A command counts only where a person wrote it as their own words: not in a quote, a code block or an HTML comment.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import StrEnum

LONGEST_LINE = 1000

_FENCE = re.compile(r"^ {0,3}(`{3,}|~{3,})")
_COMMAND = re.compile(r"^/heal(?:\s+(.*))?$", re.IGNORECASE)
_HTML_COMMENT = re.compile(r"<!--.*?(?:-->|\Z)", re.DOTALL)


class Verb(StrEnum):
    """What may be asked for."""

    FIX = "fix"
    RETRY = "retry"
    STOP = "stop"
    STATUS = "status"
    HELP = "help"
    EXPLAIN = "explain"


@dataclass(frozen=True)
class Command:
    """A command as written. `verb` is None when the word is not one of ours; `word` keeps what was written."""

    verb: Verb | None
    word: str
    rest: str = ""


def find(body: str) -> Command | None:
    """The first command of a comment, or None when it holds none. A bare `/heal` asks for help."""
    for line in _own_lines(_HTML_COMMENT.sub("", body)):
        match = _COMMAND.match(line[:LONGEST_LINE].rstrip())
        if match:
            return _read(match[1] or "")
    return None


def _read(words: str) -> Command:
    word, _, rest = words.strip().partition(" ")
    if not word:
        return Command(verb=Verb.HELP, word="")
    known = {verb.value: verb for verb in Verb}
    return Command(verb=known.get(word.lower()), word=word, rest=rest.strip())


def _own_lines(body: str) -> list[str]:
    """The lines outside fenced code. Indented code and quotes never begin with `/heal`, so they need no care."""
    lines: list[str] = []
    fence = ""
    for line in body.splitlines():
        match = _FENCE.match(line)
        if fence:
            if match and match[1].startswith(fence) and not line.strip().strip(fence[0]):
                fence = ""
        elif match:
            fence = match[1]
        else:
            lines.append(line)
    return lines
