"""Cuts Groovy into the few kinds of words that a Jenkinsfile is skimmed by: names, strings and signs. Not a parser."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from enum import Enum

_NAME = re.compile(r"[A-Za-z_]\w*")
_QUOTES = ("'''", '"""', "'", '"')
_SPECIAL: dict[str, re.Pattern[str]] = {
    "'''": re.compile(r"\\|'''"),
    '"""': re.compile(r'\\|"""'),
    "'": re.compile(r"\\|'|\n"),
    '"': re.compile(r'\\|"|\n'),
}
_ESCAPES = {"n": "\n", "t": "\t", "r": "\r", "\n": ""}


class Kind(Enum):
    """What a word is."""

    NAME = "name"
    PLAIN = "a string as it stands"
    FILLED = "a string with `$` for values"
    SIGN = "sign"


@dataclass(frozen=True)
class Word:
    """One word. A string's escapes are undone, but for a `$` in one that holds values: that stays `\\$`."""

    kind: Kind
    text: str


def words(text: str) -> Iterator[Word]:
    """The words in order; comments are left out. Each character is looked at a bounded number of times."""
    at = 0
    while at < len(text):
        if text.startswith("//", at):
            at = _after(text, "\n", at)
        elif text.startswith("/*", at):
            at = _after(text, "*/", at + 2)
        elif quote := next((quote for quote in _QUOTES if text.startswith(quote, at)), ""):
            content, at = _string(text, at + len(quote), quote)
            yield Word(Kind.FILLED if quote[0] == '"' else Kind.PLAIN, content)
        elif match := _NAME.match(text, at):
            yield Word(Kind.NAME, match[0])
            at = match.end()
        else:
            if not text[at].isspace():
                yield Word(Kind.SIGN, text[at])
            at += 1


def _after(text: str, end: str, at: int) -> int:
    found = text.find(end, at)
    return len(text) if found < 0 else found + len(end)


def _string(text: str, at: int, quote: str) -> tuple[str, int]:
    """The content of a string that begins here, and where it ends; one without an end goes to the end of its line."""
    parts: list[str] = []
    while match := _SPECIAL[quote].search(text, at):
        parts.append(text[at : match.start()])
        if match[0] != "\\":
            return "".join(parts), match.end()
        escaped = text[match.end() : match.end() + 1]
        kept = "\\$" if escaped == "$" and quote[0] == '"' else _ESCAPES.get(escaped, escaped)
        parts.append(kept)
        at = match.end() + 1
    return "".join([*parts, text[at:]]), len(text)
