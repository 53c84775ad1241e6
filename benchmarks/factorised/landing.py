"""How often a right edit that a model says, in whatever format and however badly, becomes exactly that edit."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from enum import StrEnum

from benchmarks.factorised.patches import Patch
from tests.model.renderings import RENDERINGS, REWRITINGS, WRAPPINGS, Change, Rows, answer, change
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
    # Empty lines at the end of a listing are its layout.
    return _outcome(patch, way, bytes.rstrip if way[0] == "whole" else bytes)


def _outcome(patch: Patch, way: Way, compared: Callable[[bytes], bytes]) -> tuple[Landed, str]:
    changes = [change(path, patch.files[path], text) for path, text in patch.edits.items()]
    try:
        edits = read_answer(answer(changes, *way), MemoryTree(patch.files))
    except PatchError as error:
        return Landed.REFUSED, str(error)
    landed = {path: compared(data or b"") for path, data in edits.items()}
    meant = {path: compared(text.encode()) for path, text in patch.edits.items()}
    return (Landed.RIGHT, "") if landed == meant else (Landed.WRONG, "")


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


def doubtful(patches: Sequence[Patch]) -> Counter[tuple[str, Landed]]:
    """Answers whose kept lines are left out or wrong, by what is wrong and what became of them: they may be refused but
    not misunderstood. How many empty lines stand around new lines does not count."""
    seen: Counter[tuple[str, Landed]] = Counter()
    wrappings = list(WRAPPINGS)
    for number, patch in enumerate(patches):
        changes = [change(path, patch.files[path], text) for path, text in patch.edits.items()]
        for at, (name, rewrite) in enumerate(REWRITINGS.items()):
            if not any(_means_another(one, rewrite) for one in changes):
                seen[name, _outcome(patch, (name, wrappings[(number + at) % len(wrappings)]), _filled)[0]] += 1
    return seen


def _means_another(change: Change, rewrite: Callable[[Rows], Rows]) -> bool:
    """What is left of some part stands in the file word for word, once, and so says exactly another edit."""
    before = list(change.before)
    for start, rows in change.hunks():
        said = rewrite(rows)
        old = [text for kind, text in said if kind != "+"]
        places = [at for at in range(len(before)) if old and before[at : at + len(old)] == old]
        if len(places) == 1 and _edited(before, places[0], said) != _edited(before, start - 1, rows):
            return True
    return False


def _edited(before: list[str], start: int, rows: Rows) -> list[str]:
    old, new = ([text for kind, text in rows if kind != other] for other in "+-")
    return before[:start] + new + before[start + len(old) :]


def _filled(data: bytes) -> bytes:
    return b"\n".join(line for line in data.split(b"\n") if line.strip())
