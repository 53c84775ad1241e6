"""A report's own example becomes a test, or there is none: each file in `cases` is a report, a line, and the test."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

from tests.workers.hostile import HOSTILE
from tests.workers.witness import shop
from workers.witness import rules
from workers.witness.mechanical import MOST, drafts
from workers.witness.names import Names
from workers.witness.runner import Runner

CASES = sorted((Path(__file__).parent / "cases").glob("*.txt"))


@pytest.mark.parametrize("case", CASES, ids=lambda path: path.stem)
def test_an_example_becomes_a_test(case: Path) -> None:
    """The likeliest draft is this one, and it breaks none of the rules; or no example is certain."""
    body, _, expected = case.read_text().partition("=====\n")
    found = drafts(shop.report(body), shop.tree(), Runner.PYTEST)
    assert (found[0].text if found else "") == expected
    for draft in found:
        assert rules.review("tests/test_issue_12.py", draft.text.encode(), Names(shop.tree())) == []


def test_unittest_gets_a_class() -> None:
    """Where the repository uses unittest, so does the test."""
    (draft,) = drafts(shop.report("`discounted(100, 10)` returns `100`, expected `95`"), shop.tree(), Runner.UNITTEST)
    assert draft.text == (
        "import unittest\n\nfrom shop.rates import discounted\n\n\nclass ReportedTest(unittest.TestCase):\n"
        '    def test_issue_12(self):\n        """Issue 12: No discount for ten."""\n'
        "        self.assertEqual(discounted(100, 10), 95)\n"
    )


def test_what_was_seen_is_remembered() -> None:
    """The value that the report tells of, as the runner would write it; the exception that a session ended with."""
    (value,) = drafts(shop.report("`discounted(100, 10)` returns `100`, expected `95`"), shop.tree(), Runner.PYTEST)
    assert "assert 100 == 95" in value.words
    crash = ">>> discounted(1, None)\nTraceback (most recent call last):\nTypeError: bad"
    (raised,) = drafts(shop.report(f"```\n{crash}\n```"), shop.tree(), Runner.PYTEST)
    assert raised.raises == {"TypeError"}


def test_examples_in_comments_count() -> None:
    """Who asks again may give the example that the report lacked."""
    told = shop.report("It is wrong.", "Discount", "Here: `discounted(100, 10)` returns `100`, expected `95`")
    assert len(drafts(told, shop.tree(), Runner.PYTEST)) == 1


@pytest.mark.parametrize("text", HOSTILE, ids=range(len(HOSTILE)))
def test_any_report_is_read(text: str) -> None:
    """No text raises or writes anything but Python, and there are few drafts of it."""
    body = f"```python\n>>> discounted(100, 10)\n100\n```\nExpected: 95\n{text}\n```python\n{text}\n```\n`{text}`"
    for runner in Runner:
        found = drafts(shop.report(body, text, text), shop.tree(), runner)
        assert len(found) <= MOST
        for draft in found:
            ast.parse(draft.text)
