"""A report as it is kept: without what readers do not see, without secrets, bounded."""

from __future__ import annotations

import pytest

from tests.workers.witness import shop
from workers.domain import IssueReport, Remark
from workers.redact import MARK, redact
from workers.witness.reported import BODY, COMMENT, COMMENTS, from_text, kept, without_hidden

TOKEN = "ghp_" + "A1b2C3d4E5f6G7h8I9j0K1l2M3n4O5p6Q7r8"


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("a <!-- x --> b", "a  b"),
        ("a\n<!-- one\ntwo -->\nb", "a\nb"),
        ("a\n<!-- never closed\nb", "a"),
        ("<!-- a --><!-- b -->c", "c"),
        ("```html\n<!-- seen -->\n```", "```html\n<!-- seen -->\n```"),
        ("<!-- ```\nhidden\n``` -->\nshown", "\nshown".strip("\n")),
        ("~~~\n<!-- seen\n~~~\n<!-- hidden -->x", "~~~\n<!-- seen\n~~~\nx"),
        ("````\n```\n<!-- seen -->\n````", "````\n```\n<!-- seen -->\n````"),
    ],
)
def test_hidden_comments_go(text: str, shown: str) -> None:
    """What GitHub does not show is not read; inside of code it is text like any other."""
    assert without_hidden(text) == shown


def test_a_report_is_bounded_and_clean() -> None:
    """Secrets, hidden characters and commands go; the newest comments stay; everything has an end."""
    comments = tuple(Remark("ada", f"{n} {'y' * COMMENT}", n) for n in range(30))
    raw = IssueReport(1, f"a\u200bb {TOKEN}\nc", f"x\u202e {TOKEN}\n/heal fix\n" + "z" * 2 * BODY, comments=comments)
    found = kept(raw, redact)
    assert found.title == f"ab {MARK} c"
    assert found.body.startswith(f"x {MARK}\n\nzzz")
    assert len(found.body) == BODY
    assert [one.comment_id for one in found.comments] == list(range(30 - COMMENTS, 30))
    assert all(len(one.body) == COMMENT for one in found.comments)


def test_a_comment_that_only_gives_a_command_says_nothing() -> None:
    """`/heal` is no part of the report."""
    assert kept(shop.report("Broken.", "t", "/heal", "It is on main."), redact).comments[0].body == "It is on main."


def test_a_report_out_of_a_file() -> None:
    """The first line is the title."""
    found = from_text("\n# No discount\n\nExpected 95.\n", redact)
    assert (found.number, found.title, found.body) == (0, "No discount", "Expected 95.")
