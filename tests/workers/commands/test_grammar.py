"""`/heal` in comments: found where a person wrote it as their own words, and read as it was meant."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from workers.commands import MOST, Command, Mistake, Verb, Wrong, find, find_all
from workers.commands.grammar import duration


@pytest.mark.parametrize(
    ("body", "command"),
    [
        ("/heal", Command(Verb.FIX)),
        ("/heal fix", Command(Verb.FIX)),
        ("/Heal STOP\r\n", Command(Verb.STOP)),
        ("```\ncode\n```\n/heal status", Command(Verb.STATUS)),
        ("```inline``` text\n/heal status", Command(Verb.STATUS)),
        ("```\n<!--\n```\n/heal fix", Command(Verb.FIX)),
        ("<!-- a note -->\n/heal undo", Command(Verb.UNDO)),
        ('/heal fix <!-- hint="something hidden" --> job=lint', Command(Verb.FIX, job="lint")),
        ('/heal fix job="unit (3.12)"', Command(Verb.FIX, job="unit (3.12)")),
        ("/heal retry hint=\u201cthe API returns 204\u201d", Command(Verb.RETRY, hint="the API returns 204")),
        ("/heal retry use the new client", Command(Verb.RETRY, hint="use the new client")),
        ('/heal retry hint="the API" returns 204', Command(Verb.RETRY, hint="the API returns 204")),
        ('/heal fix "it is a typo', Command(Verb.FIX, hint="it is a typo")),
        ("/heal ABCDEF1 look at it", Command(Verb.FIX, sha="abcdef1", hint="look at it")),
        ("/heal retry abcdef1234 budget=$1.50", Command(Verb.RETRY, sha="abcdef1234", budget_usd=1.5)),
        ("/heal fix model=openai:gpt-5", Command(Verb.FIX, model="openai:gpt-5")),
        ("/heal fix image=python:3.13", Command(Verb.FIX, image="python:3.13")),
        ("/heal pause for=7d", Command(Verb.PAUSE, seconds=7 * 86_400.0)),
        ("/heal ignore test=t.py::t[a=b] for=2h", Command(Verb.IGNORE, test="t.py::t[a=b]", seconds=7200.0)),
        ("/heal ignore tests/t.py::t[a=b]", Command(Verb.IGNORE, test="tests/t.py::t[a=b]")),
        ("/heal unignore job=lint", Command(Verb.UNIGNORE, job="lint")),
        ("/heal help me please", Command(Verb.HELP)),
    ],
)  # fmt: skip
def test_what_is_asked_for(body: str, command: Command) -> None:
    """Verbs in any case, values bare or quoted, free words as a hint, a commit in the first place."""
    assert find(body) == command


@pytest.mark.fault(72)
@pytest.mark.parametrize(
    "body",
    [
        "",
        "> /heal fix",
        "    /heal fix",
        " /heal fix",
        "see /heal fix",
        "/healthy",
        "/heal.fix",
        "```\n/heal fix\n```",
        "~~~sh\n/heal fix\n~~~",
        "````\n```\n/heal fix\n````",
        "```\n/heal fix",
        "<!-- \n/heal fix\n-->",
        "<!--\n/heal fix",
        "<!-- x\n--> /heal fix",
        "`/heal fix`",
        "one line\u2028/heal fix",
        "one line\x0b/heal fix",
        "\u200b/heal fix",
    ],
)
def test_not_a_command(body: str) -> None:
    """Quotes, code, HTML comments and other words are no commands, nor is what only Python takes for a new line."""
    assert find(body) is None
    assert find_all(body) == ()


@pytest.mark.parametrize(
    ("line", "mistake"),
    [
        ("retyr", Mistake(Wrong.VERB, "retyr", nearest="retry")),
        ("frobnicate", Mistake(Wrong.VERB, "frobnicate")),
        ("fix jop=lint", Mistake(Wrong.KEY, "jop", verb=Verb.FIX, nearest="job")),
        ("stop for=7d", Mistake(Wrong.MISPLACED, "for", verb=Verb.STOP)),
        ("fix job=", Mistake(Wrong.EMPTY, "job", verb=Verb.FIX)),
        ("pause for=forever", Mistake(Wrong.DURATION, "for", "forever")),
        ("pause for=91d", Mistake(Wrong.DURATION, "for", "91d")),
        ("pause for=0h", Mistake(Wrong.DURATION, "for", "0h")),
        ("pause 7d", Mistake(Wrong.WORD, "7d", verb=Verb.PAUSE)),
        ("fix budget=nan", Mistake(Wrong.BUDGET, "budget", "nan")),
        ("fix budget=1000", Mistake(Wrong.BUDGET, "budget", "1000")),
        ("fix model=gpt", Mistake(Wrong.MODEL, "model", "gpt")),
        ("fix image=-v/:/host", Mistake(Wrong.IMAGE, "image", "-v/:/host")),
    ],
)
def test_mistakes_say_what_was_expected(line: str, mistake: Mistake) -> None:
    """Each with the word as it was written, and the nearest one that is known."""
    assert find(f"/heal {line}") == mistake


def test_at_most_three_of_one_comment() -> None:
    """What comes after is not read."""
    assert len(find_all("/heal status\n" * 9)) == MOST


def test_durations() -> None:
    """Minutes to weeks, up to 90 days."""
    assert [duration(text) for text in ("30m", "12h", "2W", "90d", "13w", "1s", "-1d", "\u0661d")] == [
        1800.0, 43_200.0, 1_209_600.0, 7_776_000.0, None, None, None, None
    ]  # fmt: skip


@given(st.text())
def test_any_comment_is_read(body: str) -> None:
    """Whatever it holds."""
    find_all(body)


@given(st.text(alphabet=st.sampled_from('/heal fix=" \t\n<!->`~\u201c7dm:.[]$'), max_size=400))
def test_any_line_is_read(rest: str) -> None:
    """Also one that begins as a command does."""
    assert find(f"/heal {rest}") is not None


@pytest.mark.uncounted
@pytest.mark.timeout(60)
@pytest.mark.parametrize("piece", ["<!--", "-->", "```", '"', 'a="', "a=", "`", "/heal ", "\n", "\u201c"])
def test_reading_is_linear(piece: str) -> None:
    """A megabyte of the same ends: in quadratic time it would take many minutes."""
    much = piece * (1_000_000 // len(piece))
    find_all("/heal fix " + much)
    assert len(find_all(much)) <= MOST
