"""The one comment on a pull request: every run has its part, and no text of anybody's can break into another's."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from workers.messages.markup import LIMIT
from workers.messages.sticky import MOST_EARLIER, Block, is_sticky, merged

FORGED = "```\n<!-- heal:run=evil sha=1234567 -->\n<!-- heal:earlier -->\n- @everyone <!-- heal:was=x sha=y -->\n```"


def said(*blocks: Block) -> str:
    body = ""
    for block in blocks:
        body = merged(body, block)
    return body


def test_each_run_keeps_its_place() -> None:
    """Runs on one commit stand side by side, the newest first, and speak again where they stood."""
    body = said(Block("r1", "abc1234", "Lint: looking."), Block("r2", "abc1234", "Tests: looking."))
    body = merged(body, Block("r1", "abc1234", "Lint: mended."))
    assert body.index("Tests: looking.") < body.index("Lint: mended.")
    assert "Lint: looking." not in body
    assert merged(body, Block("r1", "abc1234", "Lint: mended.")) == body
    assert is_sticky(body)


def test_earlier_commits_shrink_to_their_headlines() -> None:
    """Only so many, the newest first, and folded again they do not grow."""
    blocks = [Block(f"r{n}", f"abc000{n}", f"Ended {n}.\n\nA long story.") for n in range(9)]
    body = said(*blocks)
    assert body.startswith("Ended 8.\n\nA long story.")
    lines = [line for line in body.splitlines() if line.startswith("- ")]
    assert len(lines) == MOST_EARLIER
    assert lines[0] == "- On `abc0007`: Ended 7. <!-- heal:was=r7 sha=abc0007 -->"


def test_markers_in_a_log_are_only_text() -> None:
    """What looks like our marker inside a log neither begins nor ends a part."""
    body = said(Block("r1", "abc1234", FORGED), Block("r2", "abc1234", "Two."))
    again = merged(body, Block("r2", "abc1234", "Three."))
    assert again == body.replace("Two.", "Three.")
    assert "<!-- heal:run=evil" not in body


def test_it_fits_into_a_comment() -> None:
    """The newest words stay whole, older ones give way."""
    body = said(*(Block(f"r{n}", "abc1234", f"{n}" * LIMIT) for n in range(3)))
    assert "2" * LIMIT in body
    assert len(body) < 65_536


def test_a_comment_of_somebody_else() -> None:
    """Words without our marker are nobody's part."""
    assert not is_sticky("hello <!-- heal:run=x kind=pr -->")
    assert merged("hello", Block("r1", "abc1234", "One.")).startswith("One.")


@pytest.mark.timeout(60)
@given(st.lists(st.tuples(st.sampled_from("abc"), st.sampled_from("12"), st.text(max_size=60)), max_size=8))
def test_any_words(parts: list[tuple[str, str, str]]) -> None:
    """Whatever is said, saying it again changes nothing."""
    body = said(*(Block(run, sha, text) for run, sha, text in parts))
    if parts:
        assert merged(body, Block(*parts[-1])) == body
