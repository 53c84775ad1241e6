"""Where a text is cut, no half of a secret is left that has no shape any more by which it could be found."""

from __future__ import annotations

import pytest

from sandbox.capture import Capture, begun
from workers import logs
from workers.redact import redact

pytestmark = pytest.mark.uncounted

TOKEN = "ghp_" + "A1b2C3d4E5" * 4
STRANGERS = {
    "a token in a short line": (f"before\ntoken is {TOKEN} there\nafter\n", TOKEN),
    "a token in an endless line": (f"{'x' * 9000}{TOKEN}{'y' * 9000}\n", TOKEN),
    "a token in an endless line of words": (f"{'word ' * 2000}{TOKEN}{' word' * 2000}\n", TOKEN),
    "a key that only its name tells": (f"a\naws_secret_access_key = {TOKEN[4:]}\nb\n", TOKEN[4:]),
    "a password in an address": (f"a\r\npostgres://me:{'p4ss' * 10}@db/x\rb\n", "p4ss" * 10),
    "a private key": (f"a\n-----BEGIN RSA PRIVATE KEY-----\n{'MIIEow1b' * 8}\n{'AAKCAQE9' * 8}\n"
                      "-----END RSA PRIVATE KEY-----\nb\n", "AAKCAQE9"),
}  # fmt: skip


@pytest.mark.fault(30, 34)
@pytest.mark.parametrize("name", STRANGERS)
def test_the_cap_leaves_no_half_of_a_secret(name: str) -> None:
    """Wherever the cap cuts, in the head, in the tail or in a line that is too long: after redaction no twelve letters
    of a stranger's secret can be read. A cut by bytes alone does leave some, so this can fail."""
    text, secret = STRANGERS[name]
    pieces = {secret[n : n + 12] for n in range(len(secret) - 11)} or {secret}
    at, size, naive = text.index(secret), len(text), False
    for cut in range(at - 30, at + len(secret) + 30, 3):
        head, tail = Capture(max(1, cut), 1), Capture(0, max(1, size - cut))
        for capture in (head, tail):
            capture.feed(text.encode() + b"z" * (2 if capture is head else 0))
            shown = redact(capture.output().text)
            assert not any(piece in shown for piece in pieces), (cut, shown[-200:])
        naive = naive or any(piece in redact(text[:cut]) + redact(text[cut:]) for piece in pieces)
    assert naive


@pytest.mark.fault(30)
@pytest.mark.parametrize("name", STRANGERS)
def test_no_excerpt_begins_or_ends_in_a_secret(name: str) -> None:
    """What people are shown of a long text, and what of it is looked at, is cut after it was redacted."""
    text, secret = STRANGERS[name]
    pieces = {secret[n : n + 12] for n in range(len(secret) - 11)} or {secret}
    for limit in range(100, len(text), 1 + len(text) // 60):
        for shown in (logs.excerpt(text, limit), logs.ending(text, limit)):
            assert len(shown) <= limit
            assert not any(piece in redact(shown) for piece in pieces), (limit, shown)


@pytest.mark.fault(30)
@pytest.mark.parametrize("limit", [500, 2_000, 4_000])
def test_a_tests_message_loses_the_word_that_is_torn(limit: int) -> None:
    """So does a message in a report, however long it may be; one that fits stays as it is."""
    for before in range(limit - len(TOKEN), limit):
        text = f"{'word ' * (before // 5)}{'x' * (before % 5)} {TOKEN}"
        assert TOKEN[:8] not in redact(begun(text, limit))
    assert begun("a b", 3) == "a b"
    assert limit // 2 <= len(begun("x" * 10_000, limit)) < limit
