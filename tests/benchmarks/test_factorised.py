"""The factorised score in its short, pure form: what a model says right lands, and what it says wrong is refused."""

from __future__ import annotations

from collections import Counter

import pytest

from benchmarks.factorised import judging, landing, patches
from benchmarks.factorised.landing import Landed

pytestmark = pytest.mark.uncounted

TEXT = "def double(value):\n    return value + value + 1\n"
PROGRAM = patches.Program("double", "shop/double.py", TEXT, TEXT.replace(" + 1", ""), [([21], 42), ([150], 300)])
LAND, ACCEPT, REJECT = 0.99, 0.01, 0.03


def test_a_right_edit_lands_in_nearly_every_form() -> None:
    """Our own patches, each in a share of the formats x wrappings: 99 of 100 to the byte, none wrongly."""
    seen: Counter[Landed] = Counter()
    for row, count in landing.measure([*patches.own(), *patches.of_programs([PROGRAM])], 43).items():
        seen[row[3]] += count
    assert seen.total() >= 400
    assert seen[Landed.WRONG] == 0
    assert seen[Landed.RIGHT] >= LAND * seen.total(), seen


def test_an_answer_that_quotes_the_file_wrongly_is_refused_or_lands_right() -> None:
    """A part of our own patches, each with one kept line left out or misquoted in every place."""
    seen: Counter[Landed] = Counter()
    for (_, landed), count in landing.doubtful(patches.own()[::5]).items():
        seen[landed] += count
    assert seen.total() >= 200
    assert seen[Landed.WRONG] == 0
    assert seen[Landed.REFUSED] <= 0.2 * seen.total(), seen


def test_a_bad_patch_is_not_accepted() -> None:
    """Every cheat of the corpus, its variants, and a program that answers its tests in eleven ways."""
    seen = judging.bad([PROGRAM])
    taken = {row: count for row, count in seen.items() if row[2]}
    assert seen.total() >= 400
    assert sum(taken.values()) <= ACCEPT * seen.total(), taken
    assert {trick for kind, trick, _ in seen if kind == "overfitter"} >= {"if", "list", "table of text", "matched"}


def test_an_honest_patch_is_not_refused() -> None:
    """At most three of a hundred."""
    seen = judging.honest(patches.of_programs([PROGRAM]))
    refused = sum(count for row, count in seen.items() if not row[2])
    assert seen.total() >= 60
    assert refused <= REJECT * seen.total()


def test_a_patch_without_its_files_is_set_into_made_up_ones() -> None:
    """The parts stand apart and in order; new, removed and renamed files are left out."""
    text = "--- a/x.py\n+++ b/x.py\n@@ -1,2 +1,2 @@\n a\n-b\n+c\n@@ -9 +9 @@\n-d\n+e\n"
    made = patches.made_up("x 1", text)
    assert made is not None
    before, after = made.files["x.py"].split("\n"), made.edits["x.py"].split("\n")
    assert [line for line in before if "made_up" not in line] == ["a", "b", "d", ""]
    assert [line for line in after if "made_up" not in line] == ["a", "c", "e", ""]
    assert len(set(before)) == len(before) == 3 * patches.GAP + 4
    assert patches.made_up("x 2", "--- /dev/null\n+++ b/x.py\n@@ -0,0 +1 @@\n+a\n") is None
    assert patches.made_up("x 3", "no patch") is None
