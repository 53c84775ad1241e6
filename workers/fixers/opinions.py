"""What a model says beside its edits: how sure it is, and that the test itself is wrong. Opinions, never proof.

An answer is untrusted: sureness can only lower what is thought of a patch, and a dispute counts when it quotes a line
of a failing test.
"""

from __future__ import annotations

import re
from collections.abc import Iterable

from workers.domain import Confidence

_SURENESS = re.compile(r"<confidence>\s{0,20}(\w{1,10})\s{0,20}</confidence>\s{0,200}\Z", re.IGNORECASE)
_OPEN, _CLOSE = "<test-is-wrong>", "</test-is-wrong>"
_SHORTEST, _LONGEST = 6, 500
"""Characters of a quote that says which line is meant, and of a reason that is kept."""


class Unquoted(ValueError):  # noqa: N818 - states read better where they are raised
    """The test is called wrong without a line of it."""

    def __init__(self) -> None:
        super().__init__(
            "you say that the test is wrong without quoting it: copy one of its lines letter by letter between <quote> "
            "and </quote>, or give an edit of the source"
        )


def lowered(text: str, confidence: Confidence) -> Confidence:
    """The confidence in an answer's patch, which its author can only lower."""
    said = _SURENESS.search(text)
    return Confidence.LOW if said and said[1].lower() == Confidence.LOW else confidence


def edits(text: str) -> str:
    """The answer without its last word on how sure it is, which no edit may take for a line of a file."""
    return _SURENESS.sub("", text)


def dispute(text: str, tests: Iterable[str]) -> str:
    """Why the test is wrong, with the line that is quoted; "" when that is not said.

    `tests` are the texts of the failing tests. Raises `Unquoted` when none of them holds the quote.
    """
    _, opened, rest = text.partition(_OPEN)
    inside, closed, _ = rest.partition(_CLOSE)
    if not opened or not closed:
        return ""
    before, _, quoted = inside.partition("<quote>")
    quote, _, after = quoted.partition("</quote>")
    quote = quote.strip().partition("\n")[0].strip()
    whole = {line.strip() for test in tests for line in test.splitlines()}
    if len(quote) < _SHORTEST or not any(quote in line for line in whole):
        raise Unquoted
    reason = " ".join(f"{before} {after}".split())
    return f"{quote}: {reason[:_LONGEST]}" if reason else quote
