"""The judge that only reads: a patch is right when the files parse to the same trees as the developers' own."""

from __future__ import annotations

import ast
from collections.abc import Mapping
from dataclasses import dataclass

from workers.bench.case import Fixed, Ruling
from workers.patch import PatchError


@dataclass(frozen=True)
class Identical:
    """`right` holds the files as they have to be, by path. Another patch may be right too: that is not said here."""

    right: Mapping[str, bytes]

    def __call__(self, fixed: Fixed) -> Ruling:
        """Compare every file that either of them changes."""
        try:
            edits = fixed.tree.apply(fixed.patch)
        except PatchError as error:
            return Ruling(None, f"the patch does not apply: {error}")
        for path in sorted({*edits, *self.right}):
            have = edits.get(path, fixed.tree.read(path))
            want = self.right.get(path, fixed.tree.read(path))
            if have is None or want is None or not same(have, want):
                return Ruling(None, f"{path} is not as its developers have it: unjudged")
        return Ruling(True, "identical to the developers' fix")


def same(one: bytes, other: bytes) -> bool:
    """Equal but for formatting and comments; of what is no Python, equal to the byte."""
    if one == other:
        return True
    try:
        return ast.dump(ast.parse(one)) == ast.dump(ast.parse(other))
    except (SyntaxError, ValueError, MemoryError, RecursionError):
        return False
