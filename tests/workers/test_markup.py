"""The three doors through which text of others enters a message: nothing that acts gets through any of them."""

from __future__ import annotations

import re

from hypothesis import example, given, settings
from hypothesis import strategies as st

from tests.workers.test_injection import assert_names_nobody, tokens
from workers.messages.markup import fence, inert, plain, quote

PIECES = st.sampled_from(
    [
        *("@ada", "@octo/team", "#12", "GH-12", "octo/shop#1", "fixes ", "Closes: ", "resolves\t"),
        *("/heal", "/lgtm", "/merge", "https://evil.example", "www.evil.example", "mailto:a@b.c", "a@b.co"),
        *("<b>", "</details>", "<!--", "-->", "![x](y)", "[x](y)", "[x]: y", "&amp;", "&#64;", "$x$"),
        *("`", "``", "```", "~~~", "*", "**", "_", "__", "~~", "|", "\\", ">", "- ", "1. ", "# ", "===", "---"),
        *("\n", "\n\n", "    ", "\t", " ", "word", "\u200b", "\u202e", "\x1b[1m", "\r", "\u00e9"),
    ]
)
TEXTS = st.lists(PIECES, max_size=14).map("".join)
MANY = settings(max_examples=300)
COMMAND = re.compile(r"^/[a-z][\w-]*(?![\w/.-])", re.IGNORECASE | re.MULTILINE)
CLOSES = re.compile(r"\b(close[sd]?|fix(es|ed)?|resolve[sd]?)\W*(([\w.-]+/[\w.-]+)?#\d|GH-\d|https?://)", re.IGNORECASE)
ONLY_WORDS = {"paragraph_open", "paragraph_close", "inline", "text", "code_inline", "text_special"}


@MANY
@given(TEXTS)
@example("`a``@ada`")
@example("__GH-12__")
@example("@`ada` #`12` fixes `x` #1")
@example("\\`@ada\\`")
def test_prose_is_nothing_but_words_and_code(text: str) -> None:
    """One paragraph of text and inline code: nobody is named, nothing is linked, closed or commanded."""
    shown = plain(text)
    for token in tokens(shown):
        assert token.type in ONLY_WORDS, (token.type, shown)
        if token.type == "text":
            assert_names_nobody(token.content)
            assert not CLOSES.search(token.content)
    assert not COMMAND.search(shown)


@MANY
@given(TEXTS)
def test_a_quote_is_one_inline_code(text: str) -> None:
    """Whatever is in it stays inside, also beside other words and in a table."""
    shown = f"so {quote(text)} it is"
    kinds = [token.type for token in tokens(shown) if token.type not in ("paragraph_open", "paragraph_close", "inline")]
    assert kinds == ["text", "code_inline", "text"], shown
    row = f"| a | b |\n|---|---|\n| {quote(text)} | c |"
    cells = [token for token in tokens(row) if token.type == "td_open"]
    assert len(cells) == 2
    assert not COMMAND.search(quote(text))


@MANY
@given(TEXTS)
def test_a_fence_is_one_block(text: str) -> None:
    """Nothing closes it early, and no line of it can be taken for a command by a bot that reads no Markdown."""
    shown = fence(text)
    assert [token.type for token in tokens(shown)] == ["fence"]
    assert not COMMAND.search(shown)


@MANY
@given(TEXTS)
def test_a_title_is_one_line_that_does_nothing(text: str) -> None:
    """Titles and commit messages are read without Markdown: no name, reference, address, closing word or command."""
    shown = inert(text)
    assert "\n" not in shown
    assert_names_nobody(shown)
    assert not CLOSES.search(shown)
    assert not COMMAND.search(shown)
