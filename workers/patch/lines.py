"""The lines of a file as they are compared with quoted ones: exactly, then with ever less attention to white space.

Each level forgives one more kind of difference; a line is looked up by an index, so large files cost no more.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Sequence

from workers.patch.edits import PatchError

QUOTES = {"\u2018": "'", "\u2019": "'", "\u201a": "'", "\u201c": '"', "\u201d": '"', "\u201e": '"'}
SPACES = {"\u00a0": " ", "\u202f": " ", "\u2007": " ", "\u200b": "", "\ufeff": ""}
DASHES = {"\u2013": "-", "\u2014": "-", "\u2212": "-"}
_PLAIN = str.maketrans({**QUOTES, **SPACES, **DASHES})


def plain(line: str) -> str:
    """With typographic quotes, dashes and spaces made plain."""
    return unicodedata.normalize("NFC", line).translate(_PLAIN).rstrip()


LEVELS: tuple[Callable[[str], str], ...] = (
    lambda line: line,
    lambda line: line.rstrip(),
    plain,
    lambda line: plain(line).expandtabs(4),
    lambda line: plain(line).strip(),
    lambda line: re.sub(r"\s+", " ", plain(line).strip()),
    lambda line: re.sub(r"\s+", " ", unicodedata.normalize("NFKC", plain(line)).strip()),
)
_WORK = 5_000_000
"""An answer is untrusted: how many lines are compared for one question is bounded."""


class Lines:
    """The lines of a file with an index for every level, made when it is asked for."""

    def __init__(self, text: Sequence[str]) -> None:
        self.text = tuple(text)
        self.known = frozenset(self.text)
        self._levels: dict[int, tuple[list[str], dict[str, list[int]]]] = {}
        self._keys: dict[tuple[str, int], str] = {}

    def __len__(self) -> int:
        return len(self.text)

    def at(self, level: int) -> tuple[list[str], dict[str, list[int]]]:
        """The lines as a level sees them, and where each of them stands."""
        if level not in self._levels:
            have = [LEVELS[level](line) for line in self.text]
            index: dict[str, list[int]] = {}
            for i, line in enumerate(have):
                index.setdefault(line, []).append(i)
            self._levels[level] = have, index
        return self._levels[level]

    def _key(self, line: str, level: int) -> str:
        """A quoted line as a level sees it; asked for again and again while context is left out."""
        if (line, level) not in self._keys:
            self._keys[line, level] = LEVELS[level](line)
        return self._keys[line, level]

    def hits(self, old: Sequence[str], level: int) -> list[int]:
        """Where the old lines begin, looked for by the rarest of them."""
        if len(old) > len(self.text):
            return []
        have, index = self.at(level)
        want = [self._key(line, level) for line in old]
        rarest = min(range(len(want)), key=lambda i: len(index.get(want[i], ())))
        starts = [i - rarest for i in index.get(want[rarest], ())]
        if len(starts) * len(want) > _WORK:
            raise PatchError("the quoted lines repeat too often to find their place: quote fewer and rarer ones")
        return [i for i in starts if i >= 0 and have[i : i + len(want)] == want]
