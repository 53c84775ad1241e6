"""`/heal` in comments: found where a person wrote it as their own words, and nowhere else."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.commands import Command, Verb, find


@pytest.mark.parametrize(
    ("body", "command"),
    [
        ("/heal fix", Command(Verb.FIX, "fix")),
        ("please\n/heal   RETRY hint=x y \nthanks", Command(Verb.RETRY, "RETRY", "hint=x y")),
        ("/heal", Command(Verb.HELP, "")),
        ("/HEAL stop\r\n", Command(Verb.STOP, "stop")),
        ("/heal frobnicate", Command(None, "frobnicate")),
        ("```\ncode\n```\n/heal status", Command(Verb.STATUS, "status")),
        ("/heal stop\n/heal fix", Command(Verb.STOP, "stop")),
    ],
)
def test_found(body: str, command: Command) -> None:
    """The first command line counts; its verb is read without regard to case."""
    assert find(body) == command


@pytest.mark.parametrize(
    "body",
    [
        "",
        "> /heal fix",
        "    /heal fix",
        "see /heal fix",
        "/healthy",
        "```\n/heal fix\n```",
        "~~~sh\n/heal fix\n~~~",
        "````\n```\n/heal fix\n````",
        "```\n/heal fix",
        "<!-- \n/heal fix\n-->",
        "<!--\n/heal fix",
        "`/heal fix`",
    ],
)
def test_not_a_command(body: str) -> None:
    """Quotes, code, comments and other words are no commands."""
    assert find(body) is None


@given(st.text())
def test_any_text(body: str) -> None:
    """Any comment is read without an error."""
    find(body)
