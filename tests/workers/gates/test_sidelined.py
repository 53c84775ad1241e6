"""Which statements a patch puts behind a condition that held in no test: what only looks like it stays."""

from __future__ import annotations

from collections.abc import Set

import pytest

from workers.gates.sidelined import sidelined

BEFORE = """\
def words(text):
    found = []
    for one in text:
        if one == ",":
            found.append(one)
        else:
            found.append(one.lower())
    note(found)
    return found
"""
GUARDED = BEFORE.replace(
    "            found.append(one)\n", "            if not text:\n                found.append(one)\n"
)
NARROWER = BEFORE.replace('if one == ",":', 'if one == "," and not text:').replace(
    "        else:\n            found.append(one.lower())\n", ""
)
NO_ELSE = BEFORE.replace("        else:\n            found.append(one.lower())\n", "")
NOTED = BEFORE.replace("    note(found)\n", "    if found is None:\n        note(found)\n")
OTHERWISE = NOTED.replace("        note(found)\n", "        note(found)\n    else:\n        say(found)\n")
EARLY = BEFORE.replace("    note(found)\n", "    if not text:\n        return found\n    note(found)\n")
BLOCK = """\
def words(text):
    if not text:
        found = []
        for one in text:
            if one == ",":
                found.append(one)
            else:
                found.append(one.lower())
        note(found)
    return found
"""
ALL = frozenset(range(1, 40))


def without(*lines: int) -> frozenset[int]:
    return ALL - set(lines)


@pytest.mark.parametrize(
    ("before", "after", "executed", "lines"),
    [
        (BEFORE, GUARDED, without(6), (6,)),
        (BEFORE, NOTED, without(9), (9,)),
        (BEFORE, BLOCK, without(*range(3, 10)), (3, 6, 8, 9)),
        (NO_ELSE, NARROWER, without(5), (5,)),
        (
            BEFORE,
            NOTED.replace("        note(found)\n", "        note(found)\n    else:\n        pass\n"),
            without(9),
            (9,),
        ),
        ("x = 1\nrun(x)\n", "x = 1\nwhile x > 1:\n    run(x)\n", without(3), (3,)),
        ("x = 1\nrun(x)\n", "x = 1\nif x:\n    print(x)\nelif x > 1:\n    run(x)\n", without(5), (5,)),
    ],
    ids=["a line", "a call", "a block", "one condition more", "an empty else", "a loop", "another branch"],
)
def test_a_statement_behind_a_condition_that_never_held(
    before: str, after: str, executed: Set[int], lines: tuple[int, ...]
) -> None:
    """The patch that deletes it would be as green: each is named by its line in the patched file."""
    assert sidelined(before.encode(), after.encode(), executed) == lines


RAISED = "def scaled(total, n):\n    total *= n\n    return total\n"


@pytest.mark.parametrize(
    ("condition", "raised", "lines"),
    [("total", {2}, ()), ("total", set(), (3,)), ("total", {4}, (3,)), ("LIMIT > 1", {2}, (3,))],
    ids=["is there a value", "it did not raise", "another line did", "nothing to do with it"],
)
def test_what_raised_may_be_left_out_where_the_condition_is_about_it(
    condition: str, raised: Set[int], lines: tuple[int, ...]
) -> None:
    """`if total: total *= n`, where there was no total: that nobody executes it with one is no news of the patch.
    What hangs on it goes with it."""
    after = RAISED.replace("    total *= n\n", f"    if {condition}:\n        total *= n\n")
    assert sidelined(RAISED.encode(), after.encode(), without(3), raised) == lines
    before = RAISED.replace("    return", "    n += 1\n    return")
    both = after.replace("        total *= n\n", "        total *= n\n        n += 1\n")
    assert sidelined(before.encode(), both.encode(), without(3, 4), raised) == (lines and (3, 4))


@pytest.mark.parametrize(
    ("before", "after", "executed"),
    [
        (BEFORE, GUARDED, ALL),
        (BEFORE, GUARDED, without(5, 6)),
        (BEFORE, OTHERWISE, without(9)),
        (BEFORE, EARLY, without(9)),
        (BEFORE, BEFORE.replace("note(found)", "note(one)"), without(8)),
        (BEFORE, BEFORE.replace('one == ","', 'one != ","'), without(5)),
        (NOTED, NOTED.replace("found is None", "text is None"), without(9)),
        (NOTED, NOTED.replace("found is None", "found is None and found is None"), without(9)),
        (BEFORE, BEFORE.replace("    note(found)\n", "    if not text: note(found)\n"), ALL),
        (NOTED, BEFORE, without(8)),
        (BEFORE, BEFORE.replace("    note(found)\n", "    if not text:\n        pass\n    note(found)\n"), without(9)),
        (BEFORE, "def words(text\n", ALL),
        ("def words(text\n", GUARDED, ALL),
        (f"x = {'-' * 3000}1\n", f"x = 1\nif x > 1:\n    x = {'+'.join('1' * 3000)}\n", without(3)),
    ],
    ids=[
        "the condition held", "nobody came to it", "something else was done", "an early end", "no condition",
        "another operator", "another condition", "the same condition", "on one line", "fewer conditions",
        "nothing in it", "no Python now", "no Python before", "too deep",
    ],
)  # fmt: skip
def test_what_tests_have_tried_or_the_patch_did_not_guard(before: str, after: str, executed: Set[int]) -> None:
    """A guard that held somewhere is proven, one that nobody came to says nothing, the rest is other edits."""
    assert sidelined(before.encode(), after.encode(), executed) == ()
