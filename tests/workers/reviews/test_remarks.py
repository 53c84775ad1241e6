"""What remarks ask for: each line of the table is a remark somebody might write."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.workers.hostile import HOSTILE
from workers.remarks import Ask, asked, rejected, sentences, suggestion

CHANGE = (
    "Could you use >= here?",
    "Can we keep the old name, please?",
    "nit: rename to `total`",
    "Please add a docstring.",
    "This should be a constant.",
    "This should be a constant. Why 10?",
    "I'd rather have a constant here",
    "We want the old name back",
    "Don't touch the cache.",
    "typo",
    "Wrong approach, use a dict instead.",
    "No, wrong approach. It should compare with >=.",
    "No. Use the helper.",
    "Would you mind moving this down?",
    "Don't close this yet.",
    "> why?\n\nremove the comment",
    "Looks good. But please drop the print.",
)
QUESTION = (
    "Why 10?",
    "How do you know it works? The tests are thin.",
    "can you explain why this is safe",
    "What did you run?",
    "Is `None` possible here?",
    "Please tell me which command was red.",
    "This looks odd. Was it like that before?",
    "Should we close this?\nWhat is the cause?",
)
REJECTION = (
    "No, wrong approach.",
    "This is the wrong fix.",
    "That's not the right approach",
    "I close this PR, I will do it myself",
    "> suggestion\n\nReject this pull request.",
)
NOTHING = (
    "LGTM",
    "Thanks for this!",
    "nice catch",
    "\N{THUMBS UP SIGN}",
    ":+1:",
    "",
    "> only a quote",
    "/heal retry",
    "<!-- close this -->ok",
    "```\nclose this\n```",
    "Looks good to me. Thanks!",
    "LGTM, thanks!",
)
UNCLEAR = ("This is odd.", "Shouldn't this be >=?", "How about a dict?", "hmm", "The boundary is inclusive.")
TABLE = [
    (ask, body)
    for ask, bodies in (
        (Ask.CHANGE, CHANGE), (Ask.QUESTION, QUESTION), (Ask.REJECTION, REJECTION), (Ask.NOTHING, NOTHING),
        (Ask.UNCLEAR, UNCLEAR),
    )
    for body in bodies
]  # fmt: skip


@pytest.mark.parametrize(("ask", "body"), TABLE, ids=[body[:30] for _, body in TABLE])
def test_what_a_remark_asks_for(ask: Ask, body: str) -> None:
    """The rules read the words a person wrote, and neither what he quotes nor what nobody sees."""
    assert asked(body) is ask


@pytest.mark.parametrize(
    ("body", "whole"),
    [
        ("No.", True),
        ("no, thanks", True),
        ("Please close this.", True),
        ("Close this, I will do it myself.", True),
        ("We don't want this.", True),
        ("Rejected.", True),
        ("Close this file handle.", False),
        ("Open the file and close it.", False),
        ("Valid input is rejected now.", False),
        ("This compares the wrong way.", False),
        ("I don't want this to be public.", False),
        ("Don't close this yet.", False),
        ("drop this", False),
        ("There is a closed PR with the same idea.", False),
        ("Should we close this?", False),
    ],
)
def test_what_is_said_of_all_is_not_what_is_said_of_a_line(body: str, whole: bool) -> None:
    """The same words at a line are about the line, and a word about the code closes nothing."""
    assert (asked(body, of_all=True) is Ask.REJECTION) is whole
    assert asked(body) is not Ask.REJECTION
    assert rejected("changes_requested", body, []) is whole
    assert not rejected("changes_requested", "", [body])
    assert not rejected("commented", "", [body])


@pytest.mark.parametrize(
    ("state", "body", "comments", "answer"),
    [
        ("changes_requested", "No, wrong approach.", [], True),
        ("changes_requested", "No, wrong approach.", ["Why is this here?"], True),
        ("changes_requested", "", ["wrong approach", "LGTM"], True),
        ("changes_requested", "", ["wrong approach", "rename it"], False),
        ("changes_requested", "Please rename it.", ["wrong approach"], False),
        ("changes_requested", "", [], False),
        ("commented", "", ["No, wrong approach."], True),
        ("commented", "", ["No. Wrong approach."], True),
        ("commented", "Wrong approach. Hard to read.", [], False),
        ("commented", "", ["wrong fix", "wrong approach"], False),
        ("approved", "No, wrong approach.", [], False),
    ],
)
def test_a_whole_attempt_is_rejected_by_clear_words_alone(
    state: str, body: str, comments: list[str], answer: bool
) -> None:
    """Doubt keeps an attempt open: it can be closed later, and a person's word closes it at once."""
    assert rejected(state, body, comments) is answer


@pytest.mark.parametrize(
    ("body", "code"),
    [
        ("```suggestion\n    return a\n```", "    return a\n"),
        ("Like this:\r\n```suggestion\r\na\r\nb\r\n```\r\nthanks", "a\nb\n"),
        ("```suggestion\n```", ""),
        ("````suggestion\n```\n````", "```\n"),
        ("```suggestion\na\n", None),
        ("```suggestion\na\n```\n```suggestion\nb\n```", None),
        ("```python\na\n```", None),
        ("> ```suggestion\n> a\n> ```", None),
        ("use `x`", None),
    ],
)
def test_the_code_of_a_suggestion(body: str, code: str | None) -> None:
    """Exactly what stands between the fences of the one block there is."""
    assert suggestion(body) == code


@pytest.mark.parametrize("text", HOSTILE, ids=range(len(HOSTILE)))
def test_hostile_text_closes_nothing(text: str) -> None:
    """What attacks prompts and markup is no clear word of a reviewer."""
    assert asked(text) in Ask
    assert not rejected("commented", "", [text])


@given(st.text(alphabet="nit, `~<!->\n?./healclose this no", max_size=400))
def test_any_text_is_read(text: str) -> None:
    """Nothing raises, and a remark without sentences asks for nothing unless it holds a suggestion."""
    assert asked(text) is not Ask.NOTHING or suggestion(text) is None
    if not sentences(text) and suggestion(text) is None:
        assert asked(text) is Ask.NOTHING


@pytest.mark.parametrize("piece", ["nit, ", "please ", "<!--", "```\n", "can you please ", "don't ", "no no ", "  "])
def test_long_text_is_read_like_short(piece: str) -> None:
    """A remark as long as GitHub allows is decided by its beginning, at once."""
    assert asked(piece * 13_000) in Ask
