"""How often a right edit that a model says, in whatever format and however badly, becomes exactly that edit."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from enum import StrEnum

from benchmarks.factorised.patches import Patch
from tests.model.renderings import RENDERINGS, WRAPPINGS, answer, change
from tests.workers.fixers.trees import MemoryTree
from workers.patch import PatchError, read_answer

Way = tuple[str, str]


class Landed(StrEnum):
    """What became of an answer."""

    RIGHT = "right"
    REFUSED = "refused"
    WRONG = "wrong"


def outcome(patch: Patch, way: Way) -> tuple[Landed, str]:
    """What the engine makes of the patch when it is said in this way, and why it refused it."""
    changes = [change(path, patch.files[path], text) for path, text in patch.edits.items()]
    try:
        edits = read_answer(answer(changes, *way), MemoryTree(patch.files))
    except PatchError as error:
        return Landed.REFUSED, str(error)
    meant = {path: text.encode() for path, text in patch.edits.items()}
    if way[0] == "whole":  # empty lines at the end of a listing are its layout
        edits, meant = ({path: (data or b"").rstrip() for path, data in one.items()} for one in (edits, meant))
    return (Landed.RIGHT, "") if edits == meant else (Landed.WRONG, "")


def ways(number: int, every: int) -> Iterator[Way]:
    """Every `every`-th combination of format and wrapping, others for the next patch; typography is for code only."""
    at = number
    for rendering in RENDERINGS:
        for wrapping in WRAPPINGS:
            at += 1
            if at % every == 0:
                yield rendering, wrapping


def possible(patch: Patch, way: Way) -> bool:
    """The way can say this patch without losing something: a listing needs its file whole, and one without a name is
    of one file; typography, tabs, comments and spaces at the ends of lines must not be the patch's own. Typography
    and tabs that no quoted line shows are only known in a whole file."""
    rendering, _ = way
    texts = [*patch.files.values(), *patch.edits.values()]
    python = all(path.endswith(".py") for path in patch.edits)
    if rendering == "whole":
        return patch.whole
    if rendering == "no names":
        return len(patch.edits) == 1
    if rendering in ("typography", "no-break spaces"):
        return python and patch.whole and all(text.isascii() for text in texts)
    if rendering == "tabs":
        return python and patch.whole and not any("\t" in text for text in texts)
    if rendering == "blank kept lines empty":
        return not any(line != line.rstrip() for text in texts for line in text.split("\n"))
    if rendering == "comments left out":
        return not any(_comments(text) - _comments(patch.files[path]) for path, text in patch.edits.items())
    return True


def _comments(text: str) -> set[str]:
    return {line for line in text.split("\n") if line.lstrip().startswith("#")}


def measure(patches: Sequence[Patch], every: int = 1) -> Counter[tuple[str, str, str, Landed]]:
    """Answers by source, format, wrapping and what became of them."""
    seen: Counter[tuple[str, str, str, Landed]] = Counter()
    for number, patch in enumerate(patches):
        for way in ways(number, every):
            if possible(patch, way):
                seen[patch.source, *way, outcome(patch, way)[0]] += 1
    return seen
