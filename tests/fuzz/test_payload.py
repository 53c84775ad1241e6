"""Deliveries: recorded bodies with anything changed are read, decided on, and lead to what every database can hold."""

from __future__ import annotations

import contextlib
import json
from dataclasses import is_dataclass

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot import reading, signature, triage
from bot.decisions import Identity
from bot.payload import UnreadableEvent
from tests.bot.deliveries import PAYLOADS, REAL_PAYLOADS, encoded
from tests.fuzz.shapes import nested, rebuilt
from workers.store.codec import to_json

RECORDED = sorted(REAL_PAYLOADS.rglob("*.*.json")) if REAL_PAYLOADS.is_dir() else []
BODIES = [
    (path.name.partition(".")[0], json.loads(path.read_text()))
    for path in [*sorted(PAYLOADS.glob("*.json")), *RECORDED]
]
KEYS = (
    "id",
    "action",
    "installation",
    "repository",
    "sender",
    "login",
    "check_run",
    "pull_request",
    "head",
    "sha",
    "ref",
)
WORDS = ("a" * 40, "0" * 40, "octo/shop", "../..", "refs/heads/main", "heal/x", "failure", "completed", "Bot",
         "2026-11-20T10:00:00Z", "9999-12-31T23:59:59+14:00", "0001-01-01T00:00:00+23:59", "/heal fix", "7"
)  # fmt: skip
JUNK = nested(KEYS, WORDS)
OWN = st.sampled_from([Identity(), Identity(15368, "github-actions"), Identity(1, "heal")])
TEXTS = ("full_name", "branch", "head_sha", "body", "name", "sender", "login")


def decided(event: str, body: bytes, own: Identity) -> None:
    """What a dispatcher does with a delivery before it touches the database."""
    found = reading.parse(event, body)
    decisions = triage.decide(found, own)
    assert decisions
    for decision in decisions:
        assert is_dataclass(decision)
        assert "\\u0000" not in to_json(decision)


@pytest.mark.fault(12)
@given(st.sampled_from(BODIES).flatmap(lambda pair: st.tuples(st.just(pair[0]), rebuilt(pair[1], JUNK))), OWN)
def test_any_part_of_a_delivery_may_be_missing_or_wrong(delivery: tuple[str, object], own: Identity) -> None:
    """Whatever is left out, replaced or put into another place: an event, and decisions that can be stored."""
    event, body = delivery
    with contextlib.suppress(UnreadableEvent):  # nothing of an object may be left
        decided(event, encoded(body), own)


@given(st.sampled_from(sorted(reading.HANDLED_EVENTS)), st.binary() | JUNK.map(encoded), OWN)
def test_any_bytes_are_a_delivery_or_unreadable(event: str, body: bytes, own: Identity) -> None:
    """Whatever the bytes: an event or `UnreadableEvent`."""
    with contextlib.suppress(UnreadableEvent):
        decided(event, body, own)


@given(st.text(max_size=90), st.binary(max_size=50), st.binary(min_size=1, max_size=20))
def test_only_our_own_signature_is_taken(header: str, body: bytes, secret: bytes) -> None:
    """A header of any form is refused or compared; what was signed with the secret holds, with another it does not."""
    digest = signature.digest_in(header)
    assert digest is None or not signature.is_valid(body, digest, [secret])
    own = signature.digest_in(signature.sign(body, secret))
    assert own is not None
    assert signature.is_valid(body, own, [b"other", secret])
    assert not signature.is_valid(body, own, [secret + b"x"])
    assert not signature.is_valid(body + b" ", own, [secret])


def test_the_recorded_bodies_are_the_start() -> None:
    """There are bodies of every event that means something to us."""
    assert {event for event, _ in BODIES} >= reading.HANDLED_EVENTS - {"ping"}
