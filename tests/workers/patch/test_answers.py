"""What `workers.patch` promises: every understandable answer lands as meant, every doubtful one is refused."""

from __future__ import annotations

import ast
import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.workers.fixers.trees import MemoryTree
from tests.workers.patch.cases import ACCEPTED, CALC, GOOD, REFUSED, SR, Case
from workers.patch import PatchError, check, read_answer, reasoning

JUNK = ("\n", "...\n", "```\n", "</think>\n", "@@\n", "\\ No newline at end of file\n", "*** Begin Patch\n", "\x00\n",
        "*** Update File: shop/calc.py\n", "+++ /dev/null\n", "--- a/../x\n", "\ud800", "=======\n",
        "&lt;", "    \n", '"}')  # fmt: skip


@pytest.mark.fault(25)
@pytest.mark.parametrize("case", ACCEPTED, ids=lambda case: case.name)
def test_a_malformed_answer_is_understood(case: Case) -> None:
    """Exactly the meant files change, to exactly the meant bytes, and git's diff of them is well-formed."""
    tree = MemoryTree(dict(case.before))
    edits = read_answer(case.answer, tree)
    assert {path: data.decode() if data is not None else None for path, data in edits.items()} == case.after
    assert check(tree.diff(edits))[0] == len(case.after)


@pytest.mark.fault(42)
@pytest.mark.parametrize(("before", "answer", "why"), [case[1:] for case in REFUSED], ids=[case[0] for case in REFUSED])
def test_a_doubtful_answer_is_refused(before: dict[str, str | bytes], answer: str, why: str) -> None:
    """Nothing is changed and the message says what to correct."""
    with pytest.raises(PatchError, match=why):
        read_answer(answer, MemoryTree(before))


def test_the_refusal_shows_the_nearest_real_lines() -> None:
    """The author can correct the answer from the message alone."""
    tree = MemoryTree({"a.py": "def total(a):\n    value = a + 1\n    return value\n"})
    answer = "a.py\n<<<<<<< SEARCH\n    value = b * 2 + 1\n=======\n    value = b\n>>>>>>> REPLACE\n"
    with pytest.raises(PatchError) as refused:
        read_answer(answer, tree)
    assert "value = a + 1" in str(refused.value)


def test_all_changes_that_do_not_fit_are_told_at_once() -> None:
    """With the number of those that do not, the real lines nearest to each, and where these begin."""
    text = "".join(f"value_{i} = {i}\n" for i in range(3000))
    answer = "".join(
        f"a.py\n<<<<<<< SEARCH\nvalue_{i} = {i} + offset\nother = {i}\n=======\nx = 1\n>>>>>>> REPLACE\n"
        for i in (1234, 2345)
    )
    with pytest.raises(PatchError) as refused:
        read_answer(answer, MemoryTree({"a.py": text, "b.py": text}))
    told = str(refused.value)
    for i in (1234, 2345):
        assert f"    | value_{i} = {i}\n" in told
    assert len([line for line in told.splitlines() if line.startswith("    | value_")]) >= 12
    assert "from 1234 on" in told or "from 1233 on" in told


def test_a_file_of_ten_megabytes_is_changed() -> None:
    """Only a larger one is refused."""
    line = b"a line of thirty-two characters\n"
    text = line * ((10 << 20) // len(line) - 1) + b"the last one\n"
    answer = "big.txt\n<<<<<<< SEARCH\nthe last one\n=======\nthe end\n>>>>>>> REPLACE\n"
    assert read_answer(answer, MemoryTree({"big.txt": text})) == {"big.txt": text[:-9] + b"end\n"}
    with pytest.raises(PatchError, match="too large"):
        read_answer(answer, MemoryTree({"big.txt": line * 20 + text}))


def test_a_file_that_was_broken_before_may_stay_broken() -> None:
    """The syntax gate only refuses what the change itself broke."""
    tree = MemoryTree({"a.py": "x = (\ny = 1\n"})
    assert read_answer("--- a/a.py\n+++ b/a.py\n@@ -2 +2 @@\n-y = 1\n+y = 2\n", tree) == {"a.py": b"x = (\ny = 2\n"}


def test_reasoning_is_found_beside_the_edit() -> None:
    """From JSON, from the analysis tag, or from the prose above."""
    assert reasoning('{"diff": "x", "reasoning": "because"}') == "because"
    assert reasoning("<analysis>off by one</analysis>\na.py\n<<<<<<< SEARCH\n") == "off by one"
    assert reasoning("Off by one.\n```diff\n--- a/x\n") == "Off by one."


@pytest.mark.parametrize("text", ["", "hello", "--- a/x\n+++ b/x\n@@ -1,5 +1 @@\n-x\n", "GIT binary patch\n"])
def test_a_diff_that_is_none_is_refused(text: str) -> None:
    """Empty, prose, wrong counts and binary content never pass the check."""
    with pytest.raises(PatchError):
        check(text)


@given(
    st.lists(st.sampled_from([*GOOD.splitlines(keepends=True), *SR.splitlines(keepends=True), *JUNK]), max_size=25),
    st.sampled_from(["", "<think>", "```diff\n", '{"diff": "', "shop/calc.py\n"]),
)
@settings(max_examples=200, deadline=None)
def test_no_answer_can_do_worse_than_be_refused(lines: list[str], opening: str) -> None:
    """Any mixture of fragments is an edit that parses, or a PatchError: nothing else is raised."""
    tree = MemoryTree({"shop/calc.py": CALC, "README.md": "# Shop\n"})
    try:
        edits = read_answer(opening + "".join(lines), tree)
    except PatchError:
        return
    assert edits
    for path, data in edits.items():
        assert ".." not in path.split("/")
        if path.endswith(".py") and data is not None:
            ast.parse(data)


@pytest.mark.fault(42)
@pytest.mark.parametrize(
    "text",
    ["<think>" * 40_000, "<<<<<<< SEARCH\n" * 20_000, "@@\n-a\n+b\n" * 3000, "[" * 100_000, "{" * 100_000,
     "--- a/shop/calc.py\n+++ b/shop/calc.py\n@@\n" + " x = 1\n" * 20_000 + "-y\n+z\n" + " x = 1\n" * 20_000,
     '{"diff": "' + "\\ud800" * 1000 + '"}', "a/" * 50_000 + "x.py\n```python\nx\n```\n"],
    ids=range(8),
)  # fmt: skip
def test_a_huge_answer_is_refused_in_time(text: str) -> None:
    """No answer holds the worker up."""
    started = time.process_time()
    with pytest.raises(PatchError):
        read_answer(text, MemoryTree({"shop/calc.py": CALC * 20}))
    assert time.process_time() - started < 5
