"""How a table of lines is written down: who speaks at the beginning of a line, and what is said after it.

The beginning is held, since the same words inside a test's output, a linter's message or prose are nobody's trouble.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

_GAP = 400
"""Characters between the beginning and the words, so that no line costs more than that many tries."""


@dataclass(frozen=True)
class Voice:
    """A beginning of lines by which a program is known, as a regular expression that needs few steps."""

    begins: str

    def says(self, *words: str) -> str:
        """A row: any of the words (regular expressions) right after the beginning."""
        return rf"(?:{self.begins})(?:{'|'.join(words)})"

    def tells_of(self, *words: str) -> str:
        """A row: any of the words, somewhere after the beginning."""
        return rf"(?:{self.begins}).{{0,{_GAP}}}?(?:{'|'.join(words)})"


ANYBODY = Voice("")


def table(*rows: str) -> re.Pattern[str]:
    """The rows as one pattern, to be matched at the beginning of single lines."""
    return re.compile("|".join(f"(?:{row})" for row in rows), re.IGNORECASE)
