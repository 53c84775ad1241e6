"""Edits of random files, said in every format and every bad way: they land as meant or are refused, never otherwise."""

from __future__ import annotations

from collections import Counter
from itertools import product
from pathlib import PurePosixPath

import pytest

from tests.model.renderings import DOUBTFUL, FILES, RENDERINGS, WRAPPINGS, Change
from tests.workers.fixers.trees import MemoryTree
from tests.workers.patch.malformed import OTHER, PATH, TEXT, change
from workers.patch import PatchError, read_answer

LANDING = 0.99
WAYS = [
    way
    for way in product(RENDERINGS, WRAPPINGS, FILES, (PATH, TEXT))
    # A whole file says itself whether a line ends in spaces, and a text may want its quotes curly.
    if way[::2] != ("whole", "trailing spaces") and way[::3] != ("typography", TEXT)
]


def outcome(change: Change, said: str, kind: str, path: str) -> str:
    """`landed`, or why the answer was refused; fails when another file than the meant one comes out."""
    form = FILES[kind]
    before, after = (form("\n".join(lines) + "\n") for lines in (change.before, change.after))
    answer = said.replace(PurePosixPath(PATH).name, PurePosixPath(path).name)
    try:
        edits = read_answer(answer, MemoryTree({path: before, OTHER: "# Shop\n"}))
    except PatchError as error:
        return str(error)
    assert edits == {path: after.encode()}, answer
    return "landed"


def test_nearly_all_malformed_answers_land_and_none_wrongly() -> None:
    """At least 99 of 100 over all formats, wrappings and kinds of file, with and without a parser for it; what comes
    out is the edit to the byte."""
    refused: list[tuple[str, ...]] = []
    seen: Counter[bool] = Counter()
    for number in range(20):
        edit = change(number)
        for rendering, wrapping, kind, path in WAYS[number % 13 :: 13]:
            told = outcome(edit, WRAPPINGS[wrapping](RENDERINGS[rendering](edit)), kind, path)
            seen[told == "landed"] += 1
            if told != "landed":
                refused.append((rendering, wrapping, kind, path, told))
    assert seen.total() >= 2000
    assert seen[True] / seen.total() >= LANDING, "\n".join(map(str, refused[:40]))


@pytest.mark.parametrize("rendering", RENDERINGS)
def test_no_malformed_answer_lands_wrongly(rendering: str) -> None:
    """With other files for every way to say it badly: landed to the byte, or refused with a reason."""
    ways = [way for way in WAYS if way[0] == rendering]
    for number in range(100, 110):
        edit = change(number)
        _, wrapping, kind, path = ways[number * 37 % len(ways)]
        assert outcome(edit, WRAPPINGS[wrapping](RENDERINGS[rendering](edit)), kind, path)


@pytest.mark.parametrize("rendering", DOUBTFUL)
def test_no_doubtful_answer_lands_wrongly(rendering: str) -> None:
    """Kept lines that are left out or wrong, wrapped in every way: there is no parser for the file that could notice a
    wrong place."""
    for number, (kind, wrapping) in enumerate(product(FILES, WRAPPINGS)):
        edit = change(number)
        assert outcome(edit, WRAPPINGS[wrapping](DOUBTFUL[rendering](edit)), kind, TEXT)
