"""Edits of random files, said in every format and every bad way: they land as meant or are refused, never otherwise."""

from __future__ import annotations

from collections import Counter
from itertools import product

import pytest
from hypothesis import HealthCheck, Phase, given, seed, settings
from hypothesis import strategies as st

from tests.workers.fixers.trees import MemoryTree
from tests.workers.patch.malformed import FILES, OTHER, PATH, RENDERINGS, WRAPPINGS, Change, changes
from workers.patch import PatchError, read_answer

LANDING = 0.99
WAYS = [way for way in product(RENDERINGS, WRAPPINGS, FILES) if way[::2] != ("whole", "trailing spaces")]
"""A whole file says itself whether a line ends in spaces: taking them away may be the very change that is meant."""


def outcome(change: Change, rendering: str, wrapping: str, kind: str) -> str:
    """`landed`, or why the answer was refused; fails when another file than the meant one comes out."""
    form = FILES[kind]
    before, after = (form("\n".join(lines) + "\n") for lines in (change.before, change.after))
    tree = MemoryTree({PATH: before, OTHER: "# Shop\n"})
    answer = WRAPPINGS[wrapping](RENDERINGS[rendering](change))
    try:
        edits = read_answer(answer, tree)
    except PatchError as error:
        return str(error)
    assert edits == {PATH: after.encode()}, (rendering, wrapping, kind, answer)
    return "landed"


def test_nearly_all_malformed_answers_land_and_none_wrongly() -> None:
    """At least 99 of 100 over all formats, wrappings and kinds of file; what comes out is the edit to the byte."""
    refused: list[tuple[str, str, str, str]] = []
    seen: Counter[bool] = Counter()

    @seed(5)
    @settings(max_examples=21, deadline=None, phases=[Phase.generate], suppress_health_check=list(HealthCheck))
    @given(changes(), st.integers(0, 6))
    def every(change: Change, offset: int) -> None:
        for way in WAYS[offset::7]:
            told = outcome(change, *way)
            seen[told == "landed"] += 1
            if told != "landed":
                refused.append((*way, told))

    every()
    assert seen.total() >= 1000
    assert seen[True] / seen.total() >= LANDING, "\n".join(map(str, refused[:40]))


@pytest.mark.parametrize("rendering", RENDERINGS)
@given(changes(), st.data())
@settings(max_examples=15, deadline=None)
def test_no_malformed_answer_lands_wrongly(rendering: str, change: Change, data: st.DataObject) -> None:
    """With other files in every run: landed to the byte, or refused with a reason."""
    assert outcome(change, *data.draw(st.sampled_from([way for way in WAYS if way[0] == rendering])))
