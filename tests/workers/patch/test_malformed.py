"""Edits of random files, said in every format and every bad way: they land as meant or are refused, never otherwise."""

from __future__ import annotations

from collections import Counter
from itertools import product
from pathlib import PurePosixPath

import pytest
from hypothesis import HealthCheck, Phase, given, seed, settings
from hypothesis import strategies as st

from tests.model.renderings import DOUBTFUL, FILES, RENDERINGS, WRAPPINGS, Change
from tests.workers.fixers.trees import MemoryTree
from tests.workers.patch.malformed import OTHER, PATH, TEXT, changes
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

    @seed(5)
    @settings(max_examples=20, deadline=None, phases=[Phase.generate], suppress_health_check=list(HealthCheck))
    @given(changes(), st.integers(0, 12))
    def every(change: Change, offset: int) -> None:
        for rendering, wrapping, kind, path in WAYS[offset::13]:
            told = outcome(change, WRAPPINGS[wrapping](RENDERINGS[rendering](change)), kind, path)
            seen[told == "landed"] += 1
            if told != "landed":
                refused.append((rendering, wrapping, kind, path, told))

    every()
    assert seen.total() >= 2000
    assert seen[True] / seen.total() >= LANDING, "\n".join(map(str, refused[:40]))


@pytest.mark.parametrize("rendering", RENDERINGS)
@given(changes(), st.data())
@settings(max_examples=10, deadline=None, derandomize=True)
def test_no_malformed_answer_lands_wrongly(rendering: str, change: Change, data: st.DataObject) -> None:
    """With other files in every run: landed to the byte, or refused with a reason."""
    _, wrapping, kind, path = data.draw(st.sampled_from([way for way in WAYS if way[0] == rendering]))
    assert outcome(change, WRAPPINGS[wrapping](RENDERINGS[rendering](change)), kind, path)


@pytest.mark.parametrize("rendering", DOUBTFUL)
@given(changes(), st.sampled_from(list(FILES)))
@settings(max_examples=25, deadline=None, derandomize=True)
def test_no_doubtful_answer_lands_wrongly(rendering: str, change: Change, kind: str) -> None:
    """Kept lines that are left out or wrong: there is no parser for the file that could notice a wrong place."""
    assert outcome(change, DOUBTFUL[rendering](change), kind, TEXT)
