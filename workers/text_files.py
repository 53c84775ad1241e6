"""A tree's files as text, for those who look for settings in it. Nothing is refused: odd bytes are replaced."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property

from workers.ports import SourceTree


@dataclass(frozen=True)
class TextFiles:
    """The files of a tree by their paths."""

    tree: SourceTree

    @cached_property
    def paths(self) -> frozenset[str]:
        """The paths of all files."""
        return frozenset(self.tree.paths())

    def text(self, path: str) -> str:
        """What the file holds; empty when there is none."""
        return (self.tree.read(path) or b"").decode(errors="replace").removeprefix("\ufeff")

    def matching(self, pattern: re.Pattern[str]) -> Iterator[str]:
        """The paths that the pattern matches whole, in order."""
        return (path for path in sorted(self.paths) if pattern.fullmatch(path))
